//! What a side has seen lately: one ring over all guilds, in which each guild's entries are chained.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;

use super::fingerprint::Fingerprint;

/// A guild's newest entry; 0 if it has none.
pub(super) type Place = u64;

#[derive(Clone, Copy, Debug)]
struct Entry {
    print: Fingerprint,
    at: Instant,
    /// The guild's entry before this one.
    before: Place,
}

/// The ring. Its oldest entry is always its guild's oldest, so forgetting needs no look at the guild, and its memory
/// does not depend on how events spread over guilds.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    entries: VecDeque<Entry>,
    /// The place of the first entry. Places begin with 1.
    first: Place,
    max: usize,
    keep: Duration,
    /// Entries forgotten before their time, because there were too many.
    pub(super) forgotten: u64,
}

impl Seen {
    pub(super) fn new(max: usize, keep: Duration) -> Self {
        Self {
            entries: VecDeque::new(),
            first: 1,
            max: max.max(1),
            keep,
            forgotten: 0,
        }
    }

    /// Remembers an event of the guild whose newest entry is `newest`.
    pub(super) fn push(&mut self, now: Instant, print: Fingerprint, newest: &mut Place) {
        while self
            .entries
            .front()
            .is_some_and(|entry| now.since(entry.at) > self.keep)
        {
            self.entries.pop_front();
            self.first += 1;
        }
        if self.entries.len() >= self.max {
            self.entries.pop_front();
            self.first += 1;
            self.forgotten += 1;
        }
        let before = *newest;
        self.entries.push_back(Entry {
            print,
            at: now,
            before,
        });
        *newest = self.first + self.entries.len() as u64 - 1;
    }

    /// A guild's entries from the newest back, as far as they are remembered.
    pub(super) fn walk(
        &self,
        newest: Place,
    ) -> impl Iterator<Item = (Fingerprint, Instant)> + use<'_> {
        let mut place = newest;
        core::iter::from_fn(move || {
            let index = usize::try_from(place.checked_sub(self.first)?).ok()?;
            let entry = self.entries.get(index)?;
            place = entry.before;
            Some((entry.print, entry.at))
        })
    }
}
