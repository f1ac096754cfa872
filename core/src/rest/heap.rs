//! Who is first: a heap in which every number has at most one key, which can change or go at any time.

use alloc::vec::Vec;

/// How many children an entry has.
const ARITY: usize = 4;

/// Not in the heap.
const NONE: u32 = u32::MAX;

/// The children of one entry, in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Siblings<K>([(K, u32); ARITY]);

/// Numbers by their keys, the least key first; of equal keys, the least number.
#[derive(Clone, Debug, Default)]
pub(super) struct Heap<K> {
    /// The first entry is the last of the first siblings, which has none: so all others share a line with theirs.
    rows: Vec<Siblings<K>>,
    len: usize,
    /// Where each number is among the entries.
    places: Vec<u32>,
}

/// By how much the place of an entry is less than where it lies.
const SHIFT: usize = ARITY - 1;

impl<K: Copy + Ord> Heap<K> {
    pub(super) const fn new() -> Self {
        Self {
            rows: Vec::new(),
            len: 0,
            places: Vec::new(),
        }
    }

    pub(super) fn first(&self) -> Option<(K, u32)> {
        (self.len > 0).then(|| self.entry(0))
    }

    /// Every number that has a key, in no order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len).map(|at| self.entry(at).1)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn place(&self, number: u32) -> Option<usize> {
        let place = *self.places.get(number as usize)?;
        (place != NONE).then_some(place as usize)
    }

    fn entry(&self, at: usize) -> (K, u32) {
        let at = at + SHIFT;
        self.rows[at / ARITY].0[at % ARITY]
    }

    /// Lays an entry down; its number is found there from now on.
    fn lay(&mut self, at: usize, entry: (K, u32)) {
        self.places[entry.1 as usize] = u32::try_from(at).unwrap_or(NONE);
        let at = at + SHIFT;
        self.rows[at / ARITY].0[at % ARITY] = entry;
    }

    /// Gives a number a key, whether it had one or not.
    pub(super) fn set(&mut self, number: u32, key: K) {
        let entry = (key, number);
        if let Some(at) = self.place(number) {
            self.settle(at, entry);
            return;
        }
        if self.places.len() <= number as usize {
            self.places.resize(number as usize + 1, NONE);
        }
        let at = self.len;
        self.len += 1;
        if (at + SHIFT) / ARITY == self.rows.len() {
            self.rows.push(Siblings([entry; ARITY]));
        }
        self.rise(at, entry);
    }

    /// Takes a number out, if it is in.
    pub(super) fn remove(&mut self, number: u32) {
        let Some(at) = self.place(number) else {
            return;
        };
        self.places[number as usize] = NONE;
        self.len -= 1;
        let last = self.entry(self.len);
        self.rows.truncate((self.len + SHIFT).div_ceil(ARITY));
        if at < self.len {
            self.settle(at, last);
        }
    }

    /// Finds the place of an entry that may go up or down from a gap.
    fn settle(&mut self, gap: usize, entry: (K, u32)) {
        if self.rise(gap, entry) == gap {
            self.sink(gap, entry);
        }
    }

    fn rise(&mut self, mut gap: usize, entry: (K, u32)) -> usize {
        while gap > 0 {
            let parent = (gap - 1) / ARITY;
            let above = self.entry(parent);
            if above <= entry {
                break;
            }
            self.lay(gap, above);
            gap = parent;
        }
        self.lay(gap, entry);
        gap
    }

    fn sink(&mut self, mut gap: usize, entry: (K, u32)) {
        while let Some((child, below)) = self.least_child(gap) {
            if entry <= below {
                break;
            }
            self.lay(gap, below);
            gap = child;
        }
        self.lay(gap, entry);
    }

    fn least_child(&self, of: usize) -> Option<(usize, (K, u32))> {
        let first = of * ARITY + 1;
        if first >= self.len {
            return None;
        }
        let row = &self.rows[of + 1].0;
        let mut least = 0;
        for place in 1..ARITY {
            if first + place < self.len && row[place] < row[least] {
                least = place;
            }
        }
        Some((first + least, row[least]))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::rng::Rng;

    #[test]
    fn first_is_what_a_sorted_set_says() {
        let mut rng = Rng::new(3);
        let mut heap = Heap::new();
        let (mut keys, mut sorted) = (BTreeMap::new(), BTreeSet::new());
        for _ in 0..20_000 {
            let number = u32::try_from(rng.below(100)).unwrap();
            if let Some(old) = keys.remove(&number) {
                sorted.remove(&(old, number));
            }
            if rng.below(3) == 0 {
                heap.remove(number);
            } else {
                let key = rng.below(50);
                heap.set(number, key);
                keys.insert(number, key);
                sorted.insert((key, number));
            }
            assert_eq!(heap.first(), sorted.first().copied());
            assert_eq!(heap.is_empty(), sorted.is_empty());
        }
    }
}
