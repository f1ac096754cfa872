//! The request for members of a guild, and the rules that Discord has for it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};

use super::command_error::CommandError;
use crate::id::Snowflake;

/// The most ids, and the most results of a prefix query, that one request for members may have.
const MOST_MEMBERS: usize = 100;
/// The most bytes of a nonce. Discord leaves longer ones out of its answers without a word.
const MOST_NONCE_BYTES: usize = 32;

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
