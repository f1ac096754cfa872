//! What each path answers. A pure function of request line and bot: no sockets here.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::metrics;
use super::observed::Observed;

const PATHS: &str = "/health, /ready, /status, /metrics";

/// Answers one request. A HEAD request gets the same answer; the server leaves its body out.
pub(super) fn answer(method: &Method, path: &str, observed: &dyn Observed) -> Response<String> {
    let read = match path {
        "/health" => health,
        "/ready" => ready,
        "/status" => status,
        "/metrics" => metrics,
        _ => {
            return json(
                StatusCode::NOT_FOUND,
                &json!({ "error": format!("there is only {PATHS}") }),
            );
        }
    };
    if method == Method::GET || method == Method::HEAD {
        return read(observed);
    }
    let error = json!({ "error": format!("{path} is read with GET") });
    let mut response = json(StatusCode::METHOD_NOT_ALLOWED, &error);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Whether the bot's own loops go round. Never Discord's state: restarting a bot does not help against an outage, and
/// costs identifies.
fn health(observed: &dyn Observed) -> Response<String> {
    let pulses = observed.pulses();
    let stuck: Vec<_> = pulses
        .iter()
        .filter(|pulse| pulse.idle > pulse.bound)
        .map(|pulse| {
            json!({
                "loop": pulse.name,
                "idle_ms": millis(pulse.idle),
                "bound_ms": millis(pulse.bound),
            })
        })
        .collect();
    let code = if stuck.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(
        code,
        &json!({ "healthy": stuck.is_empty(), "loops": pulses.len(), "stuck": stuck }),
    )
}

/// Whether every shard of this process is established.
fn ready(observed: &dyn Observed) -> Response<String> {
    let numbers = observed.numbers();
    let missing: Vec<_> = numbers
        .shards
        .iter()
        .filter(|shard| !shard.established)
        .map(|shard| json!({ "shard": shard.shard.to_string(), "state": shard.state }))
        .collect();
    let established = numbers.shards.len() - missing.len();
    let ready = numbers
        .shards_expected
        .is_some_and(|count| count > 0 && established >= count as usize)
        && missing.is_empty();
    let code = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "ready": ready,
        "shards": numbers.shards_expected,
        "established": established,
        "missing": missing,
    });
    json(code, &body)
}

fn status(observed: &dyn Observed) -> Response<String> {
    response(StatusCode::OK, "application/json", observed.status_json())
}

fn metrics(observed: &dyn Observed) -> Response<String> {
    match metrics::text(observed.numbers()) {
        Ok(text) => response(StatusCode::OK, metrics::CONTENT_TYPE, text),
        Err(error) => {
            let error = json!({ "error": format!("the metrics could not be written: {error}") });
            json(StatusCode::INTERNAL_SERVER_ERROR, &error)
        }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn json(code: StatusCode, body: &serde_json::Value) -> Response<String> {
    response(code, "application/json", body.to_string())
}

fn response(code: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
