//! The settings in a vector, under the names of the configuration of every language.

use core::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shardkeep_core::fleet;
use shardkeep_core::gateway::{self, ZombieRule};
use shardkeep_core::wire::{Compression, EventFilter, EventKind, Intents, Presence, Properties};
use shardkeep_core::{ShardId, Token};

/// The token in every vector. It is none.
pub(crate) const TOKEN: &str = "not.a.token";

/// What differs from the defaults for a session.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SessionSettings {
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

pub(crate) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

pub(crate) fn set_ms(place: &mut Duration, ms: Option<u64>) {
    set(place, ms.map(Duration::from_millis));
}

fn kind(name: &String) -> EventKind {
    EventKind::from_name(name.as_bytes())
}

pub(crate) fn session(settings: &Value) -> gateway::Config {
    let from: SessionSettings =
        serde_json::from_value(settings.clone()).expect("settings of a session");
    let [index, total] = from.shard.unwrap_or([0, 1]);
    let shard = ShardId::new(index, total).expect("an index below its total");
    let token = Token::new(TOKEN).expect("the form of a token");
    let intents = Intents::from_bits(from.intents.unwrap_or(1));
    let url = from
        .gateway_url
        .as_deref()
        .unwrap_or("wss://gateway.discord.gg");
    let mut config = gateway::Config::new(shard, token, intents, url);
    config.custom_base = from.custom_base;
    config.compression = from.compress.map_or(Compression::None, |name| {
        name.parse().expect("a compression")
    });
    let start = match &from.events {
        None => EventFilter::all(),
        Some(only) => only
            .iter()
            .map(kind)
            .fold(EventFilter::none(), EventFilter::with),
    };
    config.filter = from
        .disabled_events
        .iter()
        .map(kind)
        .fold(start, EventFilter::without);
    config.presence = from.presence;
    set(&mut config.properties, from.properties);
    config.large_threshold = from.large_threshold;
    config.capabilities = from.capabilities;
    config.zombie_rule = match from.zombie_rule.as_deref() {
        None | Some("acknowledged") => ZombieRule::Acknowledged,
        Some("any_message") => ZombieRule::AnyMessage,
        Some(other) => panic!("{other} is no zombie_rule"),
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
    config
}

/// What differs from the defaults for a fleet.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FleetSettings {
    shards: fleet::Shards,
    /// `told`: only those that `run` names.
    here: Option<String>,
    margin_ms: Option<u64>,
    reserve: Option<u32>,
    limits_max_age_ms: Option<u64>,
    start_rounds: Option<u32>,
    start_patience_ms: Option<u64>,
    healthy_after_ms: Option<u64>,
    damping_base_ms: Option<u64>,
    damping_cap_ms: Option<u64>,
    waste_percent: Option<u32>,
    fleet_min: Option<u32>,
    seed: u64,
    /// How long before the start the snapshot was taken.
    elapsed_ms: u64,
}

/// A fleet's configuration, and how old its snapshot is.
pub(crate) fn fleet(settings: &Value) -> (fleet::Config, Duration) {
    let from: FleetSettings =
        serde_json::from_value(settings.clone()).expect("settings of a fleet");
    let mut config = fleet::Config::new(from.shards);
    if from.here.as_deref() == Some("told") {
        config.here = fleet::Here::Told;
    }
    set_ms(&mut config.margin, from.margin_ms);
    set(&mut config.reserve, from.reserve);
    set_ms(&mut config.limits_max_age, from.limits_max_age_ms);
    set(&mut config.start_rounds, from.start_rounds);
    set_ms(&mut config.start_patience, from.start_patience_ms);
    set_ms(&mut config.damping.healthy_after, from.healthy_after_ms);
    set_ms(&mut config.damping.base, from.damping_base_ms);
    set_ms(&mut config.damping.cap, from.damping_cap_ms);
    set(&mut config.damping.waste_percent, from.waste_percent);
    set(&mut config.damping.fleet_min, from.fleet_min);
    config.seed = from.seed;
    (config, Duration::from_millis(from.elapsed_ms))
}
