//! A table from hashes to small numbers, with a bound on every search: what does not fit is refused.

use alloc::vec::Vec;

/// No number.
pub(super) const NONE: u16 = u16::MAX;

/// How far from its own place a number is looked for. Keys that were made to collide cost no more than this.
const PROBES: usize = 16;

/// The numbers by hash; what they stand for is elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    places: Vec<u16>,
    used: usize,
}

impl Index {
    pub(super) const fn bytes(&self) -> usize {
        self.places.capacity() * 2
    }

    /// The numbers that may have this hash.
    #[inline]
    pub(super) fn candidates(&self, hash: u32) -> impl Iterator<Item = u16> {
        let mask = self.places.len().wrapping_sub(1);
        (0..PROBES)
            .map_while(move |probe| {
                let place = (hash as usize).wrapping_add(probe) & mask;
                self.places.get(place).copied()
            })
            .take_while(|&number| number != NONE)
    }

    /// Enters `number`; `false` if the places near its own are taken. `hash_of` tells the hashes of those that are in
    /// already, for when the table grows.
    pub(super) fn enter(&mut self, hash: u32, number: u16, hash_of: impl Fn(u16) -> u32) -> bool {
        if self.used * 2 >= self.places.len() {
            let length = (self.places.len() * 2).max(64);
            let old = core::mem::replace(&mut self.places, alloc::vec![NONE; length]);
            for number in old.into_iter().filter(|&number| number != NONE) {
                // One that finds no place is found no more. It was of use to nobody but the next of its kind.
                let _ = self.put(hash_of(number), number);
            }
        }
        let is_put = self.put(hash, number);
        self.used += usize::from(is_put);
        is_put
    }

    fn put(&mut self, hash: u32, number: u16) -> bool {
        let mask = self.places.len() - 1;
        for probe in 0..PROBES {
            let place = &mut self.places[(hash as usize).wrapping_add(probe) & mask];
            if *place == NONE {
                *place = number;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_found() {
        let mut index = Index::default();
        let hash = |number: u16| u32::from(number).wrapping_mul(0x9e37_79b9) >> 7;
        assert_eq!(index.candidates(1).count(), 0);
        let entered: Vec<u16> = (0..5_000)
            .filter(|&number| index.enter(hash(number), number, hash))
            .collect();
        assert!(entered.len() > 4_900, "{}", entered.len());
        let found = |number: &&u16| {
            index
                .candidates(hash(**number))
                .any(|found| found == **number)
        };
        assert!(entered.iter().filter(found).count() > 4_900);
        assert!(index.bytes() >= 10_000);
    }

    #[test]
    fn collisions_are_refused_beyond_a_bound() {
        let mut index = Index::default();
        let entered = (0..1_000).filter(|&number| index.enter(7, number, |_| 7));
        assert_eq!(entered.count(), PROBES);
        assert_eq!(index.candidates(7).count(), PROBES);
    }
}
