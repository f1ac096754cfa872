//! Sessions that outlive their process: what is stored of them, how far the application has come in each, and the
//! thread that writes it.
//!
//! A shard's thread notes what it hands out, whoever takes events notes what is finished, and once in a while a thread
//! of its own stores what has changed. Nothing here is waited for by a socket or a handler.

mod file;
mod keeper;
mod loaded;
mod numbers;
mod open;
mod part;
mod tracked;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use shardkeep_core::{ShardId, fleet};
use tokio::sync::oneshot;

pub(crate) use loaded::Loaded;
pub use numbers::SessionsStatus;
pub(crate) use open::open;
pub(crate) use part::{Memory as PartMemory, Side as PartSide, StoredPart};
pub(crate) use tracked::Tracked;

use crate::clock;
use crate::events::Chunk;
use crate::store::StoreError;
use keeper::Keeper;
use loaded::{Account, Shape};
use part::PartChange;
use tracked::Change;
use writer::{Order, Writer};

/// How long a start waits for what was stored.
const LOAD_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Counters {
    loaded: AtomicU64,
    refused: AtomicU64,
    saved: AtomicU64,
    removed: AtomicU64,
    superseded: AtomicU64,
    failed: AtomicU64,
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

/// What is to be stored.
#[derive(Debug, Default)]
struct Changes {
    sessions: Vec<Change>,
    parts: Vec<PartChange>,
    account: Option<Account>,
    shape: Option<Shape>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty()
            && self.parts.is_empty()
            && self.account.is_none()
            && self.shape.is_none()
    }
}

/// What is there, if it is new. It counts as stored from here on.
fn take<T: Clone>(held: &Mutex<(Option<T>, bool)>) -> Option<T> {
    let mut held = lock(held);
    let is_new = std::mem::take(&mut held.1);
    held.0.clone().filter(|_| is_new)
}

/// The sessions of a bot.
pub(crate) struct Sessions {
    tracked: RwLock<BTreeMap<ShardId, Arc<Tracked>>>,
    /// Whether events count as finished without a word of the application's.
    is_automatic: bool,
    is_shared: bool,
    /// When changes were last asked for, in milliseconds of Unix time; it goes forward even where the clock goes back.
    asked_ms: AtomicU64,
    /// The identify account, and whether it changed since it was stored.
    account: Mutex<(Option<fleet::Snapshot>, bool)>,
    /// What serves since a change of shards, and whether that changed since it was stored.
    shape: Mutex<(Option<Shape>, bool)>,
    counters: Counters,
    writer: Mutex<Writer>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    fn new(keeper: Keeper, interval: Duration, is_automatic: bool) -> Self {
        Self {
            tracked: RwLock::default(),
            is_automatic,
            is_shared: matches!(keeper, Keeper::Store { .. }),
            asked_ms: AtomicU64::new(0),
            account: Mutex::default(),
            shape: Mutex::default(),
            counters: Counters::default(),
            writer: Mutex::new(Writer::new(keeper, interval)),
        }
    }

    /// Starts the thread that reads and writes.
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        lock(&self.writer).start(Arc::downgrade(self))
    }

    /// Whether other processes find what this one stores, and the newest lease's is kept.
    pub(crate) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether events count as finished when they are dropped, or when their handlers have returned.
    pub(crate) const fn is_automatic(&self) -> bool {
        self.is_automatic
    }

    /// What a predecessor left. Retries for a while: identifying a thousand shards is worse than waiting for a store.
    pub(crate) async fn load(&self) -> Result<Loaded, StoreError> {
        let (answer, loaded) = oneshot::channel();
        let until = clock::now() + LOAD_LIMIT;
        let is_sent = lock(&self.writer).send(Order::Load { until, answer });
        let loaded = match is_sent {
            true => loaded.await.unwrap_or_else(|_| Err(gone())),
            false => Err(gone()),
        }?;
        add(&self.counters.loaded, loaded.capsules.len());
        add(&self.counters.refused, loaded.refused);
        Ok(loaded)
    }

    /// Follows a shard's session from here on.
    pub(crate) fn track(&self, tracked: Tracked) -> Arc<Tracked> {
        let tracked = Arc::new(tracked.by(lock(&self.writer).orders()));
        let mut all = self.tracked.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(tracked.shard(), Arc::clone(&tracked));
        tracked
    }

    pub(crate) fn of(&self, shard: ShardId) -> Option<Arc<Tracked>> {
        let all = self.tracked.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&shard).cloned()
    }

    /// The shard is another process's: nothing more is written of it.
    pub(crate) fn forget(&self, shard: ShardId) {
        let mut all = self.tracked.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&shard);
    }

    fn all(&self) -> Vec<Arc<Tracked>> {
        let all = self.tracked.read().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// The application has finished an event. `false` if nobody waited for that.
    pub(crate) fn finished(&self, shard: ShardId, session: u32, sequence: u64) -> bool {
        let tracked = self.of(shard);
        tracked.is_some_and(|tracked| tracked.finished(session, [sequence]) == 1)
    }

    /// It has finished all events of a row. One look-up and one lock for each run of one shard's.
    pub(crate) fn finished_all(&self, chunk: &Chunk) {
        let mut events = chunk.dispatches().peekable();
        while let Some(first) = events.next() {
            let key = |head: &crate::events::Head| (head.shard, head.session);
            let rest = std::iter::from_fn(|| events.next_if(|head| key(head) == key(&first)));
            let run = std::iter::once(first.sequence).chain(rest.map(|head| head.sequence));
            match self.of(first.shard) {
                Some(tracked) => drop(tracked.finished(first.session, run)),
                None => run.for_each(drop),
            }
        }
    }

    /// What the identify account is, for whoever comes after. It is stored at once: a successor that did not know of an
    /// identify would send the next too early.
    pub(crate) fn account(&self, snapshot: fleet::Snapshot) {
        *lock(&self.account) = (Some(snapshot), true);
        let (answer, _unheard) = oneshot::channel();
        let until = clock::now() + LOAD_LIMIT;
        let _stopped = lock(&self.writer).send(Order::Flush { until, answer });
    }

    /// What serves from here on, what `shards` says, and how many shards there are to be.
    pub(crate) fn shape(&self, configured: String, serving: String, target: Option<u32>) {
        let shape = Shape {
            serving,
            configured,
            target,
            saved_at_ms: 0,
        };
        *lock(&self.shape) = (Some(shape), true);
    }

    /// Everything that has changed since it was last asked for.
    fn changes(&self) -> Changes {
        let last = self.asked_ms.load(Ordering::Relaxed);
        let now = clock::unix_ms().max(last + 1);
        self.asked_ms.store(now, Ordering::Relaxed);
        let all = self.all();
        let sessions = all.iter().filter_map(|tracked| tracked.change(now));
        let sessions = sessions.collect();
        let parts = all.iter().filter_map(|tracked| tracked.part_change(now));
        let parts = parts.collect();
        let account = take(&self.account).map(|snapshot| Account {
            saved_at_ms: now,
            snapshot,
        });
        let shape = take(&self.shape).map(|shape| Shape {
            saved_at_ms: now,
            ..shape
        });
        Changes {
            sessions,
            parts,
            account,
            shape,
        }
    }

    /// Stores what has changed, now, and returns when it is stored or `limit` is over. Whether it was.
    pub(crate) async fn flush(&self, limit: Duration) -> bool {
        let (answer, stored) = oneshot::channel();
        let until = clock::now() + limit;
        let is_sent = lock(&self.writer).send(Order::Flush { until, answer });
        is_sent && stored.await.unwrap_or(false)
    }

    /// Stores what has changed, and ends the thread. Waits for it, `limit` at most.
    pub(crate) fn stop(&self, limit: Duration) {
        let stopping = lock(&self.writer).stop(clock::now() + limit);
        if let Some(handle) = stopping
            && handle.join().is_err()
        {
            tracing::error!("the thread that stores sessions panicked");
        }
    }

    pub(crate) fn status(&self) -> SessionsStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = self.all();
        SessionsStatus {
            loaded: read(&self.counters.loaded),
            refused: read(&self.counters.refused),
            saved: read(&self.counters.saved),
            removed: read(&self.counters.removed),
            superseded: read(&self.counters.superseded),
            failed: read(&self.counters.failed),
            outstanding: all.iter().map(|tracked| tracked.outstanding()).sum(),
            abandoned: all.iter().map(|tracked| tracked.abandoned()).sum(),
        }
    }
}

fn gone() -> StoreError {
    StoreError::Away {
        reason: "the thread that stores sessions has ended".to_owned(),
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
