//! Where in a slab a key is: open addressing over the slab's own entries, so that a look-up touches one cache line and
//! what it is looked up for.

use alloc::vec;
use alloc::vec::Vec;

/// No entry.
const NONE: u32 = u32::MAX;

/// The least size that is not zero.
const LEAST: usize = 16;

/// Positions in a slab by the hash of their key. The keys stay in the slab: who looks one up says how to compare.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// (half of the hash, position): a power of two of them, at most half in use.
    places: Vec<(u32, u32)>,
    used: usize,
}

impl Table {
    /// The position that has `hash` and for which `is` holds.
    pub(super) fn get(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let mask = self.places.len().checked_sub(1)?;
        let mut at = tag as usize & mask;
        loop {
            match self.places[at] {
                (_, NONE) => return None,
                (other, position) if other == tag && is(position) => return Some(position),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a position, which must not be there yet.
    pub(super) fn insert(&mut self, hash: u64, position: u32) {
        if self.used * 2 >= self.places.len() {
            self.resize((self.places.len() * 2).max(LEAST));
        }
        self.used += 1;
        self.put(tag(hash), position);
    }

    fn put(&mut self, tag: u32, position: u32) {
        let mask = self.places.len() - 1;
        let mut at = tag as usize & mask;
        while self.places[at].1 != NONE {
            at = (at + 1) & mask;
        }
        self.places[at] = (tag, position);
    }

    /// Removes a position.
    pub(super) fn remove(&mut self, hash: u64, position: u32) {
        let Some(mask) = self.places.len().checked_sub(1) else {
            return;
        };
        let mut hole = tag(hash) as usize & mask;
        while self.places[hole].1 != position {
            if self.places[hole].1 == NONE {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.used -= 1;
        if self.used * 8 < self.places.len() {
            self.places[hole].1 = NONE;
            let size = if self.used == 0 {
                0
            } else {
                self.places.len() / 2
            };
            self.resize(size);
            return;
        }
        // Whoever was pushed past the hole moves into it, so that every search still ends at the first gap.
        let mut next = (hole + 1) & mask;
        while self.places[next].1 != NONE {
            let home = self.places[next].0 as usize & mask;
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.places[hole].1 = NONE;
    }

    fn resize(&mut self, size: usize) {
        let old = core::mem::replace(&mut self.places, vec![(0, NONE); size]);
        for (tag, position) in old {
            if position != NONE {
                self.put(tag, position);
            }
        }
    }
}

/// The half of a hash that is kept: the upper one, which multiplication has mixed best.
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Mixes one more number into a hash.
pub(super) const fn mix(hash: u64, number: u64) -> u64 {
    let mixed = (hash ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::rng::Rng;

    /// Few hashes, so that many collide.
    fn hash(key: u32) -> u64 {
        u64::from(key % 37) << 32
    }

    #[test]
    fn finds_what_a_map_would_find() {
        let mut rng = Rng::new(7);
        let (mut table, mut map) = (Table::default(), BTreeMap::new());
        for round in 0..20_000_u64 {
            let key = u32::try_from(rng.next_u64() % 200).unwrap();
            let wanted = map.get(&key).copied();
            assert_eq!(table.get(hash(key), |position| position == key), wanted);
            // Grows, shrinks to nothing, grows again.
            let grows = round / 2_000 % 2 == 0;
            match wanted {
                None if grows => {
                    map.insert(key, key);
                    table.insert(hash(key), key);
                }
                Some(position) if !grows => {
                    map.remove(&key);
                    table.remove(hash(key), position);
                }
                _ => {}
            }
        }
        map.keys().for_each(|&key| table.remove(hash(key), key));
        assert!(table.places.is_empty());
    }
}
