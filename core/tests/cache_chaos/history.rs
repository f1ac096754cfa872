//! What every record has been, and what readers have seen of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::cache_model::{Key, Model};

type Object = Map<String, Value>;

/// A guild without the number of its members: whether one who comes was known, and is therefore counted already, cannot
/// be told of members that were given up.
pub(crate) fn uncounted(key: Key, value: &Object) -> Object {
    let mut value = value.clone();
    if key.0 == "guild" {
        value.remove("member_count");
    }
    value
}

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
        let told = model.users_told.keys().copied();
        let kept = model.records.keys().copied();
        for key in known.into_iter().chain(kept).chain(told) {
            let value = match key.0 {
                // Users do not cease to exist when nobody refers to them.
                "user" => model.users_told.get(&key).cloned(),
                _ => model
                    .records
                    .get(&key)
                    .map(|record| uncounted(key, &record.value)),
            };
            let value = value.as_ref();
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

    /// Whether a record has ever been this.
    pub(crate) fn has(&self, key: Key, value: &Object) -> bool {
        self.until(key, Some(value)).is_some()
    }

    /// A reader has seen this: whether it is something that was true, and not before what readers have seen already.
    pub(crate) fn see(&mut self, key: Key, value: Option<&Object>) -> Result<(), String> {
        let value = value.map(|value| uncounted(key, value));
        let value = value.as_ref();
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
}
