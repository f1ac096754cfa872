//! A guild on another shard: what that takes, or why it cannot be.

use core::fmt;

use crate::id::{ShardId, Snowflake};

use super::plan::Target;
use super::serving::Serving;

/// The change of shards that brings a guild from one shard to another.
///
/// Discord sends a guild's events to `(guild_id >> 22) % num_shards`, so a guild cannot be put on any shard: it can
/// come to one of which it is a part. That is a half of its own shard (a split), the shard of which its own is a half
/// (a merge), or its shard again where it has an overlay, which leaves. [`Target::Isolate`] gives it one.
///
/// ```
/// use shardkeep_core::fleet::{Serving, Target, Topology, transfer};
/// use shardkeep_core::{ShardId, Snowflake};
///
/// let serving = Serving::new(Topology::whole(16)?, [])?;
/// let shard = |index, total| ShardId::new(index, total).unwrap();
/// let guild = Snowflake(19 << 22); // 19 % 16 = 3, 19 % 32 = 19
/// let found = transfer(&serving, guild, shard(3, 16), shard(19, 32))?;
/// assert_eq!(found, Target::Split(shard(3, 16)));
///
/// let refused = transfer(&serving, guild, shard(3, 16), shard(4, 16)).unwrap_err();
/// assert!(refused.to_string().contains("3/32 and 19/32"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TransferError`], which says what is possible.
pub fn transfer(
    serving: &Serving,
    guild: Snowflake,
    from: ShardId,
    to: ShardId,
) -> Result<Target, TransferError> {
    let now = serving.shard_of(guild);
    if now != from {
        return Err(TransferError::Elsewhere { guild, now });
    }
    if to == from {
        return Err(TransferError::Already { guild, now });
    }
    let is_overlay = serving.overlays().contains(&from);
    let home = serving.topology().shards_of(guild).next();
    if is_overlay {
        return match home {
            Some(home) if home == to => Ok(Target::Rejoin(from)),
            home => Err(TransferError::OnOverlay {
                overlay: from,
                home: home.unwrap_or(from),
            }),
        };
    }
    let is_double = |small: ShardId, large: ShardId| {
        u64::from(small.total()) == 2 * u64::from(large.total()) && large.covers(small)
    };
    if !to.carries(guild) {
        return Err(TransferError::NotItsShard { guild, from, to });
    }
    if is_double(to, from) {
        return Ok(Target::Split(from));
    }
    if is_double(from, to) {
        return Ok(Target::Merge(from));
    }
    Err(TransferError::NoStep { guild, from, to })
}

/// Why a guild does not come to a shard, and what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferError {
    /// It is handled on another shard than was said.
    Elsewhere {
        /// The guild.
        guild: Snowflake,
        /// Where it is.
        now: ShardId,
    },
    /// It is there.
    Already {
        /// The guild.
        guild: Snowflake,
        /// Where it is.
        now: ShardId,
    },
    /// It has an overlay, which can only be left for its own shard.
    OnOverlay {
        /// The overlay.
        overlay: ShardId,
        /// Its shard.
        home: ShardId,
    },
    /// Discord sends its events to another shard of that total.
    NotItsShard {
        /// The guild.
        guild: Snowflake,
        /// Where it is.
        from: ShardId,
        /// Where it is not to be.
        to: ShardId,
    },
    /// Its events could come there, but no single step leads there.
    NoStep {
        /// The guild.
        guild: Snowflake,
        /// Where it is.
        from: ShardId,
        /// Where it was to be.
        to: ShardId,
    },
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Elsewhere { guild, now } => {
                write!(f, "guild {guild} is handled on shard {now}: name that one")
            }
            Self::Already { guild, now } => write!(f, "guild {guild} is on shard {now} already"),
            Self::OnOverlay { overlay, home } => write!(
                f,
                "it has the overlay {overlay}, from which it can go to its shard {home} and nowhere else"
            ),
            Self::NotItsShard { guild, from, to } => {
                let there = ShardId::of_guild(guild, to.total()).unwrap_or(to);
                write!(
                    f,
                    "Discord sends the events of guild {guild} to {there}, never to {to}: {}",
                    Possible(from)
                )
            }
            Self::NoStep { guild, from, to } => write!(
                f,
                "guild {guild} does not come from {from} to {to} in one step: {}",
                Possible(from)
            ),
        }
    }
}

impl core::error::Error for TransferError {}

/// What can be done with a guild of this shard.
struct Possible(ShardId);

impl fmt::Display for Possible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shard = self.0;
        let half = |index: u32| ShardId::new(index, shard.total().saturating_mul(2));
        if let (Some(low), Some(high)) = (half(shard.index()), half(shard.index() + shard.total()))
        {
            write!(f, "possible are a split of {shard} into {low} and {high}, ")?;
        }
        if shard.total().is_multiple_of(2) {
            let whole = ShardId::new(shard.index() % (shard.total() / 2), shard.total() / 2);
            if let Some(whole) = whole {
                write!(f, "a merge into {whole}, ")?;
            }
        }
        f.write_str("and an overlay of its own (isolate)")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::fleet::Topology;

    fn shard(index: u32, total: u32) -> ShardId {
        ShardId::new(index, total).expect("a shard")
    }

    #[test]
    fn a_guild_comes_to_what_it_is_a_part_of_and_nowhere_else() {
        let overlay = shard(19, 160);
        let serving = Serving::new(Topology::whole(16).unwrap(), [overlay]).unwrap();
        let guild = Snowflake(35 << 22); // 35 % 16 = 3, 35 % 160 = 35
        let isolated = Snowflake(179 << 22); // 179 % 16 = 3, 179 % 160 = 19
        let from = shard(3, 16);
        let go = |guild, from, to| transfer(&serving, guild, from, to);
        assert_eq!(go(guild, from, shard(3, 32)), Ok(Target::Split(from)));
        assert_eq!(go(guild, from, shard(3, 8)), Ok(Target::Merge(from)));
        assert_eq!(go(isolated, overlay, from), Ok(Target::Rejoin(overlay)));
        for (found, part) in [
            (go(guild, shard(4, 16), from), "is handled on shard 3/16"),
            (go(guild, from, from), "is on shard 3/16 already"),
            (
                go(isolated, from, shard(19, 32)),
                "is handled on shard 19/160",
            ),
            (
                go(isolated, overlay, shard(19, 32)),
                "its shard 3/16 and nowhere else",
            ),
            (
                go(guild, from, shard(19, 32)),
                "to 3/32, never to 19/32: possible are a split of 3/16 into 3/32 and 19/32",
            ),
            (go(guild, from, shard(5, 16)), "never to 5/16"),
            (
                go(guild, from, shard(35, 64)),
                "not come from 3/16 to 35/64 in one step",
            ),
        ] {
            let error = found.expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
