//! A cluster as a store, while slots move, a master dies, and another one stops answering.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::store::{Counted, RedisStore, RedisStoreSettings, RemoteStore, Version, Write};
use tokio::time::{Instant, timeout};

use crate::redis_support::LIMIT;
use crate::redis_support::cluster::Cluster;
use crate::{needs_redis, put};

fn over(cluster: &Cluster) -> Arc<Counted> {
    let mut settings = RedisStoreSettings::default();
    settings.prefix = String::from("zira:");
    let store = RedisStore::new(cluster.redis(), settings).expect("a prefix");
    Arc::new(Counted::new(Arc::new(store)))
}

fn batch(ids: &[String], seq: u64) -> Vec<Write> {
    let value = seq.to_string();
    let writes = ids.iter().map(|id| put("user", id, (1, seq), &value));
    writes.collect()
}

/// Writes newer and newer batches until one is done as a whole, and reads it. No batch takes longer than its limits.
async fn goes_on(store: &Counted, ids: &[String], after: u64, patience: Duration) {
    let begun = Instant::now();
    let mut seq = after;
    loop {
        seq += 1;
        let batch = batch(ids, seq);
        let outcomes = timeout(LIMIT * 3, store.write(&batch)).await;
        let outcomes = outcomes.expect("within the limits");
        let failed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| outcome.as_ref().err())
            .collect();
        assert!(failed.iter().all(|error| error.is_passing()), "{failed:?}");
        if failed.is_empty() {
            break;
        }
        assert!(begun.elapsed() < patience, "{failed:?}");
    }
    let refs: Vec<&str> = ids.iter().map(String::as_str).collect();
    for held in store.read("user", &refs).await.expect("reads") {
        assert_eq!(held.version, Some(Version::new(1, seq)));
        assert_eq!(held.value, Some(seq.to_string()));
    }
}

#[tokio::test]
async fn a_cluster_that_loses_a_master_and_moves_slots_goes_on() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let store = over(&cluster);
    let ids: Vec<String> = (0..100).map(|id| id.to_string()).collect();
    for outcome in store.write(&batch(&ids, 1)).await {
        outcome.expect("written");
    }
    // A slot moves while its keys are written.
    let slot = cluster.slot_of("zira:user:5");
    let from = cluster.master_of("zira:user:5");
    let to = (0..3).find(|server| *server != from).expect("another");
    cluster.begin_move(slot, from, to);
    let half = store.write(&batch(&ids, 2)).await;
    // Half of a key's companions may have moved: then the cluster says to try again, and so do we.
    assert!(half.iter().all(|outcome| match outcome {
        Ok(_) => true,
        Err(error) => error.is_passing(),
    }));
    cluster.end_move(slot, from, to);
    for outcome in store.write(&batch(&ids, 3)).await {
        outcome.expect("written");
    }
    // A master dies. Writes to its slots fail for a while, all others go on, and in the end all are there.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let victim = cluster.master_of("zira:user:7");
    cluster.servers[victim].kill();
    goes_on(&store, &ids, 3, Duration::from_secs(20)).await;
    let all = store.get_all_entities("user").await.expect("reads");
    assert_eq!(all.len(), ids.len());
}

#[tokio::test]
async fn a_master_that_stops_answering_holds_up_its_own_keys_alone() {
    needs_redis!();
    let cluster = Cluster::start();
    let store = over(&cluster);
    let ids: Vec<String> = (0..60).map(|id| id.to_string()).collect();
    for outcome in store.write(&batch(&ids, 1)).await {
        outcome.expect("written");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let victim = cluster.master_of("zira:user:7");
    let others: Vec<String> = ids
        .iter()
        .filter(|id| cluster.master_of(&format!("zira:user:{id}")) != victim)
        .take(10)
        .cloned()
        .collect();
    cluster.servers[victim].pause();
    // Keys of the other masters are read as ever.
    let refs: Vec<&str> = others.iter().map(String::as_str).collect();
    for _ in 0..20 {
        let begun = Instant::now();
        let found = store.get_entities("user", &refs).await.expect("reads");
        assert!(found.iter().all(Option::is_some));
        assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    }
    // Its replica takes over, and its own keys come back with it.
    goes_on(&store, &ids, 1, Duration::from_secs(30)).await;
    // It wakes up and believes for a moment that it is a master still: what is newer stays.
    cluster.servers[victim].go_on();
    goes_on(&store, &ids, 100, Duration::from_secs(20)).await;
}
