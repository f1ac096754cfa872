//! What every record has been, and what readers have seen of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::cache_model::{Key, Model};

type Object = Map<String, Value>;

/// Records over time.
#[derive(Default)]
pub(crate) struct History {
    /// What each record became, and when.
    past: BTreeMap<Key, Vec<(u64, Option<Object>)>>,
    /// Until when what readers have seen of a record was true.
    seen: BTreeMap<Key, u64>,
    now: u64,
}

impl History {
    /// A dispatch was taken.
    pub(crate) fn note(&mut self, model: &Model) {
        self.now += 1;
        let known: BTreeSet<Key> = self.past.keys().copied().collect();
        for key in known.into_iter().chain(model.records.keys().copied()) {
            let value = model.records.get(&key).map(|record| &record.value);
            let past = self.past.entry(key).or_default();
            let is_same = match past.last() {
                Some((_, last)) => last.as_ref() == value,
                None => value.is_none(),
            };
            if !is_same {
                past.push((self.now, value.cloned()));
            }
        }
    }

    /// Until when `value` was true: `None` if it never was.
    fn until(&self, key: Key, value: Option<&Object>) -> Option<u64> {
        let Some(past) = self.past.get(&key) else {
            return value.is_none().then_some(self.now);
        };
        if past.last().is_some_and(|(_, last)| last.as_ref() == value) {
            return Some(self.now);
        }
        let at = past.iter().rposition(|(_, old)| old.as_ref() == value);
        match at {
            Some(at) => Some(past[at + 1].0 - 1),
            // Before anything was told of it, there was nothing.
            None => value.is_none().then_some(past[0].0 - 1),
        }
    }

    /// A reader has seen this: whether it is something that was true, and not before what readers have seen already.
    pub(crate) fn see(&mut self, key: Key, value: Option<&Object>) -> Result<(), String> {
        let Some(until) = self.until(key, value) else {
            return Err(format!(
                "{key:?} has never been {value:?}, but {:?}",
                self.past.get(&key)
            ));
        };
        let seen = self.seen.entry(key).or_default();
        if until < *seen {
            return Err(format!(
                "{key:?} was {value:?} until {until}, but readers have seen what was true at {seen}: {:?}",
                self.past.get(&key)
            ));
        }
        *seen = until;
        Ok(())
    }

    /// Whether something is true now.
    pub(crate) fn is_now(&self, key: Key, value: Option<&Object>) -> bool {
        self.until(key, value) == Some(self.now)
    }
}
