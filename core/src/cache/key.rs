//! What a record is found by.

use core::fmt;
use core::str::FromStr;

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

/// The text was no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a kind and its ids, such as `user:7` or `member:1:7`")
    }
}

impl core::error::Error for InvalidKey {}

impl FromStr for Key {
    type Err = InvalidKey;

    /// What [`Display`](fmt::Display) writes. An id that is zero is none, and a kind that has a scope must be told it.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let kind = Kind::from_name(name).ok_or(InvalidKey)?;
        let mut id = || {
            let part = parts.next()?;
            // Rust would take a plus sign too.
            let is_digits = part.bytes().all(|byte| byte.is_ascii_digit());
            let id: Snowflake = part.parse().ok()?;
            (is_digits && id.0 != 0).then_some(id)
        };
        let scope = if kind.scope().is_empty() {
            Snowflake(0)
        } else {
            id().ok_or(InvalidKey)?
        };
        let id = id().ok_or(InvalidKey)?;
        match parts.next() {
            None => Ok(Self::new(kind, scope, id)),
            Some(_) => Err(InvalidKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for &kind in Kind::ALL {
            let scope = Snowflake(u64::from(!kind.scope().is_empty()));
            let key = Key::new(kind, scope, Snowflake(u64::MAX));
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "user",
            "user:",
            "user:0",
            "user:1:2",
            "user:-1",
            "user:+1",
            "User:1",
            "member:1",
            "member:0:1",
            "member:1:2:3",
            "member:1:2:",
            "user:18446744073709551616",
        ] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey), "{text}");
        }
    }
}
