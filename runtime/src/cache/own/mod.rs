//! The bot's own data, cached for all of its processes: one loader for each key, no stampede when a time is over.
//!
//! An answer comes from a short-lived copy in this process, else from the store, else from the loader. What is older
//! than its time is given on for a while, and one process loads the next meanwhile: so nobody waits when a time is
//! over, and the source is asked once. An invalidation is a version in the store: what was being loaded when it came is
//! not kept. The bus only tells other processes to drop their copies early; a copy that was not told of ends by itself
//! after `local_for`.

mod counts;
mod decide;
mod entry;
mod error;
mod flight;
mod key;
mod local;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

pub use counts::OwnCounts;
pub use error::{CacheError, LoadError};
pub use key::OwnKey;

use crate::bus::EventBus;
use crate::clock;
use crate::store::{Answer, Held, RemoteStore, StoreError, millis};
use counts::{Count, Counters};
use entry::Found;
use flight::Flights;
use local::{Local, Mark};

/// The topic on which invalidations are published, as `{"kind": …, "id": …}` or `{"guild": …}`.
pub const INVALIDATIONS: &str = "cache.invalidate";

/// How often how often guilds were invalidated is kept.
const GUILDS: &str = "own#guilds";

/// How long it is kept. What is invalidated must not come back: no value holds for half as long.
const GUILDS_TTL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The longest that a value holds.
const TTL_MAX: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// How long a copy of a stale value holds: so often a process asks the store whether there is something fresh.
const STALE_COPY: Duration = Duration::from_millis(250);

type Loader = Box<dyn FnOnce() -> Answer<'static, Result<String, LoadError>> + Send>;

/// How a cache of the bot's own data works. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OwnCacheSettings {
    /// Copies in this process.
    pub local_max: usize,
    /// How long a copy in this process holds at most: so long another process's change may go unseen if the bus does
    /// not bring it.
    pub local_for: Duration,
    /// How much longer than its time a value is given on while the next is loaded.
    pub stale_for: Duration,
    /// How long a loader may take.
    pub load_limit: Duration,
}

impl Default for OwnCacheSettings {
    fn default() -> Self {
        Self {
            local_max: 10_000,
            local_for: Duration::from_secs(5),
            stale_for: Duration::from_secs(60),
            load_limit: Duration::from_secs(10),
        }
    }
}

/// A cache of the bot's own data.
pub struct OwnCache {
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

struct Shared {
    store: Arc<dyn RemoteStore>,
    bus: Arc<dyn EventBus>,
    settings: OwnCacheSettings,
    local: Local,
    flights: Flights,
    counters: Counters,
}

impl OwnCache {
    /// A cache over a store and a bus. Needs a tokio runtime.
    #[must_use]
    pub fn new(
        store: Arc<dyn RemoteStore>,
        bus: Arc<dyn EventBus>,
        settings: OwnCacheSettings,
    ) -> Self {
        let shared = Arc::new(Shared {
            store,
            bus,
            local: Local::new(settings.local_max),
            settings,
            flights: Flights::default(),
            counters: Counters::default(),
        });
        let listener = tokio::spawn(decide::listen(
            Arc::clone(&shared.bus),
            Arc::downgrade(&shared),
        ));
        Self { shared, listener }
    }

    /// A value, if there is one whose time is not over.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the store cannot be read, or holds something else under this key.
    pub async fn get<T: DeserializeOwned>(
        &self,
        key: impl Into<OwnKey>,
    ) -> Result<Option<T>, CacheError> {
        let text = self.shared.get(&key.into()).await?;
        let value = text.map(|text| serde_json::from_str(&text)).transpose();
        value.map_err(|error| CacheError::Json(error.to_string()))
    }

    /// Sets a value for `ttl`, half a year at most, for all processes. It wins over whatever is being loaded.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the store cannot be written to, or the bus not be told.
    pub async fn set<T: Serialize + ?Sized>(
        &self,
        key: impl Into<OwnKey>,
        value: &T,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        let json = |error: serde_json::Error| CacheError::Json(error.to_string());
        let text = serde_json::to_string(value).map_err(json)?;
        let decided = Some((text.as_str(), ttl.min(TTL_MAX)));
        self.shared.decide(&key.into(), decided).await
    }

    /// A value, or what `loader` brings: at most one process loads a key at a time, and all who ask meanwhile get what
    /// it brought. A value whose time is over is given on while one process loads the next.
    ///
    /// # Errors
    ///
    /// [`LoadError`] of the loader. Everybody who waited for it gets it; it is not kept. A store that is away is not an
    /// error: the loader is asked.
    pub async fn get_or_load<T, E, F, L>(
        &self,
        key: impl Into<OwnKey>,
        ttl: Duration,
        loader: L,
    ) -> Result<T, LoadError>
    where
        T: Serialize + DeserializeOwned + Send,
        E: Error + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        L: FnOnce() -> F + Send + 'static,
    {
        let json = |error: serde_json::Error| LoadError::Json(error.to_string());
        let loader: Loader = Box::new(move || {
            Box::pin(async move {
                let loaded = loader().await;
                let value = loaded.map_err(|error| LoadError::Loader(Arc::new(error)))?;
                serde_json::to_string(&value).map_err(json)
            })
        });
        let ttl = ttl.min(TTL_MAX);
        let text = self.shared.get_or_load(key.into(), ttl, loader).await?;
        serde_json::from_str(&text).map_err(json)
    }

    /// Ends a value, for all processes: who asks from now on does not get it, nor what is being loaded now.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the store cannot be written to, or the bus not be told.
    pub async fn invalidate(&self, key: impl Into<OwnKey>) -> Result<(), CacheError> {
        self.shared.decide(&key.into(), None).await
    }

    /// Ends all values of a guild: those whose key says [`of_guild`](OwnKey::of_guild).
    ///
    /// # Errors
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_guild(&self, guild: impl ToString) -> Result<(), CacheError> {
        self.shared.invalidate_guild(&guild.to_string()).await
    }

    /// What it has done.
    #[must_use]
    pub fn counts(&self) -> OwnCounts {
        self.shared.counters.read()
    }

    /// How many copies this process has.
    #[must_use]
    pub fn local_len(&self) -> usize {
        self.shared.local.len()
    }
}

impl Drop for OwnCache {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for OwnCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCache")
            .field("store", &self.shared.store)
            .field("bus", &self.shared.bus)
            .finish()
    }
}

impl Shared {
    /// What the store holds of a key.
    async fn fetch(&self, key: &OwnKey) -> Result<Found, StoreError> {
        let namespace = key.namespace();
        let fetched = async {
            let ids = [key.id.as_str()];
            let held = self.store.read(&namespace, &ids);
            let Some(guild) = &key.guild else {
                let held = held.await?.pop().unwrap_or_default();
                return Ok(Found::new(held, &Held::default()));
            };
            let ids = [guild.as_str()];
            // The guild first: a value that is found later cannot be older than what the guild was found to be.
            let mut guild = self.store.read(GUILDS, &ids).await?;
            let guild = guild.pop().unwrap_or_default();
            let held = held.await?.pop().unwrap_or_default();
            Ok(Found::new(held, &guild))
        };
        let fetched = fetched.await;
        if fetched.is_err() {
            self.counters.add(Count::StoreFailure);
        }
        fetched
    }

    /// Keeps a copy for as long as copies hold, and no longer than the value.
    fn keep(&self, key: &OwnKey, text: &Arc<str>, until_ms: u64, mark: Mark) {
        let local_until = clock::unix_ms().saturating_add(millis(self.settings.local_for));
        self.local.put(key, text, until_ms.min(local_until), mark);
    }

    async fn get(&self, key: &OwnKey) -> Result<Option<Arc<str>>, CacheError> {
        if let Some(text) = self.local.get(key, clock::unix_ms()) {
            self.counters.add(Count::LocalHit);
            return Ok(Some(text));
        }
        let mark = self.local.mark(key);
        let found = self.fetch(key).await.map_err(CacheError::Store)?;
        let Some((text, until)) = found.fresh(clock::unix_ms()) else {
            self.counters.add(Count::Miss);
            return Ok(None);
        };
        let text = Arc::from(text);
        self.keep(key, &text, until, mark);
        self.counters.add(Count::SharedHit);
        Ok(Some(text))
    }

    async fn get_or_load(
        self: &Arc<Self>,
        key: OwnKey,
        ttl: Duration,
        loader: Loader,
    ) -> Result<Arc<str>, LoadError> {
        if let Some(text) = self.local.get(&key, clock::unix_ms()) {
            self.counters.add(Count::LocalHit);
            return Ok(text);
        }
        let asked_at = Instant::now();
        let flight = self.flights.of(&key);
        // Whoever has the turn loads, or waits for another process, and both end.
        let limit = self.settings.load_limit * 3;
        let Ok(_turn) = timeout(limit, flight.turn.lock()).await else {
            return Err(LoadError::TimedOut { limit });
        };
        if let Some(text) = self.local.get(&key, clock::unix_ms()) {
            self.counters.add(Count::LocalHit);
            return Ok(text);
        }
        if let Some(error) = flight.failed_since(asked_at) {
            return Err(error);
        }
        let mark = self.local.mark(&key);
        let found = self.fetch(&key).await.unwrap_or_default();
        if let Some((text, until)) = found.fresh(clock::unix_ms()) {
            let text = Arc::from(text);
            self.keep(&key, &text, until, mark);
            self.counters.add(Count::SharedHit);
            return Ok(text);
        }
        if let Some((text, _)) = found.value {
            self.counters.add(Count::StaleHit);
            let text = Arc::from(text);
            let until = clock::unix_ms().saturating_add(millis(STALE_COPY));
            self.local.put(&key, &text, until, mark);
            self.refresh(key, ttl, Arc::clone(&flight), loader);
            return Ok(text);
        }
        self.counters.add(Count::Miss);
        self.load(&key, ttl, &flight, loader).await
    }
}
