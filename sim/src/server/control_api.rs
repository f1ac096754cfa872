//! The control API under `/sim`: tests in any language steer the world with it.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::flood::FloodRequest;
use super::listener::{Shared, json_response};
use super::world_task::{Message, gone};
use crate::Control;

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Answered by the server itself.
    Health,
    Config,
    Routes,
    Flood,
    /// A [`Control`] whose `do` is in the body.
    Any,
    /// The [`Control`] with this `do`; the body or the query holds its fields.
    Do(&'static str),
}

struct Route {
    method: Method,
    path: &'static str,
    action: Action,
    /// Which fields there are; `?` marks those that may be absent.
    fields: &'static [&'static str],
}

const fn get(path: &'static str, action: Action, fields: &'static [&'static str]) -> Route {
    Route {
        method: Method::GET,
        path,
        action,
        fields,
    }
}

const fn post(path: &'static str, action: Action, fields: &'static [&'static str]) -> Route {
    Route {
        method: Method::POST,
        path,
        action,
        fields,
    }
}

const fn put(path: &'static str, action: Action, fields: &'static [&'static str]) -> Route {
    Route {
        method: Method::PUT,
        path,
        action,
        fields,
    }
}

/// Every route there is. docs/simulator.md describes them in this order.
const ROUTES: &[Route] = &[
    get("/sim", Action::Routes, &[]),
    get("/sim/health", Action::Health, &[]),
    get("/sim/config", Action::Config, &[]),
    get("/sim/counters", Action::Do("counters"), &[]),
    get("/sim/violations", Action::Do("violations"), &[]),
    get("/sim/sessions", Action::Do("sessions"), &[]),
    get("/sim/ledger", Action::Do("ledger"), &["session"]),
    get("/sim/guilds", Action::Do("guilds"), &[]),
    post(
        "/sim/say",
        Action::Do("say"),
        &["content", "guild?", "channel?"],
    ),
    post(
        "/sim/events",
        Action::Do("inject_event"),
        &["t", "d", "guild?", "shard?"],
    ),
    post("/sim/burst", Action::Do("burst"), &["events"]),
    post("/sim/chatter", Action::Do("chatter"), &["per_s"]),
    post("/sim/faults", Action::Do("fault"), &["target", "fault"]),
    post(
        "/sim/weather",
        Action::Do("weather"),
        &["every_ms", "faults", "for_ms?"],
    ),
    post("/sim/outage", Action::Do("outage"), &["for_ms", "guilds?"]),
    post("/sim/leave", Action::Do("leave"), &["guild"]),
    post("/sim/join", Action::Do("join"), &["guild"]),
    post("/sim/calm", Action::Do("calm"), &[]),
    post("/sim/reset", Action::Do("reset"), &[]),
    get("/sim/rest", Action::Do("rest"), &["last?"]),
    put(
        "/sim/rest",
        Action::Do("rest_set"),
        &[
            "preset?",
            "rules?",
            "global?",
            "guard?",
            "latency?",
            "faults?",
            "denied?",
            "grace_ms?",
            "log?",
        ],
    ),
    post("/sim/rest/reset", Action::Do("rest_reset"), &[]),
    post("/sim/flood", Action::Flood, &["events", "then", "bytes?"]),
    post(
        "/sim/control",
        Action::Any,
        &["do", "and the fields of that wish"],
    ),
];

/// Answers one request to the control API.
pub(super) async fn answer(
    method: &Method,
    path: &str,
    query: Option<&str>,
    body: &[u8],
    shared: &Shared,
) -> Response<Full<Bytes>> {
    let result = match find(method, path) {
        Ok(route) => run(route, query, body, shared).await,
        Err(refusal) => Err(refusal),
    };
    match result {
        Ok(value) => {
            let failed = value.get("error").is_some();
            let status = if failed {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::OK
            };
            json_response(status, &value)
        }
        Err((status, value)) => {
            shared
                .traffic
                .control_refused
                .fetch_add(1, Ordering::Relaxed);
            json_response(status, &value)
        }
    }
}

type Refusal = (StatusCode, Value);

fn find(method: &Method, path: &str) -> Result<&'static Route, Refusal> {
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let mut there = ROUTES.iter().filter(|route| route.path == path).peekable();
    if there.peek().is_none() {
        let error = format!("there is no {path}");
        return Err((
            StatusCode::NOT_FOUND,
            json!({ "error": error, "routes": routes() }),
        ));
    }
    there.find(|route| route.method == *method).ok_or_else(|| {
        let error = format!("{path} does not take {method}");
        (
            StatusCode::METHOD_NOT_ALLOWED,
            json!({ "error": error, "routes": routes() }),
        )
    })
}

fn routes() -> Vec<Value> {
    let describe = |route: &Route| {
        let method = route.method.as_str();
        json!({ "method": method, "path": route.path, "fields": route.fields })
    };
    ROUTES.iter().map(describe).collect()
}

async fn run(
    route: &Route,
    query: Option<&str>,
    body: &[u8],
    shared: &Shared,
) -> Result<Value, Refusal> {
    let refuse = |error: String| {
        let value = json!({ "error": error, "path": route.path, "fields": route.fields });
        (StatusCode::BAD_REQUEST, value)
    };
    let (answer, answered) = oneshot::channel();
    let message = match route.action {
        Action::Health => return Ok(health(shared)),
        Action::Config => return Ok(shared.config.clone()),
        Action::Routes => return Ok(json!({ "routes": routes() })),
        Action::Flood => {
            let flood: FloodRequest = fields(query, body)
                .and_then(|fields| parse(Value::Object(fields)))
                .map_err(refuse)?;
            Message::Flood { flood, answer }
        }
        Action::Any | Action::Do(_) => {
            let mut fields = fields(query, body).map_err(refuse)?;
            if let Action::Do(name) = route.action {
                fields.insert("do".to_owned(), name.into());
            }
            let control: Control = parse(Value::Object(fields)).map_err(refuse)?;
            Message::Control { control, answer }
        }
    };
    let closed = || (StatusCode::SERVICE_UNAVAILABLE, gone());
    shared.world.send(message).await.map_err(|_| closed())?;
    answered.await.map_err(|_| closed())
}

fn health(shared: &Shared) -> Value {
    json!({ "ok": !shared.world.is_closed() })
}

/// The fields of a wish: the body's JSON object, and the query's pairs as strings.
fn fields(query: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, String> {
    let mut fields = if body.is_empty() {
        Map::new()
    } else {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err("the body must be a JSON object".to_owned()),
            Err(error) => return Err(format!("the body is not JSON: {error}")),
        }
    };
    for pair in query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.insert(name.to_owned(), value.into());
    }
    Ok(fields)
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_names_the_fields_of_its_wish() {
        for route in ROUTES {
            let Action::Do(name) = route.action else {
                continue;
            };
            let answer = parse::<Control>(json!({ "do": name, "no such field": 1 }));
            let Err(error) = answer else {
                assert!(route.fields.is_empty(), "{} takes no fields", route.path);
                continue;
            };
            for field in route.fields {
                let field = field.trim_end_matches('?');
                assert!(
                    error.contains(&format!("`{field}`")),
                    "{} {field}: {error}",
                    route.path
                );
            }
        }
    }

    #[test]
    fn a_wish_comes_from_the_query_or_the_body() {
        let both = fields(Some("session=a&b"), br#"{"n":1}"#).unwrap();
        assert_eq!(
            Value::Object(both),
            json!({ "session": "a", "b": "", "n": 1 })
        );
        assert!(fields(None, b"[]").unwrap_err().contains("object"));
        assert!(fields(None, b"{").unwrap_err().contains("not JSON"));
    }

    #[test]
    fn unknown_paths_and_methods_are_told_what_there_is() {
        assert_eq!(find(&Method::GET, "/sim/").unwrap().path, "/sim");
        assert_eq!(
            find(&Method::GET, "/sim/nope").err().unwrap().0,
            StatusCode::NOT_FOUND
        );
        let (status, body) = find(&Method::GET, "/sim/say").err().unwrap();
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(body["routes"].as_array().unwrap().len(), ROUTES.len());
    }
}
