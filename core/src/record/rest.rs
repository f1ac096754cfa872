//! The records of the scheduler: what goes in, what comes out, what it waits for.

use alloc::string::String;
use core::fmt::{Display, Write};
use core::time::Duration;

use super::table::table;
use super::{Record, Status, VALUE_MAX};
use crate::id::Snowflake;
use crate::machine::{Machine, Timeout};
use crate::rest::route::{Major, Method};
use crate::rest::{
    Auth, Event, Failure, Input, Offender, Output, Priority, Reason, RequestId, Scheduler, Sharing,
    Submit,
};
use crate::time::{Instant, micros};
use crate::wire::RateLimit;

table! {
    /// What the scheduler takes. `id` is the number that the caller chose for a request, below 2^53.
    REST_INPUTS {
        1 "submit" "A request wants to be sent." { code: "the identity's number, 0 for none", id: "the request", value: "the deadline, 0 for none", text: "method and path, such as `GET /channels/1`", data: "options, one a line: `priority: interaction`, `user_facing`, `normal` or `background`; `guild:` its id; `class:` 0 to 255; `sharing: alone`, `same` or `last_wins`; `repeatable: true` or `false`" }
        2 "response" "A sent request was answered." { code: "the HTTP status", id: "the request", data: "the headers, one a line, then an empty line and the body; only headers of limits and bodies of errors are read" }
        3 "failed" "A sent request got no answer." { code: "how far it got: 1 not sent, 2 unanswered", id: "the request" }
        4 "cancel" "The caller lost interest." { id: "the request" }
        5 "token_replaced" "There is a new token for an identity whose token Discord refused." { code: "the identity's number" }
        6 "global_limit" "Discord allows an identity so many requests over all routes." { code: "the identity's number", value: "requests a second" }
        7 "pooled" "The limits of an identity are shared with the other members of the pool." { code: "the identity's number", data: "what all members call it: 8 bytes, the least significant first" }
        8 "exchanged" "The ledger of the pool answered." { data: "its answer; empty if it could not be reached" }
        9 "leave_pool" "The process stops: it gives back what it holds of shared limits." {}
    }
}

table! {
    /// What the scheduler gives.
    REST_OUTPUTS {
        1 "send" "Send the request now." { code: "how many times it was sent before", id: "the request" }
        2 "deliver" "The answer, or failure, that was just reported is the outcome: hand it to the caller." { id: "the request" }
        3 "share" "The outcome delivered just before is this request's as well." { id: "the request", value: "the request that was sent for both" }
        4 "retry" "The request will be sent again." { code: "the reason's number", id: "the request", value: "not before", text: "the reason" }
        5 "refuse" "The request will not be sent." { code: "the reason's number", id: "the request", value: "when it could have been, or when to ask again, 0 if unknown", text: "the reason" }
        6 "exchange" "Have the ledger of the pool answer the exchange that waits, and report its answer." {}
        20 "rate_limited" "Discord answered 429: the bucket's limit, or the global one." { code: "the scope: 1 user, 2 global, 3 shared", id: "the request", value: "microseconds to wait", text: "the route" }
        21 "rate_limited_hidden" "Discord answered 429 for a limit that no header announces: only the route waits." { code: "the scope: 1 user, 3 shared", id: "the request", value: "microseconds to wait", text: "the route" }
        22 "sublimit_learned" "A hidden limit of a route was told from a 429." { code: "how many requests", value: "in how many microseconds", text: "the route" }
        23 "global_limited" "The global limit is reached by Discord's count: the identity waits." { code: "the identity's number", value: "until when" }
        24 "global_learned" "The global limit in use changed." { code: "the identity's number", value: "requests a second" }
        25 "invalid_budget" "Invalid requests passed a threshold." { code: "how many in ten minutes", id: "how many Discord tolerates" }
        26 "invalid_budget_running_out" "Invalid requests passed a threshold, and the budget is spent soon if they go on." { code: "how many in ten minutes", id: "how many Discord tolerates", value: "microseconds until it is spent" }
        27 "quarantined_route" "A route on one resource causes invalid requests: its requests are refused for a while." { code: "the identity's number", id: "the resource's id, 0 without one", value: "until when", text: "who", data: "how many invalid answers, in digits" }
        28 "quarantined_guild" "A guild causes most invalid requests: its requests are refused for a while." { code: "the identity's number", id: "the guild's id", value: "until when", text: "who", data: "how many invalid answers, in digits" }
        29 "quarantined_webhook" "A webhook causes most invalid requests: its requests are refused for a while." { id: "the webhook's id", value: "until when", text: "who", data: "how many invalid answers, in digits" }
        30 "token_stopped" "Discord refused the token: the identity's requests are refused until it is replaced." { code: "the identity's number" }
        31 "webhook_gone" "Discord does not know the webhook: it is not called again." { id: "the webhook's id" }
        32 "banned" "Cloudflare refuses the IP address: nothing is sent." { value: "until when" }
        33 "ban_ended" "Requests are sent again." {}
        34 "pool_away" "The ledger of the pool has been silent for long: the process lives on its share of the limits." {}
        35 "pool_in_touch" "The ledger of the pool answers, for the first time or again." {}
        36 "pool_name_taken" "Another process of this member's name is in the pool: nothing is granted to this one." {}
    }
}

table! {
    /// Why the scheduler waits.
    REST_TIMEOUTS {
        1 "bucket" "A bucket or a route has room again." { value: "when" }
        2 "global" "The global limit has room again." { value: "when" }
        3 "retry" "A request may be sent again." { value: "when" }
        4 "deadline" "A deadline passes." { value: "when" }
        5 "ban" "The IP address may be accepted again." { value: "when" }
        6 "sweep" "What nobody uses may be forgotten." { value: "when" }
        7 "pool" "The ledger of the pool is to be spoken to, or counts as away." { value: "when" }
    }
}

/// Feeds a record to a scheduler.
///
/// # Errors
///
/// A [`Status`] of 100 or above; the scheduler is unchanged then.
///
/// ```
/// use shardkeep_core::record::{Record, handle_rest_input, rest_output};
/// use shardkeep_core::rest::{Config, Scheduler};
/// use shardkeep_core::{Instant, Machine};
///
/// let mut scheduler = Scheduler::new(Config::default(), Instant::ZERO);
/// let submit = Record { kind: 1, code: 1, id: 7, text: "GET /users/@me", ..Record::default() };
/// handle_rest_input(&mut scheduler, Instant::ZERO, submit)?;
/// let mut text = String::new();
/// let output = scheduler.poll_output().expect("nothing holds it");
/// let send = rest_output(&output, &mut text);
/// assert_eq!((send.kind, send.id), (1, 7));
/// # Ok::<(), shardkeep_core::record::Status>(())
/// ```
pub fn handle_rest_input(
    scheduler: &mut Scheduler,
    now: Instant,
    record: Record<'_>,
) -> Result<(), Status> {
    let id = RequestId(record.id);
    let auth = Auth(record.code);
    let input = match record.kind {
        1 => Input::Submit(submit(&record)?),
        2 => {
            let (limit, body) = answer(record.data);
            let status = u16::try_from(record.code).map_err(|_| Status::BadCode)?;
            Input::Response {
                id,
                status,
                limit,
                body,
            }
        }
        3 => {
            let number = |failure: &&Failure| u32::from(failure.number()) == record.code;
            let failure = Failure::ALL.iter().find(number).ok_or(Status::BadCode)?;
            Input::Failed {
                id,
                failure: *failure,
            }
        }
        4 => Input::Cancel { id },
        5 => Input::TokenReplaced { auth },
        6 => Input::GlobalLimit {
            auth,
            limit: u32::try_from(record.value).unwrap_or(u32::MAX),
        },
        7 => Input::Pooled {
            auth,
            name: u64::from_le_bytes(record.data.try_into().map_err(|_| Status::BadOption)?),
        },
        8 => Input::Exchanged {
            answer: (!record.data.is_empty()).then_some(record.data),
        },
        9 => Input::LeavePool,
        _ => return Err(Status::UnknownKind),
    };
    Ok(scheduler.handle_input(now, input)?)
}

fn submit<'a>(record: &Record<'a>) -> Result<Submit<'a>, Status> {
    if record.id > VALUE_MAX {
        return Err(Status::BadRequestId);
    }
    let (method, path) = record.text.split_once(' ').ok_or(Status::BadRoute)?;
    let method: Method = method.parse().map_err(|_| Status::BadRoute)?;
    let mut submit = Submit::new(RequestId(record.id), Auth(record.code), method, path);
    if record.value != 0 {
        submit.deadline = Some(Instant::from_micros(record.value));
    }
    let options = core::str::from_utf8(record.data).map_err(|_| Status::BadOption)?;
    for line in options.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or(Status::BadOption)?;
        set(&mut submit, name, value.trim()).ok_or(Status::BadOption)?;
    }
    Ok(submit)
}

/// Sets one option; `None` if there is none of this name, or it cannot have this value.
fn set(submit: &mut Submit<'_>, name: &str, value: &str) -> Option<()> {
    match name {
        "priority" => {
            submit.priority = match value {
                "interaction" => Priority::Interaction,
                "user_facing" => Priority::UserFacing,
                "normal" => Priority::Normal,
                "background" => Priority::Background,
                _ => return None,
            }
        }
        "guild" => submit.guild = Some(Snowflake(value.parse().ok()?)),
        "class" => submit.class = value.parse().ok()?,
        "sharing" => {
            submit.sharing = match value {
                "alone" => Sharing::Alone,
                "same" => Sharing::Same,
                "last_wins" => Sharing::LastWins,
                _ => return None,
            }
        }
        "repeatable" => submit.is_repeatable = value.parse().ok()?,
        _ => return None,
    }
    Some(())
}

/// Headers and body, as HTTP has them: lines, an empty one, and the rest. What is no header is passed over.
fn answer(data: &[u8]) -> (RateLimit<'_>, &[u8]) {
    let mut body = &data[data.len()..];
    let mut start = 0;
    let lines = core::iter::from_fn(|| {
        let rest = data.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        start += end + 1;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if line.is_empty() {
            body = rest.get(end + 1..).unwrap_or_default();
            return None;
        }
        Some(line)
    });
    let headers = lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let name = core::str::from_utf8(&line[..colon]).ok()?;
        Some((name, &line[colon + 1..]))
    });
    let limit = RateLimit::from_headers(headers);
    (limit, body)
}

/// The record of a scheduler's output. Text that is not always the same is written to `text`, whatever it held.
#[must_use]
pub fn rest_output<'a>(output: &Output, text: &'a mut String) -> Record<'a> {
    match *output {
        Output::Send { id, attempt } => Record::of(1).code(attempt).id(id.0),
        Output::Deliver { id } => Record::of(2).id(id.0),
        Output::Share { id, leader } => Record::of(3).id(id.0).value(leader.0),
        Output::Retry { id, why, at } => Record::of(4)
            .code(why.number().into())
            .id(id.0)
            .value(at.as_micros())
            .text(why.explain()),
        Output::Refuse { id, why, until } => Record::of(5)
            .code(why.number().into())
            .id(id.0)
            .value(until.map_or(0, Instant::as_micros))
            .text(why.explain()),
        Output::Exchange => Record::of(6),
        Output::Event(event) => rest_event(event, text),
    }
}

fn rest_event(event: Event, text: &mut String) -> Record<'_> {
    match event {
        Event::RateLimited {
            id,
            route,
            scope,
            retry_after,
            is_hidden,
        } => Record::of(if is_hidden { 21 } else { 20 })
            .code(scope.number().into())
            .id(id.0)
            .value(micros(retry_after))
            .text(written(text, &route)),
        Event::SublimitLearned {
            route,
            limit,
            window,
        } => Record::of(22)
            .code(limit)
            .value(micros(window))
            .text(written(text, &route)),
        Event::GlobalLimited { auth, until } => {
            Record::of(23).code(auth.0).value(until.as_micros())
        }
        Event::GlobalLearned { auth, limit } => Record::of(24).code(auth.0).value(limit),
        Event::InvalidBudget {
            spent,
            budget,
            exhausted_in,
        } => Record::of(if exhausted_in.is_some() { 26 } else { 25 })
            .code(spent)
            .id(budget.into())
            .value(micros(exhausted_in.unwrap_or(Duration::ZERO))),
        Event::Quarantined {
            offender,
            until,
            invalid,
        } => quarantined(offender, until, invalid, text),
        Event::TokenStopped { auth } => Record::of(30).code(auth.0),
        Event::WebhookGone { id } => Record::of(31).id(id.0),
        Event::Banned { until } => Record::of(32).value(until.as_micros()),
        Event::BanEnded => Record::of(33),
        Event::PoolAway => Record::of(34),
        Event::PoolInTouch => Record::of(35),
        Event::PoolNameTaken => Record::of(36),
    }
}

fn quarantined(offender: Offender, until: Instant, invalid: u32, text: &mut String) -> Record<'_> {
    let (kind, auth, id) = match offender {
        Offender::Route { auth, major, .. } => (27, auth, resource(major)),
        Offender::Guild(auth, guild) => (28, auth, guild),
        Offender::Webhook(webhook) => (29, Auth::NONE, webhook),
    };
    let who = written(text, &offender).len();
    write!(text, "{invalid}").expect("a String takes every text");
    let (who, count) = text.split_at(who);
    Record::of(kind)
        .code(auth.0)
        .id(id.0)
        .value(until.as_micros())
        .text(who)
        .data(count.as_bytes())
}

fn resource(major: Major) -> Snowflake {
    match major {
        Major::Guild(id) | Major::Channel(id) | Major::Webhook { id, .. } => id,
        Major::None | Major::Interaction(_) => Snowflake::default(),
    }
}

fn written<'a>(text: &'a mut String, what: &impl Display) -> &'a str {
    text.clear();
    write!(text, "{what}").expect("a String takes every text");
    text
}

/// The record of a scheduler's deadline.
#[must_use]
pub fn rest_timeout(timeout: Timeout<Reason>) -> Record<'static> {
    let kind = match timeout.reason {
        Reason::Bucket => 1,
        Reason::Global => 2,
        Reason::Retry => 3,
        Reason::Deadline => 4,
        Reason::Ban => 5,
        Reason::Sweep => 6,
        Reason::Pool => 7,
    };
    Record::of(kind).value(timeout.at.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_headers_an_empty_line_and_the_body() {
        let data = b"Via: 1.1 google\r\nX-RateLimit-Limit: 5\nno header\n\xff: 1\n\n{\"a\":\n\n1}";
        let (limit, body) = answer(data);
        assert_eq!((limit.limit, limit.via), (Some(5), true));
        assert_eq!(body, b"{\"a\":\n\n1}");
    }

    #[test]
    fn an_answer_without_headers_or_without_body_is_one() {
        assert_eq!(answer(b""), (RateLimit::default(), &b""[..]));
        assert_eq!(answer(b"\nbody").1, b"body");
        let (limit, body) = answer(b"retry-after: 2");
        assert_eq!(limit.retry_after, Some(Duration::from_secs(2)));
        assert_eq!(body, b"");
    }
}
