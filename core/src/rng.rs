//! Seeded randomness for jitter and backoff. Not for secrets.

use core::time::Duration;

use crate::time::micros;

/// A PCG32 generator (O'Neill 2014): 64 bits of state, the same numbers for the same seed everywhere.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;

impl Rng {
    /// A generator whose whole sequence follows from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let mut rng = Self {
            state: seed.wrapping_add(INCREMENT),
        };
        rng.next_u32();
        rng
    }

    /// The next 32 bits.
    pub const fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "PCG's output function keeps the low 32 bits"
        )]
        let xorshifted = (((old >> 18) ^ old) >> 27) as u32;
        xorshifted.rotate_right((old >> 59) as u32)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        ((self.next_u32() as u64) << 32) | self.next_u32() as u64
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    ///
    /// The bias of the multiplication method is below 2^-32 for bounds below 2^32.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A duration in `0..upper`.
    pub fn duration_below(&mut self, upper: Duration) -> Duration {
        Duration::from_micros(self.below(micros(upper)))
    }

    /// A duration in `low..high`.
    pub fn duration_between(&mut self, low: Duration, high: Duration) -> Duration {
        low + self.duration_below(high.saturating_sub(low))
    }
}
