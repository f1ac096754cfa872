//! The copy in this process: bounded, short-lived, and never newer than what it was told.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::OwnKey;

/// Keys share these counters of invalidations: two that share one only lose a copy early.
const SLOTS: usize = 1_024;

pub(super) struct Local {
    entries_max: usize,
    hasher: RandomState,
    state: Mutex<State>,
}

struct State {
    entries: HashMap<OwnKey, Copy>,
    /// In the order in which they came.
    order: BTreeMap<u64, OwnKey>,
    next: u64,
    /// How often something in a slot was invalidated.
    slots: Box<[u64]>,
    /// How often everything was.
    all: u64,
}

struct Copy {
    text: Arc<str>,
    until_ms: u64,
    number: u64,
}

/// How much had been invalidated at some moment. What was read since is kept only if that is still so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    slot: usize,
    count: u64,
    all: u64,
}

impl Local {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            entries_max,
            hasher: RandomState::new(),
            state: Mutex::new(State {
                entries: HashMap::new(),
                order: BTreeMap::new(),
                next: 0,
                slots: vec![0; SLOTS].into(),
                all: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: &OwnKey) -> usize {
        // An invalidation from elsewhere names no guild for an entry that has one, nor does it need to.
        let hash = self.hasher.hash_one((&key.kind, &key.id));
        usize::try_from(hash % SLOTS as u64).unwrap_or(0)
    }

    pub(super) fn mark(&self, key: &OwnKey) -> Mark {
        let slot = self.slot(key);
        let state = self.state();
        Mark {
            slot,
            count: state.slots[slot],
            all: state.all,
        }
    }

    pub(super) fn get(&self, key: &OwnKey, now_ms: u64) -> Option<Arc<str>> {
        let mut state = self.state();
        let copy = state.entries.get(key)?;
        if now_ms < copy.until_ms {
            return Some(Arc::clone(&copy.text));
        }
        state.remove(key);
        None
    }

    /// Keeps a copy, unless something was invalidated since `mark`.
    pub(super) fn put(&self, key: &OwnKey, text: &Arc<str>, until_ms: u64, mark: Mark) {
        if self.entries_max == 0 || self.mark(key) != mark {
            return;
        }
        let mut state = self.state();
        if state.slots[mark.slot] != mark.count || state.all != mark.all {
            return;
        }
        state.remove(key);
        let number = state.next;
        state.next += 1;
        state.order.insert(number, key.clone());
        let copy = Copy {
            text: Arc::clone(text),
            until_ms,
            number,
        };
        state.entries.insert(key.clone(), copy);
        while state.entries.len() > self.entries_max
            && let Some((_, oldest)) = state.order.pop_first()
        {
            state.entries.remove(&oldest);
        }
    }

    /// Forgets what is called this, whatever guild it belongs to.
    pub(super) fn invalidate(&self, kind: &str, id: &str) {
        let slot = self.slot(&OwnKey::new(kind, id));
        let mut state = self.state();
        state.slots[slot] += 1;
        state.forget(|key| key.kind == kind && key.id == id);
    }

    /// Forgets what belongs to a guild.
    pub(super) fn invalidate_guild(&self, guild: &str) {
        let mut state = self.state();
        state.all += 1;
        state.forget(|key| key.guild.as_deref() == Some(guild));
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.all += 1;
        state.forget(|_| true);
    }

    pub(super) fn len(&self) -> usize {
        self.state().entries.len()
    }
}

impl State {
    fn remove(&mut self, key: &OwnKey) {
        if let Some(copy) = self.entries.remove(key) {
            self.order.remove(&copy.number);
        }
    }

    fn forget(&mut self, goes: impl Fn(&OwnKey) -> bool) {
        let Self { entries, order, .. } = self;
        order.retain(|_, key| {
            let stays = !goes(key);
            if !stays {
                entries.remove(key);
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(local: &Local, key: &OwnKey, until_ms: u64) {
        local.put(key, &Arc::from("1"), until_ms, local.mark(key));
    }

    #[test]
    fn copies_end_are_bounded_and_go_when_told() {
        let local = Local::new(3);
        let key = |n: u32| OwnKey::new("k", n).of_guild(n % 2);
        for n in 0..5 {
            put(&local, &key(n), 100);
        }
        assert_eq!(local.len(), 3);
        assert!(local.get(&key(1), 0).is_none() && local.get(&key(2), 0).is_some());
        assert!(local.get(&key(2), 100).is_none());
        assert_eq!(local.len(), 2);
        local.invalidate_guild("1");
        assert!(local.get(&key(3), 0).is_none() && local.get(&key(4), 0).is_some());
        local.invalidate("k", "4");
        assert_eq!(local.len(), 0);
    }

    #[test]
    fn what_was_read_before_an_invalidation_is_not_kept() {
        let local = Local::new(8);
        let key = OwnKey::new("k", 1).of_guild(7);
        for told in [
            &(|local: &Local| local.invalidate("k", "1")) as &dyn Fn(&Local),
            &|local| local.invalidate_guild("7"),
            &|local| local.clear(),
        ] {
            let mark = local.mark(&key);
            told(&local);
            local.put(&key, &Arc::from("old"), 100, mark);
            assert!(local.get(&key, 0).is_none());
        }
        put(&local, &key, 100);
        assert!(local.get(&key, 0).is_some());
    }
}
