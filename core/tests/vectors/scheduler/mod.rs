//! The scenarios of the scheduler, and the words that they are told in.

mod discovery;
mod global;
mod guard;
mod hashes;
mod limited;
mod misuse;
mod order;
mod pool;
mod retries;
mod sharing;
mod sliding;
mod snapshots;
mod windows;

use shardkeep_core::record::{REST_INPUTS, REST_OUTPUTS};
use shardkeep_core::rest::{Refusal, Retry, Scheduler};

use super::Source;
use super::model::{Rec, Vector};
use super::play::{self, Play};

type Scene = Play<Scheduler>;

/// Starts a scenario.
fn scene(name: &str, rule: &str) -> Scene {
    play::play(name, rule)
}

/// The identity in scenarios that have one.
const BOT: u32 = 1;

/// What Discord's own answers have, and those that Cloudflare makes up have not.
const VIA: &str = "Via: 1.1 google\n";

/// The headers of a bucket: its name, its limit, what is left, and seconds until it is full.
fn bucket(name: &str, limit: u32, remaining: u32, reset_after: &str) -> String {
    format!(
        "{VIA}X-RateLimit-Bucket: {name}\nX-RateLimit-Limit: {limit}\n\
         X-RateLimit-Remaining: {remaining}\nX-RateLimit-Reset-After: {reset_after}\n"
    )
}

/// The body of a 429.
fn slow_down(retry_after: &str, is_global: bool) -> String {
    format!(
        r#"{{"message": "You are being rate limited.", "retry_after": {retry_after}, "global": {is_global}}}"#
    )
}

impl Play<Scheduler> {
    /// A request with these options, one a line.
    fn ask_with(self, id: u64, route: &str, options: &str) -> Self {
        self.ask_as(BOT, id, route, options)
    }

    fn ask(self, id: u64, route: &str) -> Self {
        self.ask_with(id, route, "")
    }

    fn ask_as(self, identity: u32, id: u64, route: &str, options: &str) -> Self {
        self.feed(Rec {
            code: identity,
            id,
            text: String::from(route),
            data: options.as_bytes().to_vec(),
            ..Rec::new("submit")
        })
    }

    /// A request with a deadline, in milliseconds from the start.
    fn ask_by(self, deadline_ms: u64, id: u64, route: &str) -> Self {
        self.feed(Rec {
            code: BOT,
            id,
            value: deadline_ms * 1_000,
            text: String::from(route),
            ..Rec::new("submit")
        })
    }

    fn answer(self, id: u64, status: u32, headers: &str, body: &str) -> Self {
        self.feed(Rec {
            code: status,
            id,
            data: format!("{headers}\n{body}").into_bytes(),
            ..Rec::new("response")
        })
    }

    fn ok(self, id: u64, headers: &str) -> Self {
        self.answer(id, 200, headers, "")
    }

    /// A 429 of Discord's: `headers` beside `Via`.
    fn too_many(self, id: u64, headers: &str, retry_after: &str) -> Self {
        let body = slow_down(retry_after, false);
        self.answer(id, 429, &format!("{VIA}{headers}"), &body)
    }

    /// The connection failed before the request left.
    fn not_sent(self, id: u64) -> Self {
        self.failed(id, 1)
    }

    /// The connection failed, and the request had left.
    fn unanswered(self, id: u64) -> Self {
        self.failed(id, 2)
    }

    fn failed(self, id: u64, failure: u32) -> Self {
        self.feed(Rec {
            code: failure,
            id,
            ..Rec::new("failed")
        })
    }

    fn cancel(self, id: u64) -> Self {
        self.feed(Rec {
            id,
            ..Rec::new("cancel")
        })
    }

    fn token_replaced(self, identity: u32) -> Self {
        self.feed(Rec {
            code: identity,
            ..Rec::new("token_replaced")
        })
    }

    fn global_limit(self, identity: u32, limit: u64) -> Self {
        self.feed(Rec {
            code: identity,
            value: limit,
            ..Rec::new("global_limit")
        })
    }

    /// Nothing goes just before this moment, and these outputs come at it.
    fn only_at(self, ms: u64, outputs: &[&str]) -> Self {
        self.at_ms(ms - 1)
            .tick()
            .gives(&[])
            .at_ms(ms)
            .tick()
            .gives(outputs)
    }

    /// A request to `route` is answered at once by these headers: what it teaches is known from here on.
    fn taught(self, id: u64, route: &str, headers: &str) -> Self {
        let (send, deliver) = (format!("send id={id}"), format!("deliver id={id}"));
        self.ask(id, route)
            .gives(&[&send])
            .ok(id, headers)
            .gives(&[&deliver])
    }
}

pub(crate) fn files() -> Vec<Source<Vector>> {
    vec![
        (
            "discovery",
            "Which bucket a route belongs to is found out by one request (protocol 4.3).",
            discovery::vectors(),
        ),
        (
            "hashes",
            "Buckets that routes share, and hashes that change (protocol 4.3).",
            hashes::vectors(),
        ),
        (
            "windows",
            "What a bucket has left, and when it resets (protocol 4.4).",
            windows::vectors(),
        ),
        (
            "sliding",
            "Windows that give back one by one (protocol 4.4).",
            sliding::vectors(),
        ),
        (
            "limited",
            "What each 429 means (protocol 4.6, 4.7).",
            limited::vectors(),
        ),
        (
            "global",
            "The global limit (protocol 4.5).",
            global::vectors(),
        ),
        (
            "order",
            "Who goes first: priorities, fairness, deadlines, places (issue: queue).",
            order::vectors(),
        ),
        (
            "sharing",
            "One answer for several requests, and lost interest (issue: queue).",
            sharing::vectors(),
        ),
        (
            "retries",
            "What is sent again and what is not (protocol 4.9).",
            retries::vectors(),
        ),
        (
            "guard",
            "Invalid requests, refused tokens, dead webhooks (protocol 4.8).",
            guard::vectors(),
        ),
        (
            "snapshots",
            "What is known after a restart.",
            snapshots::vectors(),
        ),
        (
            "pool",
            "Limits that other processes share through a ledger (issue: limits shared by a fleet).",
            pool::vectors(),
        ),
        (
            "misuse",
            "Calls that break the interface change nothing.",
            misuse::vectors(),
        ),
    ]
}

/// Kinds of inputs and outputs, refusals and retries that no vector shows.
pub(crate) fn missing(vectors: &[Vector]) -> Vec<String> {
    let steps = || vectors.iter().flat_map(|vector| &vector.steps);
    let outputs = || steps().flat_map(|step| &step.outputs);
    let mut missing = Vec::new();
    for row in REST_INPUTS {
        let mut inputs = steps().filter_map(|step| step.input.as_ref());
        if !inputs.any(|input| input.kind == row.name) {
            missing.push(String::from(row.name));
        }
    }
    for row in REST_OUTPUTS {
        if !outputs().any(|output| output.kind == row.name) {
            missing.push(String::from(row.name));
        }
    }
    let mut has_reason = |kind: &str, number: u8| {
        if !outputs().any(|output| output.kind == kind && output.code == u32::from(number)) {
            missing.push(format!("{kind} {number}"));
        }
    };
    for why in Refusal::ALL {
        has_reason("refuse", why.number());
    }
    for why in Retry::ALL {
        has_reason("retry", why.number());
    }
    missing
}
