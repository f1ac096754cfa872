//! A proxy for tests, and a client that asks it one thing at a time.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use shardkeep::proxy::{Access, Key, Proxy, Settings};
use shardkeep_sim::rest::RestConfig;
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{Control, DEFAULT_TOKEN, WorldConfig};
use tokio::net::TcpStream;

pub(crate) const KEY: &str = "correct-horse-battery-staple";

/// A proxy's answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn reason(&self) -> String {
        let json = self.json();
        let reason = json["shardkeep"]["reason"].as_str();
        reason.unwrap_or_default().to_owned()
    }
}

/// The proxy's settings in front of `base`, on any free port, with [`KEY`].
pub(crate) fn settings(base: &str) -> Settings {
    let key = Key::new(KEY).expect("a key");
    let mut settings = Settings::new(Access::Key(key));
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.rest.base = base.to_owned();
    settings.rest.timeout = Duration::from_secs(5);
    settings.rest.scheduler.backoff_base = Duration::from_millis(5);
    settings
}

pub(crate) async fn open(settings: Settings) -> Proxy {
    Proxy::start(settings).await.expect("a proxy")
}

/// Sends one request as it is given, without the key.
pub(crate) async fn send(proxy: &Proxy, request: Request<Full<Bytes>>) -> Got {
    let socket = TcpStream::connect(proxy.local_addr())
        .await
        .expect("the proxy");
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.expect("HTTP");
    tokio::spawn(connection);
    let response = sender.send_request(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.expect("a body").to_bytes(),
    }
}

/// Asks with the key and these headers.
pub(crate) async fn ask(
    proxy: &Proxy,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Got {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "proxy")
        .header("x-shardkeep-key", KEY);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(
        proxy,
        request.body(Full::new(body.into())).expect("a request"),
    )
    .await
}

pub(crate) async fn get(proxy: &Proxy, path: &str) -> Got {
    ask(proxy, "GET", path, &[], "").await
}

/// A simulated Discord.
pub(crate) async fn simulator(rest: RestConfig) -> Server {
    let world = WorldConfig {
        guilds: 4,
        members_per_guild: 8,
        rest,
        ..WorldConfig::default()
    };
    let config = ServerConfig {
        world,
        ..ServerConfig::default()
    };
    Server::start(config).await.expect("a simulator")
}

/// A proxy in front of a simulator, with the simulator's token as its own.
pub(crate) fn in_front_of(simulator: &Server) -> Settings {
    let mut settings = settings(&simulator.api_base());
    settings.token = Some(shardkeep::core::Token::new(DEFAULT_TOKEN).expect("a token"));
    settings
}

/// A text channel of the simulator's.
pub(crate) async fn channel(simulator: &Server) -> String {
    let guilds = simulator.control(Control::Guilds).await;
    let channel = guilds["guilds"][0]["channel"].as_str();
    channel.expect("a channel").to_owned()
}
