//! What a cache has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a cache of the bot's own data has done. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnCounts {
    /// Answers from the copy in this process.
    pub local_hits: u64,
    /// Answers from the store.
    pub shared_hits: u64,
    /// Answers whose time was over, given while somebody loads the next.
    pub stale_hits: u64,
    /// Questions that nothing answered.
    pub misses: u64,
    /// Values that this process loaded.
    pub loads: u64,
    /// Loads that failed, or took too long.
    pub load_failures: u64,
    /// Answers that another process loaded while this one waited.
    pub waited: u64,
    /// Loads without the lock, because the store was away or another process took too long.
    pub unlocked_loads: u64,
    /// Loaded values that were not kept: what they came from was invalidated meanwhile.
    pub superseded: u64,
    /// Operations of the store that failed.
    pub store_failures: u64,
    /// Invalidations that came over the bus, this process's own included.
    pub invalidations_heard: u64,
    /// Times that every copy was dropped, because an invalidation may have been missed.
    pub cleared: u64,
}

/// Something that is counted.
#[derive(Clone, Copy)]
pub(super) enum Count {
    LocalHit,
    SharedHit,
    StaleHit,
    Miss,
    Load,
    LoadFailure,
    Waited,
    UnlockedLoad,
    Superseded,
    StoreFailure,
    Heard,
    Cleared,
}

#[derive(Default)]
pub(super) struct Counters([AtomicU64; 12]);

impl Counters {
    pub(super) fn add(&self, count: Count) {
        self.0[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> OwnCounts {
        let read = |count: Count| self.0[count as usize].load(Ordering::Relaxed);
        OwnCounts {
            local_hits: read(Count::LocalHit),
            shared_hits: read(Count::SharedHit),
            stale_hits: read(Count::StaleHit),
            misses: read(Count::Miss),
            loads: read(Count::Load),
            load_failures: read(Count::LoadFailure),
            waited: read(Count::Waited),
            unlocked_loads: read(Count::UnlockedLoad),
            superseded: read(Count::Superseded),
            store_failures: read(Count::StoreFailure),
            invalidations_heard: read(Count::Heard),
            cleared: read(Count::Cleared),
        }
    }
}
