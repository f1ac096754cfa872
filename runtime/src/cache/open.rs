//! Opens what a cache stands on, as the configuration says.

use std::path::PathBuf;
use std::sync::Arc;

use super::Cache;
use super::handle::MakeBus;
use crate::bus::EventBus;
use crate::config::{Config, StoreKind};
use crate::store::{MemorySettings, MemoryStore, RemoteStore, StoreError};

/// The cache of a bot; `None` if it is to have none. A store and a bus that are given take the place of those of the
/// configuration.
pub(crate) fn open(
    config: &Config,
    store: Option<Arc<dyn RemoteStore>>,
    bus: Option<Arc<dyn EventBus>>,
) -> Result<Option<Cache>, StoreError> {
    let Some(mut settings) = config.cache() else {
        return Ok(None);
    };
    settings.store = match store {
        Some(store) => Some(store),
        None => open_store(config)?,
    };
    let make_bus: Option<MakeBus> = match bus {
        Some(bus) => Some(Box::new(move || bus)),
        None => redis_bus(config)?,
    };
    Ok(Some(Cache::new(settings, make_bus)))
}

fn open_store(config: &Config) -> Result<Option<Arc<dyn RemoteStore>>, StoreError> {
    let ttl = (config.store.ttl_s > 0).then(|| std::time::Duration::from_secs(config.store.ttl_s));
    Ok(Some(match config.store_kind() {
        StoreKind::None => return Ok(None),
        StoreKind::Memory => {
            let settings = MemorySettings {
                ttl,
                ..MemorySettings::default()
            };
            Arc::new(MemoryStore::new(settings))
        }
        StoreKind::Lmdb => {
            let path = config.store.path.as_ref().map(PathBuf::from);
            let folder = path.unwrap_or_else(|| default_folder(config));
            open_lmdb(folder, "store", config.store.map_bytes, ttl)?
        }
        StoreKind::Redis => open_redis(config, ttl)?,
    }))
}

type Ttl = Option<std::time::Duration>;

#[cfg(feature = "lmdb")]
pub(crate) fn open_lmdb(
    folder: PathBuf,
    section: &str,
    map_bytes: usize,
    ttl: Ttl,
) -> Result<Arc<dyn RemoteStore>, StoreError> {
    use crate::store::{LmdbSettings, LmdbStore};

    let settings = LmdbSettings {
        map_bytes,
        ttl,
        ..LmdbSettings::default()
    };
    match LmdbStore::open(folder, settings) {
        Ok(store) => Ok(Arc::new(store)),
        Err(StoreError::Refused { reason }) => Err(StoreError::Refused {
            reason: format!(
                "{reason}: set `{section}.path` to a folder on a local disk, or `{section}.kind` to `none`"
            ),
        }),
        Err(other) => Err(other),
    }
}

#[cfg(not(feature = "lmdb"))]
pub(crate) fn open_lmdb(
    _folder: PathBuf,
    _section: &str,
    _map_bytes: usize,
    _ttl: Ttl,
) -> Result<Arc<dyn RemoteStore>, StoreError> {
    Err(not_built("lmdb"))
}

/// The bot's id, as folders and keys are named after it.
pub(crate) fn bot_name(config: &Config) -> String {
    let id = config.token.bot_id();
    id.map_or_else(|| "bot".to_owned(), |id| id.to_string())
}

/// `shardkeep/` and the bot's id in the user's folder for caches.
pub(crate) fn default_folder(config: &Config) -> PathBuf {
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let caches = var("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| var("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    caches.join("shardkeep").join(bot_name(config))
}

#[cfg(feature = "redis")]
pub(crate) fn redis(config: &Config) -> Result<Option<crate::redis::Redis>, StoreError> {
    use crate::redis::{Redis, RedisSettings};

    let settings = RedisSettings {
        roots: config.tls.roots,
        ..RedisSettings::default()
    };
    let url = config.redis_config.url.as_deref();
    let redis = url.map(|url| Redis::connect_with(url, &settings));
    redis.transpose().map_err(|error| StoreError::Refused {
        reason: format!("`redis_config.url`: {error}"),
    })
}

#[cfg(feature = "redis")]
pub(crate) fn open_redis(config: &Config, ttl: Ttl) -> Result<Arc<dyn RemoteStore>, StoreError> {
    use crate::store::{RedisStore, RedisStoreSettings};

    let redis = redis(config)?.ok_or_else(|| StoreError::Refused {
        reason: "the store is to be Redis: set `redis_config.url`".to_owned(),
    })?;
    let settings = RedisStoreSettings {
        prefix: config.store.prefix.clone(),
        ttl,
        update_ttl_on_get: config.store.update_ttl_on_get,
        ..RedisStoreSettings::default()
    };
    Ok(Arc::new(RedisStore::new(redis, settings)?))
}

#[cfg(feature = "redis")]
fn redis_bus(config: &Config) -> Result<Option<MakeBus>, StoreError> {
    use crate::bus::RedisBus;

    let prefix = config.store.prefix.clone();
    let make = |redis| -> MakeBus {
        Box::new(move || Arc::new(RedisBus::new(redis, prefix, super::handle::BUFFER)))
    };
    Ok(redis(config)?.map(make))
}

#[cfg(not(feature = "redis"))]
pub(crate) fn open_redis(_config: &Config, _ttl: Ttl) -> Result<Arc<dyn RemoteStore>, StoreError> {
    Err(not_built("redis"))
}

#[cfg(not(feature = "redis"))]
fn redis_bus(_config: &Config) -> Result<Option<MakeBus>, StoreError> {
    Ok(None)
}

#[cfg(not(all(feature = "lmdb", feature = "redis")))]
fn not_built(feature: &str) -> StoreError {
    StoreError::Refused {
        reason: format!("this program was built without the feature `{feature}`: set `store.kind`"),
    }
}
