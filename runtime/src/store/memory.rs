//! A store in the memory of this process: for bots of one process, and for tests.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::remote::{LOCKS, check_key, removal};
use super::{Answer, Held, RemoteStore, StoreError, VERSION_GRACE, Version, Write, Written};
use crate::clock;

/// What an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 160;

/// How to bound a store in memory. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemorySettings {
    /// How many bytes of values and keys it holds at most.
    pub bytes_max: usize,
    /// How long what is written without a time of its own holds; `None` for ever.
    pub ttl: Option<Duration>,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            bytes_max: 256 << 20,
            ttl: Some(super::TTL),
        }
    }
}

/// A store in the memory of this process.
pub struct MemoryStore {
    settings: MemorySettings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    namespaces: HashMap<Box<str>, BTreeMap<Box<str>, Entry>>,
    /// What is to be forgotten when, with the number that its entry has.
    ends: BTreeMap<(u64, u64), (Box<str>, Box<str>)>,
    bytes: usize,
    entries: u64,
}

#[derive(Default)]
struct Entry {
    value: Option<String>,
    version: Option<Version>,
    /// When the value ends, and a while later the entry.
    ends_ms: Option<u64>,
    number: u64,
}

impl Entry {
    /// Where it stands among the ends.
    fn end(&self) -> Option<(u64, u64)> {
        let at = self.ends_ms?.saturating_add(millis(VERSION_GRACE));
        Some((at, self.number))
    }

    fn bytes(&self, namespace: &str, id: &str) -> usize {
        let value = self.value.as_ref().map_or(0, String::len);
        ENTRY_BYTES + namespace.len() + id.len() + value
    }

    fn value_at(&self, now_ms: u64) -> Option<&String> {
        let holds = self.ends_ms.is_none_or(|ends| now_ms < ends);
        self.value.as_ref().filter(|_| holds)
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(settings: MemorySettings) -> Self {
        Self {
            settings,
            state: Mutex::default(),
        }
    }

    /// How many bytes it holds, and in how many entries.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.state();
        let mut entries = 0;
        #[expect(clippy::disallowed_methods, reason = "a sum has no order")]
        for namespace in state.namespaces.values() {
            entries += namespace.len();
        }
        (state.bytes, entries)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self, namespace: &str, id: &str) -> Held {
        let now = clock::unix_ms();
        let state = self.state();
        let entry = state.namespaces.get(namespace).and_then(|of| of.get(id));
        entry.map_or_else(Held::default, |entry| Held {
            value: entry.value_at(now).cloned(),
            version: entry.version,
        })
    }

    /// Changes an entry if its value is as `only` wants it. Whether it was.
    fn change_only(
        &self,
        id: &str,
        only: impl FnOnce(Option<&str>) -> bool,
        value: Option<&str>,
        ttl: Option<Duration>,
    ) -> Result<bool, StoreError> {
        check_key(LOCKS, id)?;
        let now = clock::unix_ms();
        let mut state = self.state();
        state.purge(now);
        let held = state.namespaces.get(LOCKS).and_then(|of| of.get(id));
        let there = held.and_then(|entry| entry.value_at(now));
        if !only(there.map(String::as_str)) {
            return Ok(false);
        }
        let entry = Entry {
            value: value.map(str::to_owned),
            ends_ms: ttl.map(|ttl| now.saturating_add(millis(ttl))),
            ..Entry::default()
        };
        state.put(LOCKS, id, entry);
        Ok(true)
    }

    fn change(
        &self,
        namespace: &str,
        id: &str,
        version: Option<Version>,
        value: Option<&str>,
        ttl: Option<Duration>,
    ) -> Result<Written, StoreError> {
        check_key(namespace, id)?;
        let now = clock::unix_ms();
        let mut state = self.state();
        state.purge(now);
        let held = state.namespaces.get(namespace).and_then(|of| of.get(id));
        let there = held.and_then(|entry| entry.version);
        if let (Some(by), Some(version)) = (there, version)
            && by > version
        {
            return Ok(Written::Superseded { by });
        }
        let ttl = ttl.or(self.settings.ttl);
        let entry = Entry {
            value: value.map(str::to_owned),
            version: version.or(there),
            ends_ms: ttl.map(|ttl| now.saturating_add(millis(ttl))),
            number: 0,
        };
        let before = held.map_or(0, |entry| entry.bytes(namespace, id));
        let after = entry.bytes(namespace, id);
        // What makes it smaller, and what removes, always has room.
        if after > before
            && state.bytes - before + after > self.settings.bytes_max
            && value.is_some()
        {
            return Err(StoreError::Full {
                reason: format!("{} bytes of memory are all in use", self.settings.bytes_max),
            });
        }
        state.put(namespace, id, entry);
        Ok(Written::Done)
    }
}

impl State {
    fn put(&mut self, namespace: &str, id: &str, mut entry: Entry) {
        self.remove(namespace, id);
        if entry.value.is_none() && entry.version.is_none() {
            return;
        }
        self.entries += 1;
        entry.number = self.entries;
        self.bytes += entry.bytes(namespace, id);
        if let Some(end) = entry.end() {
            self.ends.insert(end, (namespace.into(), id.into()));
        }
        let of = self.namespaces.entry(namespace.into()).or_default();
        of.insert(id.into(), entry);
    }

    fn remove(&mut self, namespace: &str, id: &str) {
        let Some(of) = self.namespaces.get_mut(namespace) else {
            return;
        };
        if let Some(entry) = of.remove(id) {
            self.bytes -= entry.bytes(namespace, id);
            if let Some(end) = entry.end() {
                self.ends.remove(&end);
            }
        }
        if of.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    /// Forgets what has ended.
    fn purge(&mut self, now: u64) {
        while let Some(first) = self.ends.first_entry()
            && first.key().0 <= now
        {
            let (namespace, id) = first.remove();
            self.remove(&namespace, &id);
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl RemoteStore for MemoryStore {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move { Ok(self.held(namespace, id).value) })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        Box::pin(async move {
            let values = ids.iter().map(|id| self.held(namespace, id).value);
            Ok(values.collect())
        })
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            let now = clock::unix_ms();
            let state = self.state();
            let of = state.namespaces.get(namespace);
            let values = of.into_iter().flat_map(BTreeMap::values);
            Ok(values
                .filter_map(|entry| entry.value_at(now).cloned())
                .collect())
        })
    }

    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move { self.change(namespace, id, None, Some(value), ttl).map(drop) })
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move { self.change(namespace, id, None, None, None).map(drop) })
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let old: Vec<String> = {
                let state = self.state();
                let of = state.namespaces.get(namespace).into_iter().flatten();
                let old = of.filter(|(_, entry)| entry.version.is_some_and(|is| is < before));
                old.map(|(id, _)| id.to_string()).collect()
            };
            for write in old.into_iter().map(|id| removal(namespace, id, before)) {
                self.change(namespace, &write.id, Some(write.version), None, None)?;
            }
            Ok(())
        })
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            let outcomes = batch.iter().map(|write| {
                let value = write.value.as_deref();
                let version = Some(write.version);
                self.change(&write.namespace, &write.id, version, value, write.ttl)
            });
            outcomes.collect()
        })
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(async move { Ok(ids.iter().map(|id| self.held(namespace, id)).collect()) })
    }

    fn try_lock<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Answer<'a, Result<bool, StoreError>> {
        Box::pin(
            async move { self.change_only(name, |held| held.is_none(), Some(token), Some(ttl)) },
        )
    }

    fn unlock<'a>(&'a self, name: &'a str, token: &'a str) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.change_only(name, |held| held == Some(token), None, None)
                .map(drop)
        })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, entries) = self.size();
        f.debug_struct("MemoryStore")
            .field("bytes", &bytes)
            .field("entries", &entries)
            .finish()
    }
}
