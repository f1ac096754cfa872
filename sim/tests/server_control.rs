//! The control API and REST over HTTP: what they answer, and what they refuse.

#![cfg(feature = "server")]

mod common_server;

use std::net::SocketAddr;

use common_server::{Client, http, server, world};
use serde_json::json;
use shardkeep_sim::server::{Server, ServerConfig, StartError};

#[tokio::test]
async fn other_machines_are_kept_out_unless_they_are_let_in() {
    let listen: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let config = ServerConfig {
        world: world(),
        listen,
        ..ServerConfig::default()
    };
    let error = Server::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback { .. }));
    assert!(error.to_string().contains("allow_remote"));
    Server::start(ServerConfig {
        allow_remote: true,
        ..config
    })
    .await
    .unwrap();

    let taken = server(world()).await;
    let config = ServerConfig {
        world: world(),
        listen: taken.addr(),
        ..ServerConfig::default()
    };
    assert!(matches!(
        Server::start(config).await.unwrap_err(),
        StartError::Listen { .. }
    ));
}

#[tokio::test]
async fn errors_say_what_is_wrong_and_what_there_is() {
    let server = server(world()).await;
    let cases = [
        (
            "POST",
            "/sim/say",
            r#"{"contnt":"x"}"#,
            400,
            "unknown field `contnt`",
        ),
        ("POST", "/sim/say", "{}", 400, "missing field `content`"),
        ("POST", "/sim/say", "[1]", 400, "JSON object"),
        ("POST", "/sim/say", "{", 400, "not JSON"),
        (
            "POST",
            "/sim/say",
            r#"{"content":"x","guild":"1"}"#,
            400,
            "guild",
        ),
        (
            "POST",
            "/sim/faults",
            r#"{"target":"all","fault":{"kind":"quake"}}"#,
            400,
            "`half_open`",
        ),
        (
            "POST",
            "/sim/faults",
            r#"{"target":"me","fault":{"kind":"drop"}}"#,
            400,
            "`session`",
        ),
        ("POST", "/sim/control", r#"{"do":"sing"}"#, 400, "`say`"),
        (
            "POST",
            "/sim/flood",
            r#"{"events":1}"#,
            400,
            "missing field `then`",
        ),
        ("GET", "/sim/ledger?session=nobody", "", 400, "nobody"),
        ("GET", "/sim/ledger", "", 400, "missing field `session`"),
        ("GET", "/sim/say", "", 405, "does not take GET"),
        ("GET", "/sim/tea", "", 404, "/sim/tea"),
    ];
    for (method, path, body, status, error) in cases {
        let (seen, answer) = http(&server, method, path, body).await;
        assert_eq!(seen, status, "{path} {body}: {answer}");
        let told = answer["error"].as_str().unwrap_or_default();
        assert!(told.contains(error), "{path} {body}: {told}");
    }
    let (_, answer) = http(&server, "POST", "/sim/say", "{}").await;
    assert_eq!(answer["fields"], json!(["content", "guild?", "channel?"]));
}

#[tokio::test]
async fn a_wish_by_http_does_what_it_does_in_rust() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, "v=10&encoding=json").await;
    client.ready([0, 1]).await;
    assert_eq!(
        http(&server, "POST", "/sim/say", r#"{"content":"hi"}"#)
            .await
            .0,
        200
    );
    assert_eq!(client.message().await["d"]["content"], "hi");
    let event = r#"{"t":"ENTITLEMENT_CREATE","d":{"id":"7"}}"#;
    assert_eq!(http(&server, "POST", "/sim/events", event).await.0, 200);
    assert_eq!(client.message().await["d"]["id"], "7");
    let (status, counters) = http(&server, "GET", "/sim/counters", "").await;
    assert_eq!((status, &counters["identifies"]), (200, &json!(1)));
    assert_eq!(counters["server"]["upgrades"], 1);
    let (_, sessions) = http(&server, "GET", "/sim/sessions", "").await;
    assert_eq!(sessions["sessions"][0]["shard"], json!([0, 1]));
    let (_, violations) = http(&server, "GET", "/sim/violations", "").await;
    assert_eq!(violations["violations"], json!([]));
    let (_, health) = http(&server, "GET", "/sim/health", "").await;
    assert_eq!(health["ok"], true);
    let (_, config) = http(&server, "GET", "/sim/config", "").await;
    assert_eq!((&config["guilds"], config.get("token")), (&json!(6), None));
}

#[tokio::test]
async fn rest_answers_under_api() {
    let server = server(world()).await;
    let (status, bot) = http(&server, "GET", "/api/v10/gateway/bot", "").await;
    assert_eq!((status, &bot["url"]), (200, &json!(server.gateway_url())));
    assert_eq!(bot["session_start_limit"]["max_concurrency"], 1);
    let (status, _) = http(&server, "GET", "/api/v10/nothing/here", "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_handshake_that_is_no_websocket_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = server(world()).await;
    let version = "Sec-WebSocket-Version";
    let cases = [
        (format!("{version}: 8\r\nSec-WebSocket-Key: x"), "426"),
        (format!("{version}: 13"), "400"),
    ];
    for (headers, status) in cases {
        let mut socket = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        let request = format!(
            "GET /?v=10 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{headers}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
    }
}

#[tokio::test]
async fn a_flood_brings_every_session_its_events_and_then_the_last_word() {
    let server = server(world()).await;
    let flood = r#"{"events":5000,"bytes":2000,"then":"the end"}"#;
    assert_eq!(
        http(&server, "POST", "/sim/flood", flood).await.0,
        400,
        "nobody is there to hear it"
    );

    let mut clients = Vec::new();
    for shard in [[0, 2], [1, 2]] {
        let mut client = Client::connect(&server, "v=10&encoding=json").await;
        let (_, seq) = client.ready(shard).await;
        clients.push((client, seq));
    }
    let (status, answer) = http(&server, "POST", "/sim/flood", flood).await;
    assert_eq!(
        (status, &answer["sessions"], &answer["events"]),
        (200, &json!(2), &json!(5000))
    );
    let mean = answer["mean_bytes"].as_u64().unwrap();
    assert!((1_900..2_100).contains(&mean), "{mean}");
    for (client, seq) in &mut clients {
        for _ in 0..5000 {
            let event = client.message().await;
            *seq += 1;
            assert_eq!(event["s"], *seq);
        }
        assert_eq!(client.message().await["d"]["content"], "the end");
    }
    let counters = server.control(shardkeep_sim::Control::Counters).await;
    assert!(
        counters["server"]["writes"].as_u64() < counters["frames"].as_u64(),
        "frames share writes"
    );
}
