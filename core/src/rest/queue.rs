//! The requests of one lane, by priority and in their order. The first of each priority lies in the lane itself: who
//! only wants to know who is next touches nothing else.

use alloc::collections::VecDeque;

use super::io::PRIORITIES;

/// A place in a lane's queue: the fair turn, the order of submission, the request.
pub(super) type Place = (u64, u64, u32);

/// No place.
const NONE: Place = (u64::MAX, u64::MAX, u32::MAX);

#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Queues {
    first: [Place; PRIORITIES],
    /// Those behind the first, in order. Nearly all come at the end and go at the front.
    rest: [VecDeque<Place>; PRIORITIES],
}

impl Queues {
    pub(super) fn new() -> Self {
        Self {
            first: [NONE; PRIORITIES],
            rest: Default::default(),
        }
    }

    /// The first of each priority that has any, with its number.
    pub(super) fn firsts(&self) -> impl Iterator<Item = (u8, Place)> + '_ {
        let waiting = (0..).zip(&self.first);
        waiting.filter_map(|(class, &place)| (place.2 != NONE.2).then_some((class, place)))
    }

    pub(super) fn len(&self, class: usize) -> usize {
        usize::from(self.first[class] != NONE) + self.rest[class].len()
    }

    /// Adds a place. Tells whether it is the first of its priority.
    pub(super) fn insert(&mut self, class: usize, place: Place) -> bool {
        let (first, rest) = (&mut self.first[class], &mut self.rest[class]);
        if *first == NONE {
            *first = place;
            return true;
        }
        if place < *first {
            rest.push_front(core::mem::replace(first, place));
            return true;
        }
        if rest.back().is_none_or(|&last| last < place) {
            rest.push_back(place);
        } else {
            let at = rest.partition_point(|&other| other < place);
            rest.insert(at, place);
        }
        false
    }

    /// Takes a place out. `false` if it is not in.
    pub(super) fn remove(&mut self, class: usize, place: Place) -> bool {
        let (first, rest) = (&mut self.first[class], &mut self.rest[class]);
        if *first != place {
            let found = rest.binary_search(&place);
            return found.is_ok_and(|at| rest.remove(at).is_some());
        }
        *first = rest.pop_front().unwrap_or(NONE);
        if rest.is_empty() {
            // Most lanes are empty most of the time.
            rest.shrink_to(MOST_KEPT);
        }
        true
    }

    /// How many stand before a place.
    pub(super) fn before(&self, class: usize, (turn, seq): (u64, u64)) -> usize {
        let is_before = |&(other, order, _): &Place| (other, order) < (turn, seq);
        let rest = self.rest[class].partition_point(is_before);
        usize::from(is_before(&self.first[class])) + rest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        let rest = self.rest.iter().flatten().copied();
        self.firsts().map(|(_, place)| place).chain(rest)
    }
}

/// For how many places an empty queue keeps its memory.
const MOST_KEPT: usize = 16;
