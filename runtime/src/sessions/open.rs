//! Opens what sessions are kept in, as the configuration says.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Sessions;
use super::file::File;
use super::keeper::Keeper;
use crate::cache;
use crate::config::{Acknowledge, Config, SessionStoreKind};
use crate::store::{MemorySettings, MemoryStore, RemoteStore, StoreError};

/// What `session_store.kind = "memory"` means: bots that this process makes one after the other.
static MEMORY: OnceLock<Arc<MemoryStore>> = OnceLock::new();

/// The sessions of a bot; `None` if they are not to be stored. A store that is given takes the place of the
/// configuration's.
pub(crate) fn open(
    config: &Config,
    store: Option<Arc<dyn RemoteStore>>,
) -> Result<Option<Arc<Sessions>>, StoreError> {
    let bot = cache::bot_name(config);
    let shards = config.shards.to_string();
    let in_store = |store| Keeper::Store {
        store,
        namespace: format!("sessions:{bot}"),
        account: format!("account:{shards}"),
    };
    let ttl = None;
    let path = config.session_store.path.as_ref().map(PathBuf::from);
    let keeper = match (store, config.session_store.kind) {
        (Some(store), _) => in_store(store),
        (None, SessionStoreKind::None) => return Ok(None),
        (None, SessionStoreKind::File) => {
            let folder = path.unwrap_or_else(|| cache::default_folder(config).join("sessions"));
            Keeper::File(File::open(folder, &shards)?)
        }
        (None, SessionStoreKind::Memory) => {
            let make = || Arc::new(MemoryStore::new(MemorySettings::default()));
            in_store(Arc::clone(MEMORY.get_or_init(make)) as Arc<dyn RemoteStore>)
        }
        (None, SessionStoreKind::Lmdb) => {
            let folder = path.unwrap_or_else(|| cache::default_folder(config).join("sessions"));
            in_store(cache::open_lmdb(folder, "session_store", 16 << 20, ttl)?)
        }
        (None, SessionStoreKind::Redis) => in_store(cache::open_redis(config, ttl)?),
    };
    let interval = Duration::from_millis(config.session_store.interval_ms);
    let is_automatic = config.acknowledge == Acknowledge::Auto;
    Ok(Some(Arc::new(Sessions::new(
        keeper,
        interval,
        is_automatic,
    ))))
}
