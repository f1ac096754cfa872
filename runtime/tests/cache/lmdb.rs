//! LMDB under a bot that is told something all the time: full, and locked by a process that is killed with the lock.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shardkeep::store::{LmdbSettings, LmdbStore, RemoteStore as _};
use shardkeep_sim::WorldConfig;
use tokio::time::timeout;

use super::another::{Other, wait_for_the_end};
use super::redis_support::until;
use super::steady::Steady;
use super::support::{serve, world};
use super::{Folder, cached, make, of};

const MAP: usize = 16 << 20;

/// What another process does with the environment that a bot has open.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn play(role: &str, folder: &str) {
    if role != "holds the lock" {
        return;
    }
    let options = shardkeep_lmdb::Options {
        map_bytes: MAP,
        readers_max: 2_048,
        databases_max: 2,
        durability: shardkeep_lmdb::Durability::Machine,
    };
    let env = shardkeep_lmdb::open(Path::new(folder), options).expect("opened");
    let _txn = env.write_txn().expect("the lock");
    println!("locked");
    wait_for_the_end();
}

fn settings() -> LmdbSettings {
    let mut settings = LmdbSettings::default();
    settings.map_bytes = MAP;
    settings
}

async fn steady(folder: &Folder, map_bytes: usize, pending: u32) -> Steady {
    let server = serve(WorldConfig {
        recommended_shards: 1,
        members_per_guild: 40,
        ..world()
    });
    let server = Arc::new(server.await);
    let config = cached(&server, 160 << 10)
        .set("cache.pending_bytes_max", pending)
        .set("shutdown_timeout_ms", 1_000)
        .set("store.kind", "lmdb")
        .set("store.path", json!(folder.path()))
        .set("store.map_bytes", map_bytes);
    let bot = make(config).build().expect("the folder is there");
    Steady::start(server, bot, 16).await
}

#[tokio::test]
async fn a_full_map_holds_nobody_up_and_what_it_lacks_is_not_made_up_for_by_what_it_has() {
    let folder = Folder::new();
    let mut steady = steady(&folder, 1 << 20, 128 << 10).await;
    let reader = steady.reader(of(&steady.bot));
    steady.goes_on(Duration::from_secs(4)).await;
    let stats = steady.stats();
    let store = of(&steady.bot).numbers().store.expect("a store");
    assert!(store.full > 0, "it was to be full: {store:?}");
    assert!(stats.dropped > 0 && stats.failed > 0, "{stats:?}");
    assert!(stats.pending_bytes <= 128 << 10, "{stats:?}");
    assert!(reader.stop().await > 50);
    let stopped = timeout(Duration::from_secs(15), steady.bot.shutdown(false)).await;
    assert!(stopped.is_ok(), "a stop has its limit");
    drop(steady);
    // With a larger map all finds its place, over what the full one was left with, once whoever read it has done so.
    let larger = || LmdbStore::open(folder.path(), settings()).is_ok();
    until("it is closed", Duration::from_secs(5), || async {
        larger()
    })
    .await;
    let mut steady = self::steady(&folder, MAP, 16 << 20).await;
    let reader = steady.reader(of(&steady.bot));
    steady.settles().await;
    steady.goes_on(Duration::from_secs(1)).await;
    steady.settles().await;
    assert!(reader.stop().await > 50);
    let stats = steady.stats();
    assert_eq!((stats.dropped, stats.failed), (0, 0), "{stats:?}");
    steady.bot.shutdown(false).await;
}

#[tokio::test]
async fn a_process_that_is_killed_with_the_lock_held_nobody_up() {
    let folder = Folder::new();
    let mut steady = steady(&folder, MAP, 16 << 20).await;
    steady.settles().await;
    let reader = steady.reader(of(&steady.bot));
    for held in [200, 3_000] {
        let mut other = Other::start("holds the lock", folder.path());
        other.said("locked");
        let (before, answers) = (steady.stats(), reader.answers());
        steady.goes_on(Duration::from_millis(held)).await;
        let during = steady.stats();
        assert!(during.open > 0, "{during:?}");
        // A batch may have had the lock before.
        assert!(
            during.written <= before.written + 512,
            "{before:?} {during:?}"
        );
        assert!(reader.answers() > answers, "reading needs no lock");
        other.signal("-KILL");
        steady.goes_on(Duration::from_millis(300)).await;
        steady.settles().await;
        assert!(steady.stats().written > during.written);
    }
    assert!(reader.stop().await > 50);
    let last = steady.known.lock().expect("unpoisoned").clone();
    steady.bot.shutdown(false).await;
    drop(steady);
    // Whatever was confirmed is there for whoever opens it next.
    let store = LmdbStore::open(folder.path(), settings()).expect("opened");
    let mut found = 0;
    for (member, number) in last {
        let namespace = format!("member:{}", member.scope);
        let stored = store.get_entity(&namespace, &member.id.to_string()).await;
        // One that was cold when it was renamed, and could not be read back, is forgotten rather than kept as it was.
        if let Some(stored) = stored.expect("reads") {
            found += 1;
            let nick = format!("\"nick\":\"n-{number}\"");
            assert!(stored.contains(&nick), "{stored} is not {nick}");
        }
    }
    assert!(found > 0);
}
