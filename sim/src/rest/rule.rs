//! Which requests share a bucket, and what it allows.

use serde::{Deserialize, Serialize};

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
