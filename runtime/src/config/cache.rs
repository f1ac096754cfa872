//! The cache's part of the configuration: its options, and what they become.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::cache::Kind as RecordKind;
use shardkeep_core::cache::hot_set::Limits;
use shardkeep_core::wire::{EventFilter, EventKind};

use super::option::{ConfigOption, Kind};
use super::settings::{Config, events};
use super::table::{integer, option};
use crate::cache::CacheSettings;

/// The options of `cache`, `store`, `redis_config` and `lean`.
pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "cache.budget_bytes",
        integer(0, 1 << 40),
        "0",
        "Memory for what the bot knows of Discord, in bytes, for the whole process; 0 keeps no cache. What finds no \
         room is in the store and at Discord.",
    ),
    option(
        "cache.limits",
        Kind::RecordLimits,
        "{}",
        "Bounds of single kinds of records: `count`, `bytes`, `count_per_scope` (of messages: in a channel, 100 unless \
         set; of others: in a guild) and `ttl_ms`; `off` keeps none.",
    ),
    option(
        "cache.fields",
        Kind::RecordFields,
        "{}",
        "Members of records that are kept, by kind, where not all are needed. Ids and what the cache itself needs are \
         kept always.",
    ),
    option(
        "cache.before",
        Kind::Events,
        "[]",
        "Events that carry what the record was before them.",
    ),
    option(
        "cache.fetch_timeout_ms",
        integer(10, 600_000),
        "10000",
        "How long a fetch may take, over store and Discord, in milliseconds.",
    ),
    option(
        "cache.pending_bytes_max",
        integer(1 << 16, 1 << 40),
        "67108864",
        "Bytes of records that may wait for the store. What comes beyond is dropped and counted; what the store has of \
         it is not believed.",
    ),
    option(
        "store.kind",
        Kind::Choice(&["none", "memory", "lmdb", "redis"]),
        "\"lmdb\"",
        "Where the cache's records go: `lmdb` is a file that the processes of a machine share, `redis` a server or \
         cluster that machines share, `memory` this process alone. Without a cache, nothing is opened.",
    ),
    option(
        "store.path",
        Kind::Text,
        "",
        "The folder of `lmdb`, on a local disk. Default: the bot's id, in shardkeep's folder among the user's caches.",
    ),
    option(
        "store.map_bytes",
        integer(1 << 20, 1 << 44),
        "4294967296",
        "The most that `lmdb` grows to, in bytes; the same in all processes.",
    ),
    option(
        "store.ttl_s",
        integer(0, 10 * 365 * 86_400),
        "86400",
        "How long a record holds after it was written, in seconds; 0 for ever.",
    ),
    option(
        "store.update_ttl_on_get",
        Kind::Flag,
        "false",
        "Whether reading a record in `redis` makes it hold for `store.ttl_s` from then on.",
    ),
    option(
        "store.prefix",
        Kind::Text,
        "\"shardkeep:\"",
        "What every key in `redis` begins with. All processes that share records have the same.",
    ),
    option(
        "redis_config.url",
        Kind::Secret,
        "",
        "Redis, `redis://…`, `rediss://…` or `redis+cluster://…`: for `store.kind = redis`, and for telling other \
         processes what has changed.",
    ),
    option(
        "lean.enabled",
        Kind::Flag,
        "false",
        "One switch for processes that must be small: the cache gets `lean.budget_bytes` and `lean.store`; kinds in \
         `lean.off` are not kept.",
    ),
    option(
        "lean.variable",
        Kind::Text,
        "\"SHARDKEEP_LEAN\"",
        "The environment variable that turns `lean.enabled` on, where it is `1` or `true`.",
    ),
    option(
        "lean.budget_bytes",
        integer(1 << 20, 1 << 40),
        "67108864",
        "The cache's memory in lean mode, in bytes.",
    ),
    option(
        "lean.store",
        Kind::Choice(&["none", "memory", "lmdb", "redis"]),
        "",
        "The store in lean mode. Default: `redis` if `redis_config.url` is set, else that of `store.kind`.",
    ),
    option(
        "lean.off",
        Kind::RecordKinds,
        "[\"presence\", \"voice_state\", \"stage_instance\", \"thread_member\", \"message\"]",
        "Kinds that are not kept in lean mode.",
    ),
];

/// What the bot keeps of Discord.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct CacheConfig {
    pub budget_bytes: usize,
    pub limits: BTreeMap<String, RecordLimits>,
    pub fields: BTreeMap<String, Vec<String>>,
    #[serde(deserialize_with = "events")]
    pub before: Vec<EventKind>,
    pub fetch_timeout_ms: u64,
    pub pending_bytes_max: usize,
}

/// Bounds of one kind of record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RecordLimits {
    /// Records at most; 0 keeps none.
    pub count: Option<u32>,
    /// Bytes at most.
    pub bytes: Option<usize>,
    /// Records at most in each guild, or of messages in each channel.
    pub count_per_scope: Option<u32>,
    /// How long a record is kept after it was told, in milliseconds.
    pub ttl_ms: Option<u64>,
}

/// Where the cache's records go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct StoreConfig {
    pub kind: StoreKind,
    #[serde(default)]
    pub path: Option<String>,
    pub map_bytes: usize,
    pub ttl_s: u64,
    pub update_ttl_on_get: bool,
    pub prefix: String,
}

/// What keeps records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreKind {
    /// Nothing.
    None,
    /// This process.
    Memory,
    /// A file that the processes of a machine share.
    Lmdb,
    /// A server or cluster that all machines share.
    Redis,
}

/// Where Redis is.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisConfig {
    /// Its URL, with a password if it has one.
    #[serde(default)]
    pub url: Option<String>,
}

/// Without the password that may be in the URL.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("is_set", &self.url.is_some())
            .finish()
    }
}

/// What changes when a process must be small.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct Lean {
    pub enabled: bool,
    pub variable: String,
    pub budget_bytes: usize,
    #[serde(default)]
    pub store: Option<StoreKind>,
    pub off: Vec<String>,
}

pub(super) fn record_kind(name: &str) -> Option<RecordKind> {
    RecordKind::ALL
        .iter()
        .copied()
        .find(|kind| kind.name() == name)
}

impl Config {
    /// Which store the cache has, lean mode considered.
    #[must_use]
    pub fn store_kind(&self) -> StoreKind {
        let lean = self.lean.enabled.then(|| {
            let redis = self.redis_config.url.is_some().then_some(StoreKind::Redis);
            self.lean.store.or(redis)
        });
        lean.flatten().unwrap_or(self.store.kind)
    }

    /// What the cache is told, without store and bus; `None` if there is to be no cache.
    pub(crate) fn cache(&self) -> Option<CacheSettings> {
        let from = &self.cache;
        let budget = match self.lean.enabled {
            true => self.lean.budget_bytes,
            false => from.budget_bytes,
        };
        if budget == 0 {
            return None;
        }
        let seed = self
            .gateway
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one("cache"));
        let mut settings = CacheSettings::new(budget, seed);
        settings.fetch_limit = Duration::from_millis(from.fetch_timeout_ms);
        let machine = &mut settings.machine;
        machine.pending_bytes_max = from.pending_bytes_max;
        machine.before = from
            .before
            .iter()
            .fold(EventFilter::none(), |all, &kind| all.with(kind));
        let mut limit = |name: &str, change: &dyn Fn(&mut Limits)| {
            if let Some(kind) = record_kind(name) {
                change(&mut machine.hot.limits[usize::from(kind.number())]);
            }
        };
        for (name, of) in &from.limits {
            limit(name, &|limits| {
                limits.count = of.count;
                limits.bytes = of.bytes;
                limits.count_per_scope = of.count_per_scope.or(limits.count_per_scope);
                limits.ttl = of.ttl_ms.map(Duration::from_millis);
            });
        }
        let off = self.lean.off.iter().filter(|_| self.lean.enabled);
        off.for_each(|name| limit(name, &|limits| *limits = Limits::OFF));
        for (name, fields) in &from.fields {
            if let Some(kind) = record_kind(name) {
                machine.fields.insert(kind, fields.clone());
            }
        }
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::{toml_error, with_token};
    use super::*;

    fn limits(settings: &CacheSettings, kind: RecordKind) -> Limits {
        settings.machine.hot.limits[usize::from(kind.number())]
    }

    #[test]
    fn without_a_budget_there_is_no_cache() {
        let config = with_token().build().unwrap();
        assert!(config.cache().is_none());
        assert_eq!(config.store_kind(), StoreKind::Lmdb);
    }

    #[test]
    fn limits_fields_and_events_reach_the_machine() {
        let text = "[cache]\nbudget_bytes = 1048576\nbefore = ['GUILD_MEMBER_UPDATE']\n\
                    limits = { presence = 'off', member = { count = 5, ttl_ms = 1000 }, message = { count = 9 } }\n\
                    fields = { user = ['username'] }";
        let config = with_token()
            .toml(text, Path::new("bot.toml"))
            .build()
            .unwrap();
        let settings = config.cache().unwrap();
        assert!(limits(&settings, RecordKind::Presence).is_off());
        let member = limits(&settings, RecordKind::Member);
        assert_eq!(member.count, Some(5));
        assert_eq!(member.ttl, Some(Duration::from_secs(1)));
        let message = limits(&settings, RecordKind::Message);
        assert_eq!(
            (message.count, message.count_per_scope),
            (Some(9), Some(100))
        );
        assert!(
            settings
                .machine
                .before
                .lets_through(EventKind::GuildMemberUpdate)
        );
        assert_eq!(settings.machine.fields[&RecordKind::User], ["username"]);
    }

    #[test]
    fn one_variable_of_ones_own_turns_lean_mode_on() {
        let built = |value: &str| {
            let variables = [
                ("ZIRA_LEAN", value),
                ("SHARDKEEP_LEAN_VARIABLE", "ZIRA_LEAN"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            with_token()
                .variables(variables)
                .set("redis_config.url", "redis://localhost")
                .build()
                .unwrap()
        };
        let lean = built("1");
        let settings = lean.cache().unwrap();
        assert_eq!(settings.machine.hot.budget_bytes, 64 << 20);
        assert!(limits(&settings, RecordKind::VoiceState).is_off());
        assert!(!limits(&settings, RecordKind::Member).is_off());
        assert_eq!(lean.store_kind(), StoreKind::Redis);
        let other = built("0");
        assert!(other.cache().is_none());
        assert_eq!(other.store_kind(), StoreKind::Lmdb);
        assert!(!format!("{other:?}").contains("localhost"));
    }

    #[test]
    fn what_is_wrong_in_limits_is_named() {
        let error = toml_error("[cache]\nlimits = { membr = { count = 1 } }");
        assert_eq!(error.suggestion(), Some("member"));
        let error = toml_error("[cache]\nlimits = { member = { cuont = 1 } }");
        assert_eq!(error.suggestion(), Some("count"));
        for wrong in [
            "limits = 5",
            "limits = { member = 5 }",
            "limits = { member = { count = 'x' } }",
            "fields = { member = 'x' }",
            "fields = { member = [1] }",
        ] {
            let error = toml_error(&format!("[cache]\n{wrong}"));
            assert!(error.to_string().contains("cache."), "{error}");
        }
    }
}
