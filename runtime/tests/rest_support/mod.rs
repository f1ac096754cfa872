//! A server for tests of REST: answers as it is told, and remembers what it was asked.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use shardkeep::rest::Settings;
use tokio::net::TcpListener;

/// What arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Close the connection without an answer.
    Hang,
    /// Answer late.
    Late(Duration),
}

pub(crate) fn say(status: u16, body: &str) -> Say {
    Say::Answer {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// A 429 as Discord sends it.
pub(crate) fn limited(retry_after_s: f64) -> Say {
    let headers = vec![
        ("retry-after", format!("{}", retry_after_s.ceil())),
        ("x-ratelimit-scope", "user".to_owned()),
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-limit", "5".to_owned()),
        ("x-ratelimit-reset-after", format!("{retry_after_s}")),
        ("x-ratelimit-bucket", "abc".to_owned()),
    ];
    let body = format!(
        r#"{{"message":"You are being rate limited.","retry_after":{retry_after_s},"global":false}}"#
    );
    Say::Answer {
        status: 429,
        headers,
        body,
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Say>>,
    seen: Mutex<Vec<Seen>>,
}

/// The server. What the script does not say is answered with 200 and an empty object.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    state: Arc<State>,
}

impl Server {
    pub(crate) async fn start(script: impl IntoIterator<Item = Say>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port on loopback");
        let base = format!(
            "http://{}/api/v10",
            listener.local_addr().expect("it is bound")
        );
        let state = Arc::new(State {
            script: Mutex::new(script.into_iter().collect()),
            ..State::default()
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _hung_up = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { base, state }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state
            .seen
            .lock()
            .expect("no test panics with it")
            .clone()
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.base);
        settings.timeout = Duration::from_secs(5);
        settings.scheduler.backoff_base = Duration::from_millis(5);
        settings
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let seen = Seen {
        method: parts.method.to_string(),
        path,
        headers: parts.headers,
        body,
    };
    state
        .seen
        .lock()
        .expect("no test panics with it")
        .push(seen);
    let next = state
        .script
        .lock()
        .expect("no test panics with it")
        .pop_front();
    let (status, headers, body) = match next.unwrap_or_else(|| say(200, "{}")) {
        Say::Answer {
            status,
            headers,
            body,
        } => (status, headers, body),
        Say::Hang => {
            // A service that panics takes its connection with it; a pending one would keep it open.
            std::panic::resume_unwind(Box::new("hang up"));
        }
        Say::Late(delay) => {
            tokio::time::sleep(delay).await;
            (200, Vec::new(), "{}".to_owned())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status.try_into().expect("a status");
    let json = ("content-type", "application/json".to_owned());
    for (name, value) in headers
        .into_iter()
        .chain([json, ("via", "1.1 test".to_owned())])
    {
        response
            .headers_mut()
            .insert(name, value.parse().expect("a header"));
    }
    Ok(response)
}
