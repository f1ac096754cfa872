//! Caches: what the bot knows of Discord ([`Cache`]), and what it looks up for itself again and again ([`OwnCache`]).
//!
//! [`Cache`] drives [`core::cache`](shardkeep_core::cache): shards feed it, readers look into it, and a thread of its
//! own reads and writes the store, asks Discord, and tells other processes. docs/cache.md is the guide.

mod driver;
mod feed;
mod handle;
mod hearing;
mod numbers;
mod open;
mod own;
mod places;
mod record;
mod settings;
mod shared;

#[doc(hidden)]
pub use feed::Feed;
pub(crate) use feed::heard;
pub use handle::Cache;
pub use hearing::{CHANGED, FORGET};
pub use numbers::{CacheNumbers, CacheStatus};
#[cfg(feature = "redis")]
pub(crate) use open::redis;
pub(crate) use open::{bot_name, default_folder, open, open_lmdb, open_redis};
pub use own::{
    CacheError, INVALIDATIONS, LoadError, OwnCache, OwnCacheSettings, OwnCounts, OwnKey,
};
pub use record::{FetchError, Record};
pub(crate) use settings::CacheSettings;
