//! What a record is found by.

use core::fmt;

use super::Kind;
use crate::id::Snowflake;

/// The kind of a record, what it belongs to, and its id there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What the record is about.
    pub kind: Kind,
    /// The guild; of a message its channel, of a thread's member the thread; zero for guilds and users.
    pub scope: Snowflake,
    /// The id within the scope.
    pub id: Snowflake,
}

impl Key {
    /// The key of `id` in `scope`.
    #[must_use]
    pub const fn new(kind: Kind, scope: Snowflake, id: Snowflake) -> Self {
        Self { kind, scope, id }
    }

    /// The key of a guild.
    #[must_use]
    pub const fn guild(id: Snowflake) -> Self {
        Self::new(Kind::Guild, Snowflake(0), id)
    }

    /// The key of a user.
    #[must_use]
    pub const fn user(id: Snowflake) -> Self {
        Self::new(Kind::User, Snowflake(0), id)
    }

    /// The key of a member.
    #[must_use]
    pub const fn member(guild: Snowflake, user: Snowflake) -> Self {
        Self::new(Kind::Member, guild, user)
    }

    /// The key of a message.
    #[must_use]
    pub const fn message(channel: Snowflake, id: Snowflake) -> Self {
        Self::new(Kind::Message, channel, id)
    }
}

impl fmt::Display for Key {
    /// `guild:1`, or `member:1:2` where there is a scope.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope.0 == 0 {
            write!(f, "{}:{}", self.kind, self.id)
        } else {
            write!(f, "{}:{}:{}", self.kind, self.scope, self.id)
        }
    }
}
