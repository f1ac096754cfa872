//! What many runs have seen together.

use std::collections::BTreeMap;

use shardkeep_core::Machine as _;
use shardkeep_core::cache::{Stats, hot_set};

use crate::run::Run;

/// Every write that was made is accounted for, once.
pub(crate) fn account(stats: &Stats, place: impl Fn() -> String) {
    let known = stats.written + stats.superseded + stats.coalesced + stats.withdrawn;
    let known = known + stats.dropped + stats.open;
    assert_eq!(stats.made, known, "{}: {stats:?}", place());
}

/// What many runs have seen: a test that nothing happened in proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Sum(BTreeMap<&'static str, u64>);

impl Sum {
    pub(crate) fn add(&mut self, run: &Run) {
        let stats = run.cache.stats();
        let evicted: u64 = hot_set::Reason::ALL
            .iter()
            .map(|&why| stats.hot.evicted_for(why))
            .sum();
        for (name, count) in [
            ("dispatches", stats.dispatches),
            ("malformed", stats.malformed),
            ("deferred", stats.deferred),
            ("forgotten", stats.forgotten),
            ("made", stats.made),
            ("written", stats.written),
            ("coalesced", stats.coalesced),
            ("withdrawn", stats.withdrawn),
            ("failed", stats.failed),
            ("dropped", stats.dropped),
            ("stale", stats.stale),
            ("read", stats.read),
            ("fetched", stats.fetched),
            ("joined", stats.joined),
            ("negative", stats.negative),
            ("evicted", evicted),
            ("looks at hot records", run.hot_seen),
            ("delivered", run.delivered[0]),
            ("delivered as absent", run.delivered[1]),
            ("failed to deliver", run.delivered[2]),
        ] {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// Everything must have happened.
    pub(crate) fn check(&self) {
        assert!(self.0.values().all(|&count| count >= 50), "{self:?}");
    }
}

impl Run {
    /// After each step: everything is as it should be. And when what was due is done, a driver that waits for the next
    /// time does not wait for one that has passed.
    pub(crate) fn rest(&mut self) {
        self.drain();
        self.look();
        if self.step.is_multiple_of(4) {
            self.cache.handle_timeout(self.now);
            self.drain();
            let next = self.cache.poll_timeout();
            let is_later = next.is_none_or(|next| next.at > self.now);
            assert!(is_later, "{}: {next:?} at {:?}", self.place(), self.now);
        }
    }
}
