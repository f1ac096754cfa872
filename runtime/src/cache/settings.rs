//! What a bot's cache is told, and what it stands on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::cache::{self, Kind};

use super::OwnCacheSettings;
use crate::store::RemoteStore;

/// How a bot's cache works, and what it stands on.
#[derive(Clone)]
pub(crate) struct CacheSettings {
    /// Budget, kinds and bounds.
    pub(crate) machine: cache::Config,
    /// Where records go that find no room in memory, and what other processes read.
    pub(crate) store: Option<Arc<dyn RemoteStore>>,
    /// How long a fetch may take, unless its caller says otherwise.
    pub(crate) fetch_limit: Duration,
    /// The cache of the bot's own data.
    pub(crate) own: OwnCacheSettings,
}

impl CacheSettings {
    /// A cache in `budget_bytes` of memory, without a store.
    pub(crate) fn new(budget_bytes: usize, seed: u64) -> Self {
        let mut machine = cache::Config::new(budget_bytes, seed);
        // Discord finds a stage by its channel alone, and that is not known of one that is not here.
        machine.fetched = machine.fetched.without(Kind::StageInstance);
        Self {
            machine,
            store: None,
            fetch_limit: Duration::from_secs(10),
            own: OwnCacheSettings::default(),
        }
    }
}

impl fmt::Debug for CacheSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheSettings")
            .field("budget_bytes", &self.machine.hot.budget_bytes)
            .field("store", &self.store)
            .field("fetch_limit", &self.fetch_limit)
            .finish_non_exhaustive()
    }
}
