//! Memory, store, Discord: who answers, and how often the next is asked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shardkeep::cache::FetchError;
use shardkeep::core::Snowflake;
use shardkeep::core::cache::{Failure, Key, Kind};
use shardkeep::store::{LmdbSettings, LmdbStore, RemoteStore};
use tokio::task::JoinSet;

use super::support::{Log, world};
use super::{cached, id, make, members, of, one_shard, rename, renamed, start, value};

#[tokio::test]
async fn what_the_gateway_tells_is_there_before_its_event() {
    let server = one_shard().await;
    let (bot, log) = start(cached(&server, 16 << 20)).await;
    let cache = of(&bot);
    assert_eq!(cache.guilds().len(), world().guilds as usize);
    for event in &log.events {
        if event.name() != "GUILD_CREATE" {
            continue;
        }
        let guild: serde_json::Value = event.parse().expect("JSON");
        let key = Key::guild(id(&guild["id"]));
        assert_eq!(value(cache.get(key))["name"], guild["name"]);
        let channels = guild["channels"].as_array().expect("channels");
        assert_eq!(cache.ids(Kind::Channel, key.id).len(), channels.len());
        for member in guild["members"].as_array().expect("members") {
            let key = Key::member(key.id, id(&member["user"]["id"]));
            let mut held = value(cache.get(key));
            assert_eq!(held["user"]["username"], member["user"]["username"]);
            assert_eq!(held["roles"].take(), member["roles"]);
            let roles = cache.read(key, |record| record.get("roles").is_some());
            assert_eq!(roles, Some(true), "without rebuilding it");
        }
    }
    let status = serde_json::to_value(bot.status()).expect("JSON");
    assert!(status["cache"]["records"].as_u64() > Some(600), "{status}");
    bot.shutdown(false).await;
}

#[tokio::test]
async fn an_update_carries_what_was_before_where_it_is_asked_for() {
    let server = one_shard().await;
    let wanted = cached(&server, 16 << 20).set("cache.before", json!(["GUILD_MEMBER_UPDATE"]));
    let (bot, mut log) = start(wanted).await;
    let member = members(&log)[3];
    for nick in ["first", "second"] {
        rename(&server, member, nick).await;
        renamed(&bot, &mut log, nick).await;
    }
    let event = log.events.last().expect("an event");
    let before: Vec<_> = event.befores().collect();
    let was = before.iter().find(|before| before.key == member);
    let was: serde_json::Value =
        serde_json::from_slice(was.expect("the member").json).expect("JSON");
    assert_eq!(was["nick"], "first");
    assert_eq!(value(of(&bot).get(member))["nick"], "second");
    assert_eq!(event.detach().befores().count(), before.len());
    bot.shutdown(false).await;
}

#[tokio::test]
async fn events_for_the_cache_alone_are_not_handed_on() {
    let server = one_shard().await;
    let only = cached(&server, 16 << 20).set("events", json!(["GUILD_CREATE", "MESSAGE_CREATE"]));
    let (bot, mut log) = start(only).await;
    let member = members(&log)[5];
    rename(&server, member, "unseen").await;
    super::support::say(&server, "done").await;
    log.until_said(&bot, "done", 1).await;
    assert_eq!(value(of(&bot).get(member))["nick"], "unseen");
    assert!(
        log.events
            .iter()
            .all(|event| event.name() != "GUILD_MEMBER_UPDATE")
    );
    assert!(bot.status().filtered > 0, "they count as held back");
    bot.shutdown(false).await;
}

#[tokio::test]
async fn discord_is_asked_once_for_everybody_and_what_is_not_there_is_remembered() {
    let server = one_shard().await;
    let (bot, log) = start(cached(&server, 16 << 20)).await;
    let member = members(&log)[7];
    of(&bot).invalidate(member).await.expect("nobody to tell");
    assert!(of(&bot).get(member).is_none());
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let cache = of(&bot).clone();
        asking.spawn(async move { cache.fetch(member).await });
    }
    while let Some(found) = asking.join_next().await {
        let found = found.expect("no panic").expect("Discord answers");
        assert_eq!(value(found)["user"]["id"], member.id.to_string());
    }
    let stats = of(&bot).stats();
    assert_eq!((stats.fetched, stats.joined), (1, 19));
    assert!(of(&bot).get(member).is_some(), "it is kept");

    let nobody = Key::member(member.scope, Snowflake(5));
    for _ in 0..3 {
        assert_eq!(of(&bot).fetch(nobody).await, Ok(None));
    }
    assert_eq!(of(&bot).stats().negative, 2);
    let presence = Key::new(Kind::Presence, member.scope, Snowflake(5));
    let failed = Err(FetchError::Failed(Failure::NotFetched));
    assert_eq!(of(&bot).fetch(presence).await, failed);

    bot.shutdown(false).await;
    assert_eq!(of(&bot).fetch(nobody).await, Err(FetchError::NotRunning));
    assert!(
        of(&bot).fetch(member).await.is_ok(),
        "what is in memory stays"
    );
}

#[tokio::test]
async fn what_memory_gave_up_comes_back_from_the_store_and_not_from_discord() {
    let folder = std::env::temp_dir().join(format!("shardkeep-cache-{}", std::process::id()));
    let store = LmdbStore::open(&folder, LmdbSettings::default()).expect("a store");
    let store: Arc<dyn RemoteStore> = Arc::new(store);
    let server = one_shard().await;
    let bot = make(cached(&server, 96 << 10)).store(Arc::clone(&store));
    let bot = bot.build().expect("the store is open");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let all = members(&log);
    settle(&bot).await;
    let (mut here, mut found) = (0, 0);
    for &member in &all {
        here += usize::from(of(&bot).get(member).is_some());
        let record = of(&bot).fetch(member).await.expect("the store answers");
        found += usize::from(value(record)["user"]["id"] == member.id.to_string());
    }
    assert_eq!(found, all.len());
    assert!(here < all.len(), "memory is too small for all {here}");
    let stats = of(&bot).stats();
    assert!(stats.read > 0 && stats.fetched == 0, "{stats:?}");
    assert!(stats.held_bytes <= 96 << 10, "{}", stats.held_bytes);

    // Another process reads them without this one.
    let namespace = format!("member:{}", all[0].scope);
    let of_guild = store.get_all_entities(&namespace).await.expect("a list");
    assert_eq!(
        of_guild.len(),
        all.iter().filter(|key| key.scope == all[0].scope).count()
    );

    // A guild that is left goes from the store too.
    let left = all[0].scope;
    server
        .control(shardkeep_sim::Control::Leave { guild: left })
        .await;
    log.until(&bot, |event| event.name() == "GUILD_DELETE")
        .await;
    settle(&bot).await;
    super::redis_support::until(
        "the store forgets the guild",
        Duration::from_secs(10),
        || async {
            let left = store.get_all_entities(&namespace).await.expect("a list");
            left.is_empty()
        },
    )
    .await;
    bot.shutdown(false).await;
    drop(store);
    std::fs::remove_dir_all(&folder).expect("it is there");
}

/// Waits until nothing waits to be written.
pub(super) async fn settle(bot: &shardkeep::Bot) {
    super::redis_support::until("all is written", Duration::from_secs(20), || async {
        of(bot).stats().pending == 0
    })
    .await;
}
