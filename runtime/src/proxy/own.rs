//! The proxy's own paths: `/health`, `/metrics`, `/status`, `/explain`, `/cache`.

use std::sync::atomic::Ordering;

use http::{Method, StatusCode};
use serde_json::json;
use shardkeep_core::rest::RequestId;

use super::answer::{Refused, Reply, json_reply, text_reply};
use super::gate::{Gate, unauthorized};
use super::metrics;
use super::reason::Reason;
use super::status;

/// Answers one of the proxy's own paths. `/health` is open to everybody: it tells nothing.
pub(super) fn answer(
    gate: &Gate,
    method: &Method,
    path: &str,
    is_admitted: bool,
) -> Result<Reply, Refused> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let read = match path {
        "/health" => health,
        _ if !is_admitted => return Err(unauthorized()),
        "/metrics" => metrics,
        "/status" => status_page,
        "/explain" => explain,
        "/cache" => {
            only(method == Method::DELETE, "/cache is emptied with DELETE")?;
            return invalidate(gate, query);
        }
        _ => {
            let message = "Discord's paths begin with /api or /v10; the proxy's own are /_shardkeep/health, /metrics, \
                           /status, /explain and /cache";
            return Err(Refused::new(Reason::NoSuchPath, message));
        }
    };
    let is_read = method == Method::GET || method == Method::HEAD;
    only(is_read, "this path is read with GET")?;
    read(gate, query)
}

fn only(is_right: bool, message: &str) -> Result<(), Refused> {
    if is_right {
        return Ok(());
    }
    Err(Refused::new(Reason::NoSuchMethod, message))
}

/// Whether it takes requests. Never Discord's state: another proxy would not reach it either.
fn health(gate: &Gate, _: &str) -> Result<Reply, Refused> {
    let is_draining = gate.is_draining.load(Ordering::Relaxed);
    let status = if is_draining {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let body = json!({ "healthy": !is_draining, "draining": is_draining });
    Ok(json_reply(status, &body))
}

fn metrics(gate: &Gate, _: &str) -> Result<Reply, Refused> {
    let text = metrics::text(gate).map_err(|error| {
        let message = format!("the metrics could not be written: {error}");
        Refused::new(Reason::Failed, message)
    })?;
    Ok(text_reply(StatusCode::OK, metrics::CONTENT_TYPE, text))
}

fn status_page(gate: &Gate, _: &str) -> Result<Reply, Refused> {
    Ok(json_reply(StatusCode::OK, &status::status(gate)))
}

fn explain(gate: &Gate, query: &str) -> Result<Reply, Refused> {
    let id = parameter(query, "id").and_then(|id| id.parse().ok().map(RequestId));
    let Some(id) = id else {
        let message = "/explain?id=N explains the request whose answer has X-Shardkeep-Request: N; /status lists the \
                       oldest that wait";
        return Err(Refused::new(Reason::BadRequest, message));
    };
    match gate.client.explain(id) {
        Some(explanation) => {
            let body = status::explanation(id, &explanation);
            Ok(json_reply(StatusCode::OK, &body))
        }
        None => {
            let message = "this request was answered, or never submitted, or refused long ago";
            Err(Refused::new(Reason::NoSuchPath, message))
        }
    }
}

fn invalidate(gate: &Gate, query: &str) -> Result<Reply, Refused> {
    let prefix = parameter(query, "prefix").unwrap_or_default();
    let prefix = prefix
        .replace("%2F", "/")
        .replace("%2f", "/")
        .replace("%40", "@");
    if !(prefix.is_empty() || prefix.starts_with('/')) {
        let message = "prefix is a path below the version, such as /guilds/81384788765712384; without it all goes";
        return Err(Refused::new(Reason::BadRequest, message));
    }
    let removed = gate.cache.invalidate(&prefix);
    Ok(json_reply(StatusCode::OK, &json!({ "removed": removed })))
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
