//! Stores: where records live that many processes share, versioned so that nothing old ever wins over something newer.
//!
//! [`RemoteStore`] is what a store does; [`MemoryStore`], [`LmdbStore`] and [`RedisStore`] are those that come with it.
//! docs/stores.md has the layout of keys, and what happens while a store is away.

mod counted;
mod error;
#[cfg(feature = "lmdb")]
mod lmdb;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod remote;
mod version;

use std::time::Duration;

pub use counted::{Counted, StoreCounts};
pub use error::StoreError;
#[cfg(feature = "lmdb")]
pub use lmdb::{Durability, LmdbSettings, LmdbSize, LmdbStore};
pub(crate) use memory::millis;
pub use memory::{MemorySettings, MemoryStore};
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreSettings};
pub use remote::{Answer, Held, LOCKS, Life, RemoteStore, VERSIONS, Write, Written};
pub use version::Version;

/// How long what is written without a time of its own holds, unless settings say otherwise.
pub const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How much longer than its value a version is kept, so that a value never stands without it.
pub(crate) const VERSION_GRACE: Duration = Duration::from_secs(60);
