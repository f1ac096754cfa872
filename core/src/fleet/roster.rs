//! Every shard's state, and how many there are of each phase.

use alloc::collections::BTreeMap;

use crate::id::ShardId;
use crate::time::Instant;

use super::io::Phase;

/// A shard of the topology.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    phase: Phase,
    pub(crate) attempt: Attempt,
    /// Whether Discord ever gave it a session, so that a later refusal is its own.
    pub(crate) had_session: bool,
}

impl Shard {
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }
}

/// What the shard's last identify has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// There was none, or its verdict is spoken.
    None,
    /// Granted; Discord has not answered yet.
    Granted,
    /// It led to a session that has not lived long enough yet. `down_at` is when its connection was lost.
    Young {
        since: Instant,
        down_at: Option<Instant>,
    },
    /// A predecessor's, young when that was last heard of.
    Inherited,
}

/// The shards of the topology. Phases change here only, so that the counts are always right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    shards: BTreeMap<ShardId, Shard>,
    /// By [`Phase::number`], which begins with 1.
    counts: [u32; Phase::ALL.len() + 1],
}

impl Roster {
    pub(crate) fn add(&mut self, shard: ShardId) {
        let state = Shard {
            phase: Phase::Parked,
            attempt: Attempt::None,
            had_session: false,
        };
        if self.shards.insert(shard, state).is_none() {
            self.counts[slot(Phase::Parked)] += 1;
        }
    }

    /// Forgets a shard.
    pub(crate) fn remove(&mut self, shard: ShardId) {
        if let Some(state) = self.shards.remove(&shard) {
            self.counts[slot(state.phase)] -= 1;
        }
    }

    pub(crate) fn get(&self, shard: ShardId) -> Option<&Shard> {
        self.shards.get(&shard)
    }

    pub(crate) fn get_mut(&mut self, shard: ShardId) -> Option<&mut Shard> {
        self.shards.get_mut(&shard)
    }

    pub(crate) fn phase(&self, shard: ShardId) -> Option<Phase> {
        self.get(shard).map(Shard::phase)
    }

    /// Whether the shard had a session once.
    pub(crate) fn had_session(&self, shard: ShardId) -> bool {
        self.get(shard).is_some_and(|state| state.had_session)
    }

    /// Moves the shard to a phase.
    pub(crate) fn enter(&mut self, shard: ShardId, phase: Phase) {
        if let Some(state) = self.shards.get_mut(&shard) {
            self.counts[slot(state.phase)] -= 1;
            self.counts[slot(phase)] += 1;
            state.phase = phase;
        }
    }

    /// Replaces what is known of the shard's last identify, and returns what was.
    pub(crate) fn replace_attempt(&mut self, shard: ShardId, attempt: Attempt) -> Attempt {
        let state = self.shards.get_mut(&shard);
        state.map_or(Attempt::None, |state| {
            core::mem::replace(&mut state.attempt, attempt)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.len()
    }

    /// How many shards are in a phase.
    pub(crate) fn count(&self, phase: Phase) -> u32 {
        self.counts[slot(phase)]
    }

    /// Whether every shard is in this phase.
    pub(crate) fn all_are(&self, phase: Phase) -> bool {
        self.count(phase) as usize == self.shards.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ShardId, &Shard)> {
        self.shards.iter().map(|(&shard, state)| (shard, state))
    }
}

fn slot(phase: Phase) -> usize {
    usize::from(phase.number())
}
