//! How a bot ends: its shards, then what its cache and its sessions have to store.

use std::time::Duration;

use shardkeep_core::gateway::Snapshot;
use tokio::time::timeout;

use super::fleet::Order;
use super::shared::Stage;
use super::{Bot, lock};
use crate::clock;
use crate::config::OnShutdown;

impl Bot {
    pub(super) fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.inner.config.shutdown_timeout_ms)
    }

    /// Stops every shard and returns when they have ended, or when `shutdown_timeout_ms` is over. Events that are in
    /// the queue can still be taken, and should be: the snapshots take them for handled. Shutting down twice changes
    /// nothing.
    ///
    /// With `resumable`, Discord keeps the sessions for a few minutes: the snapshots let
    /// [`BotBuilder::resume_from`](super::BotBuilder::resume_from) go on from them, in this process or another.
    /// Without, it ends them and shows the bot offline at once, and there are no snapshots.
    ///
    /// With a `session_store` the sessions are stored as well, there with what was not finished yet; what is finished
    /// after this is stored when the last handle to the bot is dropped.
    pub async fn shutdown(&self, resumable: bool) -> Vec<Snapshot> {
        let (orders, runtime) = {
            let mut life = lock(&self.inner.life);
            life.driver = None;
            (
                life.orders.clone(),
                life.runtime
                    .as_ref()
                    .map(|runtime| runtime.handle().clone()),
            )
        };
        if let (Some(orders), Some(runtime)) = (orders, runtime) {
            // The fleet may have stopped by itself.
            let transfer = self.inner.config.on_shutdown == OnShutdown::Transfer;
            let _stopped_already = orders.send(Order::Shutdown {
                resumable,
                transfer,
            });
            let (mut stage, limit) = (self.inner.shared.stage.subscribe(), self.shutdown_timeout());
            // Waited for on the bot's own threads: the caller's may have no timers.
            let waiting = runtime.spawn(async move {
                timeout(limit, stage.wait_for(|stage| *stage == Stage::Stopped))
                    .await
                    .is_ok()
            });
            if !waiting.await.unwrap_or(false) {
                tracing::warn!("shards were cut off: they took too long to stop");
            }
        }
        self.inner.shared.stop();
        self.end_cache().await;
        self.store_sessions().await;
        self.inner.end();
        self.snapshots()
    }

    /// The sessions that Discord keeps for this bot after a resumable [`Bot::shutdown`], also the one with which
    /// [`Bot::run`] ends. Empty before, and after any other.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.inner.shared.snapshots()
    }

    /// What waits for the cache's store is written, within `shutdown_timeout_ms`.
    async fn end_cache(&self) {
        let runtime = lock(&self.inner.life)
            .runtime
            .as_ref()
            .map(|runtime| runtime.handle().clone());
        let (Some(cache), Some(runtime)) = (self.inner.cache.clone(), runtime) else {
            return;
        };
        let until = clock::now() + self.shutdown_timeout();
        // Not on the caller's threads: others may live on them.
        let ended = runtime.spawn_blocking(move || cache.stop(until)).await;
        if ended.is_err() {
            tracing::warn!("the cache was not ended in order");
        }
    }

    /// Stores what has changed, within `shutdown_timeout_ms`.
    async fn store_sessions(&self) {
        let has_runtime = lock(&self.inner.life).runtime.is_some();
        let Some(sessions) = self.inner.sessions.as_ref().filter(|_| has_runtime) else {
            return;
        };
        if !sessions.flush(self.shutdown_timeout()).await {
            tracing::warn!(
                "sessions were not stored in time: a restart may repeat events, or identify"
            );
        }
    }
}
