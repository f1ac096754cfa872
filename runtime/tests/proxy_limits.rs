//! The proxy between many clients and Discord's limits: no 429, urgency, deadlines, sharing, clients that go away, and
//! an end that finishes what was taken.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::proxy::Proxy;
use shardkeep_sim::Control;
use shardkeep_sim::rest::{RestConfig, Rule};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

mod proxy_support;
mod rest_support;

use proxy_support::{KEY, ask, channel, get, in_front_of, open, settings, simulator};
use rest_support::{Say, Server, say};

async fn status(proxy: &Proxy) -> Value {
    get(proxy, "/status").await.json()
}

/// Waits until `/status` shows this, and fails if it never does.
async fn until(proxy: &Proxy, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_000 {
        let now = status(proxy).await;
        if holds(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to be: {}", status(proxy).await);
}

fn queued(status: &Value) -> u64 {
    status["scheduler"]["queued"].as_u64().unwrap_or(u64::MAX)
}

/// Five messages each half second and channel, forty requests a second in all.
fn strict() -> RestConfig {
    let mut config = RestConfig::unlimited();
    config.global.limit = 40;
    let path = "/channels/{channel_id}/messages";
    config.rules = vec![
        Rule::new("POST", path, "messages", 5, 500),
        Rule::new("GET", "/users/{user_id}", "users", 10, 500),
    ];
    config
}

#[tokio::test]
async fn what_clients_ask_for_at_once_earns_no_429() {
    let simulator = simulator(strict()).await;
    let mut limited = in_front_of(&simulator);
    limited.rest.scheduler.global_limit = 40;
    limited.rest.scheduler.max_in_flight = 32;
    let proxy = Arc::new(open(limited).await);
    let messages = format!("/api/v10/channels/{}/messages", channel(&simulator).await);
    let mut clients = JoinSet::new();
    for n in 0..40 {
        let (proxy, messages) = (Arc::clone(&proxy), messages.clone());
        clients.spawn(async move {
            if n % 4 == 0 {
                let form = [("content-type", "application/json")];
                let body = json!({ "content": format!("message {n}") }).to_string();
                return ask(&proxy, "POST", &messages, &form, body).await.status;
            }
            get(&proxy, "/api/v10/users/@me").await.status
        });
    }
    while let Some(status) = clients.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let counters = simulator.control(Control::Rest { last: Some(0) }).await["counters"].clone();
    assert_eq!(
        (&counters["refused"], &counters["invalid"]),
        (&json!(0), &json!(0)),
        "{counters}"
    );
    let now = status(&proxy).await;
    assert_eq!(now["requests"]["limited"], 0, "{now}");
}

#[tokio::test]
async fn an_interaction_goes_before_a_full_queue_of_background_work() {
    let server = Server::start([]).await;
    let mut narrow = settings(&server.base);
    narrow.rest.scheduler.max_in_flight = 2;
    narrow.rest.scheduler.reserved_in_flight = 1;
    narrow.rest.scheduler.global_limit = 20;
    let proxy = Arc::new(open(narrow).await);
    let mut clients = JoinSet::new();
    for n in 0..40 {
        let proxy = Arc::clone(&proxy);
        clients.spawn(async move {
            let path = format!("/api/v10/channels/{n}/messages/1");
            ask(
                &proxy,
                "GET",
                &path,
                &[("x-shardkeep-priority", "background")],
                "",
            )
            .await
            .status
        });
    }
    until(&proxy, |now| queued(now) >= 10).await;
    let callback = "/api/v10/interactions/81384788765712384/token-of-it/callback";
    assert_eq!(ask(&proxy, "POST", callback, &[], "{}").await.status, 200);
    let urgent = [("x-shardkeep-priority", "interaction")];
    assert_eq!(
        ask(&proxy, "GET", "/api/v10/channels/99", &urgent, "")
            .await
            .status,
        200
    );
    assert!(
        queued(&status(&proxy).await) > 0,
        "both went before the rest"
    );
    clients.shutdown().await;
}

#[tokio::test]
async fn a_deadline_that_cannot_be_kept_is_refused_at_once_with_the_time() {
    let server = Server::start([]).await;
    let mut slow = settings(&server.base);
    slow.rest.scheduler.global_limit = 1;
    slow.rest.scheduler.global_window = Duration::from_secs(60);
    let proxy = open(slow).await;
    assert_eq!(get(&proxy, "/api/v10/channels/1").await.status, 200);
    let soon = [("x-shardkeep-deadline-ms", "500")];
    let got = ask(&proxy, "GET", "/api/v10/channels/2", &soon, "").await;
    assert_eq!((got.status, &*got.reason()), (504, "deadline_too_soon"));
    assert!(got.json()["retry_after"].as_f64() > Some(1.0), "{got:?}");
    assert!(got.json()["shardkeep"]["until_ms"].as_u64() > Some(1_700_000_000_000));
    let id = got.header("x-shardkeep-request");
    let told = get(&proxy, &format!("/explain?id={id}")).await.json();
    assert_eq!(
        (&told["place"], &told["id"]),
        (&json!("refused"), &json!(2)),
        "{told}"
    );
}

#[tokio::test]
async fn a_full_queue_is_a_503_and_whoever_goes_away_makes_room() {
    let server = Server::start([]).await;
    let mut tiny = settings(&server.base);
    tiny.rest.scheduler.queue_size = 1;
    tiny.rest.scheduler.global_limit = 1;
    tiny.rest.scheduler.global_window = Duration::from_secs(3_600);
    let proxy = open(tiny).await;
    assert_eq!(get(&proxy, "/api/v10/channels/1").await.status, 200);
    let mut waits = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head =
        format!("GET /api/v10/channels/2 HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\n\r\n");
    waits.write_all(head.as_bytes()).await.unwrap();
    let now = until(&proxy, |now| queued(now) == 1).await;
    assert_eq!(now["oldest"][0]["place"], "waiting", "{now}");
    assert_eq!(now["oldest"][0]["why"], "the global limit is reached");
    let got = get(&proxy, "/api/v10/channels/3").await;
    assert_eq!((got.status, &*got.reason()), (503, "queue_full"));
    assert!(got.headers.contains_key("retry-after"));
    drop(waits);
    until(&proxy, |now| queued(now) == 0 && now["active"] == 0).await;
    let metrics = get(&proxy, "/metrics").await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(
        text.contains("shardkeep_proxy_abandoned_total 1\n"),
        "{text}"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn identical_reads_of_one_token_are_sent_once_and_others_are_not_shared() {
    let late = || Say::Late(Duration::from_millis(100));
    let server = Server::start([late(), late(), late()]).await;
    let proxy = Arc::new(open(settings(&server.base)).await);
    let mut clients = JoinSet::new();
    for n in 0..9 {
        let proxy = Arc::clone(&proxy);
        clients.spawn(async move {
            let token = if n < 6 { "Bot a.b.c" } else { "Bot x.y.z" };
            let path = "/api/v10/channels/1";
            ask(&proxy, "GET", path, &[("authorization", token)], "")
                .await
                .status
        });
    }
    while let Some(status) = clients.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let seen = server.seen();
    let of = |token| {
        seen.iter()
            .filter(|seen| seen.header("authorization") == token)
            .count()
    };
    assert_eq!((of("Bot a.b.c"), of("Bot x.y.z")), (1, 1));
    assert_eq!(status(&proxy).await["requests"]["shared"], 7);
}

#[tokio::test]
async fn draining_finishes_what_was_taken_and_takes_nothing_new() {
    let server = Server::start([Say::Late(Duration::from_millis(150))]).await;
    let proxy = open(settings(&server.base)).await;
    let address = proxy.local_addr();
    let (asked, answered) = tokio::sync::oneshot::channel();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET /api/v10/channels/1 HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    tokio::spawn(async move {
        let mut answer = String::new();
        let read = tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await;
        let _unread = asked.send(read.map(|_| answer));
    });
    until(&proxy, |now| now["active"] == 1).await;
    assert_eq!(proxy.shutdown(Duration::from_secs(30)).await.cut_off, 0);
    let answer = answered.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_is_left_when_time_is_up_is_told_so() {
    let server = Server::start([say(200, "{}")]).await;
    let mut slow = settings(&server.base);
    slow.rest.scheduler.global_limit = 1;
    slow.rest.scheduler.global_window = Duration::from_secs(3_600);
    let proxy = open(slow).await;
    assert_eq!(get(&proxy, "/api/v10/channels/1").await.status, 200);
    let mut socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head =
        format!("GET /api/v10/channels/2 HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    until(&proxy, |now| queued(now) == 1).await;
    assert_eq!(proxy.shutdown(Duration::from_millis(20)).await.cut_off, 1);
    let mut answer = String::new();
    let read = tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await;
    assert!(
        read.is_ok() && answer.starts_with("HTTP/1.1 503"),
        "{answer}"
    );
    assert!(answer.contains("\"stopping\""), "{answer}");
}
