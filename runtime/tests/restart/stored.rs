//! What is stored when, by bots of this process.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shardkeep::core::gateway::Capsule;
use shardkeep::store::{MemorySettings, MemoryStore, RemoteStore};
use shardkeep::{Bot, Lifecycle, Topic};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, Fault, Target, WorldConfig};

use crate::support::{Log, config, fault, say, serve, world};

/// The simulator's token names no bot.
const NAMESPACE: &str = "sessions:bot";

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(MemorySettings::default()))
}

fn one_shard() -> WorldConfig {
    WorldConfig {
        recommended_shards: 1,
        ..world()
    }
}

fn bot(server: &Server, store: &Arc<MemoryStore>, acknowledge: &str) -> Bot {
    let config = config(server)
        .set("acknowledge", acknowledge)
        .set("session_store.interval_ms", 50);
    Bot::builder(config.build().expect("valid"))
        .io_threads(1)
        .session_store(Arc::clone(store) as Arc<dyn RemoteStore>)
        .build()
        .expect("a bot")
}

/// The stored session, once it is as `wanted`.
async fn stored(store: &MemoryStore, wanted: impl Fn(&Capsule) -> bool) -> Capsule {
    for _ in 0..200 {
        let lines = store.get_all_entities(NAMESPACE).await.expect("memory");
        let opened = lines
            .iter()
            .filter_map(|line| Capsule::open(line.as_bytes()).ok());
        if let Some(found) = opened.into_iter().find(&wanted) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no such session was stored");
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_and_what_is_does_not() {
    let (server, store) = (serve(one_shard()).await, store());
    let first = bot(&server, &store, "manual");
    let mut log = Log::default();
    log.until_connected(&first).await;
    for word in ["one", "two", "three"] {
        say(&server, word).await;
        log.until_said(&first, word, 1).await;
    }
    let said: Vec<_> = log.events.iter().rev().take(3).rev().cloned().collect();
    for event in &log.events[..log.events.len() - 2] {
        event.acknowledge();
    }
    assert!(!said[0].acknowledge(), "it was said before");
    // Out of order: the one before it is not finished.
    assert!(first.acknowledge(said[2].shard(), said[2].entry().session, said[2].sequence()));
    let capsule = stored(&store, |found| found.received == said[2].sequence()).await;
    let capsule = match capsule.acknowledged == said[0].sequence() {
        true => capsule,
        false => stored(&store, |found| found.acknowledged == said[0].sequence()).await,
    };
    assert_eq!((capsule.epoch, capsule.guilds), (1, world().guilds));
    let status = first.sessions_status().expect("sessions are stored");
    assert_eq!(status.outstanding, 1);
    drop(first);

    let second = bot(&server, &store, "manual");
    let mut log = Log::default();
    log.until_said(&second, "three", 1).await;
    let again: Vec<_> = log
        .events
        .iter()
        .filter(|event| event.topic() == Topic::Dispatch)
        .collect();
    let sequences: Vec<_> = again.iter().map(|event| event.sequence()).collect();
    assert_eq!(sequences, [said[1].sequence(), said[2].sequence()]);
    assert!(again.iter().all(|event| event.is_replayed()));
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 1, "{counters}");
}

#[tokio::test]
async fn batches_that_are_dropped_are_finished() {
    let (server, store) = (serve(one_shard()).await, store());
    let first = bot(&server, &store, "auto");
    first.ready().await.expect("connected");
    say(&server, "taken").await;
    let mut last = 0;
    let mut held = None;
    while last == 0 {
        let batch = first.next_batch(64).await.expect("it runs");
        for event in &batch {
            if event.data.windows(7).any(|bytes| bytes == b"\"taken\"") {
                last = event.sequence;
            }
        }
        if last > 0 {
            held = Some(batch);
        }
    }
    let held = held.expect("the last");
    let mut dispatches = held.iter().filter(|event| event.topic == Topic::Dispatch);
    let before = dispatches.next().expect("an event").sequence;
    let found = stored(&store, |found| found.received >= last).await;
    assert!(found.acknowledged < before, "{found:?}");
    drop(held);
    let found = stored(&store, |found| found.acknowledged >= last).await;
    assert!(found.acknowledged <= found.received);
    first.shutdown(true).await;
    assert!(first.sessions_status().expect("stored").saved > 0);
}

#[tokio::test]
async fn a_session_that_discord_forgot_is_reported_with_its_span_and_replaced() {
    let (server, store) = (serve(one_shard()).await, store());
    let first = bot(&server, &store, "auto");
    let mut log = Log::default();
    log.until_connected(&first).await;
    first.shutdown(true).await;
    drop((log, first));
    let old = stored(&store, |_| true).await;
    fault(
        &server,
        Target::All,
        Fault::InvalidSession { resumable: false },
    )
    .await;
    server.control(Control::Reset).await;

    let second = bot(&server, &store, "auto");
    let mut log = Log::default();
    log.until_topic(&second, Topic::ShardConnect, 1).await;
    let lost = log.events.iter().find_map(|event| match event.lifecycle() {
        Some(Lifecycle::ShardError(error)) => error.lost,
        _ => None,
    });
    let lost = lost.expect("it is said what may be lost");
    assert_eq!(lost.since_unix_ms, old.saved_at_ms);
    assert_eq!(lost.after_sequence, old.acknowledged);
    drop(log);
    let new = stored(&store, |found| found.epoch == old.epoch + 1).await;
    assert_ne!(new.session_id, old.session_id);
}

#[tokio::test]
async fn a_bot_that_closes_its_sessions_leaves_none() {
    let (server, store) = (serve(one_shard()).await, store());
    let first = bot(&server, &store, "auto");
    let mut log = Log::default();
    log.until_connected(&first).await;
    stored(&store, |_| true).await;
    first.shutdown(false).await;
    let lines = store.get_all_entities(NAMESPACE).await.expect("memory");
    let sessions = lines
        .iter()
        .filter(|line| Capsule::open(line.as_bytes()).is_ok());
    assert_eq!(sessions.count(), 0);
    // What was spent of the day's identifies is still known.
    let account: Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!(
        account["snapshot"]["allowance"]["granted_today"], 1,
        "{account}"
    );
}
