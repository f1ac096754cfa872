//! How bots start, fail, stop and go on: what the user is told, and what Discord is left with.

mod support;

use shardkeep::core::gateway::StateName;
use shardkeep::core::wire::{CloseCode, Command};
use shardkeep::core::{ShardId, Snowflake};
use shardkeep::{Bot, CommandFailed, Error, Failure, Topic};
use shardkeep_sim::{Control, Fault, Target, WorldConfig};
use support::{Log, PATIENCE, assert_nothing_lost, bot, config, fault, say, serve, world};

async fn failure_of(bot: &Bot) -> Failure {
    match tokio::time::timeout(PATIENCE, bot.ready())
        .await
        .expect("it fails soon")
    {
        Err(Error::Failed(failure)) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_token_stops_the_bot_and_says_what_to_do_without_showing_it() {
    let server = serve(world()).await;
    let bot = bot(config(&server).token("wrong.token.entirely"));
    let failure = failure_of(&bot).await;
    assert!(matches!(failure, Failure::Token(_)), "{failure:?}");
    let text = format!("{failure} {failure:?} {:?} {}", bot.status(), failure);
    assert!(
        text.contains("developer portal") && !text.contains("entirely"),
        "{text}"
    );

    let event = bot.next_event().await.expect("the user hears of it");
    assert_eq!(event.topic(), Topic::ShardError);
    assert!(event.json().contains("\"fatal\":true"));
    assert!(bot.next_event().await.is_none());
    assert!(bot.shutdown(true).await.is_empty());
}

#[tokio::test]
async fn an_intent_that_is_not_enabled_stops_every_shard_with_4014() {
    let server = serve(WorldConfig {
        allowed_privileged: 0,
        ..world()
    })
    .await;
    let bot = bot(config(&server));
    match failure_of(&bot).await {
        Failure::Refused { code, .. } => assert_eq!(code, CloseCode::DISALLOWED_INTENTS),
        other => panic!("{other:?}"),
    }
    let said = bot
        .failure()
        .map(|failure| failure.to_string())
        .unwrap_or_default();
    assert!(said.contains("developer portal"), "{said}");
    let answer = server.control(Control::Counters).await;
    assert!(answer["identifies"].as_u64() <= Some(4), "{answer}");
}

#[tokio::test]
async fn a_fatal_close_code_in_mid_life_is_told_and_the_other_shards_go_on() {
    let server = serve(world()).await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    fault(&server, Target::Shard([0, 4]), Fault::Close { code: 4010 }).await;
    log.until_topic(&bot, Topic::ShardError, 1).await;
    assert_eq!(log.of(Topic::ShardError)[0]["code"], 4010);
    say(&server, "still here").await;
    log.until_said(&bot, "still here", 3).await;
    let status = bot.status();
    assert!(!status.connected);
    assert_eq!(status.shards[0].status, StateName::Closed.as_str());
    bot.shutdown(false).await;
}

#[tokio::test]
async fn a_resumable_stop_lets_another_bot_go_on_where_this_one_stopped() {
    let server = serve(world()).await;
    let first = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&first).await;
    say(&server, "before").await;
    log.until_said(&first, "before", 4).await;
    let snapshots = first.shutdown(true).await;
    assert_eq!(snapshots.len(), 4);
    while let Some(event) = first.next_event().await {
        log.events.push(event);
    }
    assert!(matches!(first.ready().await, Err(Error::ShutDown)));

    // Snapshots survive as JSON, in a file for example.
    let stored = serde_json::to_string(&snapshots).expect("snapshots are plain data");
    server.control(Control::Burst { events: 100 }).await;
    let snapshots: Vec<_> = serde_json::from_str(&stored).expect("what was stored");
    let config = config(&server).build().expect("valid");
    let second = Bot::builder(config)
        .resume_from(snapshots)
        .build()
        .expect("valid");
    log.until_topic(&second, Topic::ShardResume, 4).await;
    say(&server, "after").await;
    log.until_said(&second, "after", 4).await;
    assert_nothing_lost(&server, &log).await;
    assert_eq!(second.status().replayed, 100);
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 4, "{counters}");

    assert!(second.shutdown(false).await.is_empty());
    let sessions = server.control(Control::Sessions).await;
    for session in sessions["sessions"].as_array().expect("a list") {
        assert_eq!(session["end"], "closed_by_client", "{session}");
    }
}

#[tokio::test]
async fn commands_reach_discord_or_say_why_not() {
    let server = serve(world()).await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let guilds = server.control(Control::Guilds).await;
    let guild: Snowflake =
        serde_json::from_value(guilds["guilds"][0]["id"].clone()).expect("an id");
    let shards = bot.shards_of(guild);
    assert_eq!(shards, [ShardId::of_guild(guild, 4).expect("four shards")]);

    let sounds = || Command::request_soundboard_sounds(&[guild]).expect("one guild is enough");
    assert_eq!(bot.send(shards[0], sounds()).await, Ok(()));
    log.until(&bot, |event| event.name() == "SOUNDBOARD_SOUNDS")
        .await;
    assert_eq!(
        log.events.last().and_then(shardkeep::Event::guild_id),
        Some(guild)
    );

    let nowhere = ShardId::new(9, 10).expect("below its total");
    assert_eq!(
        bot.send(nowhere, sounds()).await,
        Err(CommandFailed::NoShard(nowhere))
    );
    bot.shutdown(false).await;
    assert_eq!(
        bot.send(shards[0], sounds()).await,
        Err(CommandFailed::Stopped)
    );
}

#[tokio::test]
async fn a_shard_reconnects_when_asked_and_loses_nothing() {
    let server = serve(world()).await;
    let bot = bot(config(&server));
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let shard = ShardId::new(2, 4).expect("below its total");
    assert!(bot.reconnect(shard));
    assert!(!bot.reconnect(ShardId::SINGLE));
    log.until_topic(&bot, Topic::ShardResume, 1).await;
    assert_eq!(log.events.last().map(shardkeep::Event::shard), Some(shard));
    say(&server, "the end").await;
    log.until_said(&bot, "the end", 4).await;
    assert_nothing_lost(&server, &log).await;
    bot.shutdown(false).await;
}

#[tokio::test]
async fn an_unreachable_api_is_told_and_tried_again() {
    let server = serve(world()).await;
    let base = server.api_base();
    let config = config(&server);
    server.shutdown().await;
    let bot = bot(config);
    let mut log = Log::default();
    log.until_topic(&bot, Topic::ShardError, 1).await;
    let error = &log.of(Topic::ShardError)[0];
    assert_eq!(
        (error["error"].as_str(), error["fatal"].as_bool()),
        (Some("limits_unknown"), Some(false))
    );
    assert!(
        error["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains(&base)),
        "{error}"
    );
    assert!(bot.failure().is_none());
    bot.shutdown(true).await;
}
