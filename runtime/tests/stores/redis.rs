//! Redis as a store: what other clients see, how the index heals, and faults.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::store::{
    Counted, RedisStore, RedisStoreSettings, RemoteStore, StoreError, Version, Written,
};
use tokio::time::{Instant, timeout};

use crate::redis_support::proxy::{Mode, Proxy};
use crate::redis_support::{LIMIT, Server, until};
use crate::{needs_redis, put, removal};

fn settings() -> RedisStoreSettings {
    let mut settings = RedisStoreSettings::default();
    settings.prefix = String::from("zira:");
    settings
}

fn over(redis: shardkeep::redis::Redis) -> RedisStore {
    RedisStore::new(redis, settings()).expect("a prefix")
}

#[tokio::test]
async fn any_client_reads_plain_json_under_plain_keys() {
    needs_redis!();
    let server = Server::start();
    let store = over(server.redis());
    let json = r#"{"id":"80351110224678912","username":"Nelly"}"#;
    let batch = [put("user", "80351110224678912", (3, 7), json)];
    assert!(matches!(store.write(&batch).await[..], [Ok(Written::Done)]));
    let user = "zira:user:80351110224678912";
    assert_eq!(server.cli(&["get", user]).trim_end(), json);
    let ttl: i64 = server.cli(&["ttl", user]).trim().parse().expect("seconds");
    assert!((86_000..=86_400).contains(&ttl), "{ttl}");
    let keys = server.cli(&["--scan"]);
    let mut keys: Vec<&str> = keys.lines().collect();
    keys.sort_unstable();
    let companion = "{zira:user:80351110224678912}version";
    assert_eq!(keys, [user, companion, "{zira:user}index"]);
    let version = server.cli(&["get", companion]);
    assert_eq!(version.trim_end(), "00000000000000030000000000000007");

    // What another client writes is read as it is, under the version that was there.
    server.cli(&["set", user, "hello, not JSON"]);
    let held = store
        .read("user", &["80351110224678912"])
        .await
        .expect("reads");
    assert_eq!(held[0].value.as_deref(), Some("hello, not JSON"));
    assert_eq!(held[0].version, Some(Version::new(3, 7)));
    server.cli(&["rpush", "zira:user:list", "x"]);
    server.cli(&["set", "zira:user:2", "{}"]);
    let found = store
        .get_entities("user", &["list", "2"])
        .await
        .expect("reads");
    assert_eq!(found, [None, Some(String::from("{}"))]);
    let error = store.write(&[put("user", "list", (1, 1), "{}")]).await;
    assert!(
        error[0].is_ok(),
        "SET replaces whatever is there: {error:?}"
    );
    server.cli(&["del", companion]);
    server.cli(&["rpush", companion, "x"]);
    let error = store
        .write(&[put("user", "80351110224678912", (4, 1), "{}")])
        .await;
    assert!(
        matches!(error[0], Err(StoreError::Wrong { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn listing_never_searches_the_server_and_the_index_heals() {
    needs_redis!();
    let server = Server::start();
    let store = over(server.redis());
    for id in ["1", "2", "3"] {
        store.set_entity("user", id, id, None).await.expect("set");
    }
    let index = "{zira:user}index";
    let score = |id: &str| -> Option<f64> {
        let told = server.cli(&["zscore", index, id]);
        told.trim().parse().ok()
    };
    // Another client removes a value: listing does not show it, and begins to doubt it.
    server.cli(&["del", "zira:user:2"]);
    assert_eq!(
        store.get_all_entities("user").await.expect("reads").len(),
        2
    );
    assert!(score("2").expect("still there") < 0.0);
    // A write ends the doubt.
    store.set_entity("user", "2", "2", None).await.expect("set");
    assert!(score("2").expect("there") > 0.0);
    // A doubt of a minute ends in forgetting.
    server.cli(&["del", "zira:user:2"]);
    server.cli(&["zadd", index, "-1", "2"]);
    assert_eq!(
        store.get_all_entities("user").await.expect("reads").len(),
        2
    );
    assert_eq!(score("2"), None);
    // A doubt of something that is there was wrong.
    server.cli(&["zadd", index, "-1", "3"]);
    assert_eq!(
        store.get_all_entities("user").await.expect("reads").len(),
        2
    );
    assert!(score("3").expect("there") > 0.0);
    // What has ended leaves with the next write.
    server.cli(&["zadd", index, "1000", "old"]);
    store.set_entity("user", "4", "4", None).await.expect("set");
    assert_eq!(score("old"), None);
    // The index ends after the last of its values.
    let ttl: i64 = server.cli(&["ttl", index]).trim().parse().expect("seconds");
    assert!((86_400..=86_600).contains(&ttl), "{ttl}");
    let commands = server.cli(&["info", "commandstats"]);
    assert!(!commands.contains("cmdstat_scan:") && !commands.contains("cmdstat_keys:"));
}

#[tokio::test]
async fn reading_makes_values_hold_for_longer_if_that_is_wanted() {
    needs_redis!();
    let server = Server::start();
    let mut settings = settings();
    settings.ttl = Some(Duration::from_secs(100));
    settings.update_ttl_on_get = true;
    let store = RedisStore::new(server.redis(), settings).expect("a prefix");
    let written = store.write(&[put("user", "1", (1, 1), "{}")]).await;
    assert!(written[0].is_ok());
    let pttl = |key: &str| -> i64 {
        let told = server.cli(&["pttl", key]);
        told.trim().parse().expect("milliseconds")
    };
    server.cli(&["pexpire", "zira:user:1", "5000"]);
    server.cli(&["pexpire", "{zira:user:1}version", "5000"]);
    store.get_entity("user", "1").await.expect("reads");
    assert!(pttl("zira:user:1") > 90_000);
    assert!(pttl("{zira:user:1}version") > 150_000);
}

#[tokio::test]
async fn a_full_server_is_an_error_and_removing_still_works() {
    needs_redis!();
    let server = Server::with(&["--maxmemory-policy", "noeviction"]);
    let store = over(server.redis());
    assert!(store.write(&[put("n", "1", (1, 1), "x")]).await[0].is_ok());
    server.cli(&["config", "set", "maxmemory", "1"]);
    let written = store.write(&[put("n", "1", (1, 2), "y")]).await;
    assert!(
        matches!(written[0], Err(StoreError::Full { .. })),
        "{written:?}"
    );
    let set = store.set_entity("n", "1", "y", None).await;
    assert!(matches!(set, Err(StoreError::Full { .. })), "{set:?}");
    store.remove_entity("n", "1").await.expect("removed");
    server.cli(&["config", "set", "maxmemory", "0"]);
    assert!(store.write(&[removal("n", "1", (1, 2))]).await[0].is_ok());
}

/// Writes without pause, always something newer, while the server suffers; then every confirmed write must be there.
async fn suffers(store: Arc<Counted>, harm: impl AsyncFnOnce()) {
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (mut confirmed, mut asked) = ([0_u64; 8], 0_u64);
            let (mut failed, mut longest) = (0_u64, Duration::ZERO);
            let mut seq = 0;
            while asked < 4_000 {
                seq += 1;
                let batch: Vec<_> = (0..8)
                    .map(|id| put("n", &id.to_string(), (1, seq), &seq.to_string()))
                    .collect();
                let begun = Instant::now();
                let outcomes = store.write(&batch).await;
                longest = longest.max(begun.elapsed());
                asked += 8;
                for (id, outcome) in outcomes.into_iter().enumerate() {
                    match outcome {
                        Ok(Written::Done) => confirmed[id] = seq,
                        Ok(Written::Superseded { by }) => panic!("nobody else writes: {by}"),
                        Err(error) => {
                            assert!(error.is_passing(), "{error}");
                            failed += 1;
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            (confirmed, asked, failed, longest)
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    harm().await;
    let (confirmed, asked, failed, longest) = writer.await.expect("no panic");
    assert!(failed > 0, "the harm was felt");
    let bound = 2 * LIMIT + Duration::from_secs(2);
    assert!(longest < bound, "a write took {longest:?}");
    let counts = store.counts();
    let counted = counts.written
        + counts.superseded
        + counts.away
        + counts.uncertain
        + counts.full
        + counts.failed;
    assert_eq!(counted, asked, "every write is counted once: {counts:?}");
    until("the store is back", Duration::from_secs(5), || async {
        store.read("n", &["0"]).await.is_ok()
    })
    .await;
    for (id, confirmed) in confirmed.into_iter().enumerate() {
        let id = id.to_string();
        let held = store.read("n", &[&id]).await.expect("reads");
        let version = held[0].version.expect("a version");
        assert!(
            version.seq >= confirmed,
            "{version} is older than {confirmed}"
        );
        assert_eq!(held[0].value, Some(version.seq.to_string()));
        // What comes late loses.
        let stale = store.write(&[put("n", &id, (1, 1), "stale")]).await;
        assert!(
            matches!(stale[0], Ok(Written::Superseded { .. })),
            "{stale:?}"
        );
    }
}

#[tokio::test]
async fn a_pause_of_two_seconds_loses_nothing() {
    needs_redis!();
    let server = Server::start();
    let store = Arc::new(Counted::new(Arc::new(over(server.redis()))));
    suffers(store, async || {
        server.pause();
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.go_on();
    })
    .await;
}

#[tokio::test]
async fn kill_and_restart_with_a_log_loses_nothing_that_was_confirmed() {
    needs_redis!();
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = Arc::new(Counted::new(Arc::new(over(server.redis()))));
    suffers(store, async || {
        server.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.restart();
    })
    .await;
}

#[tokio::test]
async fn cut_slow_and_swallowed_answers_lose_nothing_that_was_confirmed() {
    needs_redis!();
    let server = Server::start();
    let proxy = Proxy::before(server.port).await;
    let store = Arc::new(Counted::new(Arc::new(over(proxy.redis()))));
    suffers(store, async || {
        for mode in [Mode::Cut, Mode::Swallow, Mode::Late(30), Mode::Late(1_500)] {
            proxy.set(mode);
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        proxy.set(Mode::Pass);
    })
    .await;
}

#[tokio::test]
async fn wrong_answers_are_errors_and_never_values() {
    needs_redis!();
    let server = Server::start();
    let proxy = Proxy::before(server.port).await;
    let store = over(proxy.redis());
    assert!(store.write(&[put("n", "1", (1, 1), "right")]).await[0].is_ok());
    let wrongs = [
        ":1\r\n",
        "$3\r\nabc\r\n",
        "*1\r\n$1\r\nx\r\n",
        "*-1\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",
        "-ERR what?\r\n",
    ];
    for wrong in wrongs {
        proxy.set(Mode::Instead(wrong));
        let read = timeout(LIMIT * 3, store.read("n", &["1"])).await;
        assert!(read.expect("within the limit").is_err(), "{wrong:?}");
        let written = timeout(LIMIT * 4, store.write(&[put("n", "1", (1, 2), "new")])).await;
        let written = written.expect("within the limit").remove(0);
        assert!(
            wrong == ":1\r\n" || written.is_err(),
            "{wrong:?}: {written:?}"
        );
        proxy.set(Mode::Pass);
        until(
            "answers are right again",
            Duration::from_secs(5),
            || async { store.read("n", &["1"]).await.is_ok() },
        )
        .await;
    }
    let held = store.read("n", &["1"]).await.expect("reads");
    assert!(matches!(held[0].value.as_deref(), Some("right" | "new")));
}
