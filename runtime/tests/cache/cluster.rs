//! A cluster of three masters and three replicas under a bot that is told something all the time: slots move, and a
//! master is lost.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::store::{RedisStore, RedisStoreSettings, RemoteStore as _};

use super::redis_support::cluster::Cluster;
use super::steady::Steady;
use super::{cached, make, of, one_shard};
use crate::needs_redis;

async fn steady(cluster: &Cluster, budget: u32) -> Steady {
    let server = Arc::new(one_shard().await);
    let config = cached(&server, budget)
        .set("store.kind", "redis")
        .set("redis_config.url", cluster.url());
    let bot = make(config).build().expect("Redis is not asked yet");
    let steady = Steady::start(server, bot, 16).await;
    steady.settles().await;
    steady
}

#[tokio::test]
async fn a_cluster_that_moves_slots_and_loses_a_master_holds_nobody_up() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let mut steady = steady(&cluster, 16 << 20).await;
    let reader = steady.reader(of(&steady.bot));
    for &member in &steady.some.clone()[..3] {
        let key = format!("shardkeep:member:{}:{}", member.scope, member.id);
        let (slot, from) = (cluster.slot_of(&key), cluster.master_of(&key));
        let to = (from + 1) % 3;
        cluster.begin_move(slot, from, to);
        steady.goes_on(Duration::from_millis(400)).await;
        cluster.end_move(slot, from, to);
        steady.goes_on(Duration::from_millis(200)).await;
    }
    steady.settles().await;
    let before = steady.stats();
    let member = steady.some[5];
    let victim = cluster.master_of(&format!("shardkeep:member:{}:{}", member.scope, member.id));
    cluster.servers[victim].kill();
    steady.goes_on(Duration::from_secs(5)).await;
    steady.settles().await;
    assert!(reader.stop().await > 50);
    let after = steady.stats();
    assert!(
        after.written > before.written && after.dropped == 0,
        "{after:?}"
    );
    let store = RedisStore::new(cluster.redis(), RedisStoreSettings::default());
    let store = store.expect("a prefix");
    steady
        .is_stored(async |namespace, id| store.get_entity(namespace, id).await.expect("reads"))
        .await;
    steady.bot.shutdown(false).await;
}
