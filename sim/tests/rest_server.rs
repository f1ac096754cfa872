//! The REST limits over real sockets.

#![cfg(feature = "server")]

mod common_server;

use common_server::{Client, http, server, world};
use serde_json::json;
use shardkeep_sim::rest::{Latency, RestConfig};
use shardkeep_sim::{Control, DEFAULT_TOKEN, WorldConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn limits_are_set_and_read_over_the_control_api() {
    let server = server(world()).await;
    let rule = json!({ "methods": ["GET"], "path": "/users/@me", "hash": "me", "limit": 2, "window_ms": 60_000 });
    let (status, answer) = http(
        &server,
        "PUT",
        "/sim/rest",
        &json!({ "rules": [rule] }).to_string(),
    )
    .await;
    assert_eq!((status, answer), (200, json!({ "rules": 1 })));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(http(&server, "GET", "/api/v10/users/@me", "").await.0);
    }
    assert_eq!(statuses, [200, 200, 429]);
    let (_, report) = http(&server, "GET", "/sim/rest?last=1", "").await;
    assert_eq!(
        (
            &report["counters"]["accepted"],
            &report["counters"]["refused"]
        ),
        (&json!(2), &json!(1))
    );
    let arrival = &report["arrivals"][0];
    assert_eq!(
        (&arrival["route"], &arrival["bucket"]),
        (&json!("GET /users/@me"), &json!("me"))
    );
    assert_eq!(http(&server, "POST", "/sim/rest/reset", "").await.0, 200);
    assert_eq!(http(&server, "GET", "/api/v10/users/@me", "").await.0, 200);
    let (status, answer) = http(&server, "PUT", "/sim/rest", r#"{"rules":[{"path":"x"}]}"#).await;
    assert_eq!(status, 400, "{answer}");
    let (status, _) = http(&server, "GET", "/sim/rest?last=many", "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_lost_answer_breaks_its_connection_only() {
    let fault = json!({ "fault": { "kind": "drop_after" }, "path": "/users/@me" });
    let rest = RestConfig {
        faults: vec![serde_json::from_value(fault).unwrap()],
        latency: Latency {
            there_ms: [1, 5],
            back_ms: [1, 5],
        },
        ..RestConfig::default()
    };
    let server = server(WorldConfig { rest, ..world() }).await;
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    let request = format!(
        "GET /api/v10/users/@me HTTP/1.1\r\nAuthorization: Bot {DEFAULT_TOKEN}\r\nHost: test\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // A reset or an end, and nothing before it.
    let _ = socket.read_to_end(&mut heard).await;
    assert!(heard.is_empty());
    assert_eq!(http(&server, "GET", "/api/v10/gateway", "").await.0, 200);
    let report = server.control(Control::Rest { last: None }).await;
    assert_eq!(report["counters"]["dropped_after"], 1);
}

#[tokio::test]
async fn what_is_posted_is_heard_on_the_gateway() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, "v=10&encoding=json").await;
    client.ready([0, 1]).await;
    let guilds = server.control(Control::Guilds).await;
    let path = format!(
        "/api/v10/channels/{}/messages",
        guilds["guilds"][0]["channel"].as_str().unwrap()
    );
    let (status, posted) = http(&server, "POST", &path, r#"{"content":"over REST"}"#).await;
    assert_eq!(status, 200);
    let told = client.until("MESSAGE_CREATE").await.pop().unwrap();
    assert_eq!(
        (&told["d"]["id"], &told["d"]["content"]),
        (&posted["id"], &json!("over REST"))
    );
}

/// The JSON objects in the guide that are sent to `PUT /sim/rest`.
fn examples() -> Vec<String> {
    let guide = include_str!("../../docs/simulator.md");
    let commands = guide
        .split("curl -s -X PUT http://127.0.0.1:8080/sim/rest -d '")
        .skip(1);
    commands
        .map(|rest| rest.split('\'').take(1).collect())
        .collect()
}

#[tokio::test]
async fn every_example_and_class_in_the_guide_is_taken() {
    let server = server(world()).await;
    let examples = examples();
    assert!(!examples.is_empty());
    for example in examples {
        let (status, answer) = http(&server, "PUT", "/sim/rest", &example).await;
        assert_eq!(status, 200, "{answer}");
    }
    let guide = include_str!("../../docs/simulator.md");
    let report = server.control(Control::Rest { last: Some(0) }).await;
    let counts = [
        "arrivals",
        "accepted",
        "refused",
        "invalid",
        "bans",
        "failed",
        "dropped_before",
        "dropped_after",
        "slow",
    ];
    for (class, _) in report["counters"].as_object().unwrap() {
        assert!(
            counts.contains(&class.as_str()) || guide.contains(&format!("| `{class}` |")),
            "{class}"
        );
    }
    for fault in guide.match_indices(r#"{"kind": "drop_"#) {
        let text = guide[fault.0..].split('}').next().unwrap().to_owned() + "}";
        let parts = format!(r#"{{"faults": [{{"fault": {text}}}]}}"#);
        assert_eq!(
            http(&server, "PUT", "/sim/rest", &parts).await.0,
            200,
            "{text}"
        );
    }
}
