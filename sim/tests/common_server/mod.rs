//! A client of the simulator for tests: a WebSocket, the gateway's first words, and HTTP over a plain socket.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test helper: every file uses its own part of it"
)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, WorldConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Intents of a bot that hears guilds, messages and their content.
pub(crate) const INTENTS: u64 = 0x8201;

/// How long anything may take before a test fails: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A small world that lets shards identify at once.
pub(crate) fn world() -> WorldConfig {
    WorldConfig {
        guilds: 6,
        members_per_guild: 10,
        identify_window_ms: 0,
        ..WorldConfig::default()
    }
}

/// A server around that world.
pub(crate) async fn server(world: WorldConfig) -> Server {
    Server::start(ServerConfig {
        world,
        ..ServerConfig::default()
    })
    .await
    .unwrap()
}

/// What a client hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A gateway message.
    Message(Value),
    /// Bytes of a binary frame.
    Bytes(Vec<u8>),
    /// A close frame's code.
    Closed(u16),
    /// The connection ended without a close frame.
    Broken,
}

/// One WebSocket to the simulator.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Opens a WebSocket with this query.
    pub(crate) async fn connect(server: &Server, query: &str) -> Self {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let url = format!("{}/?{query}", server.gateway_url());
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Self { socket }
    }

    /// The next thing that is heard.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            return match next.expect("the simulator says something") {
                Some(Ok(Message::Text(text))) => {
                    Heard::Message(serde_json::from_str(&text).unwrap())
                }
                Some(Ok(Message::Binary(bytes))) => Heard::Bytes(bytes.into()),
                Some(Ok(Message::Close(Some(frame)))) => Heard::Closed(frame.code.into()),
                Some(Ok(Message::Close(None))) => Heard::Closed(1005),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Heard::Broken,
            };
        }
    }

    /// The next gateway message.
    pub(crate) async fn message(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            other => panic!("a message was expected, not {other:?}"),
        }
    }

    /// Messages up to and with the first dispatch of this name.
    pub(crate) async fn until(&mut self, t: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.message().await);
            if heard.last().unwrap()["t"] == t {
                return heard;
            }
        }
    }

    /// Sends a command.
    pub(crate) async fn send(&mut self, op: u8, d: Value) {
        let text = json!({ "op": op, "d": d }).to_string();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Hears HELLO and identifies.
    pub(crate) async fn identify(&mut self, shard: [u32; 2]) {
        assert_eq!(self.message().await["op"], 10);
        self.send(2, identify(shard)).await;
    }

    /// Identifies and hears READY and every guild; answers READY's `d` and the last `s`.
    pub(crate) async fn ready(&mut self, shard: [u32; 2]) -> (Value, u64) {
        self.identify(shard).await;
        let ready = self.until("READY").await.pop().unwrap();
        let mut seq = ready["s"].as_u64().unwrap();
        for _ in ready["d"]["guilds"].as_array().unwrap() {
            let guild = self.until("GUILD_CREATE").await.pop().unwrap();
            assert_eq!(guild["s"], seq + 1);
            seq += 1;
        }
        (ready["d"].clone(), seq)
    }
}

/// An Identify's `d`.
pub(crate) fn identify(shard: [u32; 2]) -> Value {
    json!({
        "token": DEFAULT_TOKEN,
        "intents": INTENTS,
        "properties": { "os": "linux", "browser": "test", "device": "test" },
        "shard": shard,
    })
}

/// One HTTP request on a connection of its own; answers the status and the body.
pub(crate) async fn http(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    let head = [
        format!("{method} {path} HTTP/1.1"),
        format!("Authorization: Bot {DEFAULT_TOKEN}"),
        format!("Content-Length: {}", body.len()),
        "Host: test\r\nConnection: close\r\n\r\n".to_owned(),
    ];
    let request = head.join("\r\n") + body;
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
