//! The bus: one contract for all adapters, and what each must bear of its own.

mod redis_support;

use std::time::Duration;

use redis_support::cluster::Cluster;
use redis_support::{Server, until};
use shardkeep::bus::{BusError, StreamsSettings};
use shardkeep::bus::{BusEvent, Delivery, EventBus, Listening, LocalBus, RedisBus, StreamsBus};
use shardkeep::redis::Redis;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

async fn next(listening: &mut Listening) -> Delivery {
    let next = timeout(PATIENCE, listening.next()).await;
    next.expect("in time").expect("the bus is there")
}

async fn event(listening: &mut Listening) -> BusEvent {
    match next(listening).await {
        Delivery::Event(event) => event,
        other => panic!("{other:?} where an event belongs"),
    }
}

async fn is_quiet(listening: &mut Listening) -> bool {
    timeout(Duration::from_millis(300), listening.next())
        .await
        .is_err()
}

/// What every bus does.
async fn contract(bus: &dyn EventBus) {
    let mut settings = bus.subscribe("guild.*.settings").await.expect("heard");
    let mut all = bus.subscribe("*").await.expect("heard");
    let mut one = bus.subscribe("reload").await.expect("heard");
    bus.publish("guild.1.settings", b"{\"a\":1}")
        .await
        .expect("published");
    bus.publish("reload", b"").await.expect("published");
    bus.publish("guild.2.other", &[0, 255, 1])
        .await
        .expect("published");
    bus.publish("guild.[2]?.settings", "ü".as_bytes())
        .await
        .expect("published");
    let mut heard = Vec::new();
    for _ in 0..2 {
        let event = event(&mut settings).await;
        heard.push((event.topic.clone(), event.payload.to_vec()));
        event.acknowledge().await.expect("acknowledged");
    }
    heard.sort();
    let expected = [
        ("guild.1.settings", "{\"a\":1}"),
        ("guild.[2]?.settings", "ü"),
    ];
    let expected = expected.map(|(topic, text)| (topic.to_owned(), text.as_bytes().to_vec()));
    assert_eq!(heard, expected);
    let mut topics = Vec::new();
    for _ in 0..4 {
        let event = event(&mut all).await;
        assert!(!event.is_replayed);
        topics.push(event.topic.clone());
        event.acknowledge().await.expect("acknowledged");
    }
    topics.sort();
    let expected = [
        "guild.1.settings",
        "guild.2.other",
        "guild.[2]?.settings",
        "reload",
    ];
    assert_eq!(topics, expected);
    let reload = event(&mut one).await;
    assert_eq!((reload.topic.as_str(), reload.payload.len()), ("reload", 0));
    reload.acknowledge().await.expect("acknowledged");
    assert!(is_quiet(&mut settings).await && is_quiet(&mut one).await);
    // On one topic, order is kept.
    for n in 0..10_u8 {
        bus.publish("reload", &[n]).await.expect("published");
    }
    for n in 0..10_u8 {
        let (in_all, in_one) = (event(&mut all).await, event(&mut one).await);
        assert_eq!(
            (&in_all.payload[..], &in_one.payload[..]),
            (&[n][..], &[n][..])
        );
        in_all.acknowledge().await.expect("acknowledged");
        in_one.acknowledge().await.expect("acknowledged");
    }
    let counts = bus.counts();
    assert_eq!((counts.published, counts.delivered), (14, 27), "{counts:?}");
    assert_eq!(
        (counts.dropped, counts.gaps, counts.publish_failed),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn local() {
    contract(&LocalBus::default()).await;
    let bus = LocalBus::new(2);
    let mut slow = bus.subscribe("*").await.expect("heard");
    for n in 0..5 {
        bus.publish(&n.to_string(), b"").await.expect("published");
    }
    assert_eq!(event(&mut slow).await.topic, "0");
    assert_eq!(event(&mut slow).await.topic, "1");
    bus.publish("5", b"").await.expect("published");
    assert!(matches!(next(&mut slow).await, Delivery::Gap));
    assert_eq!(event(&mut slow).await.topic, "5");
    assert_eq!((bus.counts().dropped, bus.counts().gaps), (3, 1));
    drop(slow);
    bus.publish("6", b"").await.expect("nobody listens");
    assert_eq!(bus.counts().dropped, 3, "who has gone misses nothing");
}

#[tokio::test]
async fn redis() {
    needs_redis!();
    let mut server = Server::start();
    contract(&RedisBus::new(server.redis(), "bus*:", 16)).await;
    let (here, there) = (server.redis(), server.redis());
    let (here, there) = (RedisBus::new(here, "b:", 4), RedisBus::new(there, "b:", 4));
    let mut listening = there.subscribe("x.*").await.expect("heard");
    here.publish("x.1", b"over").await.expect("published");
    assert_eq!(event(&mut listening).await.payload, "over");
    // A slow listener: as much as there is room for, then a gap, and what was dropped is counted.
    for n in 0..10 {
        here.publish(&format!("x.{n}"), b"")
            .await
            .expect("published");
    }
    until("the rest is dropped", PATIENCE, || async {
        there.counts().dropped == 6
    })
    .await;
    for n in 0..4 {
        assert_eq!(event(&mut listening).await.topic, format!("x.{n}"));
    }
    // The connection ends: the listener is told, and goes on.
    server.restart();
    assert!(matches!(next(&mut listening).await, Delivery::Gap));
    until("it listens again", PATIENCE, || async {
        server.cli(&["pubsub", "numpat"]).trim() == "1"
    })
    .await;
    until("it publishes again", PATIENCE, || async {
        here.publish("x.again", b"").await.is_ok()
    })
    .await;
    assert_eq!(event(&mut listening).await.topic, "x.again");
    server.kill();
    let error = here.publish("x", b"").await.unwrap_err();
    assert!(
        matches!(error, BusError::Away { .. } | BusError::Uncertain { .. }),
        "{error}"
    );
    assert!(here.counts().publish_failed >= 1);
}

#[tokio::test]
async fn redis_cluster() {
    needs_redis!();
    let cluster = Cluster::start();
    contract(&RedisBus::new(cluster.redis(), "bus:", 16)).await;
    contract(&StreamsBus::new(
        cluster.redis(),
        StreamsSettings::default(),
    ))
    .await;
}

fn member(redis: Redis, name: &str) -> StreamsBus {
    let mut settings = StreamsSettings::default();
    settings.consumer = name.to_owned();
    settings.claim_after = Duration::from_millis(600);
    settings.buffer = 8;
    StreamsBus::new(redis, settings)
}

#[tokio::test]
async fn streams() {
    needs_redis!();
    let server = Server::start();
    contract(&StreamsBus::new(server.redis(), StreamsSettings::default())).await;
}

#[tokio::test]
async fn what_a_dead_member_left_goes_to_another() {
    needs_redis!();
    let server = Server::start();
    let (a, b) = (member(server.redis(), "a"), member(server.redis(), "b"));
    let mut at_a = a.subscribe("job").await.expect("heard");
    for n in 0..6 {
        a.publish("job", n.to_string().as_bytes())
            .await
            .expect("published");
    }
    // It takes all of them, finishes two, and dies.
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.push(event(&mut at_a).await);
    }
    for done in taken.drain(..2) {
        done.acknowledge().await.expect("acknowledged");
    }
    assert_eq!(a.counts().acknowledged, 2);
    drop((taken, at_a, a));
    let mut at_b = b.subscribe("job").await.expect("heard");
    for n in 2..6 {
        let event = event(&mut at_b).await;
        assert!(event.is_replayed);
        assert_eq!(event.payload, n.to_string());
        event.acknowledge().await.expect("acknowledged");
    }
    assert!(is_quiet(&mut at_b).await, "each once");
    let pending = server.cli(&["xpending", "shardkeep:events", "shardkeep"]);
    assert_eq!(
        pending.lines().next().map(str::trim),
        Some("0"),
        "{pending}"
    );
    assert_eq!((b.counts().replayed, b.counts().acknowledged), (4, 4));
}

#[tokio::test]
async fn a_group_shares_and_groups_do_not() {
    needs_redis!();
    let server = Server::start();
    let (a, b) = (member(server.redis(), "a"), member(server.redis(), "b"));
    let mut settings = StreamsSettings::default();
    settings.group = String::from("audit");
    let audit = StreamsBus::new(server.redis(), settings);
    let mut at_audit = audit.subscribe("*").await.expect("heard");
    let (at_a, at_b) = (a.subscribe("job").await, b.subscribe("job").await);
    let (mut at_a, mut at_b) = (at_a.expect("heard"), at_b.expect("heard"));
    for n in 0..40 {
        a.publish("job", n.to_string().as_bytes())
            .await
            .expect("published");
    }
    let mut seen = Vec::new();
    while seen.len() < 40 {
        let next = tokio::select! {
            next = next(&mut at_a) => next,
            next = next(&mut at_b) => next,
        };
        let Delivery::Event(event) = next else {
            panic!("{next:?}");
        };
        seen.push(String::from_utf8(event.payload.to_vec()).expect("text"));
        event.acknowledge().await.expect("acknowledged");
    }
    seen.sort_by_key(|n| n.parse::<u32>().expect("a number"));
    let all: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    assert_eq!(seen, all, "each event to one member of the group");
    for n in &all {
        assert_eq!(event(&mut at_audit).await.payload, n.as_str());
    }
}

#[tokio::test]
async fn a_stream_outlives_a_server_with_a_log_and_tells_of_one_without() {
    needs_redis!();
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let bus = member(server.redis(), "a");
    let mut listening = bus.subscribe("job").await.expect("heard");
    server.kill();
    assert!(bus.publish("job", b"lost").await.is_err());
    server.restart();
    until("it publishes again", PATIENCE, || async {
        bus.publish("job", b"kept").await.is_ok()
    })
    .await;
    let kept = event(&mut listening).await;
    assert_eq!(kept.payload, "kept");
    kept.acknowledge().await.expect("acknowledged");
    // Somebody empties the server: the group is gone with its stream, and what was in it.
    server.cli(&["flushall"]);
    assert!(matches!(next(&mut listening).await, Delivery::Gap));
    bus.publish("job", b"after").await.expect("published");
    assert_eq!(event(&mut listening).await.payload, "after");
}

#[tokio::test]
async fn members_that_are_gone_and_have_nothing_left_are_forgotten() {
    needs_redis!();
    let server = Server::start();
    let bus = member(server.redis(), "a");
    let mut listening = bus.subscribe("job").await.expect("heard");
    bus.publish("job", b"1").await.expect("published");
    let kept = event(&mut listening).await;
    drop((listening, bus));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let script = include_str!("../src/bus/streams/forget.lua");
    let forget = || {
        let told = server.cli(&["eval", script, "1", "shardkeep:events", "shardkeep", "50"]);
        told.trim().to_owned()
    };
    // It has not acknowledged everything: its name stays, and with it what it was given.
    assert_eq!(forget(), "0");
    kept.acknowledge().await.expect("acknowledged");
    until("it is forgotten", PATIENCE, || async { forget() == "1" }).await;
    let left = server.cli(&["xinfo", "consumers", "shardkeep:events", "shardkeep"]);
    assert!(left.trim().is_empty(), "{left}");
}
