//! What the REST side is like: rules, limits, latency and faults, as one value that is also JSON.

use serde::{Deserialize, Serialize};

use super::presets;
use super::rule::Rule;

/// The limit over all routes: at most `limit` arrivals in any span of `window_ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GlobalLimit {
    /// Per authorisation; 0 for none. Discord's is 50.
    pub limit: u32,
    /// Per address, for requests without authorisation; 0 for none. Discord's is 50.
    pub limit_per_address: u32,
    /// The span. Discord's is 1,000.
    pub window_ms: u64,
    /// Whether clients know it beforehand. If not, the first overrun is a discovery.
    pub known: bool,
}

impl Default for GlobalLimit {
    fn default() -> Self {
        Self {
            limit: 50,
            limit_per_address: 50,
            window_ms: 1_000,
            known: true,
        }
    }
}

/// The limit of invalid requests per address: 401, 403 and 429 that is not of a shared resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// How many are allowed; 0 for any number. Discord's figure is 10,000.
    pub limit: u32,
    /// Within which span. Discord's is 600,000.
    pub window_ms: u64,
    /// How long every answer is a Cloudflare page afterwards.
    pub ban_ms: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            limit: 10_000,
            window_ms: 600_000,
            ban_ms: 3_600_000,
        }
    }
}

/// How long requests and answers travel: each way between the two figures, drawn by the seed. Where they differ,
/// requests and answers overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// To the server, in milliseconds: shortest and longest.
    pub there_ms: [u64; 2],
    /// Back to the client, in milliseconds: shortest and longest.
    pub back_ms: [u64; 2],
}

/// What can go wrong with a request. As JSON: `{"kind":"fail","status":502}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RestFault {
    /// A 5xx.
    Fail {
        /// The status, such as 500, 502, 503 or 504.
        status: u16,
        /// Whether it carries the bucket's headers. Then the request counted; else it never reached the limits.
        #[serde(default)]
        headers: bool,
        /// Whether what was asked for happened all the same. Only with `headers`.
        #[serde(default)]
        executed: bool,
    },
    /// The connection breaks before the request is processed.
    DropBefore,
    /// The request is processed, and the connection breaks before its answer.
    DropAfter,
    /// The answer comes late.
    Slow {
        /// By how much.
        delay_ms: u64,
    },
}

/// A fault, how often and when it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRate {
    /// What happens.
    pub fault: RestFault,
    /// How many requests in a million it hits; 1,000,000 for all.
    #[serde(default = "always")]
    pub per_million: u32,
    /// From when on, in milliseconds after the configuration began.
    #[serde(default)]
    pub from_ms: u64,
    /// For how long; for ever if absent.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// Only paths of this template, as in [`Rule::path`]; all if absent.
    #[serde(default)]
    pub path: Option<String>,
}

const fn always() -> u32 {
    1_000_000
}

/// Resources that the bot has no access to, or that do not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// The path, as in [`Rule::path`].
    pub path: String,
    /// The placeholder that is looked at, without braces, such as `channel_id`; empty to deny every such path.
    #[serde(default)]
    pub placeholder: String,
    /// The ids that are denied.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Or every id that leaves this remainder: `[divisor, remainder]` of `id >> 22`.
    #[serde(default)]
    pub remainder: Option<[u64; 2]>,
    /// The status, such as 403 or 404.
    pub status: u16,
    /// Discord's code, such as 50001 (Missing Access) or 10015 (Unknown Webhook).
    pub code: u32,
}

/// Everything that can be chosen about the REST side. Durations end in `_ms`. The default has Discord-like figures.
///
/// ```
/// use shardkeep_sim::rest::{RestConfig, Rule};
///
/// let mut config = RestConfig::unlimited();
/// config.global.limit = 200;
/// config.rules = vec![Rule::new("POST", "/channels/{channel_id}/messages", "messages", 5, 500)];
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestConfig {
    /// Buckets; the first rule that fits a request holds. Routes without a rule have no bucket, and no headers of one.
    pub rules: Vec<Rule>,
    /// The limit over all routes.
    pub global: GlobalLimit,
    /// The limit of invalid requests.
    pub guard: Guard,
    /// How long requests and answers travel.
    pub latency: Latency,
    /// What goes wrong; each is drawn for itself, and the first that hits holds.
    pub faults: Vec<FaultRate>,
    /// What is answered with an error though it looks right.
    pub denied: Vec<Denial>,
    /// How long an answer must have been gone before a server takes it as read: it cannot see when the client read it.
    pub grace_ms: u64,
    /// How many arrivals are remembered in detail.
    pub log: usize,
}

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            rules: presets::discord(),
            ..Self::unlimited()
        }
        .with_discord_limits()
    }
}

impl RestConfig {
    /// No rule, no limit, no latency, no fault.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            rules: Vec::new(),
            global: GlobalLimit {
                limit: 0,
                limit_per_address: 0,
                ..GlobalLimit::default()
            },
            guard: Guard {
                limit: 0,
                ..Guard::default()
            },
            latency: Latency::default(),
            faults: Vec::new(),
            denied: Vec::new(),
            grace_ms: 25,
            log: 10_000,
        }
    }

    fn with_discord_limits(self) -> Self {
        Self {
            global: GlobalLimit::default(),
            guard: Guard::default(),
            ..self
        }
    }
}
