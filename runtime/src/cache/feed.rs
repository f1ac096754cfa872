//! What one shard tells the cache.

use std::sync::Arc;

use shardkeep_core::cache::Version;
use shardkeep_core::cache::entity::row;
use shardkeep_core::wire::{EventFilter, EventKind};

use super::shared::Shared;
use crate::clock;

/// The dispatches that change what a cache knows.
pub(crate) fn heard() -> EventFilter {
    EventKind::ALL
        .iter()
        .filter(|&&kind| row(kind).is_some_and(|row| !row.touches.is_empty()))
        .fold(EventFilter::none(), |all, &kind| all.with(kind))
}

/// One shard's way into the cache.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    heard: EventFilter,
    /// What the user wants handed on: the rest is for the cache alone.
    wanted: EventFilter,
    /// The session's, greater than that of all before it.
    epoch: u64,
    before: Vec<u8>,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, wanted: EventFilter) -> Self {
        Self {
            shared,
            heard: heard(),
            wanted,
            epoch: clock::unix_ms(),
            before: Vec::new(),
        }
    }

    /// The same for a dispatch that tells nothing new: READY of a session whose guilds are here already.
    pub(crate) fn pass(&mut self, kind: EventKind) -> Option<&[u8]> {
        if kind == EventKind::Ready {
            self.epoch = clock::unix_ms().max(self.epoch + 1);
        }
        self.before.clear();
        self.wanted.lets_through(kind).then_some(&self.before[..])
    }

    /// Takes a dispatch in, before anybody hears of it. What was before it, as events carry it; `None` if nobody but
    /// the cache is to hear of it.
    pub fn take(&mut self, kind: EventKind, sequence: u64, d: &[u8]) -> Option<&[u8]> {
        if kind == EventKind::Ready {
            // A new session counts its sequence anew.
            self.epoch = clock::unix_ms().max(self.epoch + 1);
        }
        self.before.clear();
        if self.heard.lets_through(kind) {
            let version = Version::new(self.epoch, sequence);
            self.shared.dispatch(kind, d, version, &mut self.before);
        }
        self.wanted.lets_through(kind).then_some(&self.before[..])
    }
}
