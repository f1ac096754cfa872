//! The requests of one lane and priority, in their order. The first lies in the lane itself: who only wants to know who
//! is next touches nothing else.

use alloc::collections::VecDeque;

/// A place in a lane's queue: the fair turn, the order of submission, the request.
pub(super) type Place = (u64, u64, u32);

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    first: Option<Place>,
    /// Those behind the first, in order. Nearly all come at the end and go at the front.
    rest: VecDeque<Place>,
}

impl Queue {
    pub(super) const fn first(&self) -> Option<Place> {
        self.first
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn insert(&mut self, place: Place) {
        match self.first {
            None => self.first = Some(place),
            Some(first) if place < first => {
                self.rest.push_front(first);
                self.first = Some(place);
            }
            Some(_) if self.rest.back().is_none_or(|&last| last < place) => {
                self.rest.push_back(place);
            }
            Some(_) => {
                let at = self.rest.partition_point(|&other| other < place);
                self.rest.insert(at, place);
            }
        }
    }

    /// Takes a place out. `false` if it is not in.
    pub(super) fn remove(&mut self, place: Place) -> bool {
        if self.first == Some(place) {
            self.first = self.rest.pop_front();
            if self.rest.is_empty() {
                // Most lanes are empty most of the time.
                self.rest.shrink_to(MOST_KEPT);
            }
            return true;
        }
        let found = self.rest.binary_search(&place);
        found.is_ok_and(|at| self.rest.remove(at).is_some())
    }

    /// How many stand before a place.
    pub(super) fn before(&self, (turn, seq): (u64, u64)) -> usize {
        let is_before = |&(other, order, _): &Place| (other, order) < (turn, seq);
        usize::from(self.first.as_ref().is_some_and(is_before))
            + self.rest.partition_point(is_before)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.first.into_iter().chain(self.rest.iter().copied())
    }
}

/// For how many places an empty queue keeps its memory.
const MOST_KEPT: usize = 16;
