//! The checked configuration, and what core's machines are told of it.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use shardkeep_core::fleet::{self, Shards};
use shardkeep_core::gateway::{self, ZombieRule};
use shardkeep_core::wire::{Compression, EventFilter, EventKind, Intents, Presence, Properties};
use shardkeep_core::{ShardId, Token};

use super::builder::ConfigBuilder;
use super::cache::{CacheConfig, Lean, RedisConfig, StoreConfig};
use super::check;
use super::fleet::{AutoReshard, DryConfig, FleetConfig, FleetKind};
use super::rest::{RestConfig, RestPool, RestProxy};
use super::sessions::{Acknowledge, SessionStoreConfig};

/// Everything a bot can be told. [`Config::builder`] makes it and checks it; [`OPTIONS`](super::OPTIONS) describes
/// every option.
///
/// ```
/// use shardkeep::config::Config;
///
/// let config = Config::builder().token("not.a.token").set("shards", "0-7/16").build()?;
/// assert_eq!(config.shards.to_string(), "0-7/16");
///
/// let error = Config::builder().token("not.a.token").set("shrads", 4).build().unwrap_err();
/// assert_eq!(error.suggestion(), Some("shards"));
/// # Ok::<(), shardkeep::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The bot's token. `Debug` redacts it.
    #[serde(deserialize_with = "token")]
    pub token: Token,
    /// Where Discord's REST API is, without a slash at its end.
    pub api_base: String,
    /// Which shards this process runs.
    pub shards: Shards,
    /// Which events Discord sends.
    #[serde(deserialize_with = "intents")]
    pub intents: Intents,
    /// How Discord compresses events.
    #[serde(deserialize_with = "compression")]
    pub compress: Compression,
    /// The only events that are handed on; `None` for all. Those in `disabled_events` are not.
    #[serde(default, deserialize_with = "some_events")]
    pub events: Option<Vec<EventKind>>,
    /// Events that are not handed on.
    #[serde(deserialize_with = "events")]
    pub disabled_events: Vec<EventKind>,
    /// How many handlers may run at once.
    pub handler_concurrency: usize,
    /// Members above which a guild's offline members are left out of GUILD_CREATE.
    pub large_threshold: u8,
    /// What a stop does to sessions.
    pub on_shutdown: OnShutdown,
    /// How long a stop waits for handlers and close frames, in milliseconds.
    pub shutdown_timeout_ms: u64,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: LogLevel,
    /// The bot's status from the start.
    #[serde(default)]
    pub presence: Option<Presence>,
    /// What Discord is told about the client.
    pub properties: Properties,
    /// How much may wait for handlers.
    pub queue: Queue,
    /// How the daily allowance of identifies is spent.
    pub identify: Identify,
    /// The life of one shard's connection.
    pub gateway: Gateway,
    /// Whom to trust.
    pub tls: Tls,
    /// The endpoint for operators.
    pub ops: Ops,
    /// How REST requests are sent.
    pub rest_config: RestConfig,
    /// The processes that share Discord's limits with this one.
    pub rest_pool: RestPool,
    /// Where they go instead of Discord.
    pub rest_proxy: RestProxy,
    /// What the bot keeps of Discord.
    pub cache: CacheConfig,
    /// Where that goes.
    pub store: StoreConfig,
    /// Where Redis is.
    #[serde(default)]
    pub redis_config: RedisConfig,
    /// What changes when the process must be small.
    pub lean: Lean,
    /// Where sessions are kept.
    pub session_store: SessionStoreConfig,
    /// When an event counts as finished.
    pub acknowledge: Acknowledge,
    /// How processes share the bot's shards.
    pub fleet: FleetConfig,
    /// What to do about shards whose events have dried up.
    pub dry: DryConfig,
    /// When the number of shards grows by itself.
    pub auto_reshard: AutoReshard,
}

/// What a stop does to sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnShutdown {
    /// Discord keeps them for a few minutes: a restart can resume them and loses nothing.
    #[default]
    Resume,
    /// The same, and other processes of a leased fleet take the shards over at once.
    Transfer,
    /// Discord ends them and shows the bot offline at once.
    Close,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogFormat {
    /// One readable line each.
    #[default]
    Human,
    /// One JSON object each.
    Json,
}

/// The least severe lines that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What the user must act on.
    Error,
    /// What the user should know.
    Warn,
    /// The life of shards and sessions.
    #[default]
    Info,
    /// Every step of a connection.
    Debug,
    /// Every message, without its contents.
    Trace,
}

/// How much may wait for handlers before the shards stop reading.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Queue {
    /// In events.
    pub events_max: usize,
    /// In bytes.
    pub bytes_max: usize,
    /// The most events that one batch holds.
    pub batch_max: usize,
}

/// How the daily allowance of identifies is spent. The fields are those of [`fleet::Config`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct Identify {
    pub reserve: u32,
    pub margin_ms: u64,
    #[serde(default)]
    pub shared_file: Option<String>,
    pub limits_max_age_ms: u64,
    pub start_rounds: u32,
    pub start_patience_ms: u64,
    pub healthy_after_ms: u64,
    pub damping_base_ms: u64,
    pub damping_cap_ms: u64,
    pub waste_percent: u32,
    pub fleet_min: u32,
}

/// The life of one shard's connection. The fields are those of [`gateway::Config`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct Gateway {
    pub connect_timeout_ms: u64,
    pub hello_timeout_ms: u64,
    pub ready_timeout_ms: u64,
    pub close_timeout_ms: u64,
    pub stable_after_ms: u64,
    pub backoff_max_ms: u64,
    pub resume_attempts_max: u32,
    pub escalate_after: u32,
    #[serde(deserialize_with = "zombie_rule")]
    pub zombie_rule: ZombieRule,
    pub payload_bytes_max: usize,
    pub message_bytes_max: usize,
    pub command_queue_max: usize,
    pub capabilities: u64,
    pub seed: Option<u64>,
}

/// Whom to trust.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// Which certificate authorities.
    pub roots: Roots,
}

/// Which certificate authorities are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Roots {
    /// Mozilla's list, as bundled with this version.
    #[default]
    Bundled,
    /// Those of the machine.
    Platform,
}

/// The endpoint for operators.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ops {
    /// Where it listens; nowhere if `None`.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Whether `listen` may be an address that other machines reach.
    pub allow_remote: bool,
    /// How many connections it holds at once.
    pub connections_max: usize,
    /// How long one request may take, in milliseconds.
    pub request_timeout_ms: u64,
}

impl Config {
    /// Starts with the defaults. Add a file, the environment and values, then build.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new()
    }

    /// Whether `api_base` is not Discord's own: only then may the token go to hosts that are not Discord's, and over
    /// plain `http://` and `ws://`.
    #[must_use]
    pub fn custom_base(&self) -> bool {
        !check::is_discord_base(&self.api_base)
    }

    /// Which events are handed on.
    #[must_use]
    pub fn filter(&self) -> EventFilter {
        let start = match &self.events {
            None => EventFilter::all(),
            Some(only) => only
                .iter()
                .fold(EventFilter::none(), |set, &kind| set.with(kind)),
        };
        self.disabled_events
            .iter()
            .fold(start, |set, &kind| set.without(kind))
    }

    /// What one shard's session is told. `gateway_url` is the `url` of `/gateway/bot`; every session needs a seed of
    /// its own.
    #[must_use]
    pub fn session(&self, shard: ShardId, gateway_url: &str, seed: u64) -> gateway::Config {
        let from = &self.gateway;
        let mut config = gateway::Config::new(shard, self.token.clone(), self.intents, gateway_url);
        config.custom_base = self.custom_base();
        config.compression = self.compress;
        config.filter = self.filter();
        config.presence = self.presence.clone();
        config.properties = self.properties.clone();
        config.large_threshold = Some(self.large_threshold);
        config.capabilities = from.capabilities;
        config.zombie_rule = from.zombie_rule;
        config.connect_timeout = Duration::from_millis(from.connect_timeout_ms);
        config.hello_timeout = Duration::from_millis(from.hello_timeout_ms);
        config.ready_timeout = Duration::from_millis(from.ready_timeout_ms);
        config.close_timeout = Duration::from_millis(from.close_timeout_ms);
        config.stable_after = Duration::from_millis(from.stable_after_ms);
        config.backoff_max = Duration::from_millis(from.backoff_max_ms);
        config.resume_attempts_max = from.resume_attempts_max;
        config.escalate_after = from.escalate_after;
        config.payload_bytes_max = from.payload_bytes_max;
        config.message_bytes_max = from.message_bytes_max;
        config.command_queue_max = from.command_queue_max;
        config.seed = seed;
        config
    }

    /// What the fleet is told.
    #[must_use]
    pub fn fleet_machine(&self, seed: u64) -> fleet::Config {
        let from = &self.identify;
        let mut config = fleet::Config::new(self.shards.clone());
        config.margin = Duration::from_millis(from.margin_ms);
        config.reserve = from.reserve;
        config.limits_max_age = Duration::from_millis(from.limits_max_age_ms);
        config.start_rounds = from.start_rounds;
        config.start_patience = Duration::from_millis(from.start_patience_ms);
        config.damping.healthy_after = Duration::from_millis(from.healthy_after_ms);
        config.damping.base = Duration::from_millis(from.damping_base_ms);
        config.damping.cap = Duration::from_millis(from.damping_cap_ms);
        config.damping.waste_percent = from.waste_percent;
        config.damping.fleet_min = from.fleet_min;
        config.seed = seed;
        if self.fleet.kind == FleetKind::Redis {
            config.here = fleet::Here::Told;
        }
        config
    }
}

fn token<'de, D: Deserializer<'de>>(from: D) -> Result<Token, D::Error> {
    Token::new(&String::deserialize(from)?).map_err(de::Error::custom)
}

fn intents<'de, D: Deserializer<'de>>(from: D) -> Result<Intents, D::Error> {
    u64::deserialize(from).map(Intents::from_bits)
}

fn compression<'de, D: Deserializer<'de>>(from: D) -> Result<Compression, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(de::Error::custom)
}

pub(super) fn events<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<EventKind>, D::Error> {
    let numbers = Vec::<u8>::deserialize(from)?;
    Ok(numbers.into_iter().map(EventKind::from_number).collect())
}

fn some_events<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<EventKind>>, D::Error> {
    events(from).map(Some)
}

fn zombie_rule<'de, D: Deserializer<'de>>(from: D) -> Result<ZombieRule, D::Error> {
    match String::deserialize(from)?.as_str() {
        "acknowledged" => Ok(ZombieRule::Acknowledged),
        "any_message" => Ok(ZombieRule::AnyMessage),
        _ => Err(de::Error::custom("acknowledged or any_message")),
    }
}
