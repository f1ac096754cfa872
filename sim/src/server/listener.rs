//! The one port: HTTP/1.1, and WebSockets by upgrade.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tungstenite::handshake::derive_accept_key;

use super::connection::Connection;
use super::control_api;
use super::outgoing::Outgoing;
use super::traffic::Traffic;
use super::world_task::{HttpRequest, Message, gone};

/// Largest body that is read, in bytes: an upload with ten attachments of 10 MiB, and some room.
const MAX_BODY_BYTES: usize = 104 << 20;

/// What every connection shares.
pub(super) struct Shared {
    pub(super) world: mpsc::Sender<Message>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) emptied: Arc<Notify>,
    pub(super) max_queued_bytes: usize,
    /// The configuration as `GET /sim/config` shows it.
    pub(super) config: Value,
    pub(super) next_connection: AtomicU64,
}

/// Accepts connections for ever. Ends by being aborted.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                shared.traffic.accepted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, peer, Arc::clone(&shared)));
            }
            // Out of file descriptors, or a client that left before it was accepted: others still can be.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // Without it small frames wait for acknowledgements of earlier ones. A socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { route(request, peer, shared).await }
    });
    let http = hyper::server::conn::http1::Builder::new();
    // An error here is a client that broke HTTP or hung up: hyper has answered it if it could be answered.
    let _ = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// The world wants this connection broken without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulator broke the connection")]
struct Abandoned;

async fn route(
    request: Request<Incoming>,
    peer: SocketAddr,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Abandoned> {
    if is_upgrade(request.headers()) {
        return Ok(upgrade(request, shared));
    }
    let path = request.uri().path().to_owned();
    if path == "/sim" || path.starts_with("/sim/") {
        if !peer.ip().to_canonical().is_loopback() {
            shared
                .traffic
                .control_refused
                .fetch_add(1, Ordering::Relaxed);
            let error = "the control API answers to this machine only: call it over loopback";
            return Ok(json_response(
                StatusCode::FORBIDDEN,
                &json!({ "error": error }),
            ));
        }
        let (method, query) = (
            request.method().clone(),
            request.uri().query().map(str::to_owned),
        );
        let body = match read_body(request).await {
            Ok(body) => body,
            Err(response) => return Ok(response),
        };
        return Ok(control_api::answer(&method, &path, query.as_deref(), &body, &shared).await);
    }
    rest(request, &shared).await
}

async fn rest(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Abandoned> {
    let (method, target) = (request.method().to_string(), target(&request));
    let authorization = text(request.headers(), header::AUTHORIZATION).map(str::to_owned);
    let body = match read_body(request).await {
        Ok(body) => body,
        Err(response) => return Ok(response),
    };
    let (answer, answered) = oneshot::channel();
    let request = HttpRequest {
        method,
        path_and_query: target,
        authorization,
        body: body.into(),
    };
    let sent = shared.world.send(Message::Http { request, answer }).await;
    if sent.is_err() {
        return Ok(json_response(StatusCode::SERVICE_UNAVAILABLE, &gone()));
    }
    let answer = answered.await.map_err(|_| Abandoned)?;
    let mut response = Response::new(Full::new(answer.body.into()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

async fn read_body(request: Request<Incoming>) -> Result<Bytes, Response<Full<Bytes>>> {
    match Limited::new(request.into_body(), MAX_BODY_BYTES)
        .collect()
        .await
    {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let error = "the body is above 104 MiB";
            Err(json_response(
                StatusCode::PAYLOAD_TOO_LARGE,
                &json!({ "error": error }),
            ))
        }
        Err(error) => {
            let error = format!("the body could not be read: {error}");
            Err(json_response(
                StatusCode::BAD_REQUEST,
                &json!({ "error": error }),
            ))
        }
    }
}

/// Whether a request wants to become a WebSocket.
fn is_upgrade(headers: &HeaderMap) -> bool {
    text(headers, header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

fn upgrade(mut request: Request<Incoming>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    let refused = |status: StatusCode, error: &str| {
        shared
            .traffic
            .upgrades_refused
            .fetch_add(1, Ordering::Relaxed);
        json_response(status, &json!({ "error": error }))
    };
    if request.method() != Method::GET {
        return refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "a WebSocket begins with GET",
        );
    }
    if text(request.headers(), header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let mut response = refused(
            StatusCode::UPGRADE_REQUIRED,
            "Sec-WebSocket-Version must be 13",
        );
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        return response;
    }
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return refused(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing");
    };
    let accept = derive_accept_key(key.as_bytes());
    let Ok(accept) = HeaderValue::from_str(&accept) else {
        return refused(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is not usable");
    };
    tokio::spawn(become_websocket(
        target(&request),
        hyper::upgrade::on(&mut request),
        Arc::clone(&shared),
    ));
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn become_websocket(target: String, on: hyper::upgrade::OnUpgrade, shared: Arc<Shared>) {
    let Ok(upgraded) = on.await else { return };
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .expect("the listener gives hyper nothing but TCP streams");
    shared.traffic.upgrades.fetch_add(1, Ordering::Relaxed);
    shared.traffic.open.fetch_add(1, Ordering::Relaxed);
    let connection = Connection {
        number: shared.next_connection.fetch_add(1, Ordering::Relaxed),
        target,
        outgoing: Arc::new(Outgoing::new(
            shared.max_queued_bytes,
            Arc::clone(&shared.emptied),
        )),
        world: shared.world.clone(),
        traffic: Arc::clone(&shared.traffic),
    };
    connection
        .serve(parts.io.into_inner(), &parts.read_buf)
        .await;
    shared.traffic.open.fetch_sub(1, Ordering::Relaxed);
    shared.emptied.notify_one();
}

fn target(request: &Request<Incoming>) -> String {
    request
        .uri()
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A response with a JSON body.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
