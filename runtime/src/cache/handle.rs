//! The cache as a program sees it.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use shardkeep_core::cache::packed;
use shardkeep_core::cache::{Found, Input, Key, Kind, Output, RequestId, Stats};
use shardkeep_core::wire::EventFilter;
use shardkeep_core::{Instant, Snowflake};
use tokio::sync::{mpsc, watch};

use super::driver::Driver;
use super::feed::Feed;
use super::hearing::{self, FORGET, Forget};
use super::numbers::CacheNumbers;
use super::record::{FetchError, Record};
use super::settings::CacheSettings;
use super::shared::Shared;
use super::{CacheError, OwnCache, OwnCacheSettings};
use crate::bus::{EventBus, LocalBus};
use crate::clock;
use crate::rest::Rest;
use crate::store::{Counted, MemorySettings, MemoryStore, RemoteStore};

/// Events that a bus within the process holds for a listener.
pub(super) const BUFFER: usize = 1_024;

/// Makes the bus, inside the tokio runtime on which it lives.
pub(super) type MakeBus = Box<dyn FnOnce() -> Arc<dyn EventBus> + Send>;

/// What a bot knows of Discord, from what the gateway tells: a bounded amount in memory, the rest in a store that
/// processes share, and at Discord. Clones are handles to the same cache.
///
/// [`Cache::get`] looks into memory and waits for nothing. [`Cache::fetch`] goes on to the store and to Discord, once
/// for everybody who asks. What the gateway tells is in the cache before any handler hears of it.
///
/// ```no_run
/// # async fn f(bot: shardkeep::Bot) -> Result<(), Box<dyn std::error::Error>> {
/// use shardkeep::core::Snowflake;
/// use shardkeep::core::cache::Key;
///
/// let cache = bot.cache().ok_or("set cache.budget_bytes")?;
/// let member = Key::member(Snowflake(41771983423143937), Snowflake(80351110224678912));
/// match cache.fetch(member).await? {
///     Some(record) => println!("roles: {:?}", record.field("roles")),
///     None => println!("not a member"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    fetch_limit: Duration,
    store: Option<Arc<Counted>>,
    bus: OnceLock<Arc<dyn EventBus>>,
    own: OnceLock<OwnCache>,
    own_settings: OwnCacheSettings,
    thread: Mutex<Thread>,
}

#[derive(Default)]
struct Thread {
    inbox: Option<mpsc::UnboundedReceiver<Output>>,
    make_bus: Option<MakeBus>,
    stop: watch::Sender<Option<Instant>>,
    handle: Option<JoinHandle<()>>,
}

impl Cache {
    pub(super) fn new(mut settings: CacheSettings, make_bus: Option<MakeBus>) -> Self {
        settings.machine.has_store = settings.store.is_some();
        let (shared, inbox) = Shared::new(settings.machine);
        let thread = Thread {
            inbox: Some(inbox),
            make_bus,
            ..Thread::default()
        };
        let inner = Inner {
            shared: Arc::new(shared),
            fetch_limit: settings.fetch_limit,
            store: settings.store.map(|store| Arc::new(Counted::new(store))),
            bus: OnceLock::new(),
            own: OnceLock::new(),
            own_settings: settings.own,
            thread: Mutex::new(thread),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Starts the thread that reads and writes. Once: what was stopped stays so.
    pub(crate) fn start(&self, rest: Rest) -> std::io::Result<()> {
        let mut thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(inbox) = thread.inbox.take() else {
            return Ok(());
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let bus = thread.make_bus.take().map(|make| {
            let _entered = runtime.enter();
            Arc::clone(self.inner.bus.get_or_init(make))
        });
        let driver = Driver {
            shared: Arc::clone(&self.inner.shared),
            store: self.inner.store.clone(),
            bus: bus.clone(),
            rest,
            inbox,
        };
        self.start_own(&runtime);
        if let Some(bus) = bus {
            runtime.spawn(hearing::listen(bus, Arc::downgrade(&self.inner.shared)));
        }
        // Before it is known which life the store is in, nothing of it is believed, and nothing written.
        self.inner.shared.feed(Input::StoreDown);
        let stop = thread.stop.subscribe();
        self.inner.shared.is_running.store(true, Ordering::Release);
        let started = std::thread::Builder::new()
            .name("shardkeep-cache".to_owned())
            .spawn(move || runtime.block_on(driver.run(stop)))?;
        thread.handle = Some(started);
        Ok(())
    }

    /// The bot's own data needs a store and a bus, be they this process's alone.
    fn start_own(&self, runtime: &tokio::runtime::Runtime) {
        let store: Arc<dyn RemoteStore> = match &self.inner.store {
            Some(store) => Arc::clone(store) as Arc<dyn RemoteStore>,
            None => Arc::new(MemoryStore::new(MemorySettings::default())),
        };
        let bus = match self.inner.bus.get() {
            Some(bus) => Arc::clone(bus),
            None => Arc::new(LocalBus::new(BUFFER)),
        };
        let _entered = runtime.enter();
        let own = OwnCache::new(store, bus, self.inner.own_settings.clone());
        // Nobody else has set it: the thread starts once.
        drop(self.inner.own.set(own));
    }

    /// Writes what waits until then, and ends.
    pub(crate) fn stop(&self, until: Instant) {
        let handle = {
            let mut thread = self
                .inner
                .thread
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            thread.stop.send_replace(Some(until));
            thread.handle.take()
        };
        if let Some(handle) = handle
            && handle.join().is_err()
        {
            tracing::error!("the cache's thread panicked");
        }
    }

    pub(crate) fn feed(&self, wanted: EventFilter) -> Feed {
        Feed::new(Arc::clone(&self.inner.shared), wanted)
    }

    /// A record, if it is in memory, with the user that it refers to as far as that is in memory too.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<Record> {
        let json = self.inner.shared.read().json(clock::now(), key)?;
        Some(Record::new(key, json))
    }

    /// Reads a record where it lies, without rebuilding its JSON. While `read` runs, no dispatch is taken in: it should
    /// be short, and must not ask this cache for anything.
    pub fn read<T>(&self, key: Key, read: impl FnOnce(packed::Record<'_>) -> T) -> Option<T> {
        self.inner.shared.read().get(clock::now(), key).map(read)
    }

    /// A record, wherever it is: in memory, in the store, at Discord. `None` if there is no such thing, as far as the
    /// bot can see.
    ///
    /// # Errors
    ///
    /// [`FetchError`], after `cache.fetch_timeout_ms` at the latest.
    pub async fn fetch(&self, key: Key) -> Result<Option<Record>, FetchError> {
        self.fetch_within(key, self.inner.fetch_limit).await
    }

    /// As [`Cache::fetch`], with a time limit of its own.
    ///
    /// # Errors
    ///
    /// As [`Cache::fetch`].
    pub async fn fetch_within(
        &self,
        key: Key,
        limit: Duration,
    ) -> Result<Option<Record>, FetchError> {
        if let Some(record) = self.get(key) {
            return Ok(Some(record));
        }
        let shared = &self.inner.shared;
        if !shared.is_running.load(Ordering::Acquire) {
            return Err(FetchError::NotRunning);
        }
        let (id, answer) = shared.ask(key, clock::now() + limit);
        let waiter = Waiter { shared, id };
        let found = answer.await;
        drop(waiter);
        match found {
            Ok(Found::Record(json)) => Ok(Some(Record::new(key, json))),
            Ok(Found::Absent) => Ok(None),
            Ok(Found::Failed(failure)) => Err(FetchError::Failed(failure)),
            Err(_) => Err(FetchError::NotRunning),
        }
    }

    /// The guilds that the bot is in, as far as the shards of this process were told.
    #[must_use]
    pub fn guilds(&self) -> Vec<Snowflake> {
        self.inner.shared.read().guilds().collect()
    }

    /// The ids of a kind in a scope (the guild; of messages the channel; of thread members the thread), of those in
    /// memory.
    #[must_use]
    pub fn ids(&self, kind: Kind, scope: Snowflake) -> Vec<Snowflake> {
        self.inner.shared.read().ids(kind, scope)
    }

    /// Forgets a record, here and in the other processes: whoever asks for it next, asks Discord.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the other processes could not be told. Here it is forgotten all the same.
    pub async fn invalidate(&self, key: Key) -> Result<(), CacheError> {
        self.forget(Forget::Record(key)).await
    }

    /// Forgets a guild and all that is in it, here and in the other processes, and the bot's own data of it
    /// ([`OwnCache::invalidate_guild`]). Messages stay.
    ///
    /// # Errors
    ///
    /// As [`Cache::invalidate`].
    pub async fn invalidate_guild(&self, guild: Snowflake) -> Result<(), CacheError> {
        let told = self.forget(Forget::Guild(guild)).await;
        if let Some(own) = self.own() {
            own.invalidate_guild(guild).await?;
        }
        told
    }

    async fn forget(&self, forget: Forget) -> Result<(), CacheError> {
        self.inner.shared.feed(forget.input());
        let Some(bus) = self.inner.bus.get() else {
            return Ok(());
        };
        let text = forget.to_string();
        let told = bus.publish(FORGET, text.as_bytes()).await;
        told.map_err(CacheError::Bus)
    }

    /// The cache of the bot's own data, over the same store and bus; over this process's memory where there are none.
    /// `None` until the bot is started.
    #[must_use]
    pub fn own(&self) -> Option<&OwnCache> {
        self.inner.own.get()
    }

    /// What it has done, and what it holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.shared.read().stats()
    }

    /// All of its numbers, those of the store and the bus among them.
    #[must_use]
    pub fn numbers(&self) -> CacheNumbers {
        CacheNumbers {
            stats: self.stats(),
            store: self.inner.store.as_ref().map(|store| store.counts()),
            bus: self.inner.bus.get().map(|bus| bus.counts()),
            own: self.own().map(OwnCache::counts),
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("store", &self.inner.store)
            .field("bus", &self.inner.bus)
            .finish_non_exhaustive()
    }
}

/// Somebody who waits. Whoever stops waiting is not answered.
struct Waiter<'a> {
    shared: &'a Shared,
    id: RequestId,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.shared.give_up(self.id);
    }
}
