//! One process: a holder, its sessions, and a clock of its own.

use std::collections::BTreeMap;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::lease::Holder;
use shardkeep_sim::Instant;

/// A clock that is somewhere else, and goes a little faster or slower. Parts in a million.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) offset: u64,
    pub(crate) rate: u64,
}

impl Clock {
    /// A moment of the world by this clock.
    pub(crate) fn local(self, at: Instant) -> Instant {
        let passed = u128::from(at.as_micros()) * u128::from(self.rate) / 1_000_000;
        Instant::from_micros(self.offset + u64::try_from(passed).expect("a short run"))
    }

    /// The first moment of the world at which this clock says `at` or later.
    pub(crate) fn world(self, at: Instant) -> Instant {
        let passed = u128::from(at.as_micros().saturating_sub(self.offset));
        let micros = (passed * 1_000_000).div_ceil(u128::from(self.rate));
        Instant::from_micros(u64::try_from(micros).expect("a short run"))
    }
}

/// A process.
pub(crate) struct Process {
    pub(crate) holder: Holder,
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) capacity: u32,
    pub(crate) is_standby: bool,
    pub(crate) is_alive: bool,
    pub(crate) is_leaving: bool,
    /// It does nothing until then, and then goes on as if nothing had been.
    pub(crate) paused_until: Option<Instant>,
    /// Answers take seconds to it until then.
    pub(crate) slow_until: Instant,
    /// Nothing arrives from it after that, until then.
    pub(crate) cut_off_until: Instant,
    /// Open sessions, and those that are closing.
    pub(crate) sessions: BTreeMap<ShardId, u64>,
    /// The wake-up that counts.
    pub(crate) wake: u64,
}

impl Process {
    pub(crate) fn may_run(&self, now: Instant, shard: ShardId) -> bool {
        self.is_alive && self.holder.may_run(self.clock.local(now), shard)
    }

    pub(crate) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// How many shards it may run.
    pub(crate) fn count(&self, now: Instant) -> u32 {
        let runs = self
            .holder
            .shards()
            .filter(|&(shard, _)| self.may_run(now, shard));
        u32::try_from(runs.count()).expect("few shards")
    }
}
