//! Why a command would not do what it is meant to do.

use alloc::string::String;
use core::fmt;

use super::opcode::Opcode;
use super::presence::PresenceError;

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
            Self::NotACommand {
                op: op @ (1 | 2 | 6),
            } => {
                write!(
                    f,
                    "op {op} is the session's own to send: use 3, 4, 8, 31 or 43"
                )
            }
            Self::NotACommand { op } => {
                write!(
                    f,
                    "op {op} is no command for bots and would close the connection"
                )
            }
            Self::Malformed { opcode, reason } => {
                write!(f, "the d of op {}: {reason}", opcode.number())
            }
            Self::Presence(error) => fmt::Display::fmt(error, f),
            Self::QueryAndUserIds => {
                f.write_str("a request for members has query or user_ids, not both: leave one out")
            }
            Self::NoQueryOrUserIds => f.write_str(
                "a request for members needs query or user_ids: all are query \"\", limit 0",
            ),
            Self::NoLimit => f.write_str(
                "a query for members needs a limit: 1 to 100, or 0 for everyone (query \"\")",
            ),
            Self::PrefixWithoutLimit => {
                f.write_str("limit 0 goes with query \"\" only: with a prefix use 1 to 100")
            }
            Self::HighLimit { limit } => {
                write!(
                    f,
                    "a prefix query gives 100 members at most: lower the limit of {limit}"
                )
            }
            Self::ManyUserIds { ids } => {
                write!(
                    f,
                    "a request for members takes 100 user ids at most: split these {ids} up"
                )
            }
            Self::LongNonce { bytes } => {
                write!(
                    f,
                    "a nonce has 32 bytes at most, not {bytes}: Discord would drop it"
                )
            }
            Self::NoGuilds => f.write_str("a request for soundboard sounds needs a guild id"),
            Self::NoFields => f.write_str("a request for channel info needs a field to ask for"),
        }
    }
}

impl core::error::Error for CommandError {}
