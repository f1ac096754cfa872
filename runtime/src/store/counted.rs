//! A store whose operations are counted, whichever it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::error::ErrorKind;
use super::{Answer, Held, Life, RemoteStore, StoreError, Version, Write, Written};

/// What has been asked of a store, and how it went. Counts only grow; every id that was asked for and every write is
/// in exactly one of them. Locks, clearing, and asking for its life are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreCounts {
    /// Ids whose value was there.
    pub hits: u64,
    /// Ids without a value.
    pub misses: u64,
    /// Namespaces that were read as a whole.
    pub listed: u64,
    /// Writes and removals that were done.
    pub written: u64,
    /// Writes that lost to something newer.
    pub superseded: u64,
    /// What failed because the store was away.
    pub away: u64,
    /// What failed without an answer: it may have been done.
    pub uncertain: u64,
    /// Writes for which there was no room.
    pub full: u64,
    /// What failed otherwise.
    pub failed: u64,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    listed: AtomicU64,
    written: AtomicU64,
    superseded: AtomicU64,
    away: AtomicU64,
    uncertain: AtomicU64,
    full: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    fn failed(&self, error: &StoreError, times: usize) {
        let counter = match error.kind() {
            ErrorKind::Away => &self.away,
            ErrorKind::Uncertain => &self.uncertain,
            ErrorKind::Full => &self.full,
            ErrorKind::Other => &self.failed,
        };
        add(counter, times);
    }

    fn found(&self, are_there: impl Iterator<Item = bool>) {
        let (mut hits, mut misses) = (0, 0);
        for is_there in are_there {
            *if is_there { &mut hits } else { &mut misses } += 1;
        }
        add(&self.hits, hits);
        add(&self.misses, misses);
    }

    fn wrote(&self, outcome: &Result<Written, StoreError>) {
        match outcome {
            Ok(Written::Done) => add(&self.written, 1),
            Ok(Written::Superseded { .. }) => add(&self.superseded, 1),
            Err(error) => self.failed(error, 1),
        }
    }
}

fn add(counter: &AtomicU64, times: usize) {
    counter.fetch_add(u64::try_from(times).unwrap_or(0), Ordering::Relaxed);
}

/// A store whose operations are counted.
pub struct Counted {
    store: Arc<dyn RemoteStore>,
    counters: Counters,
}

impl Counted {
    /// Counts what is asked of `store` through this.
    #[must_use]
    pub fn new(store: Arc<dyn RemoteStore>) -> Self {
        Self {
            store,
            counters: Counters::default(),
        }
    }

    /// What has been asked so far.
    #[must_use]
    pub fn counts(&self) -> StoreCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        StoreCounts {
            hits: read(&counters.hits),
            misses: read(&counters.misses),
            listed: read(&counters.listed),
            written: read(&counters.written),
            superseded: read(&counters.superseded),
            away: read(&counters.away),
            uncertain: read(&counters.uncertain),
            full: read(&counters.full),
            failed: read(&counters.failed),
        }
    }
}

impl RemoteStore for Counted {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let outcome = self.store.get_entity(namespace, id).await;
            match &outcome {
                Ok(value) => self.counters.found([value.is_some()].into_iter()),
                Err(error) => self.counters.failed(error, 1),
            }
            outcome
        })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        Box::pin(async move {
            let outcome = self.store.get_entities(namespace, ids).await;
            match &outcome {
                Ok(values) => self.counters.found(values.iter().map(Option::is_some)),
                Err(error) => self.counters.failed(error, ids.len()),
            }
            outcome
        })
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            let outcome = self.store.get_all_entities(namespace).await;
            match &outcome {
                Ok(_) => add(&self.counters.listed, 1),
                Err(error) => self.counters.failed(error, 1),
            }
            outcome
        })
    }

    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let outcome = self.store.set_entity(namespace, id, value, ttl).await;
            self.counters
                .wrote(&outcome.clone().map(|()| Written::Done));
            outcome
        })
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let outcome = self.store.remove_entity(namespace, id).await;
            self.counters
                .wrote(&outcome.clone().map(|()| Written::Done));
            outcome
        })
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            let outcomes = self.store.write(batch).await;
            for outcome in &outcomes {
                self.counters.wrote(outcome);
            }
            outcomes
        })
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(async move {
            let outcome = self.store.read(namespace, ids).await;
            match &outcome {
                Ok(held) => self
                    .counters
                    .found(held.iter().map(|held| held.value.is_some())),
                Err(error) => self.counters.failed(error, ids.len()),
            }
            outcome
        })
    }

    fn life<'a>(&'a self) -> Answer<'a, Result<Option<Life>, StoreError>> {
        self.store.life()
    }

    fn doubts(&self) -> u64 {
        self.store.doubts()
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.store.clear(namespace, before)
    }

    fn try_lock<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Answer<'a, Result<bool, StoreError>> {
        self.store.try_lock(name, token, ttl)
    }

    fn unlock<'a>(&'a self, name: &'a str, token: &'a str) -> Answer<'a, Result<(), StoreError>> {
        self.store.unlock(name, token)
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
