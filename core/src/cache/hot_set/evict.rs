//! Who is given up when memory is short, and when a kind or a scope has as much as it may.

use crate::Instant;

use super::arena::{At, Queue};
use super::entry::Shape;
use super::{Evicted, HotSet, Key, Kind, Reason, Sink, tick};

/// What part of the live bytes the queue of new entries may have.
const YOUNG: usize = 10;

/// As often must a new entry have been asked for to stay.
const WANTED: u8 = 1;

/// Of the budget, so many bytes for each entry that is remembered after it was given up.
pub(super) const BYTES_PER_GHOST: usize = 128;

/// Entries asked for since they were last looked at that are passed over, in a scope or kind that has to give.
const PASSES: usize = 8;

/// What a new entry would ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) key: Key,
    pub(super) hash: u64,
    pub(super) queue: Queue,
    pub(super) shape: Shape,
    /// Whether it is not in the index yet.
    pub(super) is_new: bool,
}

impl HotSet {
    /// Bytes of memory that a new entry needs.
    fn growth(&self, want: &Want) -> usize {
        let mut bytes = self.arena.growth(want.queue, want.shape.size());
        if want.is_new {
            bytes += self.index.growth(want.hash);
            let Key { kind, scope, .. } = want.key;
            if want.shape.is_linked && self.scopes.find(self.hasher, kind, scope).is_none() {
                bytes += self.scopes.growth(self.hasher, kind, scope);
            }
        }
        bytes
    }

    /// Gives up entries until there is memory for a new one; false if there cannot be.
    pub(super) fn make_room(&mut self, now: Instant, want: &Want, evicted: Sink<'_>) -> bool {
        loop {
            let growth = self.growth(want);
            if growth == 0 || self.held_bytes() + self.reserve() + growth <= self.budget {
                return true;
            }
            if !self.evict(now, evicted) {
                return false;
            }
        }
    }

    /// Does something for memory: gives up an entry, moves one on, or closes gaps. False if nothing is left to do.
    pub(super) fn evict(&mut self, now: Instant, evicted: Sink<'_>) -> bool {
        if self.arena.gaps() > self.budget / 8 + self.reserve() && self.arena.note_gappy() {
            self.compact();
            return true;
        }
        let did = match self.scopes.above_share() {
            Some(group) => self.evict_from(group, Reason::Share, evicted),
            None => self.advance(now, evicted),
        };
        self.compact();
        did
    }

    /// Takes the entry whose turn it is in the queues: it stays, moves on, or is given up.
    fn advance(&mut self, now: Instant, evicted: Sink<'_>) -> bool {
        let (young, main) = (self.arena.live(Queue::Young), self.arena.live(Queue::Main));
        let queue = if main == 0 || young > (young + main) / YOUNG {
            Queue::Young
        } else {
            Queue::Main
        };
        let Some((at, shape)) = self.arena.oldest(queue) else {
            return false;
        };
        let hash = self.hasher.key(self.key(at, shape));
        let heat = self.index.heat(hash, at);
        if self.has_expired(at, shape, now) {
            self.give_up(at, shape, Reason::Expired, evicted);
        } else if queue == Queue::Young && heat >= WANTED {
            let at = self.transfer(at, shape, Queue::Main);
            self.index.set_heat(hash, at, 0);
        } else if queue == Queue::Main && heat > 0 {
            let at = self.transfer(at, shape, Queue::Main);
            self.index.set_heat(hash, at, heat - 1);
        } else {
            if queue == Queue::Young {
                self.ghost.insert(hash);
            }
            self.give_up(at, shape, Reason::Cold, evicted);
        }
        true
    }

    pub(super) fn has_expired(&self, at: At, shape: Shape, now: Instant) -> bool {
        let expiry = shape.expiry(self.arena.entry(at));
        // Whatever lies less than half the range back is past.
        expiry.is_some_and(|end| tick(now).wrapping_sub(end) < 1 << 31)
    }

    /// Moves an entry to the new end of a queue.
    fn transfer(&mut self, at: At, shape: Shape, queue: Queue) -> At {
        let to = self.arena.take(queue, shape.size());
        self.arena.copy(at, to, shape.size());
        self.moved(at, to, shape);
        self.arena.free(at, shape.size());
        to
    }

    /// Gives up an entry of a group: the earliest that was not asked for since it was last looked at.
    pub(super) fn evict_from(&mut self, group: u32, why: Reason, evicted: Sink<'_>) -> bool {
        for pass in 0..=PASSES {
            let at = self.scopes.group(group).oldest;
            let Some(shape) = self.arena.shape(at).filter(|_| !at.is_none()) else {
                return false;
            };
            let hash = self.hasher.key(self.key(at, shape));
            let heat = self.index.heat(hash, at);
            // Messages leave a full channel in the order they came.
            if heat == 0 || pass == PASSES || why == Reason::ScopeLimit {
                self.give_up(at, shape, why, evicted);
                return true;
            }
            self.index.set_heat(hash, at, heat - 1);
            self.unlink(at);
            self.link(at, group);
        }
        false
    }

    /// Gives up entries until a kind, and its part of a scope, have room for one more of so many bytes.
    pub(super) fn make_place(&mut self, key: Key, shape: Shape, evicted: Sink<'_>) {
        let limits = *self.limits(key.kind);
        if let Some(most) = limits.count_per_scope {
            while let Some(group) = self.scopes.find(self.hasher, key.kind, key.scope) {
                if self.scopes.group(group).count < most
                    || !self.evict_from(group, Reason::ScopeLimit, evicted)
                {
                    break;
                }
            }
        }
        if limits.count.is_some() || limits.bytes.is_some() {
            self.shrink_kind(key.kind, 1, shape.size(), evicted);
        }
        self.compact();
    }

    /// Gives up entries of a kind until so many more fit under its limits.
    pub(super) fn shrink_kind(&mut self, kind: Kind, more: usize, bytes: usize, evicted: Sink<'_>) {
        let limits = *self.limits(kind);
        let most = limits.count.map_or(usize::MAX, |count| count as usize);
        let most_bytes = limits.bytes.unwrap_or(usize::MAX);
        loop {
            let now = &self.kinds[usize::from(kind.number())];
            if now.count + more <= most && now.bytes + bytes <= most_bytes {
                return;
            }
            let Some(group) = self.scopes.candidate(kind) else {
                return;
            };
            self.evict_from(group, Reason::KindLimit, evicted);
        }
    }

    /// Reports an entry and lets go of it.
    pub(super) fn give_up(&mut self, at: At, shape: Shape, reason: Reason, evicted: Sink<'_>) {
        let key = self.key(at, shape);
        evicted(Evicted {
            key,
            value: self.value(at, shape),
            reason,
        });
        self.kind_mut(key.kind).evicted[usize::from(reason.number()) - 1] += 1;
        self.let_go(at, shape, key);
    }

    /// Removes every trace of an entry.
    pub(super) fn let_go(&mut self, at: At, shape: Shape, key: Key) {
        self.index.remove(self.hasher.key(key), at);
        if shape.is_linked {
            let group = self.unlink(at);
            self.scopes.subtract(self.hasher, group, shape.size());
        }
        let kind = self.kind_mut(key.kind);
        kind.count -= 1;
        kind.bytes -= shape.size();
        self.arena.free(at, shape.size());
    }
}
