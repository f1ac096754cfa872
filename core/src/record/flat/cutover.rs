//! Both sides of a cutover behind calls that are JSON, and what each gives as JSON. They are no machines: a call names
//! its side and what to do, and everything that the side has to say afterwards is in the answer.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value, json};

use super::{StartError, set, set_ms, settings};
use crate::fleet::cutover::{
    Config, Event, Joining, JoiningSnapshot, Leaving, LeavingSnapshot, Ledger, Message, Scope,
    Suppressed, Unreadable, Verdict, fingerprint, scope,
};
use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::EventKind;

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    cutover: Option<u64>,
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

/// The two sides of one cutover, each used where its session is: `vectors/README.md` says which calls there are.
///
/// ```
/// use serde_json::json;
/// use shardkeep_core::record::Cutover;
///
/// let mut cutover = Cutover::start("")?;
/// let call = json!({"side": "old", "do": "event", "sequence": 1, "name": "TYPING_START", "data": "{}"});
/// assert_eq!(cutover.call(0, &call).unwrap()["result"], "dispatch");
/// assert!(cutover.call(0, &json!({"side": "old", "do": "jump"})).is_err());
/// # Ok::<(), shardkeep_core::record::StartError>(())
/// ```
#[derive(Debug)]
pub struct Cutover {
    config: Config,
    guilds: Vec<Snowflake>,
    old: Leaving,
    new: Joining,
    old_stored: LeavingSnapshot,
    new_stored: JoiningSnapshot,
}

/// A call that cannot be made: what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError(String);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for CallError {}

type Gives = Map<String, Value>;

impl Cutover {
    /// Both sides, with these settings: JSON, empty for the defaults.
    ///
    /// # Errors
    ///
    /// [`StartError::Settings`] names the setting.
    pub fn start(text: &str) -> Result<Self, StartError> {
        let from: Settings = settings(text)?;
        let mut config = Config::new(from.cutover.unwrap_or(1));
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
        Ok(Self {
            old: Leaving::new(config.clone(), guilds.iter().copied()),
            new: Joining::new(config.clone(), guilds.iter().copied()),
            config,
            guilds,
            old_stored: LeavingSnapshot::default(),
            new_stored: JoiningSnapshot::default(),
        })
    }

    /// Makes the call, and answers what it gives and what comes out of the side then.
    ///
    /// # Errors
    ///
    /// [`CallError`] if there is no such call, or something that it needs is missing; nothing was changed then.
    pub fn call(&mut self, at_ms: u64, call: &Value) -> Result<Value, CallError> {
        let now = Instant::from_millis(at_ms);
        let mut gives = Map::new();
        match call["side"].as_str() {
            Some("old") => self.call_old(now, call, &mut gives)?,
            Some("new") => self.call_new(now, call, &mut gives)?,
            _ => plain(call, &mut gives)?,
        }
        Ok(Value::Object(gives))
    }

    fn call_old(&mut self, now: Instant, call: &Value, gives: &mut Gives) -> Result<(), CallError> {
        match text(call, "do")? {
            "event" => tell(gives, verdict(self.old.event(now, &event(call)?))),
            "message" => self.old.message(now, &message(call)?),
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
            "finished" => tell(gives, yes_or_no(self.old.is_finished())),
            "ignored" => tell(gives, &self.old.ignored().to_string()),
            other => return Err(CallError(format!("{other} is no call of the old side"))),
        }
        let messages = core::iter::from_fn(|| self.old.poll_message(now));
        put_messages(gives, &messages.collect::<Vec<_>>());
        put_next(gives, self.old.poll_timeout());
        Ok(())
    }

    fn call_new(&mut self, now: Instant, call: &Value, gives: &mut Gives) -> Result<(), CallError> {
        let guild = || number(call, "guild").map(Snowflake);
        let time = |name| number(call, name).map(Instant::from_millis);
        match text(call, "do")? {
            "event" => tell(gives, verdict(self.new.event(now, &event(call)?))),
            "message" => self.new.message(now, &message(call)?),
            "timeout" => self.new.handle_timeout(now),
            "resumed" => self.new.resumed(now),
            "ready" => self.new.ready(now),
            "acknowledged" => self.new.acknowledged(time("sent_ms")?),
            "watch" => self.new.watch(now, guild()?),
            "ask" => match self.new.ask(now, guild()?) {
                Ok(()) => tell(gives, "ok"),
                Err(refusal) => tell(gives, refusal.explain()),
            },
            "take_over" => {
                let (guild, sign) = (guild()?, time("last_sign_ms")?);
                self.new.take_over(now, guild, sign);
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
            "finished" => tell(gives, yes_or_no(self.new.is_finished())),
            "ignored" => tell(gives, &self.new.ignored().to_string()),
            other => return Err(CallError(format!("{other} is no call of the new side"))),
        }
        self.put_settled(gives);
        if self.new.wants_pause() {
            gives.insert("wants_pause".into(), Value::Bool(true));
        }
        let messages = core::iter::from_fn(|| self.new.poll_message(now));
        put_messages(gives, &messages.collect::<Vec<_>>());
        put_next(gives, self.new.poll_timeout());
        Ok(())
    }

    fn put_settled(&mut self, gives: &mut Gives) {
        let settled = core::iter::from_fn(|| self.new.poll_settled()).map(|settled| {
            let (guild, sequence) = (settled.guild.0, settled.event().sequence);
            json!([guild, sequence, verdict(settled.verdict)])
        });
        let settled: Vec<_> = settled.collect();
        if !settled.is_empty() {
            gives.insert("settled".into(), Value::Array(settled));
        }
    }

    /// By guild and side, what is not 0; null if everything is.
    #[must_use]
    pub fn ledger(&self) -> Value {
        let mut ledger = Ledger::default();
        ledger.add_leaving(&self.old);
        ledger.add_joining(&self.new);
        let mut all = Map::new();
        for (guild, account) in &ledger.guilds {
            let (old, new) = (counts(json!(account.old)), counts(json!(account.new)));
            if old != json!({}) || new != json!({}) {
                all.insert(guild.to_string(), json!({"old": old, "new": new}));
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
    match all {
        Value::Object(mut all) => {
            all.retain(|_, count| *count != json!(0));
            Value::Object(all)
        }
        other => other,
    }
}

/// Calls that need no side.
fn plain(call: &Value, gives: &mut Gives) -> Result<(), CallError> {
    let kind = || text(call, "name").map(|name| EventKind::from_name(name.as_bytes()));
    match text(call, "do")? {
        "fingerprint" => {
            let data = text(call, "data")?.as_bytes();
            let print = fingerprint(kind()?, text(call, "name")?, data);
            gives.insert("fingerprint".into(), format!("{:016x}", print.get()).into());
            gives.insert("once".into(), print.is_once().into());
        }
        "scope" => match scope(kind()?, text(call, "data")?.as_bytes()) {
            Scope::Session => tell(gives, "session"),
            Scope::Guild(guild) => tell(gives, &guild.to_string()),
        },
        "read" => {
            let read = match Message::read(text(call, "data")?.as_bytes()) {
                Ok(_) => "ok",
                Err(Unreadable::TooLong) => "too_long",
                Err(Unreadable::Version(_)) => "version",
                Err(Unreadable::Malformed) => "malformed",
            };
            tell(gives, read);
        }
        other => return Err(CallError(format!("{other} is no call without a side"))),
    }
    Ok(())
}

fn text<'a>(call: &'a Value, key: &str) -> Result<&'a str, CallError> {
    let missing = || CallError(format!("a call wants a text called `{key}`"));
    call[key].as_str().ok_or_else(missing)
}

fn number(call: &Value, key: &str) -> Result<u64, CallError> {
    let missing = || CallError(format!("a call wants a number called `{key}`"));
    call[key].as_u64().ok_or_else(missing)
}

fn event(call: &Value) -> Result<Event<'_>, CallError> {
    let name = text(call, "name")?;
    Ok(Event {
        sequence: number(call, "sequence")?,
        kind: EventKind::from_name(name.as_bytes()),
        name,
        data: text(call, "data")?.as_bytes(),
    })
}

fn message(call: &Value) -> Result<Message, CallError> {
    let read = serde_json::from_value(call["message"].to_owned());
    read.map_err(|error| CallError(format!("`message`: {error}")))
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
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

fn tell(gives: &mut Gives, result: &str) {
    gives.insert("result".into(), result.into());
}

fn put_messages(gives: &mut Gives, messages: &[Message]) {
    if !messages.is_empty() {
        gives.insert("messages".into(), json!(messages));
    }
}

fn put_next(gives: &mut Gives, next: Option<Instant>) {
    if let Some(next) = next {
        gives.insert("next_ms".into(), next.as_millis().into());
    }
}
