//! Identifiers: snowflakes, and which shard of how many.

use core::fmt;
use core::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A Discord identifier: 64 bits whose upper 42 are milliseconds since 2015.
///
/// JSON carries it as a decimal string; reading accepts an integer too, because ids that a client sent in a size that
/// no snowflake has come back as integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(pub u64);

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Snowflake {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Snowflake;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a snowflake: a string of decimal digits, or an integer")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Snowflake, E> {
                Ok(Snowflake(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Snowflake, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

/// One shard of a topology: `index` of `total`. The total belongs to the session, not to the bot: sessions with
/// different totals may be open at the same time.
///
/// ```
/// use shardkeep_core::{ShardId, Snowflake};
///
/// let shard = ShardId::new(3, 16).unwrap();
/// assert_eq!(shard.to_string(), "3/16");
/// assert_eq!(ShardId::of_guild(Snowflake(197_038_439_483_310_086), 16).unwrap().index(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    total: u32,
    index: u32,
}

impl ShardId {
    /// The only shard of an unsharded bot.
    pub const SINGLE: Self = Self { total: 1, index: 0 };

    /// Shard `index` of `total`; `None` unless `index < total`.
    #[must_use]
    pub const fn new(index: u32, total: u32) -> Option<Self> {
        if index < total {
            Some(Self { total, index })
        } else {
            None
        }
    }

    /// The shard that Discord sends `guild`'s events to: `(guild_id >> 22) % num_shards`. `None` if `total` is 0.
    #[must_use]
    pub const fn of_guild(guild: Snowflake, total: u32) -> Option<Self> {
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a remainder by a u32 fits in a u32"
        )]
        let index = ((guild.0 >> 22) % total as u64) as u32;
        Some(Self { total, index })
    }

    /// Zero-based position among the shards of this topology.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many shards the topology has (`num_shards`).
    #[must_use]
    pub const fn total(self) -> u32 {
        self.total
    }

    /// Which identify slot the shard waits for: `shard_id % max_concurrency`. A `max_concurrency` of 0 counts as 1.
    #[must_use]
    pub const fn rate_limit_key(self, max_concurrency: u32) -> u32 {
        self.index
            % if max_concurrency == 0 {
                1
            } else {
                max_concurrency
            }
    }
}

/// JSON carries it as it is written: `"3/16"`.
impl Serialize for ShardId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ShardId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = ShardId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shard: its index, a slash and its total, such as 3/16")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ShardId, E> {
                let parts = text.split_once('/');
                parts
                    .and_then(|(index, total)| ShardId::new(plain(index)?, plain(total)?))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Written)
    }
}

/// A number in the one way it is written.
fn plain(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_plain && (text == "0" || !text.starts_with('0')))
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}
