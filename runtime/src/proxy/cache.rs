//! The cache of answers: `GET`s for a short while, until somebody writes below the same resource.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shardkeep_core::Instant;

use super::access::Fingerprint;
use super::target::{ApiPath, is_below};
use crate::rest::Answer;

/// Resources share these counters of writes: two that share one only lose answers early.
const WRITES: usize = 4_096;

/// What an entry takes beside its body, about: its key, its headers, the tables.
const ENTRY_BYTES: usize = 2_048;

/// The answer to a `GET` for whom, and for which path and query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    owner: Option<Fingerprint>,
    path: Arc<str>,
    below: usize,
}

impl CacheKey {
    pub(super) fn new(owner: Option<Fingerprint>, path: &ApiPath) -> Self {
        let whole = path.whole();
        Self {
            owner,
            path: Arc::from(whole),
            below: whole.len() - path.below().len(),
        }
    }
}

/// How many writes a resource had seen at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    slot: usize,
    writes: u64,
}

struct Entry {
    answer: Answer,
    version: Version,
    expires: Instant,
    bytes: usize,
    number: u64,
}

#[derive(Default)]
struct State {
    entries: HashMap<CacheKey, Entry>,
    /// In the order in which they expire, because all last equally long. What was replaced is passed over.
    order: VecDeque<(u64, CacheKey)>,
    bytes: usize,
    next: u64,
}

/// What the cache has done. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CacheCounts {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) evicted: u64,
    pub(super) invalidated: u64,
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

pub(super) struct Cache {
    ttl: Duration,
    bytes_max: usize,
    hasher: RandomState,
    writes: Box<[AtomicU64]>,
    state: Mutex<State>,
    hits: AtomicU64,
    misses: AtomicU64,
    evicted: AtomicU64,
    invalidated: AtomicU64,
}

impl Cache {
    pub(super) fn new(ttl: Duration, bytes_max: usize) -> Self {
        Self {
            ttl,
            bytes_max,
            hasher: RandomState::new(),
            writes: (0..WRITES).map(|_| AtomicU64::new(0)).collect(),
            state: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            invalidated: AtomicU64::new(0),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        !self.ttl.is_zero()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, resource: &str) -> usize {
        let hash = self.hasher.hash_one(resource);
        usize::try_from(hash % WRITES as u64).expect("a remainder is small")
    }

    /// How many writes a resource has seen by now. Read it before a `GET` is submitted: what it then answers is no
    /// older than that.
    pub(super) fn version(&self, resource: &str) -> Version {
        let slot = self.slot(resource);
        Version {
            slot,
            writes: self.writes[slot].load(Ordering::Acquire),
        }
    }

    /// Somebody writes below `resource`: answers from before do not hold any more. To be told when a write is
    /// submitted and again when it is answered, because Discord may execute it at any moment between.
    pub(super) fn written(&self, resource: &str) {
        if self.is_on() {
            self.writes[self.slot(resource)].fetch_add(1, Ordering::AcqRel);
        }
    }

    fn is_current(&self, version: Version) -> bool {
        self.writes[version.slot].load(Ordering::Acquire) == version.writes
    }

    pub(super) fn get(&self, key: &CacheKey, now: Instant) -> Option<Answer> {
        let mut state = self.lock();
        let found = state.entries.get(key).and_then(|entry| {
            let holds = entry.expires > now && self.is_current(entry.version);
            holds.then(|| entry.answer.clone())
        });
        if found.is_none() {
            state.remove(key);
        }
        drop(state);
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps an answer, unless somebody has written since `version`.
    pub(super) fn put(&self, key: CacheKey, answer: &Answer, version: Version, now: Instant) {
        let bytes = ENTRY_BYTES + key.path.len() + answer.body.len();
        // One answer must not push out all others.
        if bytes > self.bytes_max / 4 || !self.is_current(version) {
            return;
        }
        let mut state = self.lock();
        state.remove(&key);
        let number = state.next;
        state.next += 1;
        state.bytes += bytes;
        state.order.push_back((number, key.clone()));
        let entry = Entry {
            answer: answer.clone(),
            version,
            expires: now + self.ttl,
            bytes,
            number,
        };
        state.entries.insert(key, entry);
        let evicted = state.shrink(self.bytes_max, now);
        drop(state);
        self.evicted.fetch_add(evicted, Ordering::Relaxed);
    }

    /// Drops every answer whose path is `prefix` or lies below it. Answers on their way are not kept either.
    pub(super) fn invalidate(&self, prefix: &str) -> usize {
        for writes in &self.writes {
            writes.fetch_add(1, Ordering::AcqRel);
        }
        let mut state = self.lock();
        let before = state.entries.len();
        // The counters are shared: what stays must hold on to the new count.
        let State { entries, bytes, .. } = &mut *state;
        entries.retain(|key, entry| {
            let goes = is_below(&key.path[key.below..], prefix);
            if goes {
                *bytes -= entry.bytes;
            } else {
                entry.version.writes += 1;
            }
            !goes
        });
        let removed = before - state.entries.len();
        drop(state);
        self.invalidated
            .fetch_add(removed as u64, Ordering::Relaxed);
        removed
    }

    pub(super) fn counts(&self) -> CacheCounts {
        let state = self.lock();
        let (entries, bytes) = (state.entries.len(), state.bytes);
        drop(state);
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evicted: self.evicted.load(Ordering::Relaxed),
            invalidated: self.invalidated.load(Ordering::Relaxed),
            entries,
            bytes,
        }
    }
}

impl State {
    fn remove(&mut self, key: &CacheKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }

    /// Drops what has expired, and the oldest until the rest fits. How many had to go before their time.
    fn shrink(&mut self, bytes_max: usize, now: Instant) -> u64 {
        let mut evicted = 0;
        while let Some((number, key)) = self.order.front() {
            let entry = self
                .entries
                .get(key)
                .filter(|entry| entry.number == *number);
            let is_due = entry.is_some_and(|entry| entry.expires <= now);
            if entry.is_some() && !is_due {
                if self.bytes <= bytes_max {
                    break;
                }
                evicted += 1;
            }
            let is_there = entry.is_some();
            if let Some((_, key)) = self.order.pop_front()
                && is_there
            {
                self.remove(&key);
            }
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::target::{Place, Target};
    use super::*;

    fn key(path: &str) -> CacheKey {
        match Target::read(path, "/v10").place {
            Place::Api(path) => CacheKey::new(None, &path),
            Place::Own(_) => panic!("{path} is not Discord's"),
        }
    }

    fn answer(len: usize) -> Answer {
        Answer {
            status: 200,
            body: Bytes::from(vec![b'x'; len]),
            ..Answer::default()
        }
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn keep(cache: &Cache, path: &str, resource: &str, now: Instant) {
        cache.put(key(path), &answer(10), cache.version(resource), now);
    }

    #[test]
    fn an_answer_holds_for_its_time_and_no_longer() {
        let cache = Cache::new(Duration::from_millis(100), 1 << 20);
        keep(&cache, "/v10/guilds/1", "/guilds/1", at(0));
        assert!(cache.get(&key("/v10/guilds/1"), at(99)).is_some());
        assert!(cache.get(&key("/v9/guilds/1"), at(0)).is_none());
        assert!(cache.get(&key("/v10/guilds/1"), at(100)).is_none());
        assert_eq!(cache.counts().entries, 0);
        assert_eq!((cache.counts().hits, cache.counts().misses), (1, 2));
    }

    #[test]
    fn a_write_ends_what_lies_below_the_same_resource_even_on_its_way() {
        let cache = Cache::new(Duration::from_secs(1), 1 << 20);
        keep(&cache, "/v10/channels/1/messages", "/channels/1", at(0));
        keep(&cache, "/v10/channels/2", "/channels/2", at(0));
        let early = cache.version("/channels/1");
        cache.written("/channels/1");
        assert!(cache.get(&key("/v10/channels/1/messages"), at(1)).is_none());
        assert!(cache.get(&key("/v10/channels/2"), at(1)).is_some());
        cache.put(key("/v10/channels/1"), &answer(10), early, at(1));
        assert!(cache.get(&key("/v10/channels/1"), at(1)).is_none());
    }

    #[test]
    fn a_prefix_is_dropped_and_the_rest_stays() {
        let cache = Cache::new(Duration::from_secs(1), 1 << 20);
        for path in ["/v10/guilds/1", "/v9/guilds/1/roles?x", "/v10/guilds/12"] {
            keep(&cache, path, "/guilds/1", at(0));
        }
        assert_eq!(cache.invalidate("/guilds/1"), 2);
        assert!(cache.get(&key("/v10/guilds/12"), at(1)).is_some());
        assert_eq!(cache.invalidate(""), 1);
        assert_eq!(cache.counts().bytes, 0);
    }

    #[test]
    fn bytes_are_bounded_and_the_oldest_goes_first() {
        let cache = Cache::new(Duration::from_secs(1), 10 * ENTRY_BYTES);
        for n in 0..100 {
            keep(&cache, &format!("/v10/guilds/{n}"), "/guilds/x", at(n));
        }
        let counts = cache.counts();
        assert!(
            counts.bytes <= 10 * ENTRY_BYTES && counts.entries >= 8,
            "{counts:?}"
        );
        assert!(cache.get(&key("/v10/guilds/99"), at(100)).is_some());
        assert!(cache.get(&key("/v10/guilds/1"), at(100)).is_none());
        cache.put(
            key("/v10/a"),
            &answer(4 * ENTRY_BYTES),
            cache.version("/a"),
            at(100),
        );
        assert!(
            cache.get(&key("/v10/a"), at(100)).is_none(),
            "too large to keep"
        );
    }
}
