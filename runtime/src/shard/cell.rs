//! What the rest of the bot may read of a shard at any time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shardkeep_core::gateway::{Cause, StateName, Stats};
use shardkeep_core::{Instant, ShardId};

/// How many causes there are, with room for those that later versions add.
const CAUSES: usize = 32;

/// A shard in numbers, as of the last time its task ran.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) state: StateName,
    pub(crate) stats: Stats,
    /// Since when the session is established on this connection.
    pub(crate) established_at: Option<Instant>,
    /// Since when the session exists, over all of its connections.
    pub(crate) session_since: Option<Instant>,
    /// Measured, not assumed.
    pub(crate) latency: Option<Duration>,
    /// Since when the socket is not read, because the user does not take what is there.
    pub(crate) paused_since: Option<Instant>,
    pub(crate) pauses: u64,
    /// The pauses that are over.
    pub(crate) paused_for: Duration,
    /// Heartbeats during pauses whose acknowledgement was taken for granted.
    pub(crate) acks_assumed: u64,
    /// Events that no arena could address.
    pub(crate) dropped: u64,
    /// Connections that ended, by the number of the cause.
    ended_by: [u64; CAUSES],
    /// The last thing that went wrong, in words.
    pub(crate) last_error: Option<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            state: StateName::Disconnected,
            stats: Stats::default(),
            established_at: None,
            session_since: None,
            latency: None,
            paused_since: None,
            pauses: 0,
            paused_for: Duration::ZERO,
            acks_assumed: 0,
            dropped: 0,
            ended_by: [0; CAUSES],
            last_error: None,
        }
    }
}

impl Report {
    /// Counts a connection that ended.
    pub(super) fn count_end(&mut self, cause: Cause) {
        if let Some(count) = self.ended_by.get_mut(usize::from(cause.number())) {
            *count += 1;
        }
    }

    /// Adds what another shard counted.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.stats.absorb(&other.stats);
        self.pauses += other.pauses;
        self.paused_for += other.paused_for;
        self.acks_assumed += other.acks_assumed;
        self.dropped += other.dropped;
        for (count, more) in self.ended_by.iter_mut().zip(other.ended_by) {
            *count += more;
        }
    }

    /// Connections that ended, by cause; causes that never occurred are left out.
    pub(crate) fn ended_by(&self) -> impl Iterator<Item = (Cause, u64)> {
        Cause::ALL
            .iter()
            .filter_map(|&cause| Some((cause, *self.ended_by.get(usize::from(cause.number()))?)))
            .filter(|&(_, count)| count > 0)
    }
}

/// A shard's report, shared between its task and whoever asks.
#[derive(Debug)]
pub(crate) struct ShardCell {
    shard: ShardId,
    report: Mutex<Report>,
}

impl ShardCell {
    pub(crate) fn new(shard: ShardId) -> Self {
        Self {
            shard,
            report: Mutex::default(),
        }
    }

    pub(crate) const fn shard(&self) -> ShardId {
        self.shard
    }

    pub(crate) fn report(&self) -> Report {
        self.report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Report) -> T) -> T {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
