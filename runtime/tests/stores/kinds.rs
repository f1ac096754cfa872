//! Every kind of store against the contract, and many writers at once.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::store::{
    Counted, Durability, LmdbSettings, LmdbStore, MemorySettings, MemoryStore, RedisStore,
    RedisStoreSettings, RemoteStore, StoreError, Version, Write,
};

use crate::contract::all_of_it;
use crate::five::Five;
use crate::redis_support::Server;
use crate::redis_support::cluster::Cluster;
use crate::{Folder, needs_redis, put};

/// Many writers of the same keys at once, each through a store of its own: the newest is what stays.
async fn races(stores: Vec<Arc<dyn RemoteStore>>) {
    one_has_the_lock(&stores).await;
    let count = u64::try_from(stores.len()).expect("few");
    let tasks: Vec<_> = stores
        .iter()
        .cloned()
        .zip(0..)
        .map(|(store, writer)| {
            tokio::spawn(async move {
                for round in 0..40_u64 {
                    let seq = round * count + writer;
                    let batch: Vec<Write> = (0..8)
                        .map(|id| put("race", &id.to_string(), (1, seq), &seq.to_string()))
                        .collect();
                    for outcome in store.write(&batch).await {
                        outcome.expect("written");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let last = 40 * count - 1;
    for id in 0..8 {
        let held = stores[0]
            .read("race", &[&id.to_string()])
            .await
            .expect("reads");
        assert_eq!(held[0].value, Some(last.to_string()));
        assert_eq!(held[0].version, Some(Version::new(1, last)));
    }
}

/// Many who want one lock at once: one has it.
async fn one_has_the_lock(stores: &[Arc<dyn RemoteStore>]) {
    for round in 0..10 {
        let name = format!("race{round}");
        let tries = stores.iter().flat_map(|store| [store; 4]).enumerate();
        let tries = tries.map(|(who, store)| {
            let (name, token) = (name.clone(), who.to_string());
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let taken = store.try_lock(&name, &token, Duration::from_secs(5));
                taken.await.expect("answers")
            })
        });
        let mut holders = 0;
        for task in tries.collect::<Vec<_>>() {
            holders += usize::from(task.await.expect("no panic"));
        }
        assert_eq!(holders, 1);
    }
}

#[tokio::test]
async fn memory() {
    let store = Arc::new(MemoryStore::new(MemorySettings::default()));
    let counted = Arc::new(Counted::new(store));
    all_of_it(Arc::clone(&counted) as Arc<dyn RemoteStore>).await;
    races(vec![counted.clone(), counted.clone()]).await;
    let counts = counted.counts();
    assert!(counts.superseded >= 5 && counts.failed >= 10, "{counts:?}");
    assert_eq!(
        counts.away + counts.uncertain + counts.full,
        0,
        "{counts:?}"
    );
}

#[tokio::test]
async fn memory_is_bounded() {
    let mut settings = MemorySettings::default();
    settings.bytes_max = 100_000;
    let store = MemoryStore::new(settings);
    let value = "x".repeat(1_000);
    let mut refused = 0;
    for id in 0..200 {
        match store.set_entity("n", &id.to_string(), &value, None).await {
            Ok(()) => {}
            Err(StoreError::Full { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(store.size().0 <= 100_000);
    }
    assert!((100..150).contains(&refused), "{refused}");
    for id in 0..200 {
        store
            .remove_entity("n", &id.to_string())
            .await
            .expect("removed");
    }
    assert_eq!(store.size(), (0, 0));
    store
        .set_entity("n", "1", &value, None)
        .await
        .expect("room again");
}

#[tokio::test]
async fn a_store_of_five_operations() {
    all_of_it(Arc::new(Five(MemoryStore::new(MemorySettings::default())))).await;
}

#[tokio::test]
async fn lmdb() {
    let folder = Folder::new();
    let mut settings = LmdbSettings::default();
    settings.map_bytes = 64 << 20;
    // Here nothing is cut off from its power.
    settings.durability = Durability::Process;
    let open = || Arc::new(LmdbStore::open(folder.path(), settings.clone()).expect("opened"));
    let store = open();
    all_of_it(store.clone()).await;
    races(vec![store, open(), open()]).await;
}

#[tokio::test]
async fn redis() {
    needs_redis!();
    let server = Server::start();
    let open = || {
        let store = RedisStore::new(server.redis(), RedisStoreSettings::default());
        Arc::new(store.expect("a prefix")) as Arc<dyn RemoteStore>
    };
    all_of_it(open()).await;
    races(vec![open(), open(), open()]).await;
}

#[tokio::test]
async fn redis_cluster() {
    needs_redis!();
    let cluster = Cluster::start();
    let open = || {
        let store = RedisStore::new(cluster.redis(), RedisStoreSettings::default());
        Arc::new(store.expect("a prefix")) as Arc<dyn RemoteStore>
    };
    all_of_it(open()).await;
    races(vec![open(), open()]).await;
}
