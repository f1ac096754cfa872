//! The bot's own data, cached for several processes: here several caches, each with connections of its own.

mod invalidation;
mod loading;
#[path = "../redis_support/mod.rs"]
mod redis_support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shardkeep::bus::LocalBus;
use shardkeep::cache::{OwnCache, OwnCacheSettings};
use shardkeep::store::{MemorySettings, MemoryStore, RemoteStore};
use tokio::time::sleep;

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn tuned() -> OwnCacheSettings {
    let mut tuned = OwnCacheSettings::default();
    tuned.load_limit = Duration::from_secs(2);
    tuned
}

pub(crate) fn memory() -> Arc<dyn RemoteStore> {
    Arc::new(MemoryStore::new(MemorySettings::default()))
}

pub(crate) fn alone(store: &Arc<dyn RemoteStore>, tuned: OwnCacheSettings) -> Arc<OwnCache> {
    let bus = Arc::new(LocalBus::default());
    Arc::new(OwnCache::new(Arc::clone(store), bus, tuned))
}

/// A source that counts how often it is asked, and takes its time.
#[derive(Clone, Default)]
pub(crate) struct Source {
    asked: Arc<AtomicU32>,
}

impl Source {
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Answers how often it has been asked.
    pub(crate) fn load(
        &self,
        takes: Duration,
    ) -> impl FnOnce() -> std::pin::Pin<Box<dyn Future<Output = Result<u32, io::Error>> + Send>>
    + Send
    + 'static {
        let asked = Arc::clone(&self.asked);
        move || {
            Box::pin(async move {
                let count = asked.fetch_add(1, Ordering::SeqCst) + 1;
                sleep(takes).await;
                Ok(count)
            })
        }
    }
}
