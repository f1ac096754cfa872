//! The list of each group: entries know their neighbours, so any of them can leave or move without a search.

use super::HotSet;
use super::arena::At;
use super::entry::{self, Shape};

impl HotSet {
    /// Puts an entry at the new end of its group's list.
    pub(super) fn link(&mut self, at: At, group: u32) {
        let list = self.scopes.group_mut(group);
        let before = core::mem::replace(&mut list.newest, at);
        if before.is_none() {
            list.oldest = at;
        } else {
            entry::set_newer(self.arena.entry_mut(before), at);
        }
        let entry = self.arena.entry_mut(at);
        entry::set_group(entry, group);
        entry::set_older(entry, before);
        entry::set_newer(entry, At::NONE);
    }

    /// Takes an entry out of its group's list.
    pub(super) fn unlink(&mut self, at: At) -> u32 {
        let entry = self.arena.entry(at);
        let (group, older, newer) = (
            entry::group(entry),
            entry::older(entry),
            entry::newer(entry),
        );
        self.join(group, older, newer);
        group
    }

    /// Makes two entries neighbours; none is an end of the list.
    fn join(&mut self, group: u32, older: At, newer: At) {
        if older.is_none() {
            self.scopes.group_mut(group).oldest = newer;
        } else {
            entry::set_newer(self.arena.entry_mut(older), newer);
        }
        if newer.is_none() {
            self.scopes.group_mut(group).newest = older;
        } else {
            entry::set_older(self.arena.entry_mut(newer), older);
        }
    }

    /// Everybody who knew where an entry was learns where it is now.
    pub(super) fn moved(&mut self, from: At, to: At, shape: Shape) {
        let hash = self.hasher.key(self.key(to, shape));
        self.index.moved(hash, from, to);
        if shape.is_linked {
            let entry = self.arena.entry(to);
            let (group, older, newer) = (
                entry::group(entry),
                entry::older(entry),
                entry::newer(entry),
            );
            self.join(group, older, to);
            self.join(group, to, newer);
        }
    }

    /// Compacts the segments that have become sparse.
    pub(super) fn compact(&mut self) {
        while let Some(mut work) = self.arena.next_sparse() {
            while let Some((from, to)) = self.arena.compact(&mut work) {
                if let Some(shape) = self.arena.shape(to) {
                    self.moved(from, to, shape);
                }
            }
        }
    }
}
