//! The embedded store: LMDB, which all processes of a machine share without a server.

mod map;
mod record;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

pub use shardkeep_lmdb::Durability;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::memory::millis;
use super::remote::{LOCKS, removal};
use super::{Answer, Held, RemoteStore, StoreError, Version, Write, Written};
use crate::clock;
use map::{Change, Map, Only};
use writer::{Outcomes, Writer};

/// Keys that are read on the caller's thread. More go to a thread that may wait for the disk.
const INLINE_MAX: usize = 256;

/// Records that one transaction removes when a namespace is cleared: others want to write between them.
const CLEARED_AT_ONCE: usize = 1_024;

/// How to open a store in LMDB. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LmdbSettings {
    /// The most that the store can grow to. All processes must agree. The file takes what it holds, not more.
    pub map_bytes: usize,
    /// How long what is written without a time of its own holds; `None` for ever.
    pub ttl: Option<Duration>,
    /// How long a removal is remembered against older writes.
    pub removed_ttl: Duration,
    /// What survives when.
    pub durability: Durability,
    /// How long a write may take before its caller is told that it is uncertain.
    pub limit: Duration,
    /// Writes that may wait for LMDB's one writer, and how many bytes of them.
    pub waiting_max: usize,
    /// Bytes of writes that may wait.
    pub waiting_bytes_max: usize,
}

impl Default for LmdbSettings {
    fn default() -> Self {
        Self {
            map_bytes: 4 << 30,
            ttl: Some(super::TTL),
            removed_ttl: super::TTL,
            durability: Durability::default(),
            limit: Duration::from_secs(5),
            waiting_max: 65_536,
            waiting_bytes_max: 64 << 20,
        }
    }
}

/// How large a store in LMDB is, and what its writer has done. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LmdbSize {
    /// Bytes of pages in use.
    pub used_bytes: usize,
    /// The most there may be.
    pub map_bytes: usize,
    /// Records, those that have ended and are not forgotten yet included.
    pub records: u64,
    /// Transactions of this process that wrote.
    pub commits: u64,
    /// Records that this process forgot because their time was over.
    pub ended: u64,
    /// Jobs that were refused because too much waited.
    pub refused: u64,
}

/// A store in LMDB.
pub struct LmdbStore {
    shared: Arc<Shared>,
    settings: LmdbSettings,
}

/// What all stores of this process in one folder share: LMDB is opened once, and written to by one thread.
struct Shared {
    map: Map,
    writer: Writer,
    folder: PathBuf,
    map_bytes: usize,
}

impl Shared {
    fn open(folder: &Path, settings: &LmdbSettings) -> Result<Arc<Self>, StoreError> {
        static OPEN: Mutex<BTreeMap<PathBuf, Weak<Shared>>> = Mutex::new(BTreeMap::new());
        let refused = |error: io::Error| StoreError::Refused {
            reason: format!("{}: {error}", folder.display()),
        };
        std::fs::create_dir_all(folder).map_err(refused)?;
        let folder = folder.canonicalize().map_err(refused)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, shared| shared.strong_count() > 0);
        if let Some(shared) = open.get(&folder).and_then(Weak::upgrade) {
            if shared.map_bytes != settings.map_bytes {
                return Err(StoreError::Refused {
                    reason: format!("it is open with `map_bytes` {}", shared.map_bytes),
                });
            }
            return Ok(shared);
        }
        let map = Map::open(&folder, settings)?;
        let writer = Writer::start(
            map.clone(),
            settings.waiting_max,
            settings.waiting_bytes_max,
        )?;
        let shared = Arc::new(Self {
            map,
            writer,
            folder: folder.clone(),
            map_bytes: settings.map_bytes,
        });
        open.insert(folder, Arc::downgrade(&shared));
        Ok(shared)
    }
}

impl LmdbStore {
    /// Opens the store in a folder of its own, on a disk of this machine, and creates both if they are not there.
    /// Other processes may have it open, and so may this one, with the same `map_bytes`. May wait for the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the folder cannot be written to, or holds something else.
    pub fn open(folder: impl AsRef<Path>, settings: LmdbSettings) -> Result<Self, StoreError> {
        let shared = Shared::open(folder.as_ref(), &settings)?;
        Ok(Self { shared, settings })
    }

    /// How large it is, and what its writer has done.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be read.
    pub fn size(&self) -> Result<LmdbSize, StoreError> {
        let (used_bytes, map_bytes, records) = self.shared.map.size()?;
        let counters = &self.shared.writer.counters;
        Ok(LmdbSize {
            used_bytes,
            map_bytes,
            records,
            commits: counters.commits.load(Ordering::Relaxed),
            ended: counters.ended.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
        })
    }

    /// Reads a value where it lies, without a copy. Be quick: pages that are being read cannot be used again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be read.
    pub fn read_with<T>(
        &self,
        namespace: &str,
        id: &str,
        read: impl FnOnce(Option<&str>) -> T,
    ) -> Result<T, StoreError> {
        let key = record::key(namespace, id)?;
        self.shared.map.read_with(&key, read)
    }

    fn ends_ms(ttl: Option<Duration>) -> u64 {
        ttl.map_or(u64::MAX, |ttl| clock::unix_ms().saturating_add(millis(ttl)))
    }

    async fn held(&self, namespace: &str, ids: &[&str]) -> Result<Vec<Held>, StoreError> {
        let keys: Result<Vec<_>, _> = ids.iter().map(|id| record::key(namespace, id)).collect();
        let keys = keys?;
        if keys.len() <= INLINE_MAX {
            return self.shared.map.read(&keys);
        }
        let map = self.shared.map.clone();
        aside(move || map.read(&keys)).await
    }

    async fn change(&self, changes: Vec<Change>) -> Outcomes {
        let count = changes.len();
        let all = |error: StoreError| (0..count).map(|_| Err(error.clone())).collect();
        let outcomes = match self.shared.writer.submit(changes) {
            Ok(outcomes) => outcomes,
            Err(error) => return all(error),
        };
        match timeout(self.settings.limit, outcomes).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(_)) => all(StoreError::Uncertain {
                reason: String::from("the thread that writes has ended"),
            }),
            Err(_) => all(StoreError::Uncertain {
                reason: format!(
                    "LMDB's one writer did not come to it within {} ms: another process holds its lock, or the disk \
                     is slow",
                    self.settings.limit.as_millis()
                ),
            }),
        }
    }

    async fn change_one(
        &self,
        namespace: &str,
        id: &str,
        value: Option<&str>,
        ttl: Option<Duration>,
        only: Only,
    ) -> Result<bool, StoreError> {
        let change = Change {
            key: record::key(namespace, id)?,
            version: None,
            value: value.map(str::to_owned),
            ends_ms: Self::ends_ms(ttl),
            only,
        };
        let mut outcomes = self.change(vec![change]).await;
        let outcome = outcomes.pop().unwrap_or_else(|| Err(no_outcome()))?;
        Ok(outcome.is_some())
    }

    async fn write_batch(&self, batch: &[Write]) -> Vec<Result<Written, StoreError>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut changes = Vec::with_capacity(batch.len());
        for write in batch {
            let ttl = match write.value {
                Some(_) => write.ttl.or(self.settings.ttl),
                None => Some(self.settings.removed_ttl),
            };
            let key = record::key(&write.namespace, &write.id);
            outcomes.push(key.map(|key| {
                changes.push(Change {
                    key,
                    version: Some(write.version),
                    value: write.value.clone(),
                    ends_ms: Self::ends_ms(ttl),
                    only: Only::Newer,
                });
            }));
        }
        let mut written = self.change(changes).await.into_iter();
        let mut next = || match written.next() {
            Some(Ok(Some(written))) => Ok(written),
            Some(Err(error)) => Err(error),
            Some(Ok(None)) | None => Err(no_outcome()),
        };
        outcomes
            .into_iter()
            .map(|key| key.and_then(|()| next()))
            .collect()
    }
}

fn no_outcome() -> StoreError {
    StoreError::Uncertain {
        reason: String::from("the writer had no outcome for it"),
    }
}

/// Runs what may wait for the disk on a thread that may wait.
async fn aside<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let outcome = spawn_blocking(what).await;
    outcome.unwrap_or_else(|error| {
        Err(StoreError::Away {
            reason: error.to_string(),
        })
    })
}

impl RemoteStore for LmdbStore {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let held = self.held(namespace, &[id]).await?;
            Ok(held.into_iter().next().and_then(|held| held.value))
        })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        Box::pin(async move {
            let held = self.held(namespace, ids).await?;
            Ok(held.into_iter().map(|held| held.value).collect())
        })
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            record::key(namespace, "all")?;
            let (map, namespace) = (self.shared.map.clone(), namespace.to_owned());
            aside(move || map.list(&namespace)).await
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
            let ttl = ttl.or(self.settings.ttl);
            let set = self.change_one(namespace, id, Some(value), ttl, Only::Newer);
            set.await.map(drop)
        })
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let ttl = Some(self.settings.removed_ttl);
            let removed = self.change_one(namespace, id, None, ttl, Only::Newer);
            removed.await.map(drop)
        })
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            record::key(namespace, "all")?;
            let (map, of) = (self.shared.map.clone(), namespace.to_owned());
            let old = aside(move || map.older(&of, before)).await?;
            for some in old.chunks(CLEARED_AT_ONCE) {
                let gone = some.iter().map(|id| removal(namespace, id, before));
                for outcome in self.write_batch(&gone.collect::<Vec<_>>()).await {
                    outcome?;
                }
            }
            Ok(())
        })
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(self.write_batch(batch))
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(self.held(namespace, ids))
    }

    fn try_lock<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Answer<'a, Result<bool, StoreError>> {
        Box::pin(self.change_one(LOCKS, name, Some(token), Some(ttl), Only::Absent))
    }

    fn unlock<'a>(&'a self, name: &'a str, token: &'a str) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let only = Only::Equal(token.to_owned());
            let removed = self.change_one(LOCKS, name, None, None, only);
            removed.await.map(drop)
        })
    }
}

impl fmt::Debug for LmdbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LmdbStore")
            .field("folder", &self.shared.folder)
            .field("map_bytes", &self.settings.map_bytes)
            .finish()
    }
}
