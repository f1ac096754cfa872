//! Both sides behind calls that are JSON, and what each gives as JSON.

use serde_json::{Map, Value, json};
use shardkeep_core::fleet::cutover::{
    Config, Event, Joining, JoiningSnapshot, Leaving, LeavingSnapshot, Ledger, Message, Scope,
    Suppressed, Unreadable, Verdict, fingerprint, scope,
};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Snowflake};

use crate::settings::{set, set_ms};

pub(super) struct Sides {
    config: Config,
    guilds: Vec<Snowflake>,
    pub(super) old: Leaving,
    pub(super) new: Joining,
    old_stored: LeavingSnapshot,
    new_stored: JoiningSnapshot,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    guilds: Option<Vec<Snowflake>>,
    horizon_ms: Option<u64>,
    lag_max_ms: Option<u64>,
    patience_ms: Option<u64>,
    say_again_ms: Option<u64>,
    seen_max: Option<usize>,
    listed_max: Option<usize>,
    hold_bytes_max: Option<usize>,
    asks_max: Option<usize>,
    takes_shared: Option<bool>,
}

impl Sides {
    pub(super) fn new(settings: &Value) -> Self {
        let from: Settings =
            serde_json::from_value(settings.clone()).expect("settings of a cutover");
        let mut config = Config::new(1);
        set_ms(&mut config.horizon, from.horizon_ms);
        set_ms(&mut config.lag_max, from.lag_max_ms);
        set_ms(&mut config.patience, from.patience_ms);
        set_ms(&mut config.say_again, from.say_again_ms);
        set(&mut config.seen_max, from.seen_max);
        set(&mut config.listed_max, from.listed_max);
        set(&mut config.hold_bytes_max, from.hold_bytes_max);
        set(&mut config.asks_max, from.asks_max);
        set(&mut config.takes_shared, from.takes_shared);
        let guilds = from.guilds.unwrap_or_else(|| vec![Snowflake(41)]);
        Self {
            old: Leaving::new(config.clone(), guilds.iter().copied()),
            new: Joining::new(config.clone(), guilds.iter().copied()),
            config,
            guilds,
            old_stored: LeavingSnapshot::default(),
            new_stored: JoiningSnapshot::default(),
        }
    }

    /// Makes the call, and answers what it gives and what comes out of the side then.
    pub(super) fn call(&mut self, at_ms: u64, call: &Value) -> Value {
        let now = Instant::from_millis(at_ms);
        let mut gives = Map::new();
        match call["side"].as_str() {
            Some("old") => self.call_old(now, call, &mut gives),
            Some("new") => self.call_new(now, call, &mut gives),
            _ => plain(call, &mut gives),
        }
        Value::Object(gives)
    }

    fn call_old(&mut self, now: Instant, call: &Value, gives: &mut Map<String, Value>) {
        match text(call, "do") {
            "event" => tell(gives, verdict(self.old.event(now, &event(call)))),
            "message" => self.old.message(now, &message(call)),
            "timeout" => self.old.handle_timeout(now),
            "resumed" => self.old.resumed(now),
            "alive" => self.old.alive(now),
            "lost" => self.old.lost(),
            "store" => {
                self.old_stored = self.old.snapshot();
                self.old.stored(self.old_stored.version);
                gives.insert("snapshot".into(), json!(self.old_stored));
            }
            "restart" => {
                let (config, guilds) = (self.config.clone(), self.guilds.iter().copied());
                self.old = Leaving::restore(now, config, guilds, &self.old_stored);
            }
            "finished" => tell(gives, if self.old.is_finished() { "yes" } else { "no" }),
            "ignored" => tell(gives, &self.old.ignored().to_string()),
            other => panic!("{other} is no call of the old side"),
        }
        let messages = core::iter::from_fn(|| self.old.poll_message(now));
        put_messages(gives, messages.collect());
        put_next(gives, self.old.poll_timeout());
    }

    fn call_new(&mut self, now: Instant, call: &Value, gives: &mut Map<String, Value>) {
        let guild = || Snowflake(call["guild"].as_u64().expect("a guild"));
        match text(call, "do") {
            "event" => tell(gives, verdict(self.new.event(now, &event(call)))),
            "message" => self.new.message(now, &message(call)),
            "timeout" => self.new.handle_timeout(now),
            "resumed" => self.new.resumed(now),
            "ready" => self.new.ready(now),
            "acknowledged" => {
                let sent = call["sent_ms"].as_u64().expect("a time");
                self.new.acknowledged(Instant::from_millis(sent));
            }
            "watch" => self.new.watch(now, guild()),
            "ask" => match self.new.ask(now, guild()) {
                Ok(()) => tell(gives, "ok"),
                Err(refusal) => tell(gives, refusal.explain()),
            },
            "take_over" => {
                let sign = call["last_sign_ms"].as_u64().expect("a time");
                self.new.take_over(now, guild(), Instant::from_millis(sign));
            }
            "store" => {
                self.new_stored = self.new.snapshot();
                self.new.stored(self.new_stored.version);
                gives.insert("snapshot".into(), json!(self.new_stored));
            }
            "restart" => {
                let (config, guilds) = (self.config.clone(), self.guilds.iter().copied());
                self.new = Joining::restore(now, config, guilds, &self.new_stored);
            }
            "finished" => tell(gives, if self.new.is_finished() { "yes" } else { "no" }),
            "ignored" => tell(gives, &self.new.ignored().to_string()),
            other => panic!("{other} is no call of the new side"),
        }
        let settled = core::iter::from_fn(|| self.new.poll_settled()).map(|settled| {
            json!([
                settled.guild.0,
                settled.event().sequence,
                verdict(settled.verdict)
            ])
        });
        let settled: Vec<_> = settled.collect();
        if !settled.is_empty() {
            gives.insert("settled".into(), Value::Array(settled));
        }
        if self.new.wants_pause() {
            gives.insert("wants_pause".into(), Value::Bool(true));
        }
        let messages = core::iter::from_fn(|| self.new.poll_message(now));
        put_messages(gives, messages.collect());
        put_next(gives, self.new.poll_timeout());
    }

    /// By guild and side, what is not 0.
    pub(super) fn ledger(&self) -> Value {
        let mut ledger = Ledger::default();
        ledger.add_leaving(&self.old);
        ledger.add_joining(&self.new);
        let mut all = Map::new();
        for (guild, account) in &ledger.guilds {
            let counted =
                json!({"old": counts(json!(account.old)), "new": counts(json!(account.new))});
            if counted != json!({"old": {}, "new": {}}) {
                all.insert(guild.to_string(), counted);
            }
        }
        if all.is_empty() {
            Value::Null
        } else {
            Value::Object(all)
        }
    }
}

fn counts(all: Value) -> Value {
    let Value::Object(mut all) = all else {
        panic!("counts are an object");
    };
    all.retain(|_, count| *count != json!(0));
    Value::Object(all)
}

/// Calls that need no side.
fn plain(call: &Value, gives: &mut Map<String, Value>) {
    let kind = |call: &Value| EventKind::from_name(text(call, "name").as_bytes());
    match text(call, "do") {
        "fingerprint" => {
            let print = fingerprint(
                kind(call),
                text(call, "name"),
                text(call, "data").as_bytes(),
            );
            gives.insert("fingerprint".into(), format!("{:016x}", print.get()).into());
            gives.insert("once".into(), print.is_once().into());
        }
        "scope" => tell(
            gives,
            &match scope(kind(call), text(call, "data").as_bytes()) {
                Scope::Session => String::from("session"),
                Scope::Guild(guild) => guild.to_string(),
            },
        ),
        "read" => tell(
            gives,
            match Message::read(text(call, "data").as_bytes()) {
                Ok(_) => "ok",
                Err(Unreadable::TooLong) => "too_long",
                Err(Unreadable::Version(_)) => "version",
                Err(Unreadable::Malformed) => "malformed",
            },
        ),
        other => panic!("{other} is no call"),
    }
}

fn text<'a>(call: &'a Value, key: &str) -> &'a str {
    call[key].as_str().expect("a text")
}

fn event(call: &Value) -> Event<'_> {
    let name = text(call, "name");
    Event {
        sequence: call["sequence"].as_u64().expect("a sequence"),
        kind: EventKind::from_name(name.as_bytes()),
        name,
        data: text(call, "data").as_bytes(),
    }
}

fn message(call: &Value) -> Message {
    serde_json::from_value(call["message"].clone()).expect("a message")
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Dispatch => "dispatch",
        Verdict::Held => "held",
        Verdict::Suppress(Suppressed::Watched) => "watched",
        Verdict::Suppress(Suppressed::AfterCut) => "after_cut",
        Verdict::Suppress(Suppressed::Duplicate) => "duplicate",
        Verdict::Suppress(Suppressed::Overlap) => "overlap",
    }
}

fn tell(gives: &mut Map<String, Value>, result: &str) {
    gives.insert("result".into(), result.into());
}

fn put_messages(gives: &mut Map<String, Value>, messages: Vec<Message>) {
    if !messages.is_empty() {
        gives.insert("messages".into(), json!(messages));
    }
}

fn put_next(gives: &mut Map<String, Value>, next: Option<Instant>) {
    if let Some(next) = next {
        gives.insert("next_ms".into(), next.as_millis().into());
    }
}
