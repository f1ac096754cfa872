//! One shard's session as it is to be stored: who it is, and how far the application has come in it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use shardkeep_core::ShardId;
use shardkeep_core::gateway::{Capsule, Progress, Snapshot};
use tokio::sync::mpsc;

use super::part::{Keeping, Memory, PartChange};
use super::writer::Order;

/// What is to become of a stored session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Save(Capsule),
    Remove {
        shard: ShardId,
        fencing: u64,
        at_ms: u64,
    },
}

/// One shard's session.
#[derive(Debug)]
pub(crate) struct Tracked {
    shard: ShardId,
    compression: &'static str,
    /// The fencing token of the lease under which it is written; 0 without leases.
    fencing: u64,
    /// When a predecessor stored its session.
    saved_at_ms: Option<u64>,
    state: Mutex<State>,
    /// Its side in a change of shards.
    part: Mutex<Keeping>,
    /// To the thread that stores.
    orders: Option<mpsc::UnboundedSender<Order>>,
}

#[derive(Debug, Default)]
struct State {
    /// Which session of the shard it is: each READY begins the next, also over restarts.
    epoch: u32,
    progress: Progress,
    /// The session without how far it has come; none while there is none.
    session: Option<Snapshot>,
    /// What was stored last.
    stored: Stored,
    /// Dispatches of sessions before this one that were given up.
    abandoned: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stored {
    /// Not known, or it failed.
    #[default]
    Unknown,
    Nothing,
    Session {
        epoch: u32,
        received: u64,
        acknowledged: u64,
    },
}

impl Tracked {
    pub(crate) fn new(shard: ShardId, compression: &'static str, from: Option<&Capsule>) -> Self {
        let state = from.map_or_else(State::default, |capsule| State {
            epoch: capsule.epoch,
            progress: Progress::after(capsule.acknowledged),
            session: Some(capsule.snapshot()),
            ..State::default()
        });
        Self {
            shard,
            compression,
            fencing: 0,
            saved_at_ms: from.map(|capsule| capsule.saved_at_ms),
            state: Mutex::new(state),
            part: Mutex::default(),
            orders: None,
        }
    }

    /// The same, under a lease with this fencing token.
    pub(crate) const fn under(mut self, token: u64) -> Self {
        self.fencing = token;
        self
    }

    /// The same, with a way to the thread that stores.
    pub(super) fn by(mut self, orders: mpsc::UnboundedSender<Order>) -> Self {
        self.orders = Some(orders);
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn shard(&self) -> ShardId {
        self.shard
    }

    pub(crate) const fn saved_at_ms(&self) -> Option<u64> {
        self.saved_at_ms
    }

    /// The number of the present session, which tells its events from those of others.
    pub(crate) fn epoch(&self) -> u32 {
        self.lock().epoch
    }

    /// READY: a new session begins, and counts its events anew.
    pub(crate) fn begin(&self) -> u32 {
        let mut state = self.lock();
        let progress = std::mem::take(&mut state.progress);
        state.abandoned += progress.abandoned();
        state.epoch = state.epoch.wrapping_add(1);
        state.session = None;
        state.epoch
    }

    /// Who the session is.
    pub(crate) fn describe(&self, snapshot: Snapshot) {
        self.lock().session = Some(snapshot);
    }

    /// There is nothing to resume any more. Up to where everything was finished.
    pub(crate) fn lost(&self) -> u64 {
        let mut state = self.lock();
        state.session = None;
        state.progress.acknowledged()
    }

    /// These dispatches are handed to the application: before it can have them.
    pub(crate) fn handed(&self, sequences: &[u64]) {
        let progress = &mut self.lock().progress;
        sequences
            .iter()
            .for_each(|&sequence| progress.handed(sequence));
    }

    /// The session has come so far, and everything on the way that is to be handed out was.
    pub(crate) fn reached(&self, sequence: u64) {
        self.lock().progress.received(sequence);
    }

    /// The application has finished these. How many of them were waited for.
    pub(crate) fn finished(&self, epoch: u32, sequences: impl IntoIterator<Item = u64>) -> usize {
        let mut state = self.lock();
        if state.epoch != epoch {
            // Of a session that cannot be resumed: it matters to nobody.
            return 0;
        }
        let finished = sequences
            .into_iter()
            .filter(|&sequence| state.progress.finished(sequence));
        finished.count()
    }

    pub(crate) fn outstanding(&self) -> u64 {
        self.lock().progress.outstanding()
    }

    pub(crate) fn abandoned(&self) -> u64 {
        let state = self.lock();
        state.abandoned + state.progress.abandoned()
    }

    fn part(&self) -> MutexGuard<'_, Keeping> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's side in a change of shards is to be stored at once; with `None`, what is
    /// stored of it is to go. The number is what [`Tracked::part_kept`] reaches then.
    pub(crate) fn keep_part(&self, part: Option<Memory>) -> u64 {
        let number = self.part().give(part);
        if let Some(orders) = &self.orders {
            // Who has stopped stores no more.
            let _stopped = orders.send(Order::Look);
        }
        number
    }

    /// How much of what was given is stored.
    pub(crate) fn part_kept(&self) -> u64 {
        self.part().stored()
    }

    /// What of the session's side is to be stored, unless it is.
    pub(super) fn part_change(&self, now_ms: u64) -> Option<PartChange> {
        self.part().change(self.shard, self.fencing, now_ms)
    }

    pub(super) fn part_stored(&self, number: u64) {
        self.part().done(number);
    }

    pub(super) fn part_not_stored(&self) {
        self.part().failed();
    }

    /// What is to be stored, unless it is.
    pub(super) fn change(&self, now_ms: u64) -> Option<Change> {
        let mut state = self.lock();
        let progress = &state.progress;
        let (received, acknowledged) = (progress.last_received(), progress.acknowledged());
        let epoch = state.epoch;
        let (next, change) = match &state.session {
            None => {
                let (shard, fencing, at_ms) = (self.shard, self.fencing, now_ms);
                let change = Change::Remove {
                    shard,
                    fencing,
                    at_ms,
                };
                (Stored::Nothing, change)
            }
            Some(session) => {
                let mut capsule = Capsule::of(session, acknowledged)?;
                capsule.received = received;
                capsule.acknowledged = acknowledged;
                capsule.compression = self.compression.to_owned();
                capsule.epoch = epoch;
                capsule.fencing = self.fencing;
                capsule.saved_at_ms = now_ms;
                let stored = Stored::Session {
                    epoch,
                    received,
                    acknowledged,
                };
                (stored, Change::Save(capsule))
            }
        };
        let is_known = std::mem::replace(&mut state.stored, next) == next;
        (!is_known).then_some(change)
    }

    /// Storing failed: it is tried again.
    pub(super) fn not_stored(&self) {
        self.lock().stored = Stored::Unknown;
    }
}

#[cfg(test)]
mod tests {
    use shardkeep_core::gateway::Resumption;

    use super::*;

    fn session(sequence: u64) -> Snapshot {
        Snapshot {
            shard_index: 0,
            shard_total: 1,
            resumption: Some(Resumption {
                session_id: "abc".to_owned(),
                sequence,
                resume_gateway_url: None,
            }),
            guilds: 3,
        }
    }

    fn saved(tracked: &Tracked) -> Option<(u32, u64, u64)> {
        match tracked.change(5)? {
            Change::Save(capsule) => Some((capsule.epoch, capsule.received, capsule.acknowledged)),
            Change::Remove { .. } => None,
        }
    }

    #[test]
    fn what_is_not_finished_is_not_acknowledged_and_what_is_stored_is_not_stored_again() {
        let tracked = Tracked::new(ShardId::SINGLE, "none", None);
        assert_eq!(
            tracked.change(1),
            Some(Change::Remove {
                shard: ShardId::SINGLE,
                fencing: 0,
                at_ms: 1
            })
        );
        assert_eq!(tracked.begin(), 1);
        tracked.handed(&[1, 2, 3]);
        tracked.reached(4);
        tracked.describe(session(1));
        assert_eq!(saved(&tracked), Some((1, 4, 0)));
        assert_eq!(saved(&tracked), None);
        assert_eq!(tracked.finished(1, [1, 2]), 2);
        assert_eq!(saved(&tracked), Some((1, 4, 2)));
        tracked.not_stored();
        assert_eq!(saved(&tracked), Some((1, 4, 2)));
    }

    #[test]
    fn events_of_an_earlier_session_finish_nothing_of_this_one() {
        let tracked = Tracked::new(ShardId::SINGLE, "none", None);
        let first = tracked.begin();
        tracked.handed(&[1, 2]);
        let second = tracked.begin();
        tracked.handed(&[1, 2]);
        assert_eq!(tracked.finished(first, [1, 2]), 0);
        assert_eq!(
            (tracked.finished(second, [1]), tracked.outstanding()),
            (1, 1)
        );
    }

    #[test]
    fn a_session_that_goes_on_keeps_its_number_and_its_place() {
        let capsule = Capsule {
            acknowledged: 7,
            received: 9,
            epoch: 4,
            ..Capsule::of(&session(9), 7).unwrap()
        };
        let tracked = Tracked::new(ShardId::SINGLE, "none", Some(&capsule));
        assert_eq!(tracked.epoch(), 4);
        assert_eq!(saved(&tracked), Some((4, 7, 7)), "9 and 8 come again");
        assert_eq!(tracked.lost(), 7);
        assert!(matches!(tracked.change(5), Some(Change::Remove { .. })));
    }
}
