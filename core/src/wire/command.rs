//! Commands that a bot may send: ops 3, 4, 8, 31 and 43, checked before they cost a connection.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::identify::write_payload;
use super::opcode::Opcode;
use super::presence::{Presence, PresenceError};
use crate::id::Snowflake;

/// The most ids, and the most results of a prefix query, that one request for members may have.
const MOST_MEMBERS: usize = 100;
/// The most bytes of a nonce. Discord leaves longer ones out of its answers without a word.
const MOST_NONCE_BYTES: usize = 32;

/// A command, encoded, with what a session must know to send it at the right time.
///
/// ```
/// use shardkeep_core::Snowflake;
/// use shardkeep_core::wire::Command;
///
/// let leave = Command::update_voice_state(Snowflake(1), None, false, false);
/// assert_eq!(leave.payload(), br#"{"op":4,"d":{"guild_id":"1","channel_id":null,"self_mute":false,"self_deaf":false}}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    opcode: Opcode,
    payload: Vec<u8>,
    guild: Option<Snowflake>,
    whole_guild: bool,
    nonce: Option<String>,
}

/// A request for members of one guild (op 8). Exactly one of `query` and `user_ids` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestGuildMembers {
    /// The guild.
    pub guild_id: Snowflake,
    /// What the user name starts with; empty for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The most members to send: needed with `query`; 1 to 100, or 0 for everyone with an empty `query`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Whether to send presences too. Needs the GUILD_PRESENCES intent.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub presences: bool,
    /// The members to send, 100 at most.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub user_ids: Vec<Snowflake>,
    /// Comes back in the chunks, to tell requests apart. 32 bytes at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
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

/// Discord takes one id in place of a list of one.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Snowflake>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a snowflake or a list of snowflakes")]
    enum OneOrMany {
        One(Snowflake),
        Many(Vec<Snowflake>),
    }
    OneOrMany::deserialize(deserializer).map(|ids| match ids {
        OneOrMany::One(id) => alloc::vec![id],
        OneOrMany::Many(ids) => ids,
    })
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
    serde_json::from_slice(d).map_err(|error| CommandError::Malformed {
        opcode,
        reason: error.to_string(),
    })
}

impl RequestGuildMembers {
    /// Whether this asks for everyone.
    #[must_use]
    pub fn is_whole_guild(&self) -> bool {
        self.limit == Some(0) && self.query.as_deref() == Some("")
    }

    /// Checks the rules that Discord has for it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] with what to change.
    pub fn check(&self) -> Result<(), CommandError> {
        if let Some(bytes) = self
            .nonce
            .as_ref()
            .map(String::len)
            .filter(|&bytes| bytes > MOST_NONCE_BYTES)
        {
            return Err(CommandError::LongNonce { bytes });
        }
        match (self.query.as_deref(), self.user_ids.len()) {
            (Some(_), 1..) => Err(CommandError::QueryAndUserIds),
            (None, 0) => Err(CommandError::NoQueryOrUserIds),
            (None, ids) if ids > MOST_MEMBERS => Err(CommandError::ManyUserIds { ids }),
            (None, _) => Ok(()),
            (Some(query), 0) => match self.limit {
                None => Err(CommandError::NoLimit),
                Some(0) if !query.is_empty() => Err(CommandError::PrefixWithoutLimit),
                Some(limit) if !query.is_empty() && limit as usize > MOST_MEMBERS => {
                    Err(CommandError::HighLimit { limit })
                }
                Some(_) => Ok(()),
            },
        }
    }
}

/// Why a command would not do what it is meant to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The opcode is not one that a bot's code sends.
    NotACommand {
        /// The opcode as given.
        op: u64,
    },
    /// The JSON is malformed, lacks a key, has one too many, or a value has the wrong type.
    Malformed {
        /// The command.
        opcode: Opcode,
        /// What is wrong, and where.
        reason: String,
    },
    /// Discord would not show the presence.
    Presence(PresenceError),
    /// Both `query` and `user_ids` are set.
    QueryAndUserIds,
    /// Neither `query` nor `user_ids` is set.
    NoQueryOrUserIds,
    /// `query` is set and `limit` is not.
    NoLimit,
    /// `limit` is 0 with a `query` that is not empty.
    PrefixWithoutLimit,
    /// `limit` is over 100 with a `query` that is not empty.
    HighLimit {
        /// The limit as given.
        limit: u32,
    },
    /// There are more than 100 user ids.
    ManyUserIds {
        /// How many there are.
        ids: usize,
    },
    /// The nonce is longer than 32 bytes.
    LongNonce {
        /// How long it is.
        bytes: usize,
    },
    /// There are no guild ids.
    NoGuilds,
    /// There are no fields.
    NoFields,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand { op: op @ (1 | 2 | 6) } => {
                write!(f, "op {op} is the session's own to send: use ops 3, 4, 8, 31 or 43")
            }
            Self::NotACommand { op } => {
                write!(f, "op {op} is not a command for bots and would close the connection: use ops 3, 4, 8, 31 or 43")
            }
            Self::Malformed { opcode, reason } => write!(f, "the d of op {}: {reason}", opcode.number()),
            Self::Presence(error) => fmt::Display::fmt(error, f),
            Self::QueryAndUserIds => f.write_str("a request for members has query or user_ids, not both: leave one out"),
            Self::NoQueryOrUserIds => f.write_str(
                "a request for members needs query or user_ids: query \"\" with limit 0 asks for everyone",
            ),
            Self::NoLimit => f.write_str("a query for members needs a limit: 1 to 100, or 0 for everyone with query \"\""),
            Self::PrefixWithoutLimit => {
                f.write_str("limit 0 asks for everyone and goes with query \"\": with a prefix use 1 to 100")
            }
            Self::HighLimit { limit } => write!(f, "a prefix query gives 100 members at most: lower the limit of {limit}"),
            Self::ManyUserIds { ids } => {
                write!(f, "a request for members takes 100 user ids at most: split the {ids} over several requests")
            }
            Self::LongNonce { bytes } => {
                write!(f, "a nonce has 32 bytes at most, this one has {bytes}: Discord would leave it out of the chunks")
            }
            Self::NoGuilds => f.write_str("a request for soundboard sounds needs a guild id"),
            Self::NoFields => f.write_str("a request for channel info needs a field: status or voice_start_time"),
        }
    }
}

impl core::error::Error for CommandError {}
