//! A session over real sockets: identify, events, a broken connection, resume, and several topologies at once.

#![cfg(feature = "server")]

mod common_server;

use common_server::{Client, Heard, server, world};
use serde_json::json;
use shardkeep_sim::{Control, DEFAULT_TOKEN, Fault, Target, WorldConfig};

const QUERY: &str = "v=10&encoding=json";

fn say(content: &str) -> Control {
    Control::Say {
        guild: None,
        channel: None,
        content: content.to_owned(),
    }
}

fn fault(shard: [u32; 2], fault: Fault) -> Control {
    Control::Fault {
        target: Target::Shard(shard),
        fault,
    }
}

#[tokio::test]
async fn a_broken_session_resumes_and_hears_what_it_missed() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    let (ready, seq) = client.ready([0, 1]).await;
    assert_eq!(ready["guilds"].as_array().unwrap().len(), 6);

    server.control(say("one")).await;
    let one = client.until("MESSAGE_CREATE").await.pop().unwrap();
    assert_eq!(
        (&one["d"]["content"], &one["s"]),
        (&json!("one"), &json!(seq + 1))
    );

    server.control(fault([0, 1], Fault::Drop)).await;
    assert_eq!(client.hear().await, Heard::Broken);
    server.control(say("two")).await;
    server.control(say("three")).await;

    assert_eq!(ready["resume_gateway_url"], server.gateway_url());
    let mut client = Client::connect(&server, QUERY).await;
    assert_eq!(client.message().await["op"], 10);
    let resume =
        json!({ "token": DEFAULT_TOKEN, "session_id": ready["session_id"], "seq": seq + 1 });
    client.send(6, resume).await;
    let replay = client.until("RESUMED").await;
    let contents: Vec<_> = replay
        .iter()
        .map(|message| &message["d"]["content"])
        .collect();
    assert_eq!(contents[..2], [&json!("two"), &json!("three")]);
    assert_eq!(replay.len(), 3);
    assert_eq!(replay[0]["s"], seq + 2);

    server.control(say("four")).await;
    assert_eq!(client.message().await["d"]["content"], "four");
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["resumes"], 1);
    assert_eq!(counters["dispatches_replayed"], 2);
    assert_eq!(counters["violations"], 0);
    assert_eq!(counters["server"]["upgrades"], 2);
}

#[tokio::test]
async fn two_topologies_hear_the_same_at_the_same_time() {
    let server = server(world()).await;
    let (mut one, mut left, mut right) = (
        Client::connect(&server, QUERY).await,
        Client::connect(&server, QUERY).await,
        Client::connect(&server, QUERY).await,
    );
    let (all, _) = one.ready([0, 1]).await;
    let (half, _) = left.ready([0, 2]).await;
    let (other, _) = right.ready([1, 2]).await;
    let count = |ready: &serde_json::Value| ready["guilds"].as_array().unwrap().len();
    assert_eq!(count(&half) + count(&other), count(&all));

    let guild = half["guilds"][0]["id"].as_str().unwrap().parse().unwrap();
    let content = "for one shard of each".to_owned();
    server
        .control(Control::Say {
            guild: Some(guild),
            channel: None,
            content,
        })
        .await;
    let heard = one.message().await;
    assert_eq!(heard["d"], left.message().await["d"]);
    server.control(say("for everyone")).await;
    assert_eq!(right.message().await["d"]["content"], "for everyone");
}

#[tokio::test]
async fn frames_of_the_wrong_kind_close_the_connection_with_a_code() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::Message;

    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    client
        .send(
            2,
            json!({ "token": "not this one", "intents": 0, "properties": {} }),
        )
        .await;
    assert_eq!(client.hear().await, Heard::Closed(4004));

    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    client.send(99, json!(null)).await;
    assert_eq!(client.hear().await, Heard::Closed(4001));

    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    client
        .socket
        .send(Message::text("x".repeat(5_000)))
        .await
        .unwrap();
    assert_eq!(client.hear().await, Heard::Closed(4002));

    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    client
        .socket
        .send(Message::text("x".repeat(2 << 20)))
        .await
        .unwrap();
    assert_eq!(client.hear().await, Heard::Closed(1009));

    let mut client = Client::connect(&server, "v=5&encoding=json").await;
    assert_eq!(client.hear().await, Heard::Closed(4012));
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["server"]["malformed_frames"], 1);
}

#[tokio::test]
async fn a_heartbeat_is_acknowledged_and_a_ping_answered() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::{Bytes, Message};

    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    client.send(1, json!(null)).await;
    assert_eq!(client.message().await["op"], 11);
    client
        .socket
        .send(Message::Ping(Bytes::from_static(b"there?")))
        .await
        .unwrap();
    use futures_util::StreamExt;
    let pong = client.socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"there?")));
}

#[tokio::test]
async fn a_half_open_connection_answers_nothing_until_it_breaks() {
    use std::time::Duration;

    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::{Bytes, Message};

    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    client.ready([0, 1]).await;
    server.control(fault([0, 1], Fault::HalfOpen)).await;
    client.send(1, json!(null)).await;
    client
        .socket
        .send(Message::Ping(Bytes::new()))
        .await
        .unwrap();
    client.socket.send(Message::Close(None)).await.unwrap();
    server.control(say("nobody hears")).await;
    let heard = tokio::time::timeout(Duration::from_millis(200), client.hear()).await;
    assert!(heard.is_err(), "{heard:?}");
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["connections_open"], 1, "the world cannot know");
    server.control(fault([0, 1], Fault::Drop)).await;
    assert_eq!(client.hear().await, Heard::Broken);
}

#[tokio::test]
async fn a_client_that_closes_with_1000_ends_its_session() {
    use tokio_tungstenite::tungstenite::Utf8Bytes;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    let (ready, seq) = client.ready([0, 1]).await;
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::from_static("bye"),
    };
    client.socket.close(Some(frame)).await.unwrap();
    while client.hear().await != Heard::Broken {}

    let mut client = Client::connect(&server, QUERY).await;
    client.message().await;
    let resume = json!({ "token": DEFAULT_TOKEN, "session_id": ready["session_id"], "seq": seq });
    client.send(6, resume).await;
    let answer = client.message().await;
    assert_eq!((&answer["op"], &answer["d"]), (&json!(9), &json!(false)));
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_reset_and_counted() {
    let config = shardkeep_sim::server::ServerConfig {
        world: WorldConfig {
            guilds: 1,
            ..world()
        },
        max_queued_bytes: 64 * 1024,
        ..Default::default()
    };
    let server = shardkeep_sim::server::Server::start(config).await.unwrap();
    let mut client = Client::connect(&server, QUERY).await;
    client.ready([0, 1]).await;
    let content = "x".repeat(2_000);
    // The kernel's own buffers fill first, whose size is its affair.
    for _ in 0..100 {
        for _ in 0..200 {
            server.control(say(&content)).await;
        }
        let counters = server.control(Control::Counters).await;
        if counters["server"]["slow_readers"] == 1 {
            assert_eq!(counters["connections_open"], 0);
            assert_eq!(counters["sessions_open"], 1, "it may come back and resume");
            return;
        }
    }
    panic!("40 MB were queued for a client that reads nothing");
}

#[tokio::test]
async fn shutdown_says_goodbye() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, QUERY).await;
    client.identify([0, 1]).await;
    client.send(1, json!(null)).await;
    let addr = server.addr();
    let goodbye = async {
        while client.hear().await != Heard::Closed(1001) {}
        assert_eq!(
            client.hear().await,
            Heard::Broken,
            "the closing handshake is over"
        );
    };
    tokio::join!(server.shutdown(), goodbye);
    assert!(
        tokio::net::TcpStream::connect(addr).await.is_err(),
        "the port is free again"
    );
}
