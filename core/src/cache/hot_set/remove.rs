//! Entries that the caller removes, and those whose life has ended.

use crate::{Instant, Snowflake};

use super::scope::NONE;
use super::{HotSet, Key, Kind, Reason, Sink};

impl HotSet {
    /// Removes a key; whether it was held.
    pub fn remove(&mut self, key: Key) -> bool {
        let Some((at, shape)) = self.find(key) else {
            return false;
        };
        self.kind_mut(key.kind).removed += 1;
        self.let_go(at, shape, key);
        self.compact();
        true
    }

    /// Removes everything of a kind in a scope; how much it was. Costs time in proportion to that. Scope 0 cannot be
    /// removed at once.
    pub fn remove_kind(&mut self, kind: Kind, scope: Snowflake) -> usize {
        let count = match self.scopes.find(self.hasher, kind, scope) {
            Some(group) if scope != Snowflake(0) => self.remove_group(group),
            _ => 0,
        };
        self.compact();
        count
    }

    /// Removes everything in a scope, such as a guild that was left; how much it was. Costs time in proportion to that.
    /// Scope 0 cannot be removed at once.
    pub fn remove_scope(&mut self, scope: Snowflake) -> usize {
        let mut count = 0;
        if scope != Snowflake(0) {
            while let Some(group) = self
                .scopes
                .any_group(self.hasher, scope)
                .filter(|&group| group != NONE)
            {
                count += self.remove_group(group);
            }
        }
        self.compact();
        count
    }

    fn remove_group(&mut self, group: u32) -> usize {
        let count = self.scopes.group(group).count;
        // The group is gone with the last of them.
        for _ in 0..count {
            let at = self.scopes.group(group).oldest;
            if let Some(shape) = self.arena.shape(at) {
                let key = self.key(at, shape);
                self.kind_mut(key.kind).removed += 1;
                self.let_go(at, shape, key);
            }
        }
        count as usize
    }

    /// Gives up entries whose life has ended among the next `count` or so; a set without such kinds has nothing to do.
    /// Who calls it regularly has them gone sometime; without it they leave when their turn comes, unseen.
    pub fn expire(&mut self, now: Instant, count: usize, evicted: Sink<'_>) {
        if self.limits.iter().all(|limits| limits.ttl.is_none()) {
            return;
        }
        let mut ended = alloc::vec::Vec::new();
        let next = self.index.visit(self.sweep, count, &mut |at| {
            if let Some(shape) = self.arena.shape(at)
                && self.has_expired(at, shape, now)
            {
                ended.push(at);
            }
        });
        self.sweep = next.unwrap_or(0);
        for at in ended {
            if let Some(shape) = self.arena.shape(at) {
                self.give_up(at, shape, Reason::Expired, evicted);
            }
        }
        self.compact();
    }
}
