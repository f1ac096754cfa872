//! Shards whose heartbeats are acknowledged and whose events dry up.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use shardkeep::core::ShardId;
use shardkeep::{Bot, Topic};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, Fault, Target};
use support::{Log, bot, config, fault, serve, world};

/// A bot of four shards that looks at its events twice a second, and has for long enough to know them.
async fn busy(action: &str) -> (Server, Bot, Log) {
    let server = serve(world()).await;
    let config = config(&server).set("shards", 4).set("dry.action", action);
    let bot = bot(config.set("dry.check_interval_ms", 500));
    bot.start().await.unwrap();
    let mut log = Log::default();
    log.until_connected(&bot).await;
    server.control(Control::Chatter { per_s: 600 }).await;
    let mut left = 2_500;
    log.until(&bot, |_| {
        left -= 1;
        left == 0
    })
    .await;
    (server, bot, log)
}

/// Takes events until a shard error says `part`, and says all of it.
async fn until_told(bot: &Bot, log: &mut Log, part: &str) -> String {
    log.until(bot, |event| {
        event.topic() == Topic::ShardError && event.json().contains(part)
    })
    .await;
    log.events.last().unwrap().json().into_owned()
}

/// Takes events until a message came on the shard.
async fn until_heard(bot: &Bot, log: &mut Log, shard: ShardId) {
    log.until(bot, |event| {
        event.shard() == shard && event.name() == "MESSAGE_CREATE"
    })
    .await;
}

#[tokio::test]
async fn a_resume_that_helps_is_all_it_takes() {
    let (server, bot, mut log) = busy("resume").await;
    let dry = ShardId::new(1, 4).unwrap();
    fault(
        &server,
        Target::Shard([1, 4]),
        Fault::DryUp { resume_helps: true },
    )
    .await;
    let told = until_told(&bot, &mut log, "dried_up").await;
    assert!(told.contains("shard 1/4 is connected"), "{told}");
    assert!(told.contains("it reconnects and resumes"), "{told}");
    log.until_topic(&bot, Topic::ShardResume, 1).await;
    until_heard(&bot, &mut log, dry).await;
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 4, "{counters}");
    bot.shutdown(true).await;
}

#[tokio::test]
async fn where_it_does_not_a_new_session_is_begun_within_the_budget() {
    let (server, bot, mut log) = busy("renew").await;
    let dry = ShardId::new(2, 4).unwrap();
    fault(
        &server,
        Target::Shard([2, 4]),
        Fault::DryUp {
            resume_helps: false,
        },
    )
    .await;
    until_told(&bot, &mut log, "it reconnects and resumes").await;
    until_told(&bot, &mut log, "it begins a new session").await;
    until_heard(&bot, &mut log, dry).await;
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 5, "{counters}");
    let status = bot.status();
    assert!(status.connected && status.shards.len() == 4, "{status:?}");
    bot.shutdown(true).await;
}

#[tokio::test]
async fn who_only_wants_to_know_is_told() {
    let (server, bot, mut log) = busy("report").await;
    fault(
        &server,
        Target::Shard([0, 4]),
        Fault::DryUp { resume_helps: true },
    )
    .await;
    let told = until_told(&bot, &mut log, "dried_up").await;
    assert!(told.contains("nothing is done about it"), "{told}");
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["resumes"], 0, "{counters}");
    bot.shutdown(true).await;
}
