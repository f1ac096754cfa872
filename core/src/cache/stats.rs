//! What the cache counts.

use super::{Cache, hot_set};

/// What has happened since the cache was made, and what there is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Dispatches taken.
    pub dispatches: u64,
    /// Pieces of dispatches, and of answers, that were not what they should be.
    pub malformed: u64,
    /// Changes to records that were given up before.
    pub deferred: u64,
    /// Of those, changes to records that could not be read back: they were forgotten in the store too.
    pub forgotten: u64,
    /// Writes that changes have made. Each is confirmed, superseded, coalesced, withdrawn, dropped, or still open.
    pub made: u64,
    /// Writes that the store has confirmed.
    pub written: u64,
    /// Writes of which the store had something newer.
    pub superseded: u64,
    /// Writes whose place a newer one of the same key took before they were written.
    pub coalesced: u64,
    /// Writes of what ended before they were written, or is not to be believed.
    pub withdrawn: u64,
    /// Writes that are neither confirmed nor given up.
    pub open: u64,
    /// How often a write failed, to be made again.
    pub failed: u64,
    /// Writes that were dropped because too much was waiting: the store lags behind, and that is remembered.
    pub dropped: u64,
    /// Values from the store that were older than what this cache had served or told.
    pub stale: u64,
    /// Records read from the store.
    pub read: u64,
    /// Records fetched from Discord.
    pub fetched: u64,
    /// Who asked for something that somebody had asked for already.
    pub joined: u64,
    /// Questions answered by the belief that there is no such thing.
    pub negative: u64,
    /// Keys that wait to be written.
    pub pending: usize,
    /// Bytes of what waits to be written.
    pub pending_bytes: usize,
    /// Questions under way.
    pub flights: usize,
    /// Bytes that the hot set holds from the allocator, and those of who refers to which user.
    pub held_bytes: usize,
    /// What the hot set counts: hits, misses, what was given up and why.
    pub hot: hot_set::Stats,
}

impl Cache {
    /// What has happened, and what there is.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let tally = self.behind.tally();
        Stats {
            made: tally.made,
            written: tally.written,
            superseded: tally.superseded,
            coalesced: tally.coalesced,
            withdrawn: tally.withdrawn,
            dropped: tally.dropped,
            open: self.behind.open(),
            pending: self.behind.len(),
            pending_bytes: self.behind.bytes(),
            flights: self.flights.len(),
            held_bytes: self.hot.held_bytes() + self.beside_bytes(),
            hot: self.hot.stats(),
            ..self.stats.clone()
        }
    }

    /// Bytes that hot records take from the allocator, all that lies beside them included: never more than the budget,
    /// unless that is smaller than an empty set.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        self.hot.held_bytes()
    }
}
