//! Bots on a simulated Discord over real sockets: shards connect, are disturbed, and lose nothing.

mod support;

use shardkeep::{Bot, Lifecycle, Topic};
use shardkeep_sim::{Control, Fault, Target, WeightedFault, WorldConfig};
use support::{Log, assert_nothing_lost, bot, config, fault, say, serve, world};

#[tokio::test]
async fn every_shard_connects_and_every_event_arrives_under_every_compression() {
    for compress in ["none", "payload", "zlib-stream", "zstd-stream"] {
        let server = serve(world()).await;
        let bot = bot(config(&server).set("compress", compress));
        let mut log = Log::default();
        log.until_connected(&bot).await;
        assert_eq!(log.of(Topic::ShardConnect).len(), 4);
        server.control(Control::Burst { events: 500 }).await;
        say(&server, "the end").await;
        log.until_said(&bot, "the end", 4).await;
        assert_nothing_lost(&server, &log).await;

        let status = bot.status();
        assert!(status.connected, "{compress}: {status:?}");
        assert_eq!((status.shard_count, status.guild_count), (4, 32));
        assert_eq!(
            (status.missed, status.duplicates, status.replayed),
            (0, 0, 0)
        );
        let violations = server.control(Control::Violations).await;
        assert_eq!(
            violations["violations"].as_array().map(Vec::len),
            Some(0),
            "{violations}"
        );
        bot.shutdown(false).await;
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_dropped_connection_resumes_and_the_replay_is_counted() {
    let server = serve(world()).await;
    let bot = bot(config(&server).set("compress", "zstd-stream"));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    fault(&server, Target::All, Fault::Drop).await;
    // Said while nobody is connected, or while the shards come back: replayed or live, but once.
    server.control(Control::Burst { events: 200 }).await;
    log.until_topic(&bot, Topic::ShardResume, 4).await;
    say(&server, "the end").await;
    log.until_said(&bot, "the end", 4).await;
    assert_nothing_lost(&server, &log).await;

    let replayed: u64 = log
        .of(Topic::ShardResume)
        .iter()
        .filter_map(|data| data["replayed"].as_u64())
        .sum();
    assert_eq!(replayed, 200);
    assert_eq!(
        log.events
            .iter()
            .filter(|event| event.is_replayed())
            .count(),
        200
    );
    let status = bot.status();
    assert_eq!(
        (status.replayed, status.missed, status.sessions_lost),
        (200, 0, 0)
    );
    assert!(
        status
            .shards
            .iter()
            .all(|shard| shard.resumed == 1 && shard.identifies == 1)
    );
    assert_eq!(log.of(Topic::ShardDisconnect).len(), 4);
    bot.shutdown(false).await;
}

#[tokio::test]
async fn disturbances_that_leave_the_session_alone_lose_nothing() {
    for disturbance in [
        Fault::Reconnect { count: 3 },
        Fault::InvalidSession { resumable: true },
        Fault::Close { code: 4000 },
        Fault::TruncatedFrame,
        Fault::CorruptFrame,
        Fault::SplitFrames {
            messages: 5,
            pieces: 3,
        },
        Fault::MergeFrames { messages: 4 },
    ] {
        let server = serve(WorldConfig {
            recommended_shards: 1,
            ..world()
        })
        .await;
        let bot = bot(config(&server).set("compress", "zlib-stream"));
        let mut log = Log::default();
        log.until_connected(&bot).await;
        let resumes = !matches!(
            disturbance,
            Fault::SplitFrames { .. } | Fault::MergeFrames { .. }
        );
        fault(&server, Target::All, disturbance.clone()).await;
        server.control(Control::Burst { events: 50 }).await;
        if resumes {
            log.until_topic(&bot, Topic::ShardResume, 1).await;
        }
        say(&server, "the end").await;
        log.until_said(&bot, "the end", 1).await;
        assert_nothing_lost(&server, &log).await;
        assert_eq!(bot.status().sessions_lost, 0, "{disturbance:?}");
        bot.shutdown(false).await;
    }
}

#[tokio::test]
async fn a_lost_session_is_reported_and_a_new_one_is_begun() {
    let server = serve(WorldConfig {
        recommended_shards: 1,
        ..world()
    })
    .await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    fault(
        &server,
        Target::All,
        Fault::InvalidSession { resumable: false },
    )
    .await;
    log.until_topic(&bot, Topic::ShardConnect, 1).await;
    let errors = log.of(Topic::ShardError);
    assert_eq!(errors[0]["error"], "session_lost");
    assert_eq!(bot.status().sessions_lost, 1);
    bot.shutdown(false).await;
}

#[tokio::test]
async fn a_half_open_connection_is_found_dead_and_left_without_waiting() {
    let quick = WorldConfig {
        recommended_shards: 1,
        heartbeat_interval_ms: 700,
        ..world()
    };
    let server = serve(quick).await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    fault(&server, Target::All, Fault::HalfOpen).await;
    log.until_topic(&bot, Topic::ShardResume, 1).await;
    let disconnect = log
        .events
        .iter()
        .rev()
        .find_map(|event| match event.lifecycle() {
            Some(Lifecycle::ShardDisconnect(data)) => Some(data),
            _ => None,
        });
    let disconnect = disconnect.expect("it was disconnected first");
    assert_eq!(
        disconnect.cause,
        shardkeep::core::gateway::Cause::Zombied.number()
    );
    assert!(disconnect.resumable);
    assert_eq!(bot.status().shards[0].zombies, 1);
    bot.shutdown(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_two_io_threads_loses_nothing() {
    let stormy = WorldConfig {
        recommended_shards: 8,
        heartbeat_interval_ms: 1_500,
        replay_capacity: 100_000,
        chatter_per_s: 400,
        ..world()
    };
    let server = serve(stormy).await;
    let built = config(&server)
        .set("compress", "zstd-stream")
        .build()
        .expect("valid");
    let bot = Bot::builder(built).io_threads(2).build().expect("valid");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let faults = [
        (Fault::Drop, 4),
        (Fault::Reconnect { count: 1 }, 4),
        (Fault::Close { code: 4000 }, 2),
        (Fault::HalfOpen, 1),
        (Fault::TruncatedFrame, 2),
        (Fault::CorruptFrame, 2),
        (Fault::RequestHeartbeat, 2),
        (Fault::LostAck { count: 1 }, 1),
    ];
    let faults = faults
        .map(|(fault, weight)| WeightedFault { fault, weight })
        .to_vec();
    server
        .control(Control::Weather {
            every_ms: 150,
            faults,
            for_ms: Some(4_000),
        })
        .await;
    log.until_topic(&bot, Topic::ShardResume, 12).await;
    server.control(Control::Calm).await;
    // Half-open connections are found by their heartbeats; then every shard is back.
    let back = async {
        while !bot.status().connected || zombies_to_come(&server).await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(support::PATIENCE, back)
        .await
        .expect("every shard comes back");
    say(&server, "the end").await;
    log.until_said(&bot, "the end", 8).await;
    assert_nothing_lost(&server, &log).await;
    let status = bot.status();
    assert_eq!((status.sessions_lost, status.missed), (0, 0), "{status:?}");
    bot.shutdown(false).await;
}

/// Whether the simulator still has connections on which nothing is heard.
async fn zombies_to_come(server: &shardkeep_sim::server::Server) -> bool {
    let counters = server.control(Control::Counters).await;
    let open = counters["connections_open"].as_u64();
    open != Some(8)
}
