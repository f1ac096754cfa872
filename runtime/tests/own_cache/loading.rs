//! One loader for each key, whatever happens to it, to the store and to other processes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shardkeep::bus::{EventBus, RedisBus};
use shardkeep::cache::{LoadError, OwnCache};
use shardkeep::store::{LmdbSettings, LmdbStore, RedisStore, RedisStoreSettings, RemoteStore};
use tokio::time::{Instant, sleep, timeout};

use crate::redis_support::{Server, until};
use crate::{HOUR, Source, alone, memory, needs_redis, tuned};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Settings {
    prefix: String,
    level: u32,
}

fn settings(level: u32) -> Settings {
    Settings {
        prefix: String::from("!"),
        level,
    }
}

/// Many callers in each of several processes at once: the source is asked once, and all have its answer.
async fn one_loader(caches: Vec<Arc<OwnCache>>) {
    let source = Source::default();
    let mut tasks = Vec::new();
    for cache in &caches {
        for _ in 0..20 {
            let (cache, source) = (Arc::clone(cache), source.clone());
            tasks.push(tokio::spawn(async move {
                let load = source.load(Duration::from_millis(200));
                cache.get_or_load(("user_data", 7), HOUR, load).await
            }));
        }
    }
    for task in tasks {
        assert_eq!(task.await.expect("no panic").expect("loaded"), 1);
    }
    assert_eq!(source.asked(), 1);
    let loads: u64 = caches.iter().map(|cache| cache.counts().loads).sum();
    assert_eq!(loads, 1);
}

#[tokio::test]
async fn a_key_is_loaded_once_by_all_processes() {
    let store = memory();
    one_loader((0..3).map(|_| alone(&store, tuned())).collect()).await;

    let folder = std::env::temp_dir().join(format!("shardkeep-own-{}", std::process::id()));
    let mut lmdb = LmdbSettings::default();
    lmdb.map_bytes = 4 << 20;
    let lmdb: Arc<dyn RemoteStore> = Arc::new(LmdbStore::open(&folder, lmdb).expect("opened"));
    one_loader((0..3).map(|_| alone(&lmdb, tuned())).collect()).await;
    drop(lmdb);
    std::fs::remove_dir_all(folder).expect("removed");

    needs_redis!();
    let server = Server::start();
    let caches = (0..3).map(|_| {
        let store = RedisStore::new(server.redis(), RedisStoreSettings::default());
        let store: Arc<dyn RemoteStore> = Arc::new(store.expect("a prefix"));
        alone(&store, tuned())
    });
    one_loader(caches.collect()).await;
}

#[tokio::test]
async fn values_are_set_read_and_end() {
    let store = memory();
    let (here, there) = (alone(&store, tuned()), alone(&store, tuned()));
    let none: Option<Settings> = there.get(("settings", 1)).await.expect("reads");
    assert_eq!(none, None);
    here.set(("settings", 1), &settings(3), HOUR)
        .await
        .expect("set");
    let found: Option<Settings> = there.get(("settings", 1)).await.expect("reads");
    assert_eq!(found, Some(settings(3)));
    assert!(
        here.get::<Settings>(("other", 1))
            .await
            .expect("reads")
            .is_none()
    );
    assert!(
        there.get::<u32>(("settings", 1)).await.is_err(),
        "of another kind"
    );
    here.set(("short", 1), "x", Duration::from_millis(200))
        .await
        .expect("set");
    assert_eq!(
        here.get(("short", 1)).await.expect("reads"),
        Some(String::from("x"))
    );
    sleep(Duration::from_millis(250)).await;
    assert_eq!(here.get::<String>(("short", 1)).await.expect("reads"), None);
    assert_eq!(there.counts().local_hits + there.counts().shared_hits, 2);
}

#[tokio::test]
async fn nobody_waits_when_a_time_is_over_and_the_source_is_asked_once() {
    let store = memory();
    let caches: Vec<_> = (0..3).map(|_| alone(&store, tuned())).collect();
    let source = Source::default();
    let ttl = Duration::from_millis(300);
    let ask = |cache: &Arc<OwnCache>| {
        let (cache, source) = (Arc::clone(cache), source.clone());
        async move {
            let load = source.load(Duration::from_millis(400));
            cache
                .get_or_load(("hot", 1), ttl, load)
                .await
                .expect("there")
        }
    };
    assert_eq!(ask(&caches[0]).await, 1);
    sleep(ttl).await;
    // All of them at once, in all processes: the old value, without waiting for the source.
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for cache in &caches {
        for _ in 0..20 {
            tasks.push(tokio::spawn(ask(cache)));
        }
    }
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), 1);
    }
    assert!(
        begun.elapsed() < Duration::from_millis(350),
        "{:?}",
        begun.elapsed()
    );
    until("the next is loaded", Duration::from_secs(3), || async {
        source.asked() == 2 && caches.iter().map(|cache| cache.counts().loads).sum::<u64>() == 2
    })
    .await;
    assert_eq!(ask(&caches[1]).await, 2);
    let stale: u64 = caches.iter().map(|cache| cache.counts().stale_hits).sum();
    assert!(stale >= 3);
}

#[tokio::test]
async fn a_failed_load_is_told_to_all_who_waited_and_not_kept() {
    let cache = alone(&memory(), tuned());
    let asked = Arc::new(AtomicU32::new(0));
    let failing = || {
        let (cache, asked) = (Arc::clone(&cache), Arc::clone(&asked));
        async move {
            let load = move || async move {
                asked.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_millis(100)).await;
                Err::<u32, _>(io::Error::other("the database is down"))
            };
            cache.get_or_load(("user", 1), HOUR, load).await
        }
    };
    let tasks: Vec<_> = (0..10).map(|_| tokio::spawn(failing())).collect();
    for task in tasks {
        let error = task.await.expect("no panic").unwrap_err();
        assert!(matches!(error, LoadError::Loader(_)), "{error}");
        assert_eq!(error.to_string(), "the database is down");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let load = Source::default().load(Duration::ZERO);
    assert_eq!(
        cache
            .get_or_load(("user", 1), HOUR, load)
            .await
            .expect("loaded"),
        1
    );
    assert_eq!(cache.counts().load_failures, 1);

    let mut hasty = tuned();
    hasty.load_limit = Duration::from_millis(200);
    let cache = alone(&memory(), hasty);
    let begun = Instant::now();
    let slow = cache.get_or_load(("user", 1), HOUR, Source::default().load(HOUR));
    let error = slow.await.unwrap_err();
    assert!(matches!(error, LoadError::TimedOut { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_process_that_died_while_loading_holds_others_up_no_longer_than_its_lock() {
    let store = memory();
    let cache = alone(&store, tuned());
    let taken = store.try_lock("own:user:1", "dead", Duration::from_millis(500));
    assert!(taken.await.expect("answers"));
    let begun = Instant::now();
    let load = Source::default().load(Duration::ZERO);
    assert_eq!(
        cache
            .get_or_load(("user", 1), HOUR, load)
            .await
            .expect("loaded"),
        1
    );
    let took = begun.elapsed();
    let bounds = Duration::from_millis(400)..Duration::from_millis(1_500);
    assert!(bounds.contains(&took), "{took:?}");
    assert_eq!(cache.counts().unlocked_loads, 0);
}

#[tokio::test]
async fn without_the_store_the_source_is_asked_and_with_it_again_all_is_shared() {
    needs_redis!();
    let mut server = Server::start();
    let store = RedisStore::new(server.redis(), RedisStoreSettings::default());
    let store: Arc<dyn RemoteStore> = Arc::new(store.expect("a prefix"));
    let bus: Arc<dyn EventBus> = Arc::new(RedisBus::new(server.redis(), "bus:", 64));
    let mut short = tuned();
    short.local_for = Duration::from_millis(100);
    let cache = OwnCache::new(store, bus, short);
    cache.set(("a", 1), &1, HOUR).await.expect("set");
    server.kill();
    sleep(Duration::from_millis(150)).await;
    let source = Source::default();
    for _ in 0..5 {
        let load = source.load(Duration::ZERO);
        let loaded = timeout(
            Duration::from_secs(5),
            cache.get_or_load(("b", 1), HOUR, load),
        );
        assert!(loaded.await.expect("in time").expect("loaded") >= 1);
    }
    assert!(cache.get::<u32>(("a", 1)).await.is_err());
    assert!(cache.invalidate(("a", 1)).await.is_err());
    let counts = cache.counts();
    assert!(
        counts.store_failures >= 3 && counts.unlocked_loads >= 1,
        "{counts:?}"
    );
    server.restart();
    until("the store is back", Duration::from_secs(5), || async {
        cache.set(("c", 1), &5, HOUR).await.is_ok()
    })
    .await;
    assert_eq!(cache.get(("c", 1)).await.expect("reads"), Some(5));
    // The bus had been away: whatever was said meanwhile may concern any copy.
    until("copies were dropped", Duration::from_secs(5), || async {
        cache.counts().cleared >= 1
    })
    .await;
}
