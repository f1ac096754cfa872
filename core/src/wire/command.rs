//! Commands that a bot may send: ops 3, 4, 8, 31 and 43, checked before they cost a connection.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::command_error::CommandError;
use super::identify::write_payload;
use super::opcode::Opcode;
use super::presence::Presence;
use super::request_members::RequestGuildMembers;
use crate::id::Snowflake;

/// A command, encoded, with what a session must know to send it at the right time.
///
/// ```
/// use shardkeep_core::Snowflake;
/// use shardkeep_core::wire::Command;
///
/// let leave = Command::update_voice_state(Snowflake(1), None, false, false);
/// assert!(leave.payload().starts_with(br#"{"op":4,"d":{"guild_id":"1","channel_id":null,"#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    opcode: Opcode,
    payload: Vec<u8>,
    guild: Option<Snowflake>,
    whole_guild: bool,
    nonce: Option<String>,
}

/// A field of a channel that only op 43 shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelInfoField {
    /// A voice channel's status text.
    Status,
    /// When the voice channel's conversation started.
    VoiceStartTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateVoiceState {
    guild_id: Snowflake,
    // Null disconnects, so its absence must be an error and not a null.
    #[serde(deserialize_with = "Option::deserialize")]
    channel_id: Option<Snowflake>,
    #[serde(default)]
    self_mute: bool,
    #[serde(default)]
    self_deaf: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestSoundboardSounds {
    guild_ids: Vec<Snowflake>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestChannelInfo {
    guild_id: Snowflake,
    fields: Vec<ChannelInfoField>,
}

impl Command {
    fn new<T: Serialize>(opcode: Opcode, guild: Option<Snowflake>, body: &T) -> Self {
        let mut payload = Vec::new();
        write_payload(&mut payload, opcode, body);
        Self {
            opcode,
            payload,
            guild,
            whole_guild: false,
            nonce: None,
        }
    }

    /// Changes the bot's status and activities (op 3). Discord permits 5 in 20 s.
    ///
    /// # Errors
    ///
    /// [`CommandError::Presence`] if Discord would not show an activity.
    pub fn update_presence(presence: &Presence) -> Result<Self, CommandError> {
        presence.check().map_err(CommandError::Presence)?;
        Ok(Self::new(Opcode::PresenceUpdate, None, presence))
    }

    /// Joins or moves to a voice channel, or leaves voice where `channel_id` is none (op 4).
    #[must_use]
    pub fn update_voice_state(
        guild_id: Snowflake,
        channel_id: Option<Snowflake>,
        self_mute: bool,
        self_deaf: bool,
    ) -> Self {
        let body = UpdateVoiceState {
            guild_id,
            channel_id,
            self_mute,
            self_deaf,
        };
        Self::new(Opcode::VoiceStateUpdate, Some(guild_id), &body)
    }

    /// Asks for members of a guild (op 8). The answer comes as GUILD_MEMBERS_CHUNK events.
    ///
    /// # Errors
    ///
    /// [`CommandError`] for what Discord would refuse or cut short.
    pub fn request_guild_members(mut request: RequestGuildMembers) -> Result<Self, CommandError> {
        request.check()?;
        let mut command = Self::new(
            Opcode::RequestGuildMembers,
            Some(request.guild_id),
            &request,
        );
        command.whole_guild = request.is_whole_guild();
        command.nonce = request.nonce.take();
        Ok(command)
    }

    /// Asks for the soundboard sounds of guilds (op 31). One SOUNDBOARD_SOUNDS event answers for each.
    ///
    /// # Errors
    ///
    /// [`CommandError::NoGuilds`] if there is none.
    pub fn request_soundboard_sounds(guild_ids: &[Snowflake]) -> Result<Self, CommandError> {
        let &[first, ref others @ ..] = guild_ids else {
            return Err(CommandError::NoGuilds);
        };
        let guild = if others.is_empty() { Some(first) } else { None };
        let body = RequestSoundboardSounds {
            guild_ids: guild_ids.to_vec(),
        };
        Ok(Self::new(Opcode::RequestSoundboardSounds, guild, &body))
    }

    /// Asks for fields of a guild's channels that no other event shows (op 43). One CHANNEL_INFO event answers.
    ///
    /// # Errors
    ///
    /// [`CommandError::NoFields`] if there is none.
    pub fn request_channel_info(
        guild_id: Snowflake,
        fields: &[ChannelInfoField],
    ) -> Result<Self, CommandError> {
        if fields.is_empty() {
            return Err(CommandError::NoFields);
        }
        let body = RequestChannelInfo {
            guild_id,
            fields: fields.to_vec(),
        };
        Ok(Self::new(Opcode::RequestChannelInfo, Some(guild_id), &body))
    }

    /// Reads a command from the JSON of its `d`, by the same rules as the typed constructors, and encodes it anew.
    ///
    /// # Errors
    ///
    /// [`CommandError`], also for keys that the command does not have: a misspelt one would do nothing.
    pub fn from_json(op: u64, d: &[u8]) -> Result<Self, CommandError> {
        let opcode = Opcode::from_number(op).ok_or(CommandError::NotACommand { op })?;
        match opcode {
            Opcode::PresenceUpdate => Self::update_presence(&read(opcode, d)?),
            Opcode::VoiceStateUpdate => {
                let UpdateVoiceState {
                    guild_id,
                    channel_id,
                    self_mute,
                    self_deaf,
                } = read(opcode, d)?;
                Ok(Self::update_voice_state(
                    guild_id, channel_id, self_mute, self_deaf,
                ))
            }
            Opcode::RequestGuildMembers => Self::request_guild_members(read(opcode, d)?),
            Opcode::RequestSoundboardSounds => Self::request_soundboard_sounds(
                &read::<RequestSoundboardSounds>(opcode, d)?.guild_ids,
            ),
            Opcode::RequestChannelInfo => {
                let RequestChannelInfo { guild_id, fields } = read(opcode, d)?;
                Self::request_channel_info(guild_id, &fields)
            }
            _ => Err(CommandError::NotACommand { op }),
        }
    }

    /// Which command it is.
    #[must_use]
    pub const fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// The whole JSON text, ready to send.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The guild, if this asks for all of its members: Discord permits one such request per guild in 30 s.
    #[must_use]
    pub fn whole_guild(&self) -> Option<Snowflake> {
        if self.whole_guild { self.guild } else { None }
    }

    /// The guild, if this is about exactly one.
    #[must_use]
    pub const fn guild(&self) -> Option<Snowflake> {
        self.guild
    }

    /// The nonce of a request for members.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

fn read<'a, T: Deserialize<'a>>(opcode: Opcode, d: &'a [u8]) -> Result<T, CommandError> {
    // Where JSON has a list, serde would fill the fields in order.
    if d.trim_ascii_start().first() != Some(&b'{') {
        return Err(CommandError::Malformed {
            opcode,
            reason: String::from("expected an object"),
        });
    }
    serde_json::from_slice(d).map_err(|error| CommandError::Malformed {
        opcode,
        reason: error.to_string(),
    })
}
