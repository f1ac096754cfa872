//! How long to wait before the next connect.

use core::time::Duration;

use crate::rng::Rng;

/// The upper bound of the second wait; each further one doubles it.
const BASE: Duration = Duration::from_secs(1);

/// Exponential backoff with full jitter. The first attempt after a stable session is immediate: most disconnects are
/// Discord moving a connection, and every second of waiting is replay to catch up with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self { attempts: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The wait before the next attempt, below `max`.
    pub(super) fn next(&mut self, rng: &mut Rng, max: Duration) -> Duration {
        let exponent = self.attempts.checked_sub(1);
        self.attempts = self.attempts.saturating_add(1);
        match exponent {
            None => Duration::ZERO,
            Some(exponent) => {
                let upper = BASE
                    .saturating_mul(1u32.checked_shl(exponent).unwrap_or(u32::MAX))
                    .min(max);
                rng.duration_below(upper)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_cap_and_start_over() {
        let (mut backoff, mut rng) = (Backoff::new(), Rng::new(1));
        let max = Duration::from_secs(60);
        assert_eq!(backoff.next(&mut rng, max), Duration::ZERO);
        for attempt in 0..100u32 {
            let upper = BASE
                .saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX))
                .min(max);
            assert!(backoff.next(&mut rng, max) < upper);
        }
        backoff.reset();
        assert_eq!(backoff.next(&mut rng, max), Duration::ZERO);
    }
}
