//! Values that come: new ones, and newer ones for a key that is held.

use crate::{Instant, Snowflake};

use super::arena::{At, Queue};
use super::entry::Shape;
use super::evict::Want;
use super::index::HEAT_MAX;
use super::{HotSet, Key, Reason, Refusal, Sink, tick};

/// How a value was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Its key was not held.
    New,
    /// It took the place of an older value.
    Replaced,
}

impl HotSet {
    /// Keeps a value that came by itself, such as one that a dispatch brought. If that needs memory, others are given
    /// up, and `evicted` is told of each.
    ///
    /// # Errors
    ///
    /// Why the value is not kept. An older value of the key is given up then: it would be wrong.
    pub fn insert(
        &mut self,
        now: Instant,
        key: Key,
        value: &[u8],
        evicted: Sink<'_>,
    ) -> Result<Stored, Refusal> {
        self.keep(now, key, value, false, evicted)
    }

    /// Keeps a value that was fetched because somebody had asked for it and it was not held: what is asked for again
    /// soon after it was given up counts as used.
    ///
    /// # Errors
    ///
    /// As [`HotSet::insert`].
    pub fn insert_asked(
        &mut self,
        now: Instant,
        key: Key,
        value: &[u8],
        evicted: Sink<'_>,
    ) -> Result<Stored, Refusal> {
        self.keep(now, key, value, true, evicted)
    }

    fn keep(
        &mut self,
        now: Instant,
        key: Key,
        value: &[u8],
        is_asked: bool,
        evicted: Sink<'_>,
    ) -> Result<Stored, Refusal> {
        let stored = match self.refusal(key, value) {
            Some(why) => Err(why),
            None => self.store(now, key, value, is_asked, evicted),
        };
        if let Err(why) = stored {
            self.kind_mut(key.kind).refused[usize::from(why.number()) - 1] += 1;
            if let Some((at, shape)) = self.find(key) {
                self.give_up(at, shape, Reason::Outdated, evicted);
            }
        }
        self.compact();
        stored
    }

    fn refusal(&self, key: Key, value: &[u8]) -> Option<Refusal> {
        let limits = self.limits(key.kind);
        if limits.is_off() {
            Some(Refusal::Off)
        } else if value.len() > self.value_max {
            Some(Refusal::TooLong)
        } else if limits
            .bytes
            .is_some_and(|most| self.shape(key, value).size() > most)
        {
            Some(Refusal::NoRoom)
        } else {
            None
        }
    }

    /// How an entry for this value would lie.
    fn shape(&self, key: Key, value: &[u8]) -> Shape {
        let limits = self.limits(key.kind);
        Shape {
            length: u32::try_from(value.len()).unwrap_or(u32::MAX),
            kind: key.kind,
            is_linked: key.scope != Snowflake(0) || limits.is_capped(),
            expires: limits.ttl.is_some(),
        }
    }

    fn store(
        &mut self,
        now: Instant,
        key: Key,
        value: &[u8],
        is_asked: bool,
        evicted: Sink<'_>,
    ) -> Result<Stored, Refusal> {
        let shape = self.shape(key, value);
        if let Some((at, old)) = self.find(key) {
            return self.replace(now, key, value, (at, old, shape), evicted);
        }
        self.make_place(key, shape, evicted);
        let hash = self.hasher.key(key);
        let want = Want {
            key,
            hash,
            queue: Queue::Young,
            shape,
            is_new: true,
        };
        if !self.make_room(now, &want, evicted) {
            return Err(Refusal::NoRoom);
        }
        let heat = match self.ghost.take(hash) {
            Some(heat) => (heat + u8::from(is_asked)).min(HEAT_MAX),
            None => 0,
        };
        let at = self.arena.take(Queue::Young, shape.size());
        self.write(now, at, shape, key, value);
        self.index.insert(hash, at, heat);
        if shape.is_linked {
            let group = self.scopes.open(self.hasher, key.kind, key.scope);
            self.link(at, group);
            self.scopes.add(group, shape.size());
        }
        let kind = self.kind_mut(key.kind);
        kind.count += 1;
        kind.bytes += shape.size();
        kind.inserted += 1;
        self.settle();
        Ok(Stored::New)
    }

    fn write(&mut self, now: Instant, at: At, shape: Shape, key: Key, value: &[u8]) {
        let ttl = self.limits(key.kind).ttl;
        let entry = self.arena.entry_mut(at);
        shape.write(entry, key.id);
        if let Some(ttl) = ttl {
            shape.set_expiry(entry, tick(now + ttl));
        }
        let start = shape.value_at();
        entry[start..start + value.len()].copy_from_slice(value);
    }

    /// Puts a newer value where the older is, or to the new end of its queue if it is longer.
    fn replace(
        &mut self,
        now: Instant,
        key: Key,
        value: &[u8],
        (at, old, shape): (At, Shape, Shape),
        evicted: Sink<'_>,
    ) -> Result<Stored, Refusal> {
        let (from, to) = (old.size(), shape.size());
        if to <= from {
            self.write(now, at, shape, key, value);
            self.arena.cut(at, from, to);
            self.resized(at, shape, from, to);
            return Ok(Stored::Replaced);
        }
        let hash = self.hasher.key(key);
        let queue = self.arena.queue(at);
        let want = Want {
            key,
            hash,
            queue,
            shape,
            is_new: false,
        };
        self.shrink_kind(key.kind, 0, to - from, evicted);
        if !self.make_room(now, &want, evicted) {
            return Err(Refusal::NoRoom);
        }
        // Room may have been made by giving up the older value, or by moving it.
        let Some((at, old)) = self.find(key) else {
            return self.store(now, key, value, false, evicted);
        };
        let new = self.arena.take(self.arena.queue(at), to);
        self.arena.copy(at, new, old.value_at());
        self.write(now, new, shape, key, value);
        self.moved(at, new, shape);
        self.arena.free(at, from);
        self.resized(new, shape, from, to);
        Ok(Stored::Replaced)
    }

    fn resized(&mut self, at: At, shape: Shape, from: usize, to: usize) {
        if shape.is_linked {
            let group = super::entry::group(self.arena.entry(at));
            self.scopes.resize(group, from, to);
        }
        let kind = self.kind_mut(shape.kind);
        kind.bytes = kind.bytes + to - from;
        kind.replaced += 1;
    }
}
