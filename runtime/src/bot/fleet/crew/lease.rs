//! Until when a shard may run, where its task can see it.

use std::sync::atomic::{AtomicU64, Ordering};

use shardkeep_core::Instant;

/// The end of a shard's lease. Whoever is past it sends not one frame more, whatever has or has not been heard since.
#[derive(Debug)]
pub(crate) struct Lease(AtomicU64);

impl Lease {
    pub(crate) const fn until(end: Instant) -> Self {
        Self(AtomicU64::new(end.as_micros()))
    }

    pub(crate) fn renew(&self, end: Instant) {
        self.0.store(end.as_micros(), Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.renew(Instant::ZERO);
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now.as_micros() >= self.0.load(Ordering::Relaxed)
    }
}
