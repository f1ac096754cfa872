//! Stores: one contract for all of them, and what each must bear of its own.

#[path = "../another/mod.rs"]
mod another;
mod cluster;
mod contract;
mod five;
#[path = "../folder/mod.rs"]
mod folder;
mod kinds;
mod lmdb;
mod processes;
mod redis;
#[path = "../redis_support/mod.rs"]
mod redis_support;

pub(crate) use folder::Folder;
use shardkeep::store::{Version, Write};

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

/// What another process of these tests does.
#[test]
fn as_another_process() {
    let Some((role, place)) = another::role() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    lmdb::play(&role, &place, &runtime);
    processes::play(&role, &place, &runtime);
}
