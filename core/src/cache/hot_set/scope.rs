//! Which entries belong together: those of one kind in one scope are a group, and a scope knows its groups.

use alloc::vec::Vec;

use crate::Snowflake;

use super::Kind;
use super::arena::At;
use super::hash::Hasher;
use super::index::Index;
use super::slab::Slab;

/// No group, no scope.
pub(super) const NONE: u32 = u32::MAX;

/// How many groups of a kind are looked at to find one that gives something away.
const CANDIDATES: usize = 4;

/// Entries of one kind in one scope, in the order they came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) scope: Snowflake,
    pub(super) kind: Kind,
    pub(super) count: u32,
    pub(super) newest: At,
    pub(super) oldest: At,
    bytes: usize,
    /// Number of the scope.
    owner: u32,
    /// Neighbours among the scope's groups.
    of_scope: [u32; 2],
    /// Neighbours in the ring of the kind's groups.
    of_kind: [u32; 2],
}

/// A guild or a channel.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    id: Snowflake,
    bytes: usize,
    first: u32,
}

/// Groups and scopes.
#[derive(Debug)]
pub(super) struct Scopes {
    groups: Slab<Group>,
    scopes: Slab<Scope>,
    by_group: Index,
    by_scope: Index,
    /// For every kind, the group in its ring that is looked at next.
    hands: [u32; Kind::COUNT],
    /// Bytes that a scope may hold while memory is short.
    share: usize,
    /// The scopes that hold more.
    above: Vec<u32>,
}

/// Numbers begin at 0, places in an index at 1.
const fn at(number: u32) -> At {
    At(number + 1)
}

const fn number(at: At) -> u32 {
    at.0 - 1
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self {
            groups: Slab::new(),
            scopes: Slab::new(),
            by_group: Index::new(),
            by_scope: Index::new(),
            hands: [NONE; Kind::COUNT],
            share: usize::MAX,
            above: Vec::new(),
        }
    }

    /// Bytes that they hold.
    pub(super) const fn held(&self) -> usize {
        let indexes = self.by_group.held() + self.by_scope.held();
        self.groups.held() + self.scopes.held() + indexes + self.above.capacity() * size_of::<u32>()
    }

    pub(super) fn group(&self, group: u32) -> &Group {
        self.groups.get(group)
    }

    pub(super) fn group_mut(&mut self, group: u32) -> &mut Group {
        self.groups.get_mut(group)
    }

    /// The group of a kind in a scope, if it has entries.
    pub(super) fn find(&self, hasher: Hasher, kind: Kind, scope: Snowflake) -> Option<u32> {
        let is = |place| {
            let group = self.groups.get(number(place));
            group.scope == scope && group.kind == kind
        };
        self.by_group
            .find(hasher.group(kind, scope), is)
            .map(number)
    }

    fn find_scope(&self, hasher: Hasher, scope: Snowflake) -> Option<u32> {
        let is = |place| self.scopes.get(number(place)).id == scope;
        self.by_scope.find(hasher.scope(scope), is).map(number)
    }

    /// Bytes that another group would ask for, at most.
    pub(super) fn growth(&self, hasher: Hasher, kind: Kind, scope: Snowflake) -> usize {
        self.groups.growth()
            + self.scopes.growth()
            + self.by_group.growth(hasher.group(kind, scope))
            + self.by_scope.growth(hasher.scope(scope))
    }

    /// Bytes of what a scope has.
    pub(super) fn bytes(&self, hasher: Hasher, scope: Snowflake) -> usize {
        let found = self.find_scope(hasher, scope);
        found.map_or(0, |found| self.scopes.get(found).bytes)
    }

    /// Any group of a scope.
    pub(super) fn any_group(&self, hasher: Hasher, scope: Snowflake) -> Option<u32> {
        Some(self.scopes.get(self.find_scope(hasher, scope)?).first)
    }

    /// The group of a kind in a scope; a new one, if there is none.
    pub(super) fn open(&mut self, hasher: Hasher, kind: Kind, scope: Snowflake) -> u32 {
        if let Some(found) = self.find(hasher, kind, scope) {
            return found;
        }
        let owner = self.find_scope(hasher, scope).unwrap_or_else(|| {
            let opened = self.scopes.insert(Scope {
                id: scope,
                bytes: 0,
                first: NONE,
            });
            self.by_scope.insert(hasher.scope(scope), at(opened), 0);
            opened
        });
        let next = self.scopes.get(owner).first;
        let group = self.groups.insert(Group {
            scope,
            kind,
            owner,
            of_scope: [NONE, next],
            ..Group::default()
        });
        if next != NONE {
            self.groups.get_mut(next).of_scope[0] = group;
        }
        self.scopes.get_mut(owner).first = group;
        self.by_group
            .insert(hasher.group(kind, scope), at(group), 0);
        let hand = &mut self.hands[usize::from(kind.number())];
        if *hand == NONE {
            *hand = group;
            self.groups.get_mut(group).of_kind = [group, group];
        } else {
            let next = *hand;
            let before = core::mem::replace(&mut self.groups.get_mut(next).of_kind[0], group);
            self.groups.get_mut(before).of_kind[1] = group;
            self.groups.get_mut(group).of_kind = [before, next];
        }
        group
    }

    /// Forgets a group without entries, and its scope with the last of them.
    fn close(&mut self, hasher: Hasher, group: u32) {
        let Group {
            scope,
            kind,
            owner,
            of_scope: [before, next],
            of_kind: [ring_before, ring_next],
            ..
        } = *self.groups.get(group);
        match before {
            NONE => self.scopes.get_mut(owner).first = next,
            before => self.groups.get_mut(before).of_scope[1] = next,
        }
        if next != NONE {
            self.groups.get_mut(next).of_scope[0] = before;
        }
        self.groups.get_mut(ring_before).of_kind[1] = ring_next;
        self.groups.get_mut(ring_next).of_kind[0] = ring_before;
        let hand = &mut self.hands[usize::from(kind.number())];
        if *hand == group {
            *hand = if ring_next == group { NONE } else { ring_next };
        }
        self.by_group.remove(hasher.group(kind, scope), at(group));
        self.groups.remove(group);
        if self.scopes.get(owner).first == NONE {
            self.by_scope.remove(hasher.scope(scope), at(owner));
            self.scopes.remove(owner);
        }
    }

    /// An entry of so many bytes came.
    pub(super) fn add(&mut self, group: u32, bytes: usize) {
        let entries = self.groups.get_mut(group);
        entries.count += 1;
        self.resize(group, 0, bytes);
    }

    /// An entry has another size now.
    pub(super) fn resize(&mut self, group: u32, from: usize, to: usize) {
        let entries = self.groups.get_mut(group);
        entries.bytes = entries.bytes + to - from;
        let owner = entries.owner;
        let scope = self.scopes.get_mut(owner);
        let was_above = scope.bytes > self.share;
        scope.bytes = scope.bytes + to - from;
        let is_above = scope.bytes > self.share;
        if scope.id != Snowflake(0) && was_above != is_above {
            self.note(owner, is_above);
        }
    }

    fn note(&mut self, owner: u32, is_above: bool) {
        if is_above {
            self.above.push(owner);
        } else {
            self.above.retain(|&other| other != owner);
        }
    }

    /// An entry of so many bytes left, and is out of the list already.
    pub(super) fn subtract(&mut self, hasher: Hasher, group: u32, bytes: usize) {
        self.resize(group, bytes, 0);
        let entries = self.groups.get_mut(group);
        entries.count -= 1;
        if entries.count == 0 {
            self.close(hasher, group);
        }
    }

    /// Sets what a scope may hold while memory is short.
    pub(super) fn set_share(&mut self, share: usize) {
        self.share = share;
        let scopes = &self.scopes;
        let is_above = |number: &u32| {
            let scope = scopes.get(*number);
            scope.bytes > share && scope.id != Snowflake(0)
        };
        self.above = scopes.numbers().filter(is_above).collect();
    }

    /// The largest group of the scope that holds most, if it is above its share.
    pub(super) fn above_share(&self) -> Option<u32> {
        let most = |&&number: &&u32| self.scopes.get(number).bytes;
        let mut next = self.scopes.get(*self.above.iter().max_by_key(most)?).first;
        let mut largest = next;
        while next != NONE {
            let group = self.groups.get(next);
            if group.bytes > self.groups.get(largest).bytes {
                largest = next;
            }
            next = group.of_scope[1];
        }
        Some(largest)
    }

    /// The group of a kind whose turn it is to give something away: the largest of a few, which are others each time.
    pub(super) fn candidate(&mut self, kind: Kind) -> Option<u32> {
        let hand = self.hands[usize::from(kind.number())];
        if hand == NONE {
            return None;
        }
        let (mut next, mut largest) = (hand, hand);
        for _ in 0..CANDIDATES {
            let group = self.groups.get(next);
            if group.bytes > self.groups.get(largest).bytes {
                largest = next;
            }
            next = group.of_kind[1];
        }
        self.hands[usize::from(kind.number())] = next;
        Some(largest)
    }
}
