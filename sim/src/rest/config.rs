//! What the REST side is like: rules, limits, latency and faults, as one value that is also JSON.

use serde::{Deserialize, Serialize};

use super::presets;

/// How a bucket counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A window opens with the first request that arrives when none is open, and takes `limit` requests.
    #[default]
    Fixed,
    /// A level drains by one slot every `window / limit`; a request is taken if the level stays within `limit`.
    /// `Reset-After` is the time until it is empty, `Retry-After` the time until one slot is free.
    Leaky,
    /// At most `limit` requests in any span of `window`. `Reset-After` is the time until the last one leaves it,
    /// `Retry-After` the time until the oldest does.
    Log,
}

/// Which part of the path tells one bucket of a limit from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Major {
    /// One bucket for all.
    None,
    /// `{channel_id}`. For a webhook: the channel it posts to, if it was bound to one.
    Channel,
    /// `{guild_id}`.
    Guild,
    /// `{webhook_id}`, whatever the token.
    Webhook,
    /// `{webhook_id}` and `{webhook_token}` as a pair.
    WebhookToken,
    /// `{interaction_token}`.
    Interaction,
}

/// `X-RateLimit-Scope` of a hidden limit's 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This bot's own limit. Counts as an invalid request.
    #[default]
    User,
    /// The resource's limit, whoever uses it. Does not count as an invalid request.
    Shared,
}

/// A limit that no header shows before it is hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sublimit {
    /// Its name in the arrivals' log. Rules that name the same one share its counters.
    pub name: String,
    /// How many requests.
    pub limit: u32,
    /// In how many milliseconds.
    pub window_ms: u64,
    /// How it counts.
    #[serde(default)]
    pub kind: Kind,
    /// What it counts by.
    pub per: Major,
    /// Only requests whose JSON body has one of these keys count; every request if empty.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The scope it is answered with.
    #[serde(default)]
    pub scope: Scope,
}

impl Default for Sublimit {
    /// One request a second over everything, by the bot's own doing.
    fn default() -> Self {
        Self {
            name: "hidden".to_owned(),
            limit: 1,
            window_ms: 1_000,
            kind: Kind::Fixed,
            per: Major::None,
            fields: Vec::new(),
            scope: Scope::User,
        }
    }
}

/// From when on a rule answers with another hash. The new one's counters begin empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashChange {
    /// When, in milliseconds after the configuration began.
    pub at_ms: u64,
    /// The new hash.
    pub hash: String,
}

/// Ages of the message in the path, by its snowflake, for which a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// At least so old, in milliseconds.
    #[serde(default)]
    pub from_ms: u64,
    /// Younger than this, in milliseconds.
    #[serde(default = "forever")]
    pub below_ms: u64,
}

const fn forever() -> u64 {
    u64::MAX
}

/// Which requests share a bucket, and what it allows.
///
/// ```
/// use shardkeep_sim::rest::{Kind, Major, Rule};
///
/// let rule = Rule::new("GET", "/guilds/{guild_id}/members", "members", 10, 10_000).kind(Kind::Leaky);
/// assert_eq!(rule.methods, ["GET"]);
/// let both = Rule::new("PUT DELETE", "/channels/{channel_id}/pins/{message_id}", "pins", 5, 4_000).major(Major::None);
/// assert_eq!(both.methods, ["PUT", "DELETE"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The methods it holds for; all if empty.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The path below `/api/v10`: literal segments, `{placeholder}` for one segment, `**` at the end for any rest.
    pub path: String,
    /// `X-RateLimit-Bucket`. Rules with the same hash share their counters, per major parameter.
    pub hash: String,
    /// `X-RateLimit-Limit`.
    pub limit: u32,
    /// The window in milliseconds.
    pub window_ms: u64,
    /// How it counts.
    #[serde(default)]
    pub kind: Kind,
    /// The major parameter; absent for the documented one: the first resource of the path.
    #[serde(default)]
    pub major: Option<Major>,
    /// Ages of the message for which it holds; absent for all.
    #[serde(default)]
    pub age: Option<Age>,
    /// Limits that no header shows.
    #[serde(default)]
    pub sublimits: Vec<Sublimit>,
    /// Hashes that follow, in order of time.
    #[serde(default)]
    pub hash_changes: Vec<HashChange>,
    /// A second hash that every other answer carries. The counters stay the same.
    #[serde(default)]
    pub alternate: Option<String>,
    /// A name for the counters if they are not those of the hash: Discord gives some routes one hash and separate
    /// counters.
    #[serde(default)]
    pub counter: Option<String>,
}

impl Rule {
    /// A rule for `methods` (separated by spaces) on `path`: `limit` requests in `window_ms`, with fixed windows.
    #[must_use]
    pub fn new(methods: &str, path: &str, hash: &str, limit: u32, window_ms: u64) -> Self {
        Self {
            methods: methods.split_whitespace().map(str::to_owned).collect(),
            path: path.to_owned(),
            hash: hash.to_owned(),
            limit,
            window_ms,
            kind: Kind::Fixed,
            major: None,
            age: None,
            sublimits: Vec::new(),
            hash_changes: Vec::new(),
            alternate: None,
            counter: None,
        }
    }

    /// Counts in another way.
    #[must_use]
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Another major parameter than the documented one.
    #[must_use]
    pub fn major(self, major: Major) -> Self {
        Self {
            major: Some(major),
            ..self
        }
    }

    /// Holds only while the message in the path is at least `from_ms` and less than `below_ms` old.
    #[must_use]
    pub fn age(self, from_ms: u64, below_ms: u64) -> Self {
        let age = Some(Age { from_ms, below_ms });
        Self { age, ..self }
    }

    /// One more hidden limit.
    #[must_use]
    pub fn sublimit(mut self, sublimit: Sublimit) -> Self {
        self.sublimits.push(sublimit);
        self
    }

    /// Answers with another hash from `at_ms` on.
    #[must_use]
    pub fn changes_to(mut self, at_ms: u64, hash: &str) -> Self {
        let hash = hash.to_owned();
        self.hash_changes.push(HashChange { at_ms, hash });
        self
    }

    /// Every other answer carries this hash.
    #[must_use]
    pub fn alternates_with(self, hash: &str) -> Self {
        Self {
            alternate: Some(hash.to_owned()),
            ..self
        }
    }

    /// Counts apart from others with the same hash.
    #[must_use]
    pub fn counter(self, name: &str) -> Self {
        Self {
            counter: Some(name.to_owned()),
            ..self
        }
    }
}

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
    /// The placeholder that is looked at, without braces, such as `channel_id`.
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
