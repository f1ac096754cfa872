//! The bot's cache: where it is found, and how it ends.

use super::{Bot, Error, lock};
use crate::cache::{Cache, Feed};
use crate::clock;

impl Bot {
    /// What the bot knows of Discord. `None` if `cache.budget_bytes` is 0.
    #[must_use]
    pub fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    /// Starts the cache without shards, and hands out what each of them would feed it through. Not for programs: the
    /// bench `store_faults` measures what a dispatch costs a shard's thread, and nothing beside it.
    #[doc(hidden)]
    pub fn start_cache_alone(&self) -> Result<Option<Feed>, Error> {
        let Some(cache) = self.cache() else {
            return Ok(None);
        };
        let started = cache.start(self.inner.rest.clone());
        started.map_err(Error::Threads)?;
        Ok(Some(cache.feed(self.inner.config.filter())))
    }

    /// What waits for the cache's store is written, within `shutdown_timeout_ms`.
    pub(super) async fn end_cache(&self) {
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
}
