//! A clock of a machine: somewhere else than the world's, and a little faster or slower.

use crate::Instant;

/// A clock. The rate is in parts of a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) offset: u64,
    pub(super) rate: u64,
}

impl Clock {
    /// A moment of the world by this clock.
    pub(super) fn local(self, at: Instant) -> Instant {
        let passed = u128::from(at.as_micros()) * u128::from(self.rate) / 1_000_000;
        Instant::from_micros(self.offset + u64::try_from(passed).unwrap_or(u64::MAX / 2))
    }

    /// The first moment of the world at which this clock says `at` or later.
    pub(super) fn world(self, at: Instant) -> Instant {
        let passed = u128::from(at.as_micros().saturating_sub(self.offset));
        let micros = (passed * 1_000_000).div_ceil(u128::from(self.rate));
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX / 2))
    }
}
