//! What the store must be at least: how old a value from it may be, for a key, for a scope, for all.
//!
//! Where a write was lost, or could not be made, the store lags behind. As long as that is remembered, what it has is
//! not believed. Memory is bounded: what is known of many keys becomes something that is known of their scope, and of
//! many scopes something that is known of all, with an epoch of its own that nothing older reaches.

use alloc::collections::BTreeMap;

use super::{Key, Kind, Version};
use crate::id::Snowflake;

#[derive(Clone, Debug, Default)]
pub(super) struct Floors {
    marks: BTreeMap<Key, Version>,
    scopes: BTreeMap<(Kind, Snowflake), Scope>,
    /// What all must be at least.
    all: Version,
    /// Whether something of any scope may have been given up.
    all_given_up: bool,
    /// The greatest epoch that was seen.
    latest: u64,
    marks_max: usize,
    scopes_max: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    floor: Version,
    /// When something in it was last given up: since then, what is not hot may still be known.
    given_up: Option<u32>,
}

impl Floors {
    pub(super) fn new(marks_max: usize, scopes_max: usize) -> Self {
        Self {
            marks_max,
            scopes_max,
            ..Self::default()
        }
    }

    /// How new a value from the store must be.
    pub(super) fn required(&self, key: Key) -> Version {
        let of_scope = |kind| match self.scopes.get(&(kind, key.scope)) {
            Some(scope) => scope.floor,
            None => Version::ZERO,
        };
        let mark = self.marks.get(&key).copied().unwrap_or_default();
        // A guild's own entry stands for everything in it.
        mark.max(of_scope(key.kind))
            .max(of_scope(Kind::Guild))
            .max(self.all)
    }

    /// The least epoch that versions must have.
    pub(super) const fn epoch(&self) -> u64 {
        self.all.epoch
    }

    /// There are versions of this epoch.
    pub(super) fn see(&mut self, epoch: u64) {
        self.latest = self.latest.max(epoch);
    }

    /// The store lags behind `version` of `key`.
    pub(super) fn mark(&mut self, key: Key, version: Version) {
        let mark = self.marks.entry(key).or_default();
        *mark = (*mark).max(version);
        if self.marks.len() > self.marks_max {
            for (key, version) in core::mem::take(&mut self.marks) {
                self.raise(key.kind, key.scope, version);
            }
        }
    }

    /// The store has `version` of `key`, or something newer.
    pub(super) fn confirm(&mut self, key: Key, version: Version) {
        if self.marks.get(&key).is_some_and(|mark| *mark <= version) {
            self.marks.remove(&key);
        }
    }

    /// What is older in a scope is not believed.
    pub(super) fn raise(&mut self, kind: Kind, scope: Snowflake, version: Version) {
        let entry = self.scopes.entry((kind, scope)).or_default();
        entry.floor = entry.floor.max(version);
        self.bound();
    }

    /// Something in a scope was given up, by the dispatch `stamp`.
    pub(super) fn give_up(&mut self, kind: Kind, scope: Snowflake, stamp: u32) {
        self.scopes.entry((kind, scope)).or_default().given_up = Some(stamp);
        self.bound();
    }

    /// What the dispatch `stamp` has told of a scope is all there is.
    pub(super) fn complete(&mut self, kind: Kind, scope: Snowflake, stamp: u32) {
        if let Some(entry) = self.scopes.get_mut(&(kind, scope))
            && entry.given_up != Some(stamp)
        {
            entry.given_up = None;
            if entry.floor == Version::ZERO {
                self.scopes.remove(&(kind, scope));
            }
        }
    }

    /// Whether something in a scope may be known though it is not hot.
    pub(super) fn is_given_up(&self, kind: Kind, scope: Snowflake) -> bool {
        let entry = self.scopes.get(&(kind, scope));
        self.all_given_up || entry.is_some_and(|entry| entry.given_up.is_some())
    }

    /// Nothing that the store has is believed, up to now.
    pub(super) fn bump(&mut self) {
        // Epochs come from outside: the last one there is must not make this fail.
        self.latest = self.latest.saturating_add(1);
        self.all = Version::new(self.latest, 0);
        self.all_given_up |= self.scopes.values().any(|scope| scope.given_up.is_some());
        self.marks.clear();
        self.scopes.clear();
    }

    /// Nothing that the store has from before an epoch is believed. What is known beyond it stays.
    pub(super) fn bump_to(&mut self, epoch: u64) {
        let all = Version::new(epoch, 0);
        if all <= self.all {
            return;
        }
        self.all = all;
        self.latest = self.latest.max(epoch);
        self.marks.retain(|_, mark| *mark > all);
        let given_up = &mut self.all_given_up;
        self.scopes.retain(|_, scope| {
            let stays = scope.floor > all;
            *given_up |= !stays && scope.given_up.is_some();
            stays
        });
    }

    fn bound(&mut self) {
        if self.scopes.len() > self.scopes_max {
            self.bump();
        }
    }
}
