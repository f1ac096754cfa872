//! A session in flat form.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::{Counter, Flat, Start, StartError, json_text, set, set_ms, settings, snapshot};
use crate::gateway::{Config, Session, ZombieRule};
use crate::id::ShardId;
use crate::machine::Machine;
use crate::record::{
    Record, Row, SESSION_INPUTS, SESSION_OUTPUTS, SESSION_TIMEOUTS, Status, handle_session_input,
    session_output, session_timeout,
};
use crate::secret::Token;
use crate::time::Instant;
use crate::wire::{Compression, EventFilter, EventKind, Intents, Presence, Properties};

const GATEWAY_URL: &str = "wss://gateway.discord.gg";

/// What differs from the defaults.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    shard: Option<[u32; 2]>,
    intents: Option<u64>,
    gateway_url: Option<String>,
    custom_base: bool,
    compress: Option<String>,
    events: Option<Vec<String>>,
    disabled_events: Vec<String>,
    presence: Option<Presence>,
    properties: Option<Properties>,
    large_threshold: Option<u8>,
    capabilities: u64,
    zombie_rule: Option<String>,
    connect_timeout_ms: Option<u64>,
    hello_timeout_ms: Option<u64>,
    ready_timeout_ms: Option<u64>,
    close_timeout_ms: Option<u64>,
    stable_after_ms: Option<u64>,
    backoff_max_ms: Option<u64>,
    resume_attempts_max: Option<u32>,
    escalate_after: Option<u32>,
    payload_bytes_max: Option<usize>,
    message_bytes_max: Option<usize>,
    command_queue_max: Option<usize>,
    seed: u64,
}

fn kind(name: &String) -> EventKind {
    EventKind::from_name(name.as_bytes())
}

fn wrong(name: &str, why: impl core::fmt::Display) -> StartError {
    StartError::Settings(format!("{name}: {why}"))
}

/// The settings as the machine takes them. Limits that are not of the form of any value are refused here; what the
/// values mean together is the machine's to judge.
fn config(from: Settings, token: Token) -> Result<Config, StartError> {
    let [index, total] = from.shard.unwrap_or([0, 1]);
    let shard = ShardId::new(index, total).ok_or_else(|| {
        let why = format!("[{index}, {total}] is no shard: its index is below its total");
        wrong("shard", why)
    })?;
    let intents = Intents::from_bits(from.intents.unwrap_or(1));
    let url = from.gateway_url.as_deref().unwrap_or(GATEWAY_URL);
    let mut config = Config::new(shard, token, intents, url);
    config.custom_base = from.custom_base;
    config.compression = match from.compress {
        None => Compression::None,
        Some(name) => name
            .parse()
            .map_err(|error| wrong("compress", format!("`{name}` is {error}")))?,
    };
    let start = match &from.events {
        None => EventFilter::all(),
        Some(only) => only
            .iter()
            .map(kind)
            .fold(EventFilter::none(), EventFilter::with),
    };
    let disabled = from.disabled_events.iter().map(kind);
    config.filter = disabled.fold(start, EventFilter::without);
    config.presence = from.presence;
    set(&mut config.properties, from.properties);
    config.large_threshold = from.large_threshold;
    config.capabilities = from.capabilities;
    config.zombie_rule = match from.zombie_rule.as_deref() {
        None | Some("acknowledged") => ZombieRule::Acknowledged,
        Some("any_message") => ZombieRule::AnyMessage,
        Some(other) => {
            let why = format!("`{other}` is no rule: use acknowledged or any_message");
            return Err(wrong("zombie_rule", why));
        }
    };
    set_ms(&mut config.connect_timeout, from.connect_timeout_ms);
    set_ms(&mut config.hello_timeout, from.hello_timeout_ms);
    set_ms(&mut config.ready_timeout, from.ready_timeout_ms);
    set_ms(&mut config.close_timeout, from.close_timeout_ms);
    set_ms(&mut config.stable_after, from.stable_after_ms);
    set_ms(&mut config.backoff_max, from.backoff_max_ms);
    set(&mut config.resume_attempts_max, from.resume_attempts_max);
    set(&mut config.escalate_after, from.escalate_after);
    set(&mut config.payload_bytes_max, from.payload_bytes_max);
    set(&mut config.message_bytes_max, from.message_bytes_max);
    set(&mut config.command_queue_max, from.command_queue_max);
    config.seed = from.seed;
    Ok(config)
}

impl Flat for Session {
    const NAME: &'static str = "session";
    const INPUTS: &'static [Row] = SESSION_INPUTS;
    const OUTPUTS: &'static [Row] = SESSION_OUTPUTS;
    const TIMEOUTS: &'static [Row] = SESSION_TIMEOUTS;
    const COUNTERS: &'static [Counter<Self>] = &[
        ("connections", |of| of.stats().connections),
        ("identifies", |of| of.stats().identifies),
        ("resumes", |of| of.stats().resumes),
        ("ready", |of| of.stats().ready),
        ("resumed", |of| of.stats().resumed),
        ("sessions_lost", |of| of.stats().sessions_lost),
        ("dispatches", |of| of.stats().dispatches),
        ("delivered", |of| of.stats().delivered),
        ("filtered", |of| of.stats().filtered),
        ("replayed", |of| of.stats().replayed),
        ("duplicates", |of| of.stats().duplicates),
        ("missed", |of| of.stats().missed),
        ("out_of_order", |of| of.stats().out_of_order),
        ("ignored", |of| of.stats().ignored),
        ("bad_messages", |of| of.stats().bad_messages),
        ("zombies", |of| of.stats().zombies),
        ("heartbeats", |of| of.stats().heartbeats),
        ("heartbeats_acked", |of| of.stats().heartbeats_acked),
        ("commands_sent", |of| of.stats().commands_sent),
        ("commands_resent", |of| of.stats().commands_resent),
        ("commands_refused", |of| of.stats().commands_refused),
        ("commands_queued", |of| of.stats().commands_queued),
        ("guilds", |of| of.stats().guilds.into()),
        ("guilds_unavailable", |of| {
            of.stats().guilds_unavailable.into()
        }),
        ("sequence", |of| of.stats().sequence.unwrap_or_default()),
    ];

    type Scratch = ();

    fn start(start: Start<'_>) -> Result<Self, StartError> {
        let token =
            Token::new(start.token).map_err(|error| StartError::Token(error.to_string()))?;
        let config = config(settings(start.settings)?, token)?;
        let Some(inflate) = (start.inflate)(config.compression) else {
            let name = config.compression.name();
            let why = format!(
                "compress: {name} cannot be inflated by this build: use zlib-stream or none"
            );
            return Err(StartError::Refused(why));
        };
        let started = match snapshot(start.snapshot)? {
            None => Self::new(config, inflate, start.now),
            Some(snapshot) => Self::restore(config, inflate, snapshot, start.now),
        };
        started.map_err(|error| StartError::Refused(error.to_string()))
    }

    fn feed(&mut self, now: Instant, record: Record<'_>) -> Result<(), Status> {
        handle_session_input(self, now, record)
    }

    fn next_output<'a>(&'a mut self, (): &'a mut ()) -> Option<Record<'a>> {
        self.poll_output().map(|output| session_output(&output))
    }

    fn next_timeout(&self) -> Option<Record<'static>> {
        self.poll_timeout().map(session_timeout)
    }

    fn state_name(&self) -> &'static str {
        self.state().as_str()
    }

    fn snapshot_text(&self) -> String {
        json_text(&self.snapshot())
    }
}
