//! Hashes of keys, from a seed that nobody outside knows: users choose some ids, and must not choose who collides.

use crate::{Rng, Snowflake};

use super::{Key, Kind};

/// Odd, with as many ones as zeros.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is mixed into hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher {
    scope: u64,
    id: u64,
}

impl Hasher {
    pub(super) const fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        Self {
            scope: rng.next_u64(),
            id: rng.next_u64() | 1,
        }
    }

    pub(super) fn key(self, key: Key) -> u64 {
        self.entry(self.group(key.kind, key.scope), key.id)
    }

    /// Of an entry in the group that has this hash.
    pub(super) const fn entry(self, group: u64, id: Snowflake) -> u64 {
        fold(group ^ id.0, self.id)
    }

    pub(super) fn group(self, kind: Kind, scope: Snowflake) -> u64 {
        // The kind goes where a snowflake has nothing for the next decades.
        let number = u64::from(kind.number() + 1).rotate_right(6);
        fold(scope.0 ^ number ^ self.scope, MULTIPLIER)
    }

    pub(super) const fn scope(self, scope: Snowflake) -> u64 {
        fold(scope.0 ^ self.scope, MULTIPLIER)
    }
}

/// Both halves of the product, over each other: every bit of a factor reaches every bit of the result.
const fn fold(number: u64, multiplier: u64) -> u64 {
    let product = number as u128 * multiplier as u128;
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}
