//! Who is first: a heap in which every number has at most one key, which can change or go at any time.

use alloc::vec::Vec;

/// How many children an entry has: four of them share a cache line.
const ARITY: usize = 4;

/// Not in the heap.
const NONE: u32 = u32::MAX;

/// Numbers by their keys, the least key first; of equal keys, the least number.
#[derive(Clone, Debug, Default)]
pub(super) struct Heap<K> {
    entries: Vec<(K, u32)>,
    /// Where each number is among the entries.
    places: Vec<u32>,
}

impl<K: Copy + Ord> Heap<K> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            places: Vec::new(),
        }
    }

    pub(super) fn first(&self) -> Option<(K, u32)> {
        self.entries.first().copied()
    }

    /// Every number that has a key, in no order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|&(_, number)| number)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn place(&self, number: u32) -> Option<usize> {
        let place = *self.places.get(number as usize)?;
        (place != NONE).then_some(place as usize)
    }

    /// Gives a number a key, whether it had one or not.
    pub(super) fn set(&mut self, number: u32, key: K) {
        if let Some(at) = self.place(number) {
            self.entries[at].0 = key;
            self.settle(at);
            return;
        }
        if self.places.len() <= number as usize {
            self.places.resize(number as usize + 1, NONE);
        }
        let at = self.entries.len();
        self.entries.push((key, number));
        self.note(at);
        self.rise(at);
    }

    /// Takes a number out, if it is in.
    pub(super) fn remove(&mut self, number: u32) {
        let Some(at) = self.place(number) else {
            return;
        };
        self.places[number as usize] = NONE;
        self.entries.swap_remove(at);
        if at < self.entries.len() {
            self.note(at);
            self.settle(at);
        }
    }

    /// Moves an entry whose key may have become anything.
    fn settle(&mut self, at: usize) {
        if self.rise(at) == at {
            self.sink(at);
        }
    }

    fn rise(&mut self, mut at: usize) -> usize {
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.entries[parent] <= self.entries[at] {
                break;
            }
            self.swap(parent, at);
            at = parent;
        }
        at
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let first = at * ARITY + 1;
            let end = (first + ARITY).min(self.entries.len());
            let Some(least) = (first..end).min_by_key(|&child| self.entries[child]) else {
                return;
            };
            if self.entries[at] <= self.entries[least] {
                return;
            }
            self.swap(at, least);
            at = least;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.entries.swap(one, other);
        self.note(one);
        self.note(other);
    }

    /// An entry's number is found where the entry is now.
    fn note(&mut self, at: usize) {
        let number = self.entries[at].1;
        self.places[number as usize] = u32::try_from(at).unwrap_or(NONE);
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
