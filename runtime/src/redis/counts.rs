//! What has been asked of Redis, and how it went.

use std::sync::atomic::{AtomicU64, Ordering};

use super::RedisError;

/// What has been asked of Redis, and how it went. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisCounts {
    /// Commands.
    pub commands: u64,
    /// Commands that were not sent for want of a connection.
    pub unreachable: u64,
    /// Commands whose connection ended before the answer.
    pub interrupted: u64,
    /// Commands without an answer in time.
    pub timed_out: u64,
    /// Commands that the server, or the cluster, refused.
    pub refused: u64,
    /// Commands that were sent again, because their slot had moved or because repeating them does no harm.
    pub repeated: u64,
    /// Connections that were made.
    pub connected: u64,
    /// Connections that ended, or were given up.
    pub lost: u64,
    /// Times that the map of a cluster's slots was read.
    pub maps_read: u64,
    /// Times that slots were found with another master than before.
    pub moved: u64,
    /// Messages of subscriptions that a slow reader had no room for.
    pub messages_dropped: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    commands: AtomicU64,
    unreachable: AtomicU64,
    interrupted: AtomicU64,
    timed_out: AtomicU64,
    refused: AtomicU64,
    repeated: AtomicU64,
    connected: AtomicU64,
    lost: AtomicU64,
    maps_read: AtomicU64,
    moved: AtomicU64,
    messages_dropped: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn ended<T>(&self, outcome: &Result<T, RedisError>) {
        add(&self.commands);
        match outcome {
            Err(RedisError::Unreachable { .. }) => add(&self.unreachable),
            Err(RedisError::Interrupted { .. }) => add(&self.interrupted),
            Err(RedisError::TimedOut { .. }) => add(&self.timed_out),
            Err(_) => add(&self.refused),
            Ok(_) => {}
        }
    }

    pub(super) fn repeated(&self) {
        add(&self.repeated);
    }

    pub(super) fn connected(&self) {
        add(&self.connected);
    }

    pub(super) fn lost(&self) {
        add(&self.lost);
    }

    pub(super) fn moved(&self) {
        add(&self.moved);
    }

    pub(super) fn map_read(&self) {
        add(&self.maps_read);
    }

    pub(super) fn message_dropped(&self) {
        add(&self.messages_dropped);
    }

    pub(super) fn read(&self) -> RedisCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RedisCounts {
            commands: read(&self.commands),
            unreachable: read(&self.unreachable),
            interrupted: read(&self.interrupted),
            timed_out: read(&self.timed_out),
            refused: read(&self.refused),
            repeated: read(&self.repeated),
            connected: read(&self.connected),
            lost: read(&self.lost),
            maps_read: read(&self.maps_read),
            moved: read(&self.moved),
            messages_dropped: read(&self.messages_dropped),
        }
    }
}
