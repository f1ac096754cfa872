//! When a bot has outgrown its shards, and how many it should have then.

use super::shards::SHARDS_MAX;

/// How often in a row there must be too many guilds on a shard: an outage that ends, or a READY that counts guilds that
/// are left since, is no growth.
const CHECKS: u32 = 2;

/// Watches how many guilds there are on a shard.
///
/// Twice in a row above the bound it names a total: the present one doubled until a shard has at most four fifths of
/// the bound. Doubling splits shards one by one, the gentlest change there is, and the fifth is the room that keeps
/// the next check from asking again. It never asks for fewer shards: a bot that loses guilds runs on, and merging would
/// cost identifies for little.
///
/// ```
/// use shardkeep_core::fleet::Growth;
///
/// let mut growth = Growth::new(1_000);
/// assert_eq!(growth.check(15_900, 16), None); // 994 on a shard
/// assert_eq!(growth.check(16_100, 16), None); // the first time above
/// assert_eq!(growth.check(16_200, 16), Some(32)); // 506 on a shard then
/// assert_eq!(growth.check(16_200, 32), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    most: u32,
    above: u32,
}

impl Growth {
    /// At most so many guilds on a shard, on average; 0 counts as 1. Discord refuses more than 2,500.
    #[must_use]
    pub const fn new(guilds_per_shard_max: u32) -> Self {
        let most = if guilds_per_shard_max == 0 {
            1
        } else {
            guilds_per_shard_max
        };
        Self { most, above: 0 }
    }

    /// The bot is in so many guilds, on so many shards. How many shards it should have, if it has outgrown these.
    pub fn check(&mut self, guilds: u64, shards: u32) -> Option<u32> {
        let most = u64::from(self.most);
        if shards == 0 || guilds <= most * u64::from(shards) {
            self.above = 0;
            return None;
        }
        self.above = self.above.saturating_add(1);
        if self.above < CHECKS {
            return None;
        }
        let mut total = shards;
        while guilds * 5 > most * 4 * u64::from(total) {
            total = total.checked_mul(2).filter(|total| *total <= SHARDS_MAX)?;
        }
        (total > shards).then_some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_above_is_not_enough_and_the_count_begins_anew() {
        let mut growth = Growth::new(100);
        assert_eq!(growth.check(201, 2), None);
        assert_eq!(growth.check(200, 2), None);
        assert_eq!(growth.check(201, 2), None);
        assert_eq!(growth.check(201, 2), Some(4));
        assert_eq!(growth.check(201, 2), Some(4), "as long as nobody does it");
    }

    #[test]
    fn a_bot_that_is_far_above_doubles_more_than_once() {
        let mut growth = Growth::new(100);
        assert_eq!(growth.check(1_000, 1), None);
        assert_eq!(
            growth.check(1_000, 1),
            Some(16),
            "63 on a shard; of 8 it would be 125"
        );
        assert_eq!(
            growth.check(u64::from(u32::MAX), 2),
            None,
            "more than there can be"
        );
        assert_eq!(Growth::new(0).check(5, 0), None);
    }
}
