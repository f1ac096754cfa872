//! Questions: one key, a scope, everything.

use core::sync::atomic::Ordering::Relaxed;

use crate::{Instant, Snowflake};

use super::arena::At;
use super::entry;
use super::{HotSet, Key, Kind};

/// Where to go on with everything that is held; see [`HotSet::visit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor(u64);

impl HotSet {
    /// The value of a key. It counts as asked for, and the question as hit or miss.
    pub fn get(&self, now: Instant, key: Key) -> Option<&[u8]> {
        let hash = self.hasher.key(key);
        let at = self.index.ask(hash, |at| self.is(at, key))?;
        let shape = self.arena.shape(at)?;
        if self.has_expired(at, shape, now) {
            self.asked_expired.fetch_add(1, Relaxed);
            return None;
        }
        Some(self.value(at, shape))
    }

    /// The value of a key; nothing is counted.
    #[must_use]
    pub fn peek(&self, now: Instant, key: Key) -> Option<&[u8]> {
        let (at, shape) = self.find(key)?;
        (!self.has_expired(at, shape, now)).then(|| self.value(at, shape))
    }

    /// The value of a key, even if its life has ended and it only waits to be given up; nothing is counted.
    #[must_use]
    pub fn lies(&self, key: Key) -> Option<&[u8]> {
        let (at, shape) = self.find(key)?;
        Some(self.value(at, shape))
    }

    /// Like [`HotSet::scope`], with those whose life has ended.
    #[must_use]
    pub fn lies_in(&self, kind: Kind, scope: Snowflake) -> Scope<'_> {
        Scope {
            now: None,
            ..self.scope(Instant::ZERO, kind, scope)
        }
    }

    /// Everything of a kind in a scope, the latest first; nothing is counted. In scope 0 it finds only kinds that have
    /// a limit: the others there have no list, and [`HotSet::visit`] finds them.
    #[must_use]
    pub fn scope(&self, now: Instant, kind: Kind, scope: Snowflake) -> Scope<'_> {
        let group = self.scopes.find(self.hasher, kind, scope);
        Scope {
            set: self,
            now: Some(now),
            next: group.map_or(At::NONE, |group| self.scopes.group(group).newest),
        }
    }

    /// How many entries of a kind a scope has, those whose life has ended among them.
    #[must_use]
    pub fn scope_count(&self, kind: Kind, scope: Snowflake) -> usize {
        let group = self.scopes.find(self.hasher, kind, scope);
        group.map_or(0, |group| self.scopes.group(group).count as usize)
    }

    /// Bytes of a scope's entries, with what lies beside each value.
    #[must_use]
    pub fn scope_bytes(&self, scope: Snowflake) -> usize {
        self.scopes.bytes(self.hasher, scope)
    }

    /// Hands out the next entries, about `count` of them, and says where to go on; `None` after the last. What is held
    /// from the first call to the last is handed out exactly once, whatever else comes, goes or moves in between.
    #[must_use]
    pub fn visit(
        &self,
        now: Instant,
        from: Cursor,
        count: usize,
        visit: &mut dyn FnMut(Key, &[u8]),
    ) -> Option<Cursor> {
        let next = self.index.visit(from.0, count, &mut |at| {
            if let Some(shape) = self.arena.shape(at)
                && !self.has_expired(at, shape, now)
            {
                visit(self.key(at, shape), self.value(at, shape));
            }
        });
        next.map(Cursor)
    }
}

/// What a scope has of a kind.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    set: &'a HotSet,
    now: Option<Instant>,
    next: At,
}

impl<'a> Iterator for Scope<'a> {
    type Item = (Snowflake, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.next.is_none() {
            let at = self.next;
            let entry = self.set.arena.entry(at);
            self.next = entry::older(entry);
            let shape = self.set.arena.shape(at)?;
            let has_expired = |now| self.set.has_expired(at, shape, now);
            if !self.now.is_some_and(has_expired) {
                return Some((entry::id(entry), self.set.value(at, shape)));
            }
        }
        None
    }
}
