//! A session: what Discord has sent on it, with its own delays, and what it replays.

use std::collections::{BTreeSet, VecDeque};

use shardkeep_core::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// READY, with which a session begins.
    Ready,
    /// A guild's first GUILD_CREATE on this session.
    Create(u64),
    Truth(usize),
    /// The acknowledgement of a heartbeat that was sent then.
    Beat(u64),
    /// The end of a replay.
    Resumed,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Sent and not delivered: when it arrives, its sequence, what it is.
    pub(crate) queue: VecDeque<(u64, u64, Item)>,
    /// Delivered and not acknowledged: what a new process would be sent again.
    pub(crate) replay: VecDeque<(u64, Item)>,
    sequence: u64,
    /// Nothing arrives before then.
    last: u64,
    /// Discord has it; a session that has not started is sent nothing.
    pub(crate) is_open: bool,
    /// The connection is away until then.
    pub(crate) away_until: u64,
    /// It will never deliver anything again.
    pub(crate) is_down: bool,
    pub(crate) is_paused: bool,
    /// What is held and not settled.
    pub(crate) held: BTreeSet<u64>,
    pub(crate) delivered: u64,
}

impl Session {
    /// Discord sends something.
    pub(crate) fn push(&mut self, now: u64, lag: u64, rng: &mut Rng, item: Item) {
        if !self.is_open {
            return;
        }
        self.sequence += 1;
        self.last = self.last.max(now + rng.below(lag));
        self.queue.push_back((self.last, self.sequence, item));
    }

    /// The next thing to arrive.
    pub(crate) fn next(&mut self, now: u64) -> Option<(u64, Item)> {
        if self.is_down || self.is_paused || now < self.away_until {
            return None;
        }
        let (at, ..) = self.queue.front()?;
        if *at > now {
            return None;
        }
        let (_, sequence, item) = self.queue.pop_front()?;
        self.delivered = sequence;
        // READY is never replayed: without it there is nothing to resume.
        if item != Item::Ready {
            self.replay.push_back((sequence, item));
        }
        Some((sequence, item))
    }

    /// The application is done with everything up to some events ago, but not with what is held.
    pub(crate) fn acknowledge(&mut self, behind: u64) {
        let done = self.delivered.saturating_sub(behind);
        let done = self.held.first().map_or(done, |held| done.min(held - 1));
        while self
            .replay
            .front()
            .is_some_and(|(sequence, _)| *sequence <= done)
        {
            self.replay.pop_front();
        }
    }

    /// The process crashed: what it had not acknowledged is sent again.
    pub(crate) fn resume_elsewhere(&mut self, now: u64) {
        self.held.clear();
        let again = core::mem::take(&mut self.replay);
        // What the replay ends with, before what was not delivered yet.
        self.queue.push_front((now, self.delivered, Item::Resumed));
        for (sequence, item) in again.into_iter().rev() {
            if item != Item::Resumed {
                self.queue.push_front((now, sequence, item));
            }
        }
    }

    /// A session of its own takes its place.
    pub(crate) fn begin_anew(&mut self, now: u64) {
        let sequence = self.sequence;
        *self = Self {
            is_open: true,
            last: now,
            // Not what Discord does, but the test tells events apart by it.
            sequence,
            delivered: sequence,
            ..Self::default()
        };
    }
}
