//! A payload for each event.

use serde_json::{Map, Value, json};
use shardkeep_core::wire::EventKind;

use super::{OWN, World, flake, guild_id};

impl World {
    fn guild_object(&mut self, guild: u64) -> Value {
        let base = json!({
            "id": guild_id(guild).to_string(), "name": self.text(),
            "roles": self.list(3, Self::role), "emojis": self.list(3, Self::emoji),
        });
        let mut object = self.with(base, &["icon", "description", "features"]);
        if !self.one_in(4) {
            object["stickers"] = self.list(2, Self::sticker);
        }
        object
    }

    fn guild_create(&mut self) -> Value {
        let guild = self.guild();
        if self.one_in(6) {
            return json!({"id": guild_id(guild).to_string(), "unavailable": true, "geo_restricted": true});
        }
        let mut object = self.guild_object(guild);
        object["member_count"] = self.below(9).into();
        object["joined_at"] = self.text();
        object["large"] = self.one_in(2).into();
        if self.one_in(2) {
            object["unavailable"] = false.into();
        }
        object["channels"] = self.list(4, |world| world.channel(guild));
        object["threads"] = self.list(3, |world| world.thread(guild));
        object["members"] = self.list(5, Self::member);
        object["presences"] = self.list(4, Self::presence);
        object["voice_states"] = self.list(3, |world| world.voice_state(guild));
        object["stage_instances"] = self.list(2, |world| world.stage(guild));
        object["guild_scheduled_events"] = self.list(2, |world| world.scheduled_event(guild));
        object["soundboard_sounds"] = self.list(2, Self::sound);
        object
    }

    fn ready(&mut self) -> Value {
        let mut ready = json!({
            "v": 10, "user": {"id": flake(3, OWN).to_string(), "username": self.text(), "bot": true},
            "guilds": self.list(3, |world| json!({"id": world.guild_id(), "unavailable": true})),
            "session_id": "x", "application": {"id": "5"},
        });
        if self.one_in(2) {
            let total = 1 + self.below(3);
            ready["shard"] = json!([self.below(total), total]);
        }
        ready
    }

    fn interaction(&mut self) -> Value {
        let mut users = Map::new();
        let mut members = Map::new();
        let mut roles = Map::new();
        for _ in 0..self.below(3) {
            let user = self.user();
            let id = user["id"].as_str().unwrap().to_owned();
            members.insert(id.clone(), self.part_of_member());
            users.insert(id, user);
            let role = self.role();
            roles.insert(role["id"].as_str().unwrap().to_owned(), role);
        }
        let mut interaction = json!({
            "id": "77", "type": 2, "token": "t",
            "data": {"name": "x", "resolved": {
                "users": users, "members": members, "roles": roles,
                "channels": {"5": {"id": "5", "type": 0}}, "messages": {},
            }},
            "authorizing_integration_owners": {},
        });
        if self.one_in(4) {
            interaction["user"] = self.user();
        } else {
            let guild = self.guild_id();
            interaction["member"] = self.member();
            if self.one_in(2) {
                interaction["authorizing_integration_owners"]["0"] = guild.clone();
            }
            interaction["guild_id"] = guild;
        }
        interaction
    }

    fn in_guild(&mut self, guild: u64, mut d: Value) -> Value {
        d["guild_id"] = guild_id(guild).to_string().into();
        d
    }

    /// What a guild's lists and channels are told by.
    fn of_guild(&mut self, event: EventKind) -> Value {
        use EventKind as E;
        let guild = self.guild();
        let d = match event {
            E::ChannelCreate | E::ChannelUpdate | E::ChannelDelete => self.channel(guild),
            E::ChannelInfo => {
                let one = |world: &mut Self| {
                    let base = json!({"id": world.channel_of(guild)});
                    world.with(base, &["status", "voice_start_time"])
                };
                json!({"channels": self.list(3, one)})
            }
            E::VoiceChannelStatusUpdate | E::VoiceChannelStartTimeUpdate => {
                let base = json!({"id": self.channel_of(guild)});
                self.with(base, &["status", "voice_start_time"])
            }
            E::ChannelPinsUpdate => {
                let base = json!({"channel_id": self.place_of(guild)});
                self.with(base, &["last_pin_timestamp"])
            }
            E::ThreadCreate
            | E::ThreadUpdate
            | E::ThreadDelete
            | E::ThreadListSync
            | E::ThreadMemberUpdate
            | E::ThreadMembersUpdate => self.of_thread(event, guild),
            E::GuildRoleCreate | E::GuildRoleUpdate => json!({"role": self.role()}),
            E::GuildRoleDelete => json!({"role_id": self.id(4, 4)}),
            E::GuildEmojisUpdate => json!({"emojis": self.list(4, Self::emoji)}),
            E::GuildStickersUpdate => json!({"stickers": self.list(3, Self::sticker)}),
            E::GuildSoundboardSoundsUpdate | E::SoundboardSounds => {
                json!({"soundboard_sounds": self.list(3, Self::sound)})
            }
            E::GuildSoundboardSoundCreate
            | E::GuildSoundboardSoundUpdate
            | E::GuildSoundboardSoundDelete => self.sound(),
            E::StageInstanceCreate | E::StageInstanceUpdate | E::StageInstanceDelete => {
                self.stage(guild)
            }
            E::GuildScheduledEventCreate
            | E::GuildScheduledEventUpdate
            | E::GuildScheduledEventDelete => self.scheduled_event(guild),
            E::GuildScheduledEventUserAdd | E::GuildScheduledEventUserRemove => {
                json!({"guild_scheduled_event_id": self.id(9, 3), "user_id": self.user_id()})
            }
            E::GuildMemberAdd | E::GuildMemberUpdate => self.member(),
            E::GuildMemberRemove | E::GuildBanAdd | E::GuildBanRemove => {
                json!({"user": self.user()})
            }
            E::GuildMembersChunk => json!({
                "members": self.list(4, Self::member), "presences": self.list(3, Self::presence), "chunk_index": 0,
            }),
            E::TypingStart => json!({"channel_id": self.place_of(guild), "member": self.member()}),
            E::PresenceUpdate => self.presence(),
            E::VoiceStateUpdate => self.voice_state(guild),
            _ => {
                json!({"channel_id": self.channel_of(guild), "user": self.user(), "id": self.id(0, 3)})
            }
        };
        self.in_guild(guild, d)
    }

    fn of_thread(&mut self, event: EventKind, guild: u64) -> Value {
        use EventKind as E;
        match event {
            E::ThreadCreate => {
                let mut thread = self.thread(guild);
                thread["newly_created"] = self.one_in(2).into();
                thread
            }
            E::ThreadUpdate => self.thread(guild),
            E::ThreadDelete => {
                json!({"id": self.thread_of(guild), "parent_id": self.channel_of(guild), "type": 11})
            }
            E::ThreadListSync => {
                let mut sync = json!({
                    "threads": self.list(3, |world| world.thread(guild)),
                    "members": self.list(2, |world| world.thread_member(guild)),
                });
                if !self.one_in(3) {
                    sync["channel_ids"] = self.list(3, |world| world.channel_of(guild));
                }
                sync
            }
            E::ThreadMemberUpdate => self.thread_member(guild),
            _ => json!({
                "id": self.thread_of(guild), "member_count": self.below(50),
                "added_members": self.list(2, |world| world.thread_member(guild)),
                "removed_member_ids": self.list(2, Self::user_id),
            }),
        }
    }

    pub(super) fn make(&mut self, event: EventKind) -> Value {
        use EventKind as E;
        match event {
            E::Ready => self.ready(),
            E::GuildCreate => self.guild_create(),
            E::GuildUpdate => {
                let guild = self.guild();
                self.guild_object(guild)
            }
            E::GuildDelete => {
                let mut d = json!({"id": self.guild_id()});
                if self.one_in(2) {
                    d["unavailable"] = true.into();
                }
                d
            }
            E::UserUpdate => {
                let mut user = self.user();
                user["id"] = flake(3, OWN).to_string().into();
                user
            }
            E::InteractionCreate => self.interaction(),
            _ if event.name().starts_with("MESSAGE_") => self.of_message(event),
            _ => self.of_guild(event),
        }
    }
}
