//! What can be set on a bot beside its configuration.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZero;
use std::sync::Arc;

use shardkeep_core::gateway::Snapshot;

use super::{Bot, Error};
use crate::bus::EventBus;
use crate::config::Config;
use crate::inflate::WINDOW_LOG_MAX;
use crate::store::RemoteStore;

/// Makes a [`Bot`]: the configuration, and what only a program can give.
#[derive(Debug)]
pub struct BotBuilder {
    pub(super) config: Config,
    pub(super) io_threads: usize,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) window_log_max: u32,
    pub(super) seed: u64,
    pub(super) store: Option<Arc<dyn RemoteStore>>,
    pub(super) bus: Option<Arc<dyn EventBus>>,
    pub(super) session_store: Option<Arc<dyn RemoteStore>>,
}

impl BotBuilder {
    pub(super) fn new(config: Config) -> Self {
        let seed = config
            .gateway
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one("shardkeep"));
        Self {
            config,
            io_threads: default_io_threads(),
            snapshots: Vec::new(),
            window_log_max: WINDOW_LOG_MAX,
            seed,
            store: None,
            bus: None,
            session_store: None,
        }
    }

    /// How many threads sockets, TLS, inflating and heartbeats have to themselves. Handlers never run on them. Default:
    /// 1, or 2 on a machine of more than four cores. 0 counts as 1.
    #[must_use]
    pub const fn io_threads(mut self, threads: usize) -> Self {
        self.io_threads = if threads == 0 { 1 } else { threads };
        self
    }

    /// Sessions to go on from, as [`Bot::shutdown`] returned them: their shards resume, if Discord still knows them,
    /// and identify otherwise. Those of shards that this bot does not run are passed over.
    #[must_use]
    pub fn resume_from(mut self, snapshots: impl IntoIterator<Item = Snapshot>) -> Self {
        self.snapshots.extend(snapshots);
        self
    }

    /// A store of one's own for the cache, in place of the one that `store.kind` names. The cache itself is there if
    /// `cache.budget_bytes` says so.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn RemoteStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// A store of one's own for sessions, in place of what `session_store.kind` names: a process that starts again
    /// resumes from it.
    #[must_use]
    pub fn session_store(mut self, store: Arc<dyn RemoteStore>) -> Self {
        self.session_store = Some(store);
        self
    }

    /// A bus over which caches of several processes tell each other what has changed, in place of Redis at
    /// `redis_config.url`.
    #[must_use]
    pub fn bus(mut self, bus: Arc<dyn EventBus>) -> Self {
        self.bus = Some(bus);
        self
    }

    /// The largest zstd window to accept, as a power of two. Default 23 (8 MiB). What a connection takes follows the
    /// window that Discord really uses.
    #[must_use]
    pub const fn zstd_window_log_max(mut self, log: u32) -> Self {
        self.window_log_max = log;
        self
    }

    /// The bot, not started yet.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] if the platform's roots are wanted and there are none; [`Error::Store`] if the cache's store
    /// cannot be opened.
    pub fn build(self) -> Result<Bot, Error> {
        Bot::from_builder(self)
    }
}

fn default_io_threads() -> usize {
    if std::thread::available_parallelism()
        .is_ok_and(|cores| cores > NonZero::new(4).unwrap_or(NonZero::<usize>::MIN))
    {
        2
    } else {
        1
    }
}
