//! A limit on how much may happen within any window of time, kept as a log of when it did.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;

/// At most `capacity` events within any span of `window`.
///
/// Where the server's window begins is unknown. A log of every event is the one scheme that stays below the limit for
/// every possible phase: a counter that is reset now and then allows twice the limit around the reset.
#[derive(Clone, Debug)]
pub(super) struct SlidingLog {
    capacity: usize,
    window: Duration,
    times: VecDeque<Instant>,
}

impl SlidingLog {
    pub(super) const fn new(capacity: usize, window: Duration) -> Self {
        Self {
            capacity,
            window,
            times: VecDeque::new(),
        }
    }

    pub(super) const fn window(&self) -> Duration {
        self.window
    }

    pub(super) fn clear(&mut self) {
        self.times.clear();
    }

    pub(super) fn record(&mut self, now: Instant) {
        self.forget(now);
        self.times.push_back(now);
    }

    /// How many more may happen at `now`.
    #[cfg(test)]
    fn room(&self, now: Instant) -> usize {
        let recent = self
            .times
            .iter()
            .rev()
            .take_while(|&&at| at + self.window > now)
            .count();
        self.capacity.saturating_sub(recent)
    }

    /// When there is room for one more while `reserve` places stay free. `None` if the reserve leaves no place at all.
    pub(super) fn free_at(&self, now: Instant, reserve: usize) -> Option<Instant> {
        let usable = self
            .capacity
            .checked_sub(reserve)
            .filter(|&usable| usable > 0)?;
        // With `usable` events or more in the log, the one that many from the end has to leave the window first.
        let Some(index) = self.times.len().checked_sub(usable) else {
            return Some(now);
        };
        Some((self.times[index] + self.window).max(now))
    }

    fn forget(&mut self, now: Instant) {
        while self
            .times
            .front()
            .is_some_and(|&at| at + self.window <= now)
        {
            self.times.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_secs(20);

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_limit(
            gaps in prop::collection::vec(0u64..8_000, 1..200),
            reserve in 0usize..3,
        ) {
            let mut log = SlidingLog::new(5, WINDOW);
            let mut now = Instant::ZERO;
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                let free_at = log.free_at(now, reserve).expect("the reserve is below the capacity");
                prop_assert_eq!(free_at <= now, log.room(now) > reserve);
                if free_at <= now {
                    log.record(now);
                    sent.push(now);
                }
            }
            for (index, &start) in sent.iter().enumerate() {
                let within = sent[index..].iter().take_while(|&&at| at < start + WINDOW).count();
                prop_assert!(within <= 5 - reserve);
            }
        }
    }

    #[test]
    fn a_full_reserve_never_frees_a_place() {
        assert_eq!(SlidingLog::new(5, WINDOW).free_at(Instant::ZERO, 5), None);
    }
}
