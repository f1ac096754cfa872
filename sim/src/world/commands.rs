//! What a bot may send once its session is established: ops 3, 4, 8, 31 and 43.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use shardkeep_core::wire::{EventKind, Opcode};
use shardkeep_core::{ShardId, Snowflake};

use super::World;
use super::dispatch::Event;
use super::ledger::ViolationKind;
use crate::guild::{ChannelKind, Kind};
use crate::wire::json::Json;

#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "the fields are read to be checked: all of them must be there"
)]
struct Presence {
    /// Milliseconds since 1970. discord.py sends `0.0`, and Discord takes it.
    #[serde(deserialize_with = "required")]
    since: Option<f64>,
    activities: Vec<Value>,
    status: Status,
    afk: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Online,
    Dnd,
    Idle,
    Invisible,
    Offline,
}

#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "the fields are read to be checked: all of them must be there"
)]
struct Voice {
    guild_id: Snowflake,
    #[serde(deserialize_with = "required")]
    channel_id: Option<Snowflake>,
    self_mute: bool,
    self_deaf: bool,
}

#[derive(Deserialize)]
struct Sounds {
    guild_ids: Vec<Snowflake>,
}

#[derive(Deserialize)]
struct ChannelInfo {
    guild_id: Snowflake,
    fields: Vec<String>,
}

/// A key that may be null but must be there.
fn required<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    de: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(de)
}

/// A refused payload: what is wrong with it.
pub(crate) type Refused = String;

/// Reads an object. serde would take an array for a struct as well; Discord does not.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Refused> {
    if !json.trim_start().starts_with('{') {
        return Err("not an object".to_owned());
    }
    serde_json::from_str(json).map_err(|error| error.to_string())
}

impl World {
    /// A command on a connection that has identified or resumed.
    pub(super) fn session_command(&mut self, number: u64, op: Opcode, d: &str) {
        let key = self
            .connections
            .get(&number)
            .and_then(|connection| connection.session);
        let Some(key) = key else { return };
        let done = match op {
            Opcode::PresenceUpdate => self.presence_update(number, d),
            Opcode::VoiceStateUpdate => self.voice_state_update(key, d),
            Opcode::RequestGuildMembers => self.request_members(number, key, d),
            Opcode::RequestSoundboardSounds => self.request_sounds(key, d),
            _ => self.request_channel_info(key, d),
        };
        if let Err(what) = done {
            self.bad_payload(number, &format!("op {}: {what}", op.number()));
        }
    }

    fn presence_update(&mut self, number: u64, d: &str) -> Result<(), Refused> {
        parse::<Presence>(d)?;
        let now = self.now;
        if !self
            .connections
            .get_mut(&number)
            .is_none_or(|connection| connection.count_presence(now))
        {
            self.violate(
                number,
                ViolationKind::PresenceTooFast,
                "more than 5 in 20 s".to_owned(),
            );
        }
        Ok(())
    }

    /// The guild with this id, if it is on the session's shard and up.
    pub(super) fn own_guild(&self, key: u64, guild: Snowflake) -> Option<u32> {
        let shard = self.sessions.get(&key)?.shard;
        let index = self.catalog.guild_index(guild)?;
        let here = ShardId::of_guild(guild, shard.total()) == Some(shard);
        (here && self.is_up(index)).then_some(index)
    }

    fn voice_state_update(&mut self, key: u64, d: &str) -> Result<(), Refused> {
        let voice = parse::<Voice>(d)?;
        let Some(index) = self.own_guild(key, voice.guild_id) else {
            return Ok(());
        };
        let channel = match voice.channel_id {
            None => None,
            Some(id) => match self.catalog.locate(Kind::Channel, id.0) {
                Some((guild, at)) if guild == index && self.is_voice(index, at) => Some(id.0),
                // A channel that is none gets no answer.
                _ => return Ok(()),
            },
        };
        let id = self.fresh_id();
        let body = Json::build(512, |json| {
            json.id("guild_id", voice.guild_id.0);
            self.catalog.write_voice_state(json, index, 0, channel);
            json.object("member", |json| self.catalog.write_member(json, index, 0));
        });
        self.dispatch_guild(
            voice.guild_id,
            Event::new(EventKind::VoiceStateUpdate, true, id, body),
        );
        if channel.is_some() {
            let body = Json::build(160, |json| {
                json.hash("token", id);
                json.id("guild_id", voice.guild_id.0);
                json.text("endpoint", "voice.sim.invalid:443");
            });
            self.dispatch_guild(
                voice.guild_id,
                Event::new(EventKind::VoiceServerUpdate, true, id, body),
            );
        }
        Ok(())
    }

    fn is_voice(&self, index: u32, position: u32) -> bool {
        matches!(
            self.catalog.channel_kind(index, position),
            Some(ChannelKind::Voice | ChannelKind::Stage)
        )
    }

    fn request_sounds(&mut self, key: u64, d: &str) -> Result<(), Refused> {
        for guild in parse::<Sounds>(d)?.guild_ids {
            let Some(index) = self.own_guild(key, guild) else {
                continue;
            };
            let body = Json::build(512, |json| {
                json.id("guild_id", guild.0);
                json.array("soundboard_sounds", |json| {
                    self.catalog.write_sounds(json, index)
                });
            });
            let event = Event::new(EventKind::SoundboardSounds, true, guild.0, body);
            self.dispatch_session(key, &Arc::new(event));
        }
        Ok(())
    }

    fn request_channel_info(&mut self, key: u64, d: &str) -> Result<(), Refused> {
        let info = parse::<ChannelInfo>(d)?;
        let Some(index) = self.own_guild(key, info.guild_id) else {
            return Ok(());
        };
        let wants = |field: &str| info.fields.iter().any(|asked| asked == field);
        let body = Json::build(256, |json| {
            json.id("guild_id", info.guild_id.0);
            json.array("channels", |json| {
                for position in 0..self.catalog.channel_count(index) {
                    if !self.is_voice(index, position) {
                        continue;
                    }
                    json.item_object(|json| {
                        json.id("id", self.catalog.id(index, Kind::Channel, position));
                        if wants("status") {
                            json.null("status");
                        }
                        if wants("voice_start_time") {
                            json.null("voice_start_time");
                        }
                    });
                }
            });
        });
        let event = Event::new(EventKind::ChannelInfo, true, info.guild_id.0, body);
        self.dispatch_session(key, &Arc::new(event));
        Ok(())
    }
}
