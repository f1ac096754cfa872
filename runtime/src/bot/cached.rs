//! The bot's cache: where it is found.

use super::Bot;
use crate::cache::Cache;

impl Bot {
    /// What the bot knows of Discord. `None` if `cache.budget_bytes` is 0.
    #[must_use]
    pub fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }
}
