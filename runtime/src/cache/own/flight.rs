//! One loader for each key: within the process by turns, across processes by a lock of the store.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep, timeout};

use super::counts::Count;
use super::entry::{Entry, Found};
use super::local::Mark;
use super::{LoadError, Loader, OwnKey, Shared};
use crate::clock;
use crate::store::{Write, Written, millis};

/// How often a process that waits for another one's loading looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The loading of one key in this process.
#[derive(Default)]
pub(super) struct Flight {
    pub(super) turn: Turn<()>,
    /// Somebody loads in the background, because what is there is stale.
    is_refreshing: AtomicBool,
    failed: Mutex<Option<(Instant, LoadError)>>,
}

impl Flight {
    /// How loading failed since then: whoever waited for it need not try the same again.
    pub(super) fn failed_since(&self, asked_at: Instant) -> Option<LoadError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, error) = failed.as_ref()?;
        (*at >= asked_at).then(|| error.clone())
    }

    fn fail(&self, error: &LoadError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some((Instant::now(), error.clone()));
    }
}

/// What is being loaded in this process.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<OwnKey, Weak<Flight>>>);

impl Flights {
    pub(super) fn of(&self, key: &OwnKey) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        if flights.len() >= 1_024 {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::new(Flight::default());
        flights.insert(key.clone(), Arc::downgrade(&flight));
        flight
    }
}

/// The right to load, while it lasts.
struct Permit<'a> {
    shared: &'a Shared,
    name: String,
    token: Option<String>,
}

impl Permit<'_> {
    async fn give_back(self) {
        if let Some(token) = &self.token
            && self.shared.store.unlock(&self.name, token).await.is_err()
        {
            // It ends by itself.
            self.shared.counters.add(Count::StoreFailure);
        }
    }
}

impl Shared {
    /// Loads a key that nobody has, or waits for the process that does.
    pub(super) async fn load(
        &self,
        key: &OwnKey,
        ttl: Duration,
        flight: &Flight,
        loader: Loader,
    ) -> Result<Arc<str>, LoadError> {
        let (name, token) = (key.lock(), token());
        let lock_ttl = self.settings.load_limit + Duration::from_secs(1);
        let patience = Instant::now() + lock_ttl;
        let mut gives_up = false;
        let mut permit = Permit {
            shared: self,
            name,
            token: None,
        };
        loop {
            match self.store.try_lock(&permit.name, &token, lock_ttl).await {
                Ok(true) => permit.token = Some(token.clone()),
                Ok(false) if Instant::now() < patience => sleep(spread(LOOK_EVERY)).await,
                Ok(false) => gives_up = true,
                Err(_) => {
                    self.counters.add(Count::StoreFailure);
                    gives_up = true;
                }
            }
            let is_locked = permit.token.is_some();
            // Somebody may have loaded it between our looking and our locking.
            let mark = self.local.mark(key);
            let found = self.fetch(key).await;
            let now = clock::unix_ms();
            if let Ok(found) = &found
                && let Some((text, until)) = found.fresh(now)
            {
                let text = Arc::from(text);
                self.keep(key, &text, until, mark);
                self.counters.add(Count::Waited);
                permit.give_back().await;
                return Ok(text);
            }
            if is_locked || gives_up || found.is_err() {
                if !is_locked {
                    self.counters.add(Count::UnlockedLoad);
                }
                let loaded = self.run_loader(key, ttl, found.ok(), mark, loader).await;
                if let Err(error) = &loaded {
                    flight.fail(error);
                }
                permit.give_back().await;
                return loaded;
            }
        }
    }

    /// Loads, and keeps what was loaded unless it was invalidated meanwhile.
    async fn run_loader(
        &self,
        key: &OwnKey,
        ttl: Duration,
        found: Option<Found>,
        mark: Mark,
        loader: Loader,
    ) -> Result<Arc<str>, LoadError> {
        let limit = self.settings.load_limit;
        let loaded = match timeout(limit, loader()).await {
            Ok(loaded) => loaded,
            Err(_) => Err(LoadError::TimedOut { limit }),
        };
        let text: Arc<str> = match loaded {
            Ok(text) => Arc::from(text),
            Err(error) => {
                self.counters.add(Count::LoadFailure);
                return Err(error);
            }
        };
        self.counters.add(Count::Load);
        let until = clock::unix_ms().saturating_add(millis(spread(ttl)));
        let is_current = match found {
            Some(found) => self.share(key, &text, ttl, until, &found).await,
            // Without the store nobody can tell: a short copy is what its settings allow.
            None => true,
        };
        if is_current {
            self.keep(key, &text, until, mark);
        } else {
            self.counters.add(Count::Superseded);
        }
        Ok(text)
    }

    /// Writes a loaded value. Whether it is the newest there is, as far as is known.
    async fn share(
        &self,
        key: &OwnKey,
        text: &str,
        ttl: Duration,
        until: u64,
        found: &Found,
    ) -> bool {
        let Ok(value) = Entry::text(text, until, found.guild_epoch) else {
            return true;
        };
        let write = Write {
            namespace: key.namespace(),
            id: key.id.clone(),
            version: found.loaded(),
            value: Some(value),
            ttl: Some(ttl + self.settings.stale_for),
        };
        match self.store.write(&[write]).await.pop() {
            Some(Ok(Written::Superseded { .. })) => false,
            Some(Ok(Written::Done)) => true,
            Some(Err(_)) | None => {
                self.counters.add(Count::StoreFailure);
                true
            }
        }
    }

    /// Loads in the background what is stale, unless somebody does already, here or elsewhere.
    pub(super) fn refresh(
        self: &Arc<Self>,
        key: OwnKey,
        ttl: Duration,
        flight: Arc<Flight>,
        loader: Loader,
    ) {
        if flight.is_refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let (name, token) = (key.lock(), token());
            let lock_ttl = shared.settings.load_limit + Duration::from_secs(1);
            if let Ok(true) = shared.store.try_lock(&name, &token, lock_ttl).await {
                let permit = Permit {
                    shared: &shared,
                    name,
                    token: Some(token),
                };
                let mark = shared.local.mark(&key);
                if let Ok(found) = shared.fetch(&key).await
                    && found.fresh(clock::unix_ms()).is_none()
                {
                    let loaded = shared.run_loader(&key, ttl, Some(found), mark, loader);
                    // What is stale stays until its end: the next who asks tries again.
                    let _ = loaded.await;
                }
                permit.give_back().await;
            }
            flight.is_refreshing.store(false, Ordering::Release);
        });
    }
}

/// Between nine tenths of a time and all of it, so that what was loaded together does not end together.
pub(super) fn spread(ttl: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(0) % 1_024).unwrap_or(0);
    ttl / 10 * 9 + ttl / 10 * random / 1_024
}

/// A name for the holder of a lock that nobody else has.
fn token() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}
