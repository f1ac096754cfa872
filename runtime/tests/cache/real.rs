//! Real Redis servers that stop, are slow, and answer what was not asked, under a bot that is told something all the
//! time.

use std::sync::Arc;
use std::time::Duration;

use super::redis_support::proxy::{Mode, Proxy};
use super::redis_support::{self, Server, connect};
use super::steady::Steady;
use super::{Bot, cached, make, of, one_shard};
use crate::needs_redis;
use shardkeep::store::{RedisStore, RedisStoreSettings, RemoteStore as _};

/// Memory for everything.
const ALL: u32 = 16 << 20;
/// Memory for a part of it: members are read back from the store.
const PART: u32 = 160 << 10;

fn over(server: &shardkeep_sim::server::Server, url: &str, budget: u32) -> Bot {
    let config = cached(server, budget)
        .set("store.kind", "redis")
        .set("redis_config.url", url);
    make(config).build().expect("Redis is not asked yet")
}

/// A bot over Redis at `url`, of which Redis has everything.
async fn steady(url: &str, budget: u32) -> Steady {
    let server = Arc::new(one_shard().await);
    let bot = over(&server, url, budget);
    let steady = Steady::start(server, bot, 16).await;
    steady.settles().await;
    steady
}

/// Reads past the cache.
async fn is_stored(steady: &Steady, redis: &Server) {
    let store = RedisStore::new(connect(&redis.url()), RedisStoreSettings::default());
    let store = store.expect("a prefix");
    steady
        .is_stored(async |namespace, id| store.get_entity(namespace, id).await.expect("reads"))
        .await;
}

/// Ten seconds would be no other than three: a command has two.
#[tokio::test]
async fn redis_that_is_paused_holds_nobody_up_and_gets_everything() {
    needs_redis!();
    let redis = redis_support::Server::start();
    for budget in [ALL, PART] {
        let mut steady = steady(&redis.url(), budget).await;
        let reader = steady.reader(of(&steady.bot));
        steady.goes_on(Duration::from_millis(500)).await;
        let before = steady.stats();
        redis.pause();
        steady.goes_on(Duration::from_millis(3_500)).await;
        let during = steady.stats();
        assert!(during.open > 0 && during.coalesced > before.coalesced);
        redis.go_on();
        steady.goes_on(Duration::from_millis(500)).await;
        steady.settles().await;
        assert!(reader.stop().await > 50);
        let after = steady.stats();
        assert!(
            after.written > during.written && after.dropped == 0,
            "{after:?}"
        );
        if budget == ALL {
            is_stored(&steady, &redis).await;
        }
        steady.bot.shutdown(false).await;
        redis.cli(&["flushall"]);
    }
}

#[tokio::test]
async fn slow_replies_hold_nobody_up() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let proxy = Proxy::before(redis.port).await;
    let mut steady = steady(&proxy.url(), PART).await;
    let reader = steady.reader(of(&steady.bot));
    for late in [50, 300, 2_500] {
        proxy.set(Mode::Late(late));
        steady.goes_on(Duration::from_secs(3)).await;
    }
    proxy.set(Mode::Pass);
    steady.settles().await;
    assert!(reader.stop().await > 50);
    steady.bot.shutdown(false).await;
}

#[tokio::test]
async fn wrong_replies_are_believed_by_nobody() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let proxy = Proxy::before(redis.port).await;
    let mut steady = steady(&proxy.url(), ALL).await;
    let reader = steady.reader(of(&steady.bot));
    for wrong in [
        Mode::Corrupt,
        Mode::Instead("+OK\r\n"),
        Mode::Instead("$5\r\nhello\r\n"),
        Mode::Instead("*1\r\n$2\r\nhi\r\n"),
        Mode::Instead("-ERR what\r\n"),
        Mode::Cut,
        Mode::Swallow,
    ] {
        let before = steady.stats();
        proxy.set(wrong);
        steady.goes_on(Duration::from_millis(1_500)).await;
        let during = steady.stats();
        // An answer that was under way may still have been a right one.
        assert!(during.written <= before.written + 512, "{wrong:?}");
        assert!(during.open > 0, "{wrong:?} {during:?}");
        proxy.set(Mode::Pass);
        steady.goes_on(Duration::from_millis(200)).await;
        steady.settles().await;
    }
    assert!(reader.stop().await > 50);
    is_stored(&steady, &redis).await;
    steady.bot.shutdown(false).await;
}
