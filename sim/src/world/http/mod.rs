//! The REST side: from a request that is sent, over the limits, to the answer.

mod book;
mod guilds;
mod messages;
mod multipart;
mod others;
mod read;
mod webhooks;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shardkeep_core::Instant;

use self::book::Book;
use self::multipart::{File, Parts};
use super::World;
use super::alarm::Alarm;
use super::ledger::ViolationKind;
use super::outbox::Out;
use crate::rest::{Fate, Limits, Refusal, Reply, Request, RestConfig, RestFault, Verdict};
use crate::wire::json::Json;

/// The REST side draws its own numbers: requests change nothing of what happens on the gateway.
const SEED: u64 = 0x5e57;

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

/// A request on its way here.
#[derive(Debug)]
struct Travelling {
    method: String,
    path: String,
    authorization: Option<String>,
    body: Vec<u8>,
    sent_at: Instant,
    fate: Fate,
}

/// The REST side of a world.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) limits: Limits,
    book: Book,
    arriving: BTreeMap<u64, Box<Travelling>>,
    /// Answers on their way; `None` breaks the connection.
    answers: BTreeMap<u64, Option<Reply>>,
}

impl Rest {
    pub(super) fn new(config: RestConfig, seed: u64, now: Instant, epoch_unix_ms: u64) -> Self {
        Self {
            limits: Limits::new(config, seed ^ SEED, now, epoch_unix_ms),
            book: Book::default(),
            arriving: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Counts anew, by another configuration or the same one. Webhooks stay where they are.
    pub(super) fn renew(
        &mut self,
        config: RestConfig,
        seed: u64,
        now: Instant,
        epoch_unix_ms: u64,
    ) {
        self.limits = Limits::new(config, seed ^ SEED, now, epoch_unix_ms);
        for hook in self.book.hooks() {
            self.limits.bind_webhook(hook.id, hook.channel);
        }
    }

    /// Forgets what was made; what is under way stays.
    pub(super) fn forget(&mut self) {
        self.book = Book::default();
    }
}

impl World {
    /// A request was sent: it arrives at once or by and by.
    pub(super) fn http(
        &mut self,
        request: u64,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) {
        self.ledger.counters.http_requests += 1;
        let fate = self.rest.limits.fate(self.now, path);
        if fate.there.is_zero() {
            let request = Request {
                id: request,
                method,
                path,
                authorization,
                address: 0,
                body,
                sent_at: self.now,
            };
            self.http_arrives(&request, &fate);
            return;
        }
        self.alarms
            .set(self.now + fate.there, Alarm::HttpArrives(request));
        let travelling = Travelling {
            method: method.to_owned(),
            path: path.to_owned(),
            authorization: authorization.map(str::to_owned),
            body: body.to_vec(),
            sent_at: self.now,
            fate,
        };
        self.rest.arriving.insert(request, Box::new(travelling));
    }

    /// A request that was under way arrives.
    pub(super) fn ring_http_arrives(&mut self, request: u64) {
        if let Some(there) = self.rest.arriving.remove(&request) {
            let request = Request {
                id: request,
                method: &there.method,
                path: &there.path,
                authorization: there.authorization.as_deref(),
                address: 0,
                body: &there.body,
                sent_at: there.sent_at,
            };
            self.http_arrives(&request, &there.fate);
        }
    }

    /// An answer that was under way is there.
    pub(super) fn ring_http_answer(&mut self, request: u64) {
        if let Some(reply) = self.rest.answers.remove(&request) {
            self.http_respond(request, reply);
        }
    }

    fn http_respond(&mut self, request: u64, reply: Option<Reply>) {
        self.outbox.push(match reply {
            None => Out::Abandon { request },
            Some(Reply {
                status,
                headers,
                body,
            }) => Out::Respond {
                request,
                status,
                headers,
                body,
            },
        });
    }

    fn http_arrives(&mut self, request: &Request<'_>, fate: &Fate) {
        let parts = Parts::parse(request.body);
        let request = Request {
            body: parts.json,
            ..*request
        };
        let mut reply = match fate.fault {
            Some(RestFault::DropBefore) => {
                self.rest.limits.drop_before(self.now, &request);
                None
            }
            Some(RestFault::Fail {
                status,
                headers: false,
                ..
            }) => Some(self.rest.limits.fail(self.now, &request, status)),
            _ => Some(self.http_judge(&request, parts.files, fate)),
        };
        if fate.fault == Some(RestFault::DropAfter) {
            self.rest.limits.lost(request.id);
            reply = None;
        }
        // A server cannot see when its client has read: it takes it as read a little after it left.
        let grace = core::time::Duration::from_millis(self.rest.limits.config().grace_ms);
        let leaves = self.now + fate.back;
        self.rest.limits.received(leaves + grace, request.id);
        if fate.back.is_zero() {
            self.http_respond(request.id, reply);
        } else {
            self.rest.answers.insert(request.id, reply);
            self.alarms.set(leaves, Alarm::HttpAnswer(request.id));
        }
    }

    fn http_judge(&mut self, request: &Request<'_>, files: Vec<File>, fate: &Fate) -> Reply {
        let permit = match self.rest.limits.arrive(self.now, request) {
            Verdict::Accepted(permit) => permit,
            Verdict::Refused {
                reply,
                refusal,
                detail,
            } => {
                self.ledger.counters.http_refused += 1;
                if refusal.is_fault() {
                    let kind = violation(refusal);
                    self.ledger.violation(self.now, kind, None, None, detail);
                }
                return reply;
            }
        };
        let (status, body) = match fate.fault {
            Some(RestFault::Fail {
                status, executed, ..
            }) => {
                if executed {
                    self.answer(request, files);
                }
                error(status, 0, "internal error")
            }
            _ => self.answer(request, files),
        };
        let headers = self.rest.limits.finish(permit, status);
        Reply {
            status,
            headers,
            body,
        }
    }

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

fn violation(refusal: Refusal) -> ViolationKind {
    match refusal {
        Refusal::GlobalAnnounced => ViolationKind::GlobalLimitOverrun,
        Refusal::HiddenEarly => ViolationKind::HiddenLimitIgnored,
        Refusal::Banned => ViolationKind::RequestWhileBanned,
        _ => ViolationKind::RateLimitOverrun,
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
