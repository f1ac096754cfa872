//! A table of named deadlines: one slot for each reason, the soonest wins.

use crate::machine::Timeout;
use crate::time::Instant;

/// A reason to wait that has a slot in a [`Timers`] table.
pub(crate) trait Slot: Copy + 'static {
    /// The slot, below the table's length.
    fn slot(self) -> usize;
    /// Every reason, in the order of the slots.
    const ALL: &'static [Self];
}

/// The deadlines of one machine. `N` is the number of reasons.
#[derive(Clone, Debug)]
pub(crate) struct Timers<const N: usize> {
    at: [Option<Instant>; N],
}

impl<const N: usize> Timers<N> {
    pub(crate) const fn new() -> Self {
        Self { at: [None; N] }
    }

    pub(crate) fn set<R: Slot>(&mut self, reason: R, at: Instant) {
        self.at[reason.slot()] = Some(at);
    }

    pub(crate) fn clear<R: Slot>(&mut self, reason: R) {
        self.at[reason.slot()] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        self.at = [None; N];
    }

    /// Takes the deadline of `reason` if it has been reached.
    pub(crate) fn fire<R: Slot>(&mut self, reason: R, now: Instant) -> bool {
        let slot = &mut self.at[reason.slot()];
        let due = slot.is_some_and(|at| at <= now);
        if due {
            *slot = None;
        }
        due
    }

    /// The soonest deadline; of two at the same moment, the one with the lower slot.
    pub(crate) fn next<R: Slot>(&self) -> Option<Timeout<R>> {
        R::ALL
            .iter()
            .filter_map(|&reason| self.at[reason.slot()].map(|at| Timeout { at, reason }))
            .min_by_key(|timeout| timeout.at)
    }
}
