//! The REST side: which route a request takes, and what it is answered with.

mod book;
mod guilds;
mod messages;
mod multipart;
mod others;
mod read;
mod travel;
mod webhooks;

use serde_json::{Value, json};

use self::multipart::File;
pub(super) use self::travel::Rest;
use super::World;
use super::ledger::ViolationKind;
use crate::rest::Request;
use crate::wire::json::Json;

/// A status and a body.
type Answer = (u16, Vec<u8>);

/// Discord's codes for what does not exist.
#[derive(Clone, Copy)]
enum Unknown {
    Channel = 10_003,
    Guild = 10_004,
    Member = 10_007,
    Message = 10_008,
    Role = 10_011,
    User = 10_013,
    Webhook = 10_015,
    Command = 10_063,
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    let body = json!({ "message": message, "code": code });
    (status, body.to_string().into_bytes())
}

fn unknown(what: Unknown) -> Answer {
    let name = match what {
        Unknown::Channel => "Channel",
        Unknown::Guild => "Guild",
        Unknown::Member => "Member",
        Unknown::Message => "Message",
        Unknown::Role => "Role",
        Unknown::User => "User",
        Unknown::Webhook => "Webhook",
        Unknown::Command => "application command",
    };
    error(404, what as u32, &format!("Unknown {name}"))
}

fn ok(value: &Value) -> Answer {
    (200, value.to_string().into_bytes())
}

const NOTHING: Answer = (204, Vec::new());

/// One object.
fn object(fill: impl FnOnce(&mut Json)) -> Answer {
    (200, Json::build(1_024, fill))
}

/// One array.
fn array(fill: impl FnOnce(&mut Json)) -> Answer {
    (200, Json::build_array(4_096, fill))
}

/// An object with the fields of the request's body put over it.
fn merged((status, base): Answer, body: &Value) -> Answer {
    let (Ok(Value::Object(mut fields)), Some(changes)) =
        (serde_json::from_slice(&base), body.as_object())
    else {
        return (status, base);
    };
    for (name, value) in changes {
        fields.insert(name.clone(), value.clone());
    }
    (status, Value::Object(fields).to_string().into_bytes())
}

/// A request as it is handled.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    body: Value,
    files: Vec<File>,
}

impl Call<'_> {
    fn says(&self, flag: &str) -> bool {
        self.query.split('&').any(|pair| {
            pair.split_once('=')
                .is_some_and(|(name, value)| name == flag && matches!(value, "true" | "True" | "1"))
        })
    }
}

impl World {
    fn answer(&mut self, request: &Request<'_>, files: Vec<File>) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        let Some(path) = versioned(path) else {
            return error(404, 0, "404: Not Found");
        };
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        if segments.as_slice() == ["gateway"] {
            return ok(&json!({ "url": self.config.base_ws_url }));
        }
        // Whoever knows a webhook's or an interaction's token needs no other.
        let has_token = matches!(
            segments.as_slice(),
            ["webhooks", _, _, ..] | ["interactions", _, _, "callback"]
        );
        let token = request
            .authorization
            .and_then(|value| value.strip_prefix("Bot "));
        if !has_token && !token.is_some_and(|token| self.is_token(token)) {
            let detail = format!("{} {path}", request.method);
            self.ledger
                .violation(self.now, ViolationKind::WrongToken, None, None, detail);
            return error(401, 0, "401: Unauthorized");
        }
        if let Some((status, code)) = self.rest.limits.denial(request.path) {
            return error(status, code, denial(code));
        }
        let body = if request.body.is_empty() {
            Value::Null
        } else {
            match serde_json::from_slice(request.body) {
                Ok(body) => body,
                Err(_) => return error(400, 50_109, "The request body contains invalid JSON."),
            }
        };
        let call = Call {
            method: request.method,
            path,
            query,
            body,
            files,
        };
        self.handle(&call, &segments)
    }

    fn handle(&mut self, call: &Call<'_>, segments: &[&str]) -> Answer {
        match segments {
            ["gateway", "bot"] => self.gateway_bot(),
            ["users", rest @ ..] => self.user_route(call, rest),
            ["applications", "@me"] | ["oauth2", "applications", "@me"] => {
                merged(self.application(), &call.body)
            }
            ["applications", _, rest @ ..] => self.command_route(call, rest),
            ["guilds", "templates", ..] => self.anything(call, segments),
            ["guilds", guild, rest @ ..] => match self.known_guild(guild) {
                Some(index) => self.guild_route(call, index, rest),
                None => unknown(Unknown::Guild),
            },
            ["channels", channel, rest @ ..] => self.channel_route(call, channel, rest),
            ["webhooks", id, rest @ ..] => self.webhook_route(call, id, rest),
            ["interactions", id, _, "callback"] => self.callback(call, id),
            _ => self.anything(call, segments),
        }
    }
}

/// What the codes of denied resources say.
fn denial(code: u32) -> &'static str {
    match code {
        10_015 => "Unknown Webhook",
        50_001 => "Missing Access",
        50_013 => "Missing Permissions",
        50_027 => "Invalid Webhook Token",
        _ => "Denied by the simulator's configuration",
    }
}

/// The path below `/api/v9`, `/api/v10` or `/api`.
fn versioned(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/api")?;
    let below = below
        .strip_prefix("/v10")
        .or_else(|| below.strip_prefix("/v9"))
        .unwrap_or(below);
    below.starts_with('/').then_some(below)
}

/// A number in a query string.
fn number(query: &str, key: &str) -> Option<u64> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(k, _)| *k == key)?
        .1
        .parse()
        .ok()
}
