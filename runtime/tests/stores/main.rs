//! Stores: one contract for all of them, and what each must bear of its own.

mod cluster;
mod contract;
mod five;
mod kinds;
mod lmdb;
mod other;
mod processes;
mod redis;
#[path = "../redis_support/mod.rs"]
mod redis_support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use shardkeep::store::{Version, Write};

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("shardkeep-store-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn put(namespace: &str, id: &str, version: (u64, u64), value: &str) -> Write {
    Write {
        namespace: namespace.to_owned(),
        id: id.to_owned(),
        version: Version::new(version.0, version.1),
        value: Some(value.to_owned()),
        ttl: None,
    }
}

pub(crate) fn removal(namespace: &str, id: &str, version: (u64, u64)) -> Write {
    Write {
        value: None,
        ..put(namespace, id, version, "")
    }
}
