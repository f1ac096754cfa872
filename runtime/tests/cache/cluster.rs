//! A cluster of three masters and three replicas under a bot that is told something all the time: slots move, and a
//! master is lost.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::core::cache::Key;
use shardkeep::store::{RedisStore, RedisStoreSettings, RemoteStore as _};

use super::redis_support::cluster::Cluster;
use super::redis_support::until;
use super::steady::Steady;
use super::support::{serve, world};
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

#[tokio::test]
async fn what_a_failover_lost_brings_back_nothing_that_is_older() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let server = Arc::new(serve(world()).await);
    let [owner, other] = ["0/2", "1/2"].map(|shard| {
        let config = cached(&server, 16 << 20)
            .set("shards", shard)
            .set("store.kind", "redis")
            .set("redis_config.url", cluster.url());
        make(config).build().expect("Redis is not asked yet")
    });
    let mut steady = Steady::start(Arc::clone(&server), owner, 16).await;
    let others = Steady::start(server, other, 16).await;
    steady.settles().await;
    others.settles().await;
    // All that is renamed lies with one master, which dies with what its replica has not got.
    let key = |member: &Key| format!("shardkeep:member:{}:{}", member.scope, member.id);
    let victim = cluster.master_of(&key(&steady.some[0]));
    let some = steady.some.iter().copied();
    let some = some.filter(|member| cluster.master_of(&key(member)) == victim);
    steady.some = some.take(4).collect();
    steady.goes_on(Duration::from_millis(300)).await;
    steady.settles().await;
    let reader = steady.reader(of(&others.bot));
    let replica = cluster.replica_of(victim);
    cluster.servers[replica].pause();
    cluster.servers[victim].cli(&["client", "kill", "type", "replica"]);
    steady.goes_on(Duration::from_millis(300)).await;
    steady.settles().await;
    let before = reader.answers();
    until("the newest is seen", Duration::from_secs(5), || async {
        reader.answers() > before + 8
    })
    .await;
    cluster.servers[victim].kill();
    cluster.servers[replica].go_on();
    // Nobody renames anything: whether the cluster is still what it was is seen by reading alone.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(reader.stop().await > before);
    // What is written from now on is believed, as soon as those questions are over that have gone on to Discord.
    let reader = steady.reader(of(&others.bot));
    for _ in 0..20 {
        steady.goes_on(Duration::from_millis(500)).await;
        if reader.answers() > 8 {
            break;
        }
    }
    steady.settles().await;
    assert!(reader.stop().await > 8);
    for steady in [steady, others] {
        steady.bot.shutdown(false).await;
    }
}
