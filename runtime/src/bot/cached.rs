//! The bot's cache: where it is found.

use super::{Bot, Error};
use crate::cache::{Cache, Feed};

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
}
