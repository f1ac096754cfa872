//! The endpoint over real sockets, with a bot made of plain numbers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::gateway::Cause;
use shardkeep_core::rest::pool::PoolStatus;
use shardkeep_core::wire::EventKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::SessionsStatus;
use crate::bus::BusCounts;
use crate::cache::{CacheNumbers, OwnCounts};
use crate::config::{Config, Ops};
use crate::rest::RestNumbers;
use crate::store::StoreCounts;

#[derive(Default)]
struct Fake {
    pulses: Mutex<Vec<Pulse>>,
    numbers: Mutex<Numbers>,
}

impl Observed for Fake {
    fn pulses(&self) -> Vec<Pulse> {
        self.pulses.lock().unwrap().clone()
    }

    fn status_json(&self) -> String {
        r#"{"connected":true}"#.to_owned()
    }

    fn numbers(&self) -> Numbers {
        self.numbers.lock().unwrap().clone()
    }
}

fn shard(index: u32, established: bool) -> ShardNumbers {
    ShardNumbers {
        shard: ShardId::new(index, 2).unwrap(),
        established,
        state: if established { "ready" } else { "connecting" },
        latency: established.then_some(Duration::from_millis(41)),
        guilds: 7,
    }
}

fn settings(values: &[(&str, u64)]) -> Ops {
    let start = Config::builder().token("not.a.token");
    values
        .iter()
        .fold(start, |builder, &(name, value)| builder.set(name, value))
        .build()
        .unwrap()
        .ops
}

async fn start(fake: &Arc<Fake>, config: &Ops) -> OpsServer {
    let observed: Arc<dyn Observed> = fake.clone();
    OpsServer::start(([127, 0, 0, 1], 0).into(), config, observed)
        .await
        .unwrap()
}

/// Sends raw bytes and reads until the server hangs up.
async fn send(server: &OpsServer, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    // The server may answer and hang up before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn get(server: &OpsServer, path: &str) -> (u16, String) {
    let answer = send(
        server,
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes(),
    )
    .await;
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn health_follows_the_loops_and_nothing_else() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    assert_eq!(get(&server, "/health").await.0, 200);
    let pulse = |idle_ms| Pulse {
        name: "timer".to_owned(),
        idle: Duration::from_millis(idle_ms),
        bound: Duration::from_secs(5),
    };
    *fake.pulses.lock().unwrap() = vec![pulse(10)];
    assert_eq!(get(&server, "/health").await.0, 200);
    *fake.pulses.lock().unwrap() = vec![pulse(9_000)];
    let (code, body) = get(&server, "/health").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (code, body["stuck"][0]["idle_ms"].as_u64()),
        (503, Some(9_000))
    );
}

#[tokio::test]
async fn ready_waits_for_every_shard_and_names_those_that_are_not() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    assert_eq!(
        get(&server, "/ready").await.0,
        503,
        "before it is known which shards there are"
    );
    fake.numbers.lock().unwrap().shards_expected = Some(2);
    assert_eq!(
        get(&server, "/ready").await.0,
        503,
        "before any shard was started"
    );
    fake.numbers.lock().unwrap().shards = vec![shard(0, true), shard(1, false)];
    let (code, body) = get(&server, "/ready").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(code, 503);
    assert_eq!(
        body["missing"],
        serde_json::json!([{ "shard": "1/2", "state": "connecting" }])
    );
    fake.numbers.lock().unwrap().shards[1] = shard(1, true);
    assert_eq!(get(&server, "/ready").await.0, 200);
}

#[tokio::test]
async fn status_is_the_bots_own_json() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    assert_eq!(
        get(&server, "/status").await,
        (200, r#"{"connected":true}"#.to_owned())
    );
    assert_eq!(get(&server, "/status?pretty").await.0, 200);
}

#[tokio::test]
async fn metrics_have_stable_names_and_bounded_labels() {
    let fake = Arc::new(Fake::default());
    *fake.numbers.lock().unwrap() = Numbers {
        shards: vec![shard(0, true), shard(1, false)],
        events: vec![(EventKind::MessageCreate, 12)],
        replayed: 3,
        reconnects: vec![(Cause::ReconnectRequested, 1)],
        identify_remaining: Some(998),
        shards_expected: Some(2),
        ..Numbers::default()
    };
    let server = start(&fake, &settings(&[])).await;
    let (code, text) = get(&server, "/metrics").await;
    assert_eq!(code, 200);
    for line in [
        "# TYPE shardkeep_events counter",
        "shardkeep_shards 2",
        "shardkeep_shard_up{shard=\"0\",total=\"2\"} 1",
        "shardkeep_shard_up{shard=\"1\",total=\"2\"} 0",
        "shardkeep_gateway_latency_seconds{shard=\"0\",total=\"2\"} 0.041",
        "shardkeep_events_total{kind=\"MESSAGE_CREATE\"} 12",
        "shardkeep_events_replayed_total 3",
        "shardkeep_events_duplicates_total 0",
        "shardkeep_events_missed_total 0",
        "shardkeep_identify_remaining 998",
        "shardkeep_reconnects_total{cause=\"reconnect_requested\"} 1",
        "shardkeep_queue_events 0",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(
        !text.contains("latency_seconds{shard=\"1\""),
        "there is no latency before a heartbeat"
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_by_name() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    let (code, body) = get(&server, "/").await;
    assert!(code == 404 && body.contains("/metrics"), "{body}");
    let answer = send(
        &server,
        b"POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET, HEAD"),
        "{answer}"
    );
    let answer = send(&server, b"HEAD /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn oversized_heads_are_refused_and_garbage_is_survived() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    let long = format!(
        "GET /health HTTP/1.1\r\nx: {}\r\n\r\n",
        "a".repeat(64 << 10)
    );
    let answer = send(&server, long.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let many = format!("GET /health HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
    let answer = send(&server, many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    send(&server, b"\x00\x01\x02\r\n\r\n").await;
    assert_eq!(get(&server, "/health").await.0, 200);
}

#[tokio::test]
async fn idle_connections_are_cut_and_those_beyond_the_limit_wait_for_their_place() {
    let fake = Arc::new(Fake::default());
    let limits = [("ops.connections_max", 1), ("ops.request_timeout_ms", 100)];
    let server = start(&fake, &settings(&limits)).await;
    let mut idle = TcpStream::connect(server.local_addr()).await.unwrap();
    idle.write_all(b"GET /hea").await.unwrap();
    assert_eq!(
        get(&server, "/health").await.0,
        200,
        "after the idle one was cut"
    );
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_stopped_endpoint_lets_go_of_its_address() {
    let fake = Arc::new(Fake::default());
    let server = start(&fake, &settings(&[])).await;
    let address = server.local_addr();
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn other_machines_need_permission() {
    let observed: Arc<dyn Observed> = Arc::new(Fake::default());
    let error = OpsServer::start(([0, 0, 0, 0], 0).into(), &settings(&[]), observed)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("access token"), "{error}");
}

#[test]
fn reference_pages_list_every_metric() {
    let full = Numbers {
        shards: vec![shard(0, true)],
        events: vec![(EventKind::MessageCreate, 1)],
        reconnects: vec![(Cause::Zombied, 1)],
        identify_remaining: Some(1),
        shards_expected: Some(1),
        rest: Some(RestNumbers {
            pool: Some(PoolStatus::default()),
            ..RestNumbers::default()
        }),
        cache: Some(CacheNumbers {
            store: Some(StoreCounts::default()),
            bus: Some(BusCounts::default()),
            own: Some(OwnCounts::default()),
            ..CacheNumbers::default()
        }),
        stored_sessions: Some(SessionsStatus::default()),
        ..Numbers::default()
    };
    let text = metrics::text(full).unwrap();
    let mut page = "\
# Metrics

<!-- Written by a test from what /metrics answers; edit runtime/src/ops/metrics.rs. -->

What `/metrics` of the ops endpoint answers, in OpenMetrics text. Names and labels are stable. Labels are bounded: a
shard and its total, the kind of a dispatch, the cause of a disconnect, a reason, a priority. `shardkeep_rest_pool_*` is
there where limits are shared; those of cache, store, bus and own cache where there is [a cache](../cache.md),
`shardkeep_stored_sessions_*` where [sessions are stored](../sessions.md). [The proxy](../proxy.md) has the numbers of
REST as well, and its own beside them.

| metric | type | labels | what it is |
|---|---|---|---|
"
    .to_owned();
    let lines: Vec<_> = text.lines().collect();
    for help in lines.iter().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, what) = help.split_once(' ').unwrap();
        let kind = lines
            .iter()
            .find_map(|line| line.strip_prefix(&format!("# TYPE {name} ")))
            .unwrap();
        let total = if kind == "counter" { "_total" } else { "" };
        let sample = lines
            .iter()
            .find(|line| line.starts_with(&format!("{name}{total}")))
            .unwrap();
        let labels: Vec<_> = sample
            .split_once('{')
            .map(|(_, rest)| rest.split('}').next().unwrap())
            .into_iter()
            .flat_map(|inside| inside.split(','))
            .map(|label| label.split('=').next().unwrap())
            .collect();
        page.push_str(&format!(
            "| `{name}{total}` | {kind} | {} | {what} |\n",
            labels.join(", ")
        ));
    }
    crate::config::page::check("metrics.md", &page);
}
