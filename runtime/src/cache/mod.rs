//! Caches over a store: [`OwnCache`], for what the bot itself looks up again and again.

mod own;

pub use own::{
    CacheError, INVALIDATIONS, LoadError, OwnCache, OwnCacheSettings, OwnCounts, OwnKey,
};
