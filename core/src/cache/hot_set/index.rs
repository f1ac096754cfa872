//! Where the entry of a key is: open addressing in 64 tables that grow by themselves, so that growing never needs more
//! than one of them twice.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use super::arena::At;

/// How many tables there are: a power of two.
const TABLES: usize = 64;

/// Bits of the hash that choose a table.
const TABLE_BITS: u32 = TABLES.trailing_zeros();

/// Bits of a mark that count touches; the others are bits of the hash.
const HEAT_BITS: u32 = 2;

/// The highest count of touches.
pub(super) const HEAT_MAX: u8 = (1 << HEAT_BITS) - 1;

/// The least size of a table that has one.
const LEAST: usize = 8;

/// One place of a table: eight bytes.
#[derive(Debug, Default)]
struct Slot {
    /// Bits of the hash, which say where the entry's home is, and how often the entry was touched. Readers count
    /// touches: what they write is the only thing that changes without `&mut`.
    mark: AtomicU32,
    at: At,
}

impl Slot {
    fn tag(&self) -> u32 {
        self.mark.load(Relaxed) >> HEAT_BITS
    }
}

/// A table, in a cache line of its own so that readers do not disturb each other's counting.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Table {
    slots: Vec<Slot>,
    used: usize,
    hits: AtomicUsize,
    misses: AtomicUsize,
}

/// Places by hash.
#[derive(Debug)]
pub(super) struct Index {
    tables: Box<[Table]>,
    slots: usize,
    used: usize,
}

/// A hash as the index reads it: table, and what is left for the place in it.
const fn split(hash: u64) -> (usize, u32) {
    let table = (hash >> (64 - TABLE_BITS)) as usize;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits below those that chose the table"
    )]
    let tag = ((hash >> (32 - TABLE_BITS)) as u32) >> HEAT_BITS;
    (table, tag)
}

/// How many different tags there are.
const TAGS: u64 = 1 << (32 - HEAT_BITS);

/// Where in `size` slots the search for `tag` begins. The order of homes is that of tags, whatever the size.
const fn home(tag: u32, size: usize) -> usize {
    ((tag as u64 * size as u64) >> (32 - HEAT_BITS)) as usize
}

/// The size of a table for `used` entries and one more: at most seven in eight slots are taken.
const fn grown(size: usize) -> usize {
    if size < LEAST {
        LEAST
    } else {
        size + if size / 8 < LEAST { LEAST } else { size / 8 }
    }
}

impl Table {
    fn is_full(&self) -> bool {
        (self.used + 1) * 8 > self.slots.len() * 7
    }

    fn find(&self, tag: u32, is: impl Fn(At) -> bool) -> Option<usize> {
        let size = self.slots.len();
        if size == 0 {
            return None;
        }
        let mut place = home(tag, size);
        loop {
            let slot = &self.slots[place];
            if slot.at.is_none() {
                return None;
            }
            if slot.tag() == tag && is(slot.at) {
                return Some(place);
            }
            place = if place + 1 == size { 0 } else { place + 1 };
        }
    }

    fn put(&mut self, mark: u32, at: At) {
        let size = self.slots.len();
        let mut place = home(mark >> HEAT_BITS, size);
        while !self.slots[place].at.is_none() {
            place = if place + 1 == size { 0 } else { place + 1 };
        }
        self.slots[place] = Slot {
            mark: AtomicU32::new(mark),
            at,
        };
    }

    fn resize(&mut self, size: usize) {
        let mut slots = Vec::new();
        slots.reserve_exact(size);
        slots.resize_with(size, Slot::default);
        for mut slot in core::mem::replace(&mut self.slots, slots) {
            if !slot.at.is_none() {
                self.put(*slot.mark.get_mut(), slot.at);
            }
        }
    }

    /// Empties a place. Whoever was pushed past it moves into it, so that every search still ends at the first gap.
    fn clear(&mut self, mut hole: usize) {
        let size = self.slots.len();
        let mut next = hole;
        loop {
            next = if next + 1 == size { 0 } else { next + 1 };
            if self.slots[next].at.is_none() {
                break;
            }
            let home = home(self.slots[next].tag(), size);
            let distance = |from: usize| {
                if next >= from {
                    next - from
                } else {
                    next + size - from
                }
            };
            if distance(home) >= distance(hole) {
                self.slots.swap(hole, next);
                hole = next;
            }
        }
        self.slots[hole] = Slot::default();
        self.used -= 1;
    }
}

impl Index {
    pub(super) fn new() -> Self {
        let mut tables = Vec::new();
        tables.resize_with(TABLES, Table::default);
        Self {
            tables: tables.into_boxed_slice(),
            slots: 0,
            used: 0,
        }
    }

    /// Bytes that it holds.
    pub(super) const fn held(&self) -> usize {
        TABLES * size_of::<Table>() + self.slots * size_of::<Slot>()
    }

    /// How many entries it has.
    pub(super) const fn len(&self) -> usize {
        self.used
    }

    /// Bytes that another entry of this hash would ask for, if any.
    pub(super) fn growth(&self, hash: u64) -> usize {
        let table = &self.tables[split(hash).0];
        if table.is_full() {
            grown(table.slots.len()) * size_of::<Slot>()
        } else {
            0
        }
    }

    /// The entry with this hash for which `is` holds.
    pub(super) fn find(&self, hash: u64, is: impl Fn(At) -> bool) -> Option<At> {
        let (table, tag) = split(hash);
        let table = &self.tables[table];
        table.find(tag, is).map(|place| table.slots[place].at)
    }

    /// The same, as a reader's question: it is counted, and the entry is touched.
    pub(super) fn ask(&self, hash: u64, is: impl Fn(At) -> bool) -> Option<At> {
        let (table, tag) = split(hash);
        let table = &self.tables[table];
        let Some(place) = table.find(tag, is) else {
            table.misses.fetch_add(1, Relaxed);
            return None;
        };
        table.hits.fetch_add(1, Relaxed);
        let slot = &table.slots[place];
        let mark = slot.mark.load(Relaxed);
        // Two readers at once may count as one: nothing else writes here meanwhile.
        if mark & u32::from(HEAT_MAX) != u32::from(HEAT_MAX) {
            slot.mark.store(mark + 1, Relaxed);
        }
        Some(slot.at)
    }

    /// Questions that found an entry, and those that did not.
    pub(super) fn asked(&self) -> (u64, u64) {
        let sum = |count: fn(&Table) -> &AtomicUsize| {
            let counts = self.tables.iter().map(|table| count(table).load(Relaxed));
            counts.map(|count| count as u64).sum()
        };
        (sum(|table| &table.hits), sum(|table| &table.misses))
    }

    /// Adds an entry that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, at: At, heat: u8) {
        let (table, tag) = split(hash);
        let table = &mut self.tables[table];
        if table.is_full() {
            let size = grown(table.slots.len());
            self.slots += size - table.slots.len();
            table.resize(size);
        }
        table.put(tag << HEAT_BITS | u32::from(heat), at);
        table.used += 1;
        self.used += 1;
    }

    fn slot(&mut self, hash: u64, at: At) -> Option<&mut Slot> {
        let (table, tag) = split(hash);
        let table = &mut self.tables[table];
        let place = table.find(tag, |other| other == at)?;
        Some(&mut table.slots[place])
    }

    /// How often an entry was touched.
    pub(super) fn heat(&mut self, hash: u64, at: At) -> u8 {
        let mark = self.slot(hash, at).map_or(0, |slot| *slot.mark.get_mut());
        mark.to_le_bytes()[0] & HEAT_MAX
    }

    /// Notes where an entry is now.
    pub(super) fn moved(&mut self, hash: u64, from: At, to: At) {
        if let Some(slot) = self.slot(hash, from) {
            slot.at = to;
        }
    }

    /// Sets how often an entry counts as touched.
    pub(super) fn set_heat(&mut self, hash: u64, at: At, heat: u8) {
        if let Some(slot) = self.slot(hash, at) {
            let mark = slot.mark.get_mut();
            *mark = *mark & !u32::from(HEAT_MAX) | u32::from(heat);
        }
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, hash: u64, at: At) {
        let (number, tag) = split(hash);
        let table = &mut self.tables[number];
        let Some(place) = table.find(tag, |other| other == at) else {
            return;
        };
        table.clear(place);
        self.used -= 1;
        let size = table.slots.len();
        if table.used * 2 < size {
            let less = match table.used {
                0 => 0,
                used => (used * 4 / 3).max(LEAST),
            };
            if less < size {
                self.slots -= size - less;
                table.resize(less);
            }
        }
    }

    /// Hands out the entries whose hash follows `cursor`, about `count` of them, and says where to go on; `None` at the
    /// end. Who stays meanwhile is handed out once, whatever comes and goes.
    pub(super) fn visit(
        &self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(At),
    ) -> Option<u64> {
        let (number, from) = (cursor / TAGS, cursor % TAGS);
        let table = self.tables.get(usize::try_from(number).ok()?)?;
        let width = match table.used {
            0 => TAGS,
            used => (TAGS * (count.max(1) as u64) / used as u64).max(1),
        };
        let to = (from + width).min(TAGS);
        let size = table.slots.len();
        if table.used > 0 {
            let tag = |tag: u64| u32::try_from(tag).unwrap_or(u32::MAX);
            let (first, last) = (home(tag(from), size), home(tag(to - 1), size));
            for step in 0..size {
                let slot = &table.slots[(first + step) % size];
                if slot.at.is_none() {
                    if first + step >= last {
                        break;
                    }
                } else if (from..to).contains(&u64::from(slot.tag())) {
                    visit(slot.at);
                }
            }
        }
        let next = number * TAGS + to;
        (next < TABLES as u64 * TAGS).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::rng::Rng;

    /// Few hashes, so that many collide; some tables have everything.
    const fn hash(key: u32) -> u64 {
        (key as u64 % 3) << 62 | (key as u64 % 37) << 40
    }

    #[test]
    fn finds_what_a_map_would_find() {
        let mut rng = Rng::new(7);
        let (mut index, mut map) = (Index::new(), BTreeMap::new());
        let empty = index.held();
        for round in 0..40_000_u64 {
            let key = u32::try_from(rng.below(700)).unwrap() + 1;
            let wanted = map.get(&key).copied();
            let found = index.find(hash(key), |at| at == At(key));
            assert_eq!(found, wanted.map(|_| At(key)));
            // Grows, shrinks to nothing, grows again.
            let grows = round / 4_000 % 2 == 0;
            match wanted {
                None if grows => {
                    map.insert(key, ());
                    index.insert(hash(key), At(key), 1);
                }
                Some(()) if !grows => {
                    map.remove(&key);
                    index.remove(hash(key), At(key));
                }
                _ => {}
            }
            assert_eq!(index.len(), map.len());
        }
        map.keys().for_each(|&key| index.remove(hash(key), At(key)));
        assert_eq!(index.held(), empty, "memory went back");
    }

    #[test]
    fn every_entry_that_stays_is_visited_once_while_others_come_and_go() {
        let mut rng = Rng::new(3);
        let mut index = Index::new();
        let hashes: Vec<u64> = (0..4_000).map(|_| rng.next_u64()).collect();
        let at = |number: usize| At(u32::try_from(number).unwrap() + 1);
        for (number, &hash) in hashes.iter().enumerate().take(2_000) {
            index.insert(hash, at(number), 0);
        }
        let (mut seen, mut cursor, mut other) = (BTreeMap::new(), Some(0), 2_000);
        while let Some(from) = cursor {
            let mut in_step = 0;
            cursor = index.visit(from, 10, &mut |at| {
                *seen.entry(at).or_insert(0) += 1;
                in_step += 1;
            });
            assert!(in_step < 60, "about ten: {in_step}");
            if other < hashes.len() {
                index.insert(hashes[other], at(other), 0);
                other += 1;
            }
            if other > 2_100 {
                index.remove(hashes[other - 2_100], at(other - 2_100));
            }
        }
        for number in 1_900..2_000 {
            assert_eq!(seen.get(&at(number)), Some(&1), "{number}");
        }
    }

    #[test]
    fn touches_are_counted_up_to_three() {
        let mut index = Index::new();
        index.insert(9, At(1), 0);
        for wanted in [1, 2, 3, 3] {
            assert_eq!(index.ask(9, |_| true), Some(At(1)));
            assert_eq!(index.heat(9, At(1)), wanted);
        }
        assert_eq!(index.ask(8, |_| false), None);
        assert_eq!(index.asked(), (4, 1));
        index.set_heat(9, At(1), 1);
        index.moved(9, At(1), At(2));
        assert_eq!(index.heat(9, At(2)), 1);
    }
}
