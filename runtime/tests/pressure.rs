//! Users who are slow, and users who block: heartbeats go on, nothing is lost, everything is counted.

mod support;

use std::time::Duration;

use shardkeep::config::ConfigBuilder;
use shardkeep::{Bot, Topic};
use shardkeep_sim::{Control, WorldConfig};
use support::{Log, assert_nothing_lost, bot, config, say, serve, world};

fn quick_heartbeats() -> WorldConfig {
    WorldConfig {
        recommended_shards: 1,
        heartbeat_interval_ms: 700,
        ..world()
    }
}

/// Waits until `holds` says so of the bot's status, without taking events.
async fn until_status(bot: &shardkeep::Bot, holds: impl Fn(&shardkeep::Status) -> bool) {
    let waiting = async {
        while !holds(&bot.status()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(support::PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{:?}", bot.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_takes_nothing_stops_the_reading_and_not_the_heartbeats() {
    let server = serve(quick_heartbeats()).await;
    let queue = serde_json::json!({ "events_max": 100 });
    let bot = bot(config(&server).set("queue", queue));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    server.control(Control::Burst { events: 2_000 }).await;
    // Two heartbeats whose acknowledgements lie unread behind the burst: without more, the second finds a dead
    // connection.
    until_status(&bot, |status| status.shards[0].acks_assumed >= 2).await;
    let status = bot.status();
    let shard = &status.shards[0];
    assert!(shard.paused && status.queue.full);
    assert_eq!((shard.zombies, shard.connections, shard.pauses), (0, 1, 1));
    assert!(
        status.queue.events >= 100 && status.queue.events < 1_000,
        "{:?}",
        status.queue
    );

    say(&server, "the end").await;
    log.until_said(&bot, "the end", 1).await;
    assert_nothing_lost(&server, &log).await;
    let status = bot.status();
    let shard = &status.shards[0];
    assert_eq!(
        (
            shard.zombies,
            shard.connections,
            shard.resumed,
            shard.dropped
        ),
        (0, 1, 0, 0)
    );
    assert!(!shard.paused && shard.paused_ms > 0);
    bot.shutdown(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_the_queue_is_full_loses_neither_what_waits_nor_what_was_not_read() {
    let server = serve(quick_heartbeats()).await;
    let full =
        |config: ConfigBuilder| config.set("queue", serde_json::json!({ "events_max": 100 }));
    let first = bot(full(config(&server)));
    let mut log = Log::default();
    log.until_connected(&first).await;
    server.control(Control::Burst { events: 1_500 }).await;
    until_status(&first, |status| {
        status.queue.full && status.shards[0].paused
    })
    .await;
    let snapshots = first.shutdown(true).await;
    assert_eq!(snapshots.len(), 1);
    while let Some(event) = first.next_event().await {
        log.events.push(event);
    }

    let config = full(config(&server)).build().expect("valid");
    let second = Bot::builder(config)
        .resume_from(snapshots)
        .build()
        .expect("valid");
    log.until_topic(&second, Topic::ShardResume, 1).await;
    say(&server, "the end").await;
    log.until_said(&second, "the end", 1).await;
    assert_nothing_lost(&server, &log).await;
    assert_eq!(second.status().sessions_lost, 0);
    second.shutdown(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_blocks_its_thread_does_not_delay_heartbeats() {
    let server = serve(quick_heartbeats()).await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let before = server.control(Control::Counters).await["heartbeats"].as_u64();
    std::thread::sleep(Duration::from_millis(2_500));
    let after = server.control(Control::Counters).await["heartbeats"].as_u64();
    assert!(
        after >= before.map(|beats| beats + 2),
        "{before:?} {after:?}"
    );
    assert_eq!(bot.status().shards[0].connections, 1);
    bot.shutdown(false).await;
}

#[tokio::test]
async fn a_loop_of_ones_own_is_woken_on_the_edge_and_drains_without_waiting() {
    let server = serve(world()).await;
    let bot = bot(config(&server));
    let woken = std::sync::Arc::new(tokio::sync::Notify::new());
    let waker = std::sync::Arc::clone(&woken);
    bot.on_wake(move || waker.notify_one());
    bot.start().await.expect("it starts");
    let mut names = Vec::new();
    while !names.iter().any(|name| name == "ready") {
        woken.notified().await;
        while let Some(batch) = bot.try_next_batch(16) {
            assert!(!batch.is_empty() && batch.len() <= 16);
            names.extend(batch.iter().map(|entry| entry.name.to_owned()));
        }
    }
    bot.shutdown(false).await;
    woken.notified().await;
    while bot.try_next_batch(16).is_some() {}
    assert!(bot.is_stopped());
}
