//! What a shard notes of its session, so that another process can go on with it.

use std::sync::Arc;

use shardkeep_core::Machine as _;
use shardkeep_core::gateway::Session;

use crate::sessions::{PartMemory, Tracked};

/// A shard's notes. Without a session store it notes nothing.
#[derive(Debug, Default)]
pub(super) struct Track {
    tracked: Option<Arc<Tracked>>,
    epoch: u32,
    /// Handed out in this round, and not noted yet.
    handed: Vec<u64>,
    /// Who the session is has changed.
    is_new: bool,
}

impl Track {
    pub(super) fn new(tracked: Option<Arc<Tracked>>) -> Self {
        let epoch = tracked.as_ref().map_or(0, |tracked| tracked.epoch());
        Self {
            tracked,
            epoch,
            ..Self::default()
        }
    }

    /// When a predecessor stored the session, in milliseconds of Unix time.
    pub(super) fn saved_at_ms(&self) -> Option<u64> {
        self.tracked.as_ref()?.saved_at_ms()
    }

    /// The session's number, which its events carry.
    pub(super) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// READY: a new session, which counts its events anew.
    pub(super) fn begin(&mut self) {
        self.note();
        if let Some(tracked) = &self.tracked {
            self.epoch = tracked.begin();
            self.is_new = true;
        }
    }

    /// A dispatch will be handed to the application.
    pub(super) fn handed(&mut self, sequence: u64) {
        if self.tracked.is_some() {
            self.handed.push(sequence);
        }
    }

    /// Notes what is handed out, before anybody can have finished it. One lock for a round.
    pub(super) fn note(&mut self) {
        if let Some(tracked) = self.tracked.as_ref().filter(|_| !self.handed.is_empty()) {
            tracked.handed(&self.handed);
            self.handed.clear();
        }
    }

    /// The application will not be given these after all.
    pub(super) fn finished(&mut self, sequences: impl IntoIterator<Item = u64>) {
        self.note();
        if let Some(tracked) = &self.tracked {
            let _waited_for = tracked.finished(self.epoch, sequences);
        }
    }

    /// The session has come so far, and all of it is noted.
    pub(super) fn reached(&mut self, session: &Session) {
        let Some(tracked) = &self.tracked else {
            return;
        };
        if session.session_id().is_some() && std::mem::take(&mut self.is_new) {
            tracked.describe(session.snapshot());
        }
        if let Some(sequence) = session.stats().sequence {
            tracked.reached(sequence);
        }
    }

    /// The session's side in a change of shards is to be stored, or to go. The number that
    /// [`part_kept`](Self::part_kept) reaches when it is; without a store, at once.
    pub(super) fn keep_part(&self, part: Option<PartMemory>) -> u64 {
        let tracked = self.tracked.as_ref();
        tracked.map_or(0, |tracked| tracked.keep_part(part))
    }

    /// How much of what was given is stored.
    pub(super) fn part_kept(&self) -> u64 {
        let tracked = self.tracked.as_ref();
        tracked.map_or(u64::MAX, |tracked| tracked.part_kept())
    }

    /// The session cannot be resumed any more. Up to where everything in it was finished.
    pub(super) fn lost(&self) -> Option<u64> {
        Some(self.tracked.as_ref()?.lost())
    }
}
