//! The shared connection to Redis, against real servers that die, stall, move slots and answer nonsense.

mod redis_support;

use std::time::Duration;

use redis_support::authority::Authority;
use redis_support::cluster::Cluster;
use redis_support::proxy::{Mode, Proxy};
use redis_support::{LIMIT, Server, connect, until};
use shardkeep::redis::{Command, Heard, Redis, RedisError, RedisSettings, Reply, Script};
use tokio::time::{Instant, timeout};

fn set(key: &str, value: &str) -> Command {
    Command::new("SET").key(key).arg(value).repeatable()
}

fn get(key: &str) -> Command {
    Command::new("GET").key(key).repeatable()
}

async fn text(redis: &Redis, key: &str) -> Result<Option<String>, RedisError> {
    let bytes = redis.run(&get(key)).await?.into_maybe_bytes()?;
    Ok(bytes.map(|bytes| String::from_utf8(bytes).expect("text")))
}

/// Whether it ends within the limit and what the machine's load may add.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    let patience = LIMIT + Duration::from_millis(1_500);
    timeout(patience, what).await.expect("within the limit")
}

#[tokio::test]
async fn commands_share_a_connection_and_scripts_are_sent_once() {
    needs_redis!();
    let server = Server::start();
    let redis = server.redis();
    let commands: Vec<Command> = (0..500).map(|n| set(&format!("k{n}"), "v")).collect();
    assert!(redis.run_all(&commands).await.iter().all(Result::is_ok));
    assert_eq!(redis.counts().connected, 1);
    assert_eq!(redis.counts().commands, 500);

    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for expected in [5, 10] {
        let reply = redis.run_script(&script, &[b"n"], &[b"5"]).await;
        assert_eq!(reply, Ok(Reply::Int(expected)));
    }
    // One GET and one EVAL: the second time the hash was enough.
    assert_eq!(redis.counts().refused, 1);
    server.cli(&["script", "flush"]);
    let reply = redis.run_script(&script, &[b"n"], &[b"5"]).await;
    assert_eq!(reply, Ok(Reply::Int(15)));

    let error = redis.run(&Command::new("LPUSH").key("k1").arg("x")).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, RedisError::Refused { code, .. } if code == "WRONGTYPE"),
        "{error}"
    );
}

#[tokio::test]
async fn a_password_is_needed_sent_and_never_shown() {
    needs_redis!();
    let server = Server::with(&["--requirepass", "hunter2-secret"]);
    let right = connect(&format!(
        "redis://:hunter2-secret@127.0.0.1:{}/2",
        server.port
    ));
    right.run(&set("a", "b")).await.expect("logged in");
    assert!(!format!("{right:?}").contains("hunter2"));
    let inside = server.cli(&["-a", "hunter2-secret", "-n", "2", "get", "a"]);
    assert!(inside.contains('b'), "{inside}");

    let wrong = connect(&format!("redis://:wrong-secret@127.0.0.1:{}", server.port));
    let error = wrong.run(&get("a")).await.unwrap_err();
    assert!(matches!(error, RedisError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("wrong-secret"), "{error}");
    let none = server.redis().run(&get("a")).await.unwrap_err();
    assert_eq!(
        none.to_string(),
        "Redis refused: NOAUTH Authentication required."
    );
}

#[tokio::test]
async fn a_killed_server_fails_commands_at_once_and_is_found_again() {
    needs_redis!();
    let mut server = Server::start();
    let redis = server.redis();
    redis.run(&set("a", "1")).await.expect("set");
    server.kill();
    let begun = Instant::now();
    for _ in 0..100 {
        let error = redis.run(&get("a")).await.unwrap_err();
        assert!(
            matches!(
                error,
                RedisError::Unreachable { .. } | RedisError::Interrupted { .. }
            ),
            "{error}"
        );
        assert!(error.is_passing());
    }
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    server.restart();
    until("the server is back", Duration::from_secs(5), || async {
        redis.run(&set("a", "2")).await.is_ok()
    })
    .await;
    assert_eq!(text(&redis, "a").await, Ok(Some(String::from("2"))));
    let counts = redis.counts();
    let failed = counts.unreachable + counts.interrupted;
    assert!(failed >= 100 && counts.lost >= 1, "{counts:?}");
}

#[tokio::test]
async fn a_paused_server_costs_no_more_than_the_limit_and_answers_afterwards() {
    needs_redis!();
    let server = Server::start();
    let redis = server.redis();
    redis.run(&set("a", "1")).await.expect("set");
    server.pause();
    let paused = Instant::now();
    let all = vec![get("a"); 50];
    let outcomes = in_time(redis.run_all(&all)).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(RedisError::TimedOut { .. }))),
        "{outcomes:?}"
    );
    // The connection was given up. Making a new one fails too, and once that is known, at once.
    while paused.elapsed() < Duration::from_secs(2) {
        assert!(in_time(redis.run(&get("a"))).await.is_err());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.go_on();
    until("the server goes on", Duration::from_secs(5), || async {
        text(&redis, "a").await == Ok(Some(String::from("1")))
    })
    .await;
    assert!(redis.counts().timed_out >= 50);
}

#[tokio::test]
async fn slow_corrupt_and_cut_answers_end_in_typed_errors() {
    needs_redis!();
    let server = Server::start();
    let proxy = Proxy::before(server.port).await;
    let redis = proxy.redis();
    redis.run(&set("a", "1")).await.expect("set");

    proxy.set(Mode::Late(200));
    assert_eq!(
        in_time(text(&redis, "a")).await,
        Ok(Some(String::from("1")))
    );
    proxy.set(Mode::Late(1_500));
    let late = in_time(redis.run(&get("a"))).await.unwrap_err();
    assert!(matches!(late, RedisError::TimedOut { .. }), "{late}");
    proxy.set(Mode::Pass);
    until("answers in time", Duration::from_secs(5), || async {
        text(&redis, "a").await == Ok(Some(String::from("1")))
    })
    .await;

    proxy.set(Mode::Corrupt);
    let corrupt = in_time(redis.run(&get("a"))).await.unwrap_err();
    assert!(!matches!(corrupt, RedisError::Refused { .. }), "{corrupt}");
    proxy.set(Mode::Pass);
    until("answers again", Duration::from_secs(5), || async {
        text(&redis, "a").await == Ok(Some(String::from("1")))
    })
    .await;

    proxy.set(Mode::Instead("*1\r\n:7\r\n"));
    let wrong = in_time(text(&redis, "a")).await.unwrap_err();
    assert!(matches!(wrong, RedisError::WrongAnswer { .. }), "{wrong}");

    proxy.set(Mode::Cut);
    let cut = in_time(redis.run(&Command::new("INCR").key("n"))).await;
    let cut = cut.unwrap_err();
    assert!(matches!(cut, RedisError::Interrupted { .. }), "{cut}");
    assert!(cut.may_have_run());
    assert!(server.cli(&["get", "n"]).contains('1'), "it had run");
}

#[tokio::test]
async fn a_subscription_outlives_its_server_and_says_what_is_missing() {
    needs_redis!();
    let mut server = Server::start();
    let redis = server.redis();
    let mut subscriber = redis.subscriber(16);
    subscriber
        .patterns()
        .subscribe("news.*")
        .await
        .expect("subscribed");
    server.cli(&["publish", "news.a", "one"]);
    server.cli(&["publish", "other", "not this"]);
    server.cli(&["publish", "news.b", "two"]);
    let message = |channel: &str, payload: &str| Heard::Message {
        pattern: String::from("news.*"),
        channel: channel.to_owned(),
        payload: payload.as_bytes().to_vec(),
    };
    assert_eq!(
        in_time(subscriber.next()).await,
        Some(message("news.a", "one"))
    );
    assert_eq!(
        in_time(subscriber.next()).await,
        Some(message("news.b", "two"))
    );
    server.restart();
    until("it is subscribed again", Duration::from_secs(5), || async {
        server.cli(&["pubsub", "numpat"]).trim() == "1"
    })
    .await;
    assert_eq!(in_time(subscriber.next()).await, Some(Heard::Gap));
    server.cli(&["publish", "news.a", "three"]);
    assert_eq!(
        in_time(subscriber.next()).await,
        Some(message("news.a", "three"))
    );

    // A reader that does not read: as many as there is room for, then a gap, and what is missing is counted.
    for n in 0..40 {
        redis
            .run(&Command::new("PUBLISH").arg("news.x").arg(n.to_string()))
            .await
            .expect("published");
    }
    until("the rest is dropped", Duration::from_secs(5), || async {
        subscriber.dropped() >= 24
    })
    .await;
    for n in 0..16 {
        assert_eq!(
            subscriber.next().await,
            Some(message("news.x", &n.to_string()))
        );
    }
    redis
        .run(&Command::new("PUBLISH").arg("news.x").arg("last"))
        .await
        .expect("published");
    assert_eq!(in_time(subscriber.next()).await, Some(Heard::Gap));
    assert_eq!(redis.counts().messages_dropped, subscriber.dropped());
}

#[tokio::test]
async fn a_cluster_is_followed_while_slots_move_and_a_master_dies() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let redis = cluster.redis();
    let keys: Vec<String> = (0..200).map(|n| format!("key:{n}")).collect();
    let sets: Vec<Command> = keys.iter().map(|key| set(key, key)).collect();
    for outcome in redis.run_all(&sets).await {
        outcome.expect("every slot is served");
    }
    let crossing = Command::new("MGET").key("key:1").key("key:2");
    assert_eq!(redis.run(&crossing).await, Err(RedisError::CrossSlot));

    // Half way: the slot's old master sends us on with ASK for what it does not hold.
    let slot = cluster.slot_of("{move}");
    let from = cluster.master_of("{move}");
    let to = (0..3)
        .find(|server| *server != from)
        .expect("another master");
    redis.run(&set("{move}old", "1")).await.expect("set");
    cluster.begin_move(slot, from, to);
    redis.run(&set("{move}new", "2")).await.expect("asked");
    assert_eq!(text(&redis, "{move}old").await, Ok(Some(String::from("1"))));
    cluster.end_move(slot, from, to);
    assert_eq!(text(&redis, "{move}old").await, Ok(Some(String::from("1"))));
    assert_eq!(text(&redis, "{move}new").await, Ok(Some(String::from("2"))));
    let script = Script::new("return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])}");
    let both = redis.run_script(&script, &[b"{move}old", b"{move}new"], &[]);
    let both = both.await.and_then(Reply::into_list);
    assert_eq!(both.map(|both| both.len()), Ok(2));

    // A master dies: its keys are away until its replica takes over, those of the others never are.
    let victim = cluster.master_of("key:7");
    let other = keys
        .iter()
        .find(|key| cluster.master_of(key) != victim)
        .expect("a key elsewhere")
        .clone();
    // Replication is asynchronous; what was written long ago has arrived.
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.servers[victim].kill();
    let begun = Instant::now();
    loop {
        assert_eq!(in_time(text(&redis, &other)).await, Ok(Some(other.clone())));
        match in_time(text(&redis, "key:7")).await {
            Ok(found) => {
                assert_eq!(found.as_deref(), Some("key:7"));
                break;
            }
            Err(error) => assert!(error.is_passing(), "{error}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "no replica took over"
        );
    }
    let gets: Vec<Command> = keys.iter().map(|key| get(key)).collect();
    for (key, reply) in keys.iter().zip(redis.run_all(&gets).await) {
        assert_eq!(reply, Ok(Reply::Bytes(key.clone().into_bytes())), "{key}");
    }
    assert!(redis.counts().maps_read >= 2);
}

#[tokio::test]
async fn tls_is_spoken_with_those_whom_an_authority_of_ones_own_vouches_for() {
    needs_redis!();
    let authority = Authority::new();
    let folder = authority.folder.to_str().expect("UTF-8");
    let file = |name: &str| format!("{folder}/{name}.pem");
    let (certificate, key, ca) = (file("server"), file("key"), file("ca"));
    let server = Server::with(&[
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
    ]);
    let port = redis_support::free_port();
    let told = server.cli(&["config", "set", "tls-port", &port.to_string()]);
    assert!(told.contains("OK"), "{told}");
    let url = format!("rediss://localhost:{port}");
    let mut settings = RedisSettings::default();
    settings.ca_file = Some(ca.into());
    let redis = Redis::connect_with(&url, &settings).expect("a URL");
    redis.run(&set("a", "1")).await.expect("over TLS");
    assert_eq!(text(&redis, "a").await, Ok(Some(String::from("1"))));
    let mut subscriber = redis.subscriber(4);
    subscriber
        .patterns()
        .subscribe("x")
        .await
        .expect("over TLS");
    server.cli(&["publish", "x", "y"]);
    assert!(matches!(
        in_time(subscriber.next()).await,
        Some(Heard::Message { .. })
    ));

    let stranger = Redis::connect(&url).expect("a URL");
    let error = in_time(stranger.run(&get("a"))).await.unwrap_err();
    assert!(matches!(error, RedisError::Unreachable { .. }), "{error}");
    settings.ca_file = Some(folder.into());
    let error = Redis::connect_with(&url, &settings).unwrap_err();
    assert!(matches!(error, RedisError::CaFile { .. }), "{error}");
    settings.ca_file = Some(key.into());
    assert!(Redis::connect_with(&url, &settings).is_err());
    let plain = server.redis();
    plain
        .run(&get("a"))
        .await
        .expect("the other port stays plain");
}
