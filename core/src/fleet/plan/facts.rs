//! What a plan is made from besides the shards: Discord's limits, and what is known of the bot.

use alloc::vec::Vec;
use core::time::Duration;

use crate::fleet::identify::SessionStartLimit;
use crate::fleet::snapshot::{KeySnapshot, Snapshot};
use crate::id::ShardId;

/// What is known of the bot when a [`Plan`](super::Plan) is made. [`Facts::new`] gives the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The identify limits, from `GET /gateway/bot`.
    pub limit: SessionStartLimit,
    /// How many of the day's identifies are never spent. Default 50; at most half of the total counts.
    pub reserve: u32,
    /// Added to the 5 s between two identifies of one key. Default 250 ms.
    pub margin: Duration,
    /// How long old and new sessions run beside each other in each step, from the last identify on: READY, the guilds
    /// as they stream in, and the moment at which both are aligned. Default 10 s.
    pub overlap: Duration,
    /// Keys that are taken at the start, by the index of a shard that identified lately. Default none.
    pub keys: Vec<KeySnapshot>,
    /// The overlays that are open. Default none.
    pub overlays: Vec<ShardId>,
    /// How many guilds the bot is in, if that is known. Without it neither the cap of 2,500 guilds for each shard nor
    /// the rule for bots above 150,000 guilds is checked.
    pub guilds: Option<u64>,
    /// How many shards `GET /gateway/bot` recommends. Always valid.
    pub recommended: Option<u32>,
    /// The number of which a very large bot's totals must be multiples, as Discord told its owner.
    pub large_bot_shards: Option<u32>,
    /// The plan has at most this many steps. After each step every guild is served exactly once, so the rest can be
    /// planned on another day. Default: all.
    pub steps_max: Option<u32>,
}

impl Facts {
    /// The defaults, with these limits.
    #[must_use]
    pub fn new(limit: SessionStartLimit) -> Self {
        Self {
            limit,
            reserve: 50,
            margin: Duration::from_millis(250),
            overlap: Duration::from_secs(10),
            keys: Vec::new(),
            overlays: Vec::new(),
            guilds: None,
            recommended: None,
            large_bot_shards: None,
            steps_max: None,
        }
    }

    /// The limits and the taken keys that a fleet's snapshot holds; the defaults otherwise. `None` if Discord never
    /// told the fleet its limits.
    #[must_use]
    pub fn from_snapshot(snapshot: &Snapshot) -> Option<Self> {
        let known = snapshot.allowance?;
        let mut facts = Self::new(SessionStartLimit {
            total: known.total,
            remaining: known.remaining,
            reset_after_ms: known.resets_in_ms,
            max_concurrency: known.max_concurrency,
        });
        facts.keys.clone_from(&snapshot.keys);
        Some(facts)
    }

    /// How many identifies may be spent today: what is left, less the reserve.
    #[must_use]
    pub fn spendable(&self) -> u32 {
        let left = self.limit.remaining.min(self.limit.total);
        left.saturating_sub(self.kept_back())
    }

    /// How many may be spent on a day that begins anew.
    #[must_use]
    pub fn spendable_of_a_day(&self) -> u32 {
        self.limit.total - self.kept_back()
    }

    /// How long until all of the day's identifies are left again.
    #[must_use]
    pub fn resets_in(&self) -> Duration {
        Duration::from_millis(self.limit.reset_after_ms)
    }

    /// As the fleet's account keeps it: a small total cannot lock a bot out.
    fn kept_back(&self) -> u32 {
        self.reserve.min(self.limit.total / 2)
    }
}
