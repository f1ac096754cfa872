//! What a hot set counted, and the reasons it gives.

use crate::reasons::reasons;

use super::{HotSet, Kind};

reasons! {
    /// Why an entry was given up.
    Reason {
        1 Cold "memory was needed, and it had not been asked for lately",
        2 Share "memory was needed, and its scope held more than its share",
        3 KindLimit "its kind held as much as it may",
        4 ScopeLimit "its scope held as many of its kind as it may",
        5 Expired "its life had ended",
        6 Outdated "a newer value came and was refused",
    }
}

reasons! {
    /// Why a value was not kept.
    Refusal {
        1 Off "its kind keeps nothing",
        2 TooLong "it is longer than values may be",
        3 NoRoom "the budget has no room for it, whatever else is given up",
    }
}

/// What happened to entries of one kind. `count` and `bytes` are as of now, the others only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindStats {
    /// Entries held.
    pub count: usize,
    /// Bytes of them, with what lies beside each value; the index is not in it.
    pub bytes: usize,
    /// Entries that came.
    pub inserted: u64,
    /// Values that took another's place.
    pub replaced: u64,
    /// Entries that the caller removed.
    pub removed: u64,
    /// Entries given up, by [`Reason::number`] less one.
    pub evicted: [u64; Reason::ALL.len()],
    /// Values not kept, by [`Refusal::number`] less one.
    pub refused: [u64; Refusal::ALL.len()],
}

impl KindStats {
    /// How many were given up for `why`.
    #[must_use]
    pub fn evicted_for(&self, why: Reason) -> u64 {
        self.evicted[usize::from(why.number()) - 1]
    }

    /// How many were refused for `why`.
    #[must_use]
    pub fn refused_for(&self, why: Refusal) -> u64 {
        self.refused[usize::from(why.number()) - 1]
    }
}

/// What happened since the set was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Questions that were answered.
    pub hits: u64,
    /// Questions that were not.
    pub misses: u64,
    /// By [`Kind::number`].
    pub kinds: [KindStats; Kind::COUNT],
}

impl Stats {
    /// What happened to entries of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &KindStats {
        &self.kinds[usize::from(kind.number())]
    }

    /// How many of any kind were given up for `why`.
    #[must_use]
    pub fn evicted_for(&self, why: Reason) -> u64 {
        self.kinds.iter().map(|kind| kind.evicted_for(why)).sum()
    }
}

impl HotSet {
    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (hits, misses) = self.index.asked();
        let expired = self
            .asked_expired
            .load(core::sync::atomic::Ordering::Relaxed) as u64;
        Stats {
            hits: hits - expired,
            misses: misses + expired,
            kinds: self.kinds,
        }
    }

    /// Entries held.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the set holds from the allocator, its own size included.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.arena.held()
            + self.index.held()
            + self.scopes.held()
            + self.ghost.held()
    }

    /// What `held_bytes` stays below.
    #[must_use]
    pub const fn budget_bytes(&self) -> usize {
        self.budget
    }

    pub(super) fn kind_mut(&mut self, kind: Kind) -> &mut KindStats {
        &mut self.kinds[usize::from(kind.number())]
    }
}
