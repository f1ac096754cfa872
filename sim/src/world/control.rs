//! How tests and operators steer a world: one enum, as JSON or in Rust.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use shardkeep_core::Snowflake;

use crate::rest::{Denial, FaultRate, GlobalLimit, Guard, Latency, RestConfig, Rule};

/// A wish. As JSON: `{"do":"say","content":"hello"}`, `{"do":"fault","target":"all","fault":{"kind":"drop"}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Control {
    /// Sends any event. With `guild`: to the shard of that guild in every generation, subject to intents. With `shard`:
    /// to every session of that shard. With neither: to shard 0 of every generation.
    InjectEvent {
        /// The guild it happens in.
        #[serde(default)]
        guild: Option<Snowflake>,
        /// `[shard_id, num_shards]`.
        #[serde(default)]
        shard: Option<[u32; 2]>,
        /// The event's name.
        t: String,
        /// The event's data.
        d: serde_json::Value,
    },
    /// A `MESSAGE_CREATE` with this content: in one guild, or in one guild of every shard that has any.
    Say {
        /// The guild; every shard if absent.
        #[serde(default)]
        guild: Option<Snowflake>,
        /// The channel; one the bot can see if absent.
        #[serde(default)]
        channel: Option<Snowflake>,
        /// The text.
        content: String,
    },
    /// Many `MESSAGE_CREATE` at once, spread over the guilds.
    Burst {
        /// How many.
        events: u32,
    },
    /// Changes the steady traffic.
    Chatter {
        /// Events per second over all guilds; 0 stops it.
        per_s: u32,
    },
    /// Causes a fault.
    Fault {
        /// Whom it hits.
        target: Target,
        /// What happens.
        fault: Fault,
    },
    /// Brings faults at random, by the world's seed. No faults: calm again.
    Weather {
        /// The mean time between two faults, over the whole world.
        every_ms: u64,
        /// What may happen, and how often beside the others.
        faults: Vec<WeightedFault>,
        /// How long the weather lasts; for ever if absent.
        #[serde(default)]
        for_ms: Option<u64>,
    },
    /// Makes guilds unavailable for a while: `GUILD_DELETE` with `unavailable: true`, later `GUILD_CREATE`.
    Outage {
        /// The guilds; all if empty.
        #[serde(default)]
        guilds: Vec<Snowflake>,
        /// For how long.
        for_ms: u64,
    },
    /// The bot leaves a guild: `GUILD_DELETE` without `unavailable`.
    Leave {
        /// Which one.
        guild: Snowflake,
    },
    /// The bot joins a guild it had left: `GUILD_CREATE` without `unavailable`.
    Join {
        /// Which one.
        guild: Snowflake,
    },
    /// Counts: see [`Counters`](super::ledger::Counters).
    Counters,
    /// What clients did against the rules.
    Violations,
    /// Sessions, alive and ended, and what was sent on each.
    Sessions,
    /// The entries of one session's ledger.
    Ledger {
        /// Which session.
        session: String,
    },
    /// The guilds: ids, names, member counts.
    Guilds,
    /// Ends weather, lasting faults, outages and chatter; sessions and counters stay.
    Calm,
    /// Drops every connection, forgets every session, counter and violation, and restores the identify budget.
    Reset,
    /// What the REST limits counted, their last arrivals, and the best possible finish of what was let through.
    Rest {
        /// How many arrivals to show, newest last; 100 if absent.
        #[serde(default, deserialize_with = "number_or_text")]
        last: Option<usize>,
    },
    /// Replaces parts of the REST configuration; what is absent stays. Counting begins anew.
    RestSet(Box<RestSet>),
    /// Forgets what the REST limits counted, and what clients were told.
    RestReset,
}

/// Parts of a [`RestConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestSet {
    /// What to begin with instead of the present configuration: `discord`, `bench` or `unlimited`.
    pub preset: Option<RestPreset>,
    /// The buckets.
    pub rules: Option<Vec<Rule>>,
    /// The limit over all routes.
    pub global: Option<GlobalLimit>,
    /// The limit of invalid requests.
    pub guard: Option<Guard>,
    /// How long requests and answers travel.
    pub latency: Option<Latency>,
    /// What goes wrong.
    pub faults: Option<Vec<FaultRate>>,
    /// What is denied.
    pub denied: Option<Vec<Denial>>,
    /// [`RestConfig::grace_ms`].
    pub grace_ms: Option<u64>,
    /// [`RestConfig::log`].
    pub log: Option<usize>,
}

/// Configurations that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestPreset {
    /// [`RestConfig::default`].
    Discord,
    /// [`RestConfig::bench`].
    Bench,
    /// [`RestConfig::unlimited`].
    Unlimited,
}

impl RestSet {
    /// A configuration with these parts replaced.
    #[must_use]
    pub fn over(self, present: &RestConfig) -> RestConfig {
        let base = match self.preset {
            None => present.clone(),
            Some(RestPreset::Discord) => RestConfig::default(),
            Some(RestPreset::Bench) => RestConfig::bench(),
            Some(RestPreset::Unlimited) => RestConfig::unlimited(),
        };
        RestConfig {
            rules: self.rules.unwrap_or(base.rules),
            global: self.global.unwrap_or(base.global),
            guard: self.guard.unwrap_or(base.guard),
            latency: self.latency.unwrap_or(base.latency),
            faults: self.faults.unwrap_or(base.faults),
            denied: self.denied.unwrap_or(base.denied),
            grace_ms: self.grace_ms.unwrap_or(base.grace_ms),
            log: self.log.unwrap_or(base.log),
        }
    }
}

/// A query string knows no numbers.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(usize),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(Some(number)),
        Either::Text(text) => text
            .parse()
            .map(Some)
            .map_err(|_| D::Error::custom("`last` must be a number")),
    }
}

/// Whom a fault hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// Every connection with a session.
    All,
    /// The connections of one shard: `[shard_id, num_shards]`.
    Shard([u32; 2]),
    /// One connection, by the driver's number.
    Connection(u64),
    /// The connection of one session.
    Session(String),
    /// One connection with a session, chosen by the world's seed.
    Any,
}

/// What can go wrong. As JSON: `{"kind":"close","code":4000}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// TCP breaks.
    Drop,
    /// The connection stays open; nothing is heard or said on it any more.
    HalfOpen,
    /// Everything that is sent comes late.
    Slow {
        /// By how much.
        delay_ms: u64,
        /// For how long; for the life of the connection if absent.
        #[serde(default)]
        for_ms: Option<u64>,
    },
    /// Heartbeats are heard and no longer acknowledged. Events go on.
    Zombie,
    /// Heartbeats are acknowledged, and events dry up: the session gets none any more.
    DryUp {
        /// Whether a resume helps. Otherwise only a new session gets events.
        #[serde(default)]
        resume_helps: bool,
    },
    /// The next acknowledgements are not sent.
    LostAck {
        /// How many.
        #[serde(default = "one")]
        count: u32,
    },
    /// Op 7.
    Reconnect {
        /// How many of them, for a storm.
        #[serde(default = "one")]
        count: u32,
    },
    /// Op 9. With `resumable: false` the session is gone.
    InvalidSession {
        /// `d` of the message.
        resumable: bool,
    },
    /// A close frame with any code. 4003, 4006, 4007, 4009 and the fatal codes take the session along.
    Close {
        /// The code.
        code: u16,
    },
    /// Half of the next message, then TCP breaks.
    TruncatedFrame,
    /// The next message arrives with damaged bytes at its start.
    CorruptFrame,
    /// The session is forgotten: the next resume gets op 9. The connection breaks.
    SessionLoss,
    /// Op 1.
    RequestHeartbeat,
    /// The next messages arrive in one frame (zlib-stream only; nothing happens otherwise).
    MergeFrames {
        /// How many.
        messages: u32,
    },
    /// The next messages arrive in pieces (zlib-stream only; nothing happens otherwise).
    SplitFrames {
        /// How many messages.
        messages: u32,
        /// In how many frames each.
        pieces: u32,
    },
    /// A small message that inflates to this size: a dispatch with an unknown name. Outside the ledger, without `s`.
    Bomb {
        /// The inflated size in bytes.
        bytes: u64,
    },
    /// New connections get no HELLO. Ignores the target.
    NoHello {
        /// For how long.
        for_ms: u64,
    },
    /// Identify is heard and no READY comes. Ignores the target.
    NoReady {
        /// For how long.
        for_ms: u64,
    },
    /// New connections break at once. Ignores the target.
    RefuseConnections {
        /// For how long.
        for_ms: u64,
    },
}

fn one() -> u32 {
    1
}

/// A fault and how often it comes beside the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedFault {
    /// What happens.
    pub fault: Fault,
    /// Its share: twice the weight, twice as often.
    #[serde(default = "one")]
    pub weight: u32,
}
