//! Who is given up when memory is short, and when a kind or a scope has as much as it may.

use crate::Instant;

use super::arena::{At, Queue};
use super::entry::Shape;
use super::{Evicted, HotSet, Key, Kind, Reason, Sink, tick};

/// What part of the budget the queue of new entries may have.
const YOUNG: usize = 50;

/// Of the budget, so many bytes for each entry that is remembered after it was given up.
pub(super) const BYTES_PER_GHOST: usize = 64;

/// Touches are halved once while so many times as many entries come as there are.
const COOLING: usize = 8;

/// Entries of the main queue that are compared with each other.
const BATCH: usize = 128;

/// Of those, one part in so many of the bytes is given up.
const GIVEN_UP: usize = 7;

/// New entries are measured by the main queue as it was at most a part of all entries ago.
const FRESH: usize = 20;

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

/// How many touches an entry must have had to be worth keeping.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    /// What is worth no more is given up.
    bar: u32,
    /// Steps in the main queue until the bar is set anew.
    left: usize,
    /// Steps in the queue of new entries since it was.
    since: usize,
    all: usize,
}

/// Touches for each byte, in some unit: what an entry earns by its place. Who was never asked for counts a tenth of
/// one who was asked once, so that of those the smaller stay.
const fn worth(heat: u8, size: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "an entry is not empty")]
    let worth = (((heat as u64 * 10 + 1) << 20) / (size as u64 + 8)) as u32;
    worth
}

impl Policy {
    const fn turn(&mut self, queue: Queue, all: usize) {
        self.all = all;
        match queue {
            Queue::Young => self.since += 1,
            Queue::Main => self.left = self.left.saturating_sub(1),
        }
    }

    const fn is_due(&self) -> bool {
        self.left == 0 || self.since > self.all / FRESH
    }

    fn set_bar(&mut self, batch: &mut [(u32, usize)]) {
        batch.sort_unstable();
        let all: usize = batch.iter().map(|one| one.1).sum();
        let mut below = 0;
        let bar = batch.iter().find(|one| {
            below += one.1;
            below * GIVEN_UP >= all
        });
        self.bar = bar.map_or(0, |one| one.0);
        (self.left, self.since) = (batch.len().max(1), 0);
    }

    const fn keeps(&self, heat: u8, size: usize) -> bool {
        worth(heat, size) > self.bar
    }
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
        let is_young = self.arena.live(Queue::Young) > self.budget / YOUNG;
        let queue = if is_young || self.arena.live(Queue::Main) == 0 {
            Queue::Young
        } else {
            Queue::Main
        };
        self.policy.turn(queue, self.index.len());
        if self.policy.is_due() {
            self.measure();
        }
        let Some((at, shape)) = self.arena.oldest(queue) else {
            return false;
        };
        let hash = self.hasher.key(self.key(at, shape));
        let heat = self.index.heat(hash, at);
        if self.has_expired(at, shape, now) {
            self.give_up(at, shape, Reason::Expired, evicted);
        } else if self.policy.keeps(heat, shape.size()) {
            self.transfer(at, shape, Queue::Main);
        } else {
            self.ghost.insert(hash, heat);
            self.give_up(at, shape, Reason::Cold, evicted);
        }
        true
    }

    /// Compares the entries at the old end of the main queue: what is worth less than the rest of them sets the bar.
    fn measure(&mut self) {
        let mut batch = [(0, 0); BATCH];
        let mut count = 0;
        self.arena.look(Queue::Main, BATCH, &mut |at, shape| {
            let hash = self.hasher.key(self.key(at, shape));
            let heat = self.index.heat(hash, at);
            batch[count] = (worth(heat, shape.size()), shape.size());
            count += 1;
        });
        self.policy.set_bar(&mut batch[..count]);
    }

    /// Something new came: touches cool, and while there is room new entries become old ones as they are.
    pub(super) fn settle(&mut self) {
        self.index.cool(COOLING);
        self.ghost.cool(COOLING * self.index.len());
        let young = self.budget / YOUNG;
        let has_room = self.held_bytes() + self.reserve() + young <= self.budget;
        if has_room && self.arena.live(Queue::Young) > young {
            self.arena.adopt();
        }
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
            self.index.set_heat(hash, at, heat / 2);
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
