//! Several caches over one Redis: what one is told, the others find; what one forgets, all do.

use std::time::Duration;

use shardkeep::cache::OwnKey;
use shardkeep_sim::WorldConfig;

use super::redis_support::proxy::{Mode, Proxy};
use super::redis_support::{self, until};
use super::support::{Log, serve, world};
use super::tiers::settle;
use super::{Bot, cached, id, make, members, of, one_shard, rename, renamed, start, value};
use crate::needs_redis;

/// Two bots, each with one of two shards, on one store.
async fn pair(server: &shardkeep_sim::server::Server, url: &str) -> [(Bot, Log); 2] {
    over(server, [url.to_owned(), url.to_owned()]).await
}

async fn over(server: &shardkeep_sim::server::Server, urls: [String; 2]) -> [(Bot, Log); 2] {
    let mut pair = Vec::new();
    for (shard, url) in ["0/2", "1/2"].into_iter().zip(urls) {
        let config = cached(server, 8 << 20)
            .set("shards", shard)
            .set("store.kind", "redis")
            .set("redis_config.url", url);
        let bot = make(config).build().expect("Redis is not asked yet");
        let mut log = Log::default();
        let (mut ready, mut guilds) = (false, 0);
        log.until(&bot, |event| {
            ready |= event.topic() == shardkeep::Topic::Ready;
            guilds += u64::from(event.name() == "GUILD_CREATE");
            ready && guilds == bot.status().guild_count
        })
        .await;
        pair.push((bot, log));
    }
    pair.try_into().expect("two")
}

#[tokio::test]
async fn one_copy_of_each_user_and_what_one_is_told_the_other_finds() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let server = serve(WorldConfig {
        guilds: 16,
        ..world()
    })
    .await;
    let [(first, mut log), (second, _)] = pair(&server, &redis.url()).await;
    settle(&first).await;
    settle(&second).await;
    let member = members(&log)[2];
    assert!(
        of(&second).get(member).is_none(),
        "its guild is on the other shard"
    );
    rename(&server, member, "shared").await;
    renamed(&first, &mut log, "shared").await;
    settle(&first).await;
    let found = of(&second).fetch(member).await.expect("Redis answers");
    assert_eq!(value(found)["nick"], "shared");
    let stats = of(&second).stats();
    assert!(
        stats.read > 0 && stats.fetched == 0,
        "from Redis, not from Discord: {stats:?}"
    );

    // Whatever both know of a user is one value.
    let user = redis.cli(&["GET", &format!("shardkeep:user:{}", member.id)]);
    let user: serde_json::Value = serde_json::from_str(&user).expect("plain JSON");
    assert_eq!(id(&user["id"]), member.id);

    // What is invalidated in one process is forgotten in the other.
    assert!(of(&first).get(member).is_some());
    of(&second)
        .invalidate_guild(member.scope)
        .await
        .expect("Redis carries it");
    until(
        "the other process forgets",
        Duration::from_secs(5),
        || async { of(&first).get(member).is_none() },
    )
    .await;
    let again = of(&first).fetch(member).await.expect("Discord answers");
    assert_eq!(value(again)["user"]["id"], member.id.to_string());
    assert!(of(&first).stats().fetched > 0, "anew from Discord");

    // The bot's own data is shared alike.
    let key = || OwnKey::new("settings", "42");
    let own = of(&first).own().expect("it is started");
    own.set(key(), &7, Duration::from_secs(60))
        .await
        .expect("Redis takes it");
    let other = of(&second).own().expect("it is started");
    assert_eq!(
        other.get::<i32>(key()).await.expect("Redis answers"),
        Some(7)
    );
    for bot in [&first, &second] {
        bot.shutdown(false).await;
    }
}

#[tokio::test]
async fn redis_that_dies_and_comes_back_empty_is_written_to_again_and_not_believed() {
    needs_redis!();
    let mut redis = redis_support::Server::start();
    let server = serve(WorldConfig {
        guilds: 16,
        ..world()
    })
    .await;
    let [(first, mut log), (second, _)] = pair(&server, &redis.url()).await;
    settle(&first).await;
    let member = members(&log)[2];
    redis.kill();
    rename(&server, member, "while it was away").await;
    renamed(&first, &mut log, "while it was away").await;
    assert_eq!(value(of(&first).get(member))["nick"], "while it was away");
    redis.restart();
    settle(&first).await;
    // Until it has found Redis again, the other asks Discord, which as simulated has never heard of the name.
    until(
        "the other reads it from Redis",
        Duration::from_secs(20),
        || async {
            let found = of(&second).fetch(member).await.expect("somebody answers");
            value(found)["nick"] == "while it was away"
        },
    )
    .await;
    for bot in [&first, &second] {
        bot.shutdown(false).await;
    }
}

/// Redis names an epoch that lies ahead of the clock. Whoever starts within it writes in the same one as those before.
#[tokio::test]
async fn a_process_that_is_started_again_is_believed_though_it_has_heard_less() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let server = one_shard().await;
    let config = || {
        cached(&server, 8 << 20)
            .set("store.kind", "redis")
            .set("redis_config.url", redis.url())
    };
    let (first, mut log) = start(config()).await;
    let member = members(&log)[2];
    for number in 0..60 {
        let nick = format!("before {number}");
        rename(&server, member, &nick).await;
        renamed(&first, &mut log, &nick).await;
    }
    settle(&first).await;
    first.shutdown(false).await;
    let (second, mut log) = start(config()).await;
    rename(&server, member, "after").await;
    renamed(&second, &mut log, "after").await;
    settle(&second).await;
    assert_eq!(value(of(&second).get(member))["nick"], "after");
    let stats = of(&second).stats();
    assert_eq!(stats.superseded, 0, "{stats:?}");
    let key = format!("shardkeep:member:{}:{}", member.scope, member.id);
    assert!(redis.cli(&["get", &key]).contains("after"));
    second.shutdown(false).await;
}

#[tokio::test]
async fn a_wrong_answer_about_the_stores_life_parts_nobody_from_the_others() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let proxy = Proxy::before(redis.port).await;
    let server = serve(world()).await;
    let [(first, mut log), (second, _)] = over(&server, [redis.url(), proxy.url()]).await;
    settle(&first).await;
    settle(&second).await;
    // Longer than the time after which it is asked for its life again.
    proxy.set(Mode::Instead("$5\r\nhello\r\n"));
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    proxy.set(Mode::Pass);
    let member = members(&log)[2];
    rename(&server, member, "after").await;
    renamed(&first, &mut log, "after").await;
    until("it is believed", Duration::from_secs(15), || async {
        let limit = Duration::from_secs(1);
        let found = of(&second).fetch_within(member, limit).await;
        found.is_ok_and(|found| value(found)["nick"] == "after")
    })
    .await;
    for bot in [&first, &second] {
        bot.shutdown(false).await;
    }
}
