//! What happens to shards: the data of every event that is not a dispatch, typed.

use std::fmt;

use serde::{Deserialize, Serialize};
use shardkeep_core::Snowflake;

use super::chunk::Entry;
use super::topic::Topic;

/// A lifecycle event, decoded. Its JSON has the same fields by the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifecycle {
    /// A shard has a new session.
    ShardConnect(ShardConnect),
    /// A shard lost its connection.
    ShardDisconnect(ShardDisconnect),
    /// A shard's session goes on.
    ShardResume(ShardResume),
    /// Something went wrong.
    ShardError(ShardError),
    /// Every shard has a session.
    Ready(Ready),
    /// Discord dropped a command.
    RateLimited(RateLimited),
}

/// A shard has a new session (READY).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardConnect {
    /// Discord's name for the session.
    pub session_id: String,
    /// How many guilds the session carries.
    pub guild_count: u32,
}

/// A shard lost its connection, or did not get one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardDisconnect {
    /// Discord's close code, if it sent one.
    pub code: Option<u16>,
    /// The number of the cause: `gateway::Cause`.
    pub cause: u8,
    /// The cause in one sentence.
    pub reason: String,
    /// Whether the next connection tries to resume.
    pub resumable: bool,
    /// Milliseconds until the next attempt.
    pub retry_after_ms: u64,
}

/// A shard's session goes on; everything missed was dispatched before this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardResume {
    /// Discord's name for the session.
    pub session_id: String,
    /// The last sequence seen.
    pub sequence: u64,
    /// How many dispatches were replayed.
    pub replayed: u64,
}

/// What went wrong with a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShardErrorKind {
    /// Discord refuses the configuration. The shard has stopped.
    Fatal,
    /// The session could not be resumed: events between the last sequence and the next READY are lost.
    SessionLost,
    /// A command will not be sent.
    CommandRefused,
    /// Discord closed the connection over a command.
    CommandBlamed,
    /// The same complaint about commands came several times in a row.
    Escalated,
    /// Discord named a resume URL that the token must not go to.
    UrlRefused,
    /// The connection could not be opened.
    ConnectFailed,
    /// The identify budget holds the shard back.
    IdentifyHeld,
    /// Discord's limits (`GET /gateway/bot`) could not be read.
    LimitsUnknown,
    /// An event was too large to hand on. It was counted and dropped.
    EventDropped,
    /// Heartbeats are acknowledged, and events have dried up. The reason says what is done about it.
    DriedUp,
}

/// Something went wrong with a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardError {
    /// What went wrong.
    pub error: ShardErrorKind,
    /// The close code or refusal behind it, by number.
    pub code: Option<u16>,
    /// What happened and what to do.
    pub reason: String,
    /// Whether the shard has stopped for good.
    pub fatal: bool,
    /// What may be lost, if the error is [`ShardErrorKind::SessionLost`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// What may be lost of a session that could not be resumed: Discord does not say how much it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lost {
    /// Everything up to this sequence was finished.
    pub after_sequence: u64,
    /// The last sequence that was received. What came between the two was handed out; with a `session_store`, a
    /// process that died may not have finished it.
    pub received_sequence: u64,
    /// When the session was last known to live, in milliseconds of Unix time: what happened from then until the next
    /// READY was not received.
    pub since_unix_ms: u64,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            after_sequence,
            received_sequence,
            ..
        } = self;
        write!(
            f,
            "events between {received_sequence} and the next READY are lost"
        )?;
        if after_sequence < received_sequence {
            write!(
                f,
                ", and those from {after_sequence} on may not have been finished"
            )?;
        }
        Ok(())
    }
}

/// Every shard of this bot has a session, for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ready {
    /// How many shards this bot runs.
    pub shard_count: u32,
    /// How many guilds they carry together.
    pub guild_count: u64,
}

/// Discord dropped a command and says when to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimited {
    /// The command's opcode.
    pub opcode: u8,
    /// Milliseconds to wait.
    pub retry_after_ms: u64,
    /// The guild it was about, if Discord says so.
    pub guild_id: Option<Snowflake>,
    /// Whether it is sent again without the user's doing.
    pub resent: bool,
}

impl Lifecycle {
    /// The entry's data, decoded; none for a dispatch.
    #[must_use]
    pub fn read(entry: Entry<'_>) -> Option<Self> {
        fn data<'a, T: Deserialize<'a>>(entry: Entry<'a>) -> Option<T> {
            serde_json::from_slice(entry.data).ok()
        }
        match entry.topic {
            Topic::Dispatch => None,
            Topic::ShardConnect => data(entry).map(Self::ShardConnect),
            Topic::ShardDisconnect => data(entry).map(Self::ShardDisconnect),
            Topic::ShardResume => data(entry).map(Self::ShardResume),
            Topic::ShardError => data(entry).map(Self::ShardError),
            Topic::Ready => data(entry).map(Self::Ready),
            Topic::RateLimited => data(entry).map(Self::RateLimited),
        }
    }

    /// The topic that events with this content have.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::ShardConnect(_) => Topic::ShardConnect,
            Self::ShardDisconnect(_) => Topic::ShardDisconnect,
            Self::ShardResume(_) => Topic::ShardResume,
            Self::ShardError(_) => Topic::ShardError,
            Self::Ready(_) => Topic::Ready,
            Self::RateLimited(_) => Topic::RateLimited,
        }
    }

    /// The JSON of the event's data.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let json = match self {
            Self::ShardConnect(data) => serde_json::to_vec(data),
            Self::ShardDisconnect(data) => serde_json::to_vec(data),
            Self::ShardResume(data) => serde_json::to_vec(data),
            Self::ShardError(data) => serde_json::to_vec(data),
            Self::Ready(data) => serde_json::to_vec(data),
            Self::RateLimited(data) => serde_json::to_vec(data),
        };
        json.expect("plain structs of numbers and strings always serialize")
    }
}
