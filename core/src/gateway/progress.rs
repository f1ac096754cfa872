//! How far the application has come in a session: which of its dispatches are finished, and up to where all are.

use alloc::collections::VecDeque;

/// What one word of the map tells.
const BITS: u64 = u64::BITS as u64;

/// How many sequences an unfinished dispatch may lie behind the newest one, at most. A million takes 128 KiB, and is
/// more than Discord keeps for a replay.
const SPAN_MAX: u64 = 1 << 20;

/// How far the application has come in one session.
///
/// A session that is resumed at the *received* sequence loses what the application had in its hands when the process
/// died. Resumed at the *acknowledged* one, everything that was not finished is replayed, and some of what was: at
/// least once, within what Discord keeps for a replay.
///
/// ```
/// use shardkeep_core::gateway::Progress;
///
/// let mut progress = Progress::default();
/// for sequence in [1, 2, 4] {
///     progress.handed(sequence);
/// }
/// progress.received(5); // 3 and 5 were filtered: nobody waits for them
/// progress.finished(2);
/// assert_eq!(progress.acknowledged(), 0); // 1 is not finished
/// progress.finished(1);
/// assert_eq!(progress.acknowledged(), 3);
/// progress.finished(4);
/// assert_eq!(progress.acknowledged(), 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    received: u64,
    /// The sequence of the first bit: a multiple of [`BITS`].
    base: u64,
    /// A bit for each sequence that was handed out and is not finished. The first word has one, if there is any.
    open: VecDeque<u64>,
    outstanding: u64,
    abandoned: u64,
}

impl Progress {
    /// A session that goes on after `sequence`: what came before is finished.
    #[must_use]
    pub fn after(sequence: u64) -> Self {
        Self {
            received: sequence,
            ..Self::default()
        }
    }

    /// The session has come to `sequence`. What was not [`handed`](Self::handed) out on the way is finished.
    pub fn received(&mut self, sequence: u64) {
        self.received = self.received.max(sequence);
    }

    /// The dispatch `sequence` was handed to the application, which will say when it is finished. A sequence that was
    /// handed out before and lies behind what is acknowledged is passed over.
    pub fn handed(&mut self, sequence: u64) {
        let is_past = sequence <= self.acknowledged();
        self.received(sequence);
        if is_past {
            return;
        }
        if self.open.is_empty() {
            self.base = sequence / BITS * BITS;
        }
        self.abandon(sequence);
        let Some(word) = self.word(sequence) else {
            return;
        };
        while self.open.len() <= word {
            self.open.push_back(0);
        }
        let bit = 1 << (sequence % BITS);
        self.outstanding += u64::from(self.open[word] & bit == 0);
        self.open[word] |= bit;
    }

    /// The application has finished `sequence`. `false` if nobody waited for that.
    pub fn finished(&mut self, sequence: u64) -> bool {
        let bit = 1 << (sequence % BITS);
        let open = self.word(sequence).and_then(|word| self.open.get_mut(word));
        let Some(word) = open.filter(|word| **word & bit != 0) else {
            return false;
        };
        *word &= !bit;
        self.outstanding -= 1;
        self.forget_finished();
        true
    }

    /// Up to which sequence everything is finished. Never goes back.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        match self.open.front() {
            Some(word) => self.base + u64::from(word.trailing_zeros()) - 1,
            None => self.received,
        }
    }

    /// The last sequence that the session received.
    #[must_use]
    pub const fn last_received(&self) -> u64 {
        self.received
    }

    /// How many dispatches were handed out and are not finished.
    #[must_use]
    pub const fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// How many dispatches were so far behind that they are not waited for any more: a crash now would lose them. More
    /// than a million others had come since; Discord would not replay them either.
    #[must_use]
    pub const fn abandoned(&self) -> u64 {
        self.abandoned
    }

    fn word(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.base)? / BITS).ok()
    }

    /// Gives up what is too far behind `sequence` to be kept.
    fn abandon(&mut self, sequence: u64) {
        while sequence - self.base >= SPAN_MAX
            && let Some(word) = self.open.pop_front()
        {
            let open = u64::from(word.count_ones());
            self.outstanding -= open;
            self.abandoned += open;
            self.base += BITS;
            self.forget_finished();
            if self.open.is_empty() {
                self.base = sequence / BITS * BITS;
            }
        }
    }

    fn forget_finished(&mut self) {
        while self.open.front() == Some(&0) {
            self.open.pop_front();
            self.base = self.base.saturating_add(BITS);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use crate::rng::Rng;

    /// What a set of numbers says of the same.
    #[derive(Default)]
    struct Plain {
        received: u64,
        open: BTreeSet<u64>,
    }

    impl Plain {
        fn acknowledged(&self) -> u64 {
            self.open.first().map_or(self.received, |first| first - 1)
        }
    }

    #[test]
    fn says_what_a_set_of_numbers_says() {
        let mut rng = Rng::new(11);
        for _ in 0..200 {
            let start = rng.below(1_000);
            let mut progress = Progress::after(start);
            let mut plain = Plain {
                received: start,
                ..Plain::default()
            };
            for _ in 0..2_000 {
                let next = plain.received + 1;
                match rng.below(5) {
                    0 => {
                        let skipped = next + rng.below(300);
                        progress.received(skipped);
                        plain.received = skipped;
                    }
                    1 | 2 => {
                        progress.handed(next);
                        plain.received = next;
                        plain.open.insert(next);
                    }
                    _ => {
                        let back = rng.below(200);
                        let some = plain.received.saturating_sub(back);
                        assert_eq!(progress.finished(some), plain.open.remove(&some), "{some}");
                    }
                }
                assert_eq!(progress.acknowledged(), plain.acknowledged());
                assert_eq!(progress.outstanding(), plain.open.len() as u64);
                assert_eq!(progress.last_received(), plain.received);
            }
            for open in core::mem::take(&mut plain.open) {
                assert!(progress.finished(open));
            }
            assert_eq!(progress.acknowledged(), plain.received);
            assert!(progress.open.is_empty());
        }
    }

    #[test]
    fn one_that_is_never_finished_takes_bounded_memory_and_is_counted() {
        let mut progress = Progress::default();
        progress.handed(1);
        for sequence in 2..=SPAN_MAX + 100 {
            progress.handed(sequence);
            assert!(progress.finished(sequence));
        }
        assert_eq!((progress.abandoned(), progress.outstanding()), (1, 0));
        assert_eq!(progress.acknowledged(), SPAN_MAX + 100);
        assert!(!progress.finished(1), "nobody waits for it any more");
        progress.handed(1);
        assert_eq!(progress.outstanding(), 0, "what is past is past");
    }

    #[test]
    fn a_sequence_far_ahead_costs_no_more_than_the_span() {
        let mut progress = Progress::default();
        progress.handed(7);
        progress.handed(u64::MAX);
        assert_eq!(progress.abandoned(), 1);
        assert!(progress.open.len() as u64 <= SPAN_MAX / BITS);
        assert!(progress.finished(u64::MAX));
        assert_eq!(progress.acknowledged(), u64::MAX);
    }
}
