//! The cache behind records, and the settings and counters of its vectors.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shardkeep_core::cache::hot_set::{Limits, Reason, Refusal};
use shardkeep_core::cache::{Cache, Config, Kind, Kinds};
use shardkeep_core::record::{self, Status};
use shardkeep_core::wire::{EventFilter, EventKind};
use shardkeep_core::{Instant, Machine};

use super::super::model::{Next, Rec};
use super::super::settings::{set, set_ms};
use super::super::under::{self, Under};

/// What differs from the defaults for a cache.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    budget_bytes: Option<usize>,
    value_bytes_max: Option<usize>,
    scope_percent: Option<u8>,
    limits: BTreeMap<String, KindLimits>,
    has_store: bool,
    stored: Option<Vec<String>>,
    fetched: Option<Vec<String>>,
    before: Vec<String>,
    pending_bytes_max: Option<usize>,
    marks_max: Option<usize>,
    scopes_max: Option<usize>,
    flights_max: Option<usize>,
    patch_bytes_max: Option<usize>,
    batch_max: Option<usize>,
    batches_max: Option<usize>,
    store_timeout_ms: Option<u64>,
    retry_after_ms: Option<u64>,
    negative_ttl_ms: Option<u64>,
    negatives_max: Option<usize>,
    seed: u64,
}

/// What is kept of a kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindLimits {
    count: Option<u32>,
    bytes: Option<usize>,
    count_per_scope: Option<u32>,
    ttl_ms: Option<u64>,
}

const BUDGET_BYTES: usize = 1 << 20;

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap_or_else(|| panic!("{name} is no kind of record"))
}

fn kinds(names: Option<Vec<String>>) -> Option<Kinds> {
    let names = names?;
    let names = names.iter().map(|name| kind(name));
    Some(names.fold(Kinds::NONE, Kinds::with))
}

fn config(settings: &Value) -> Config {
    let from: Settings = serde_json::from_value(settings.clone()).expect("settings of a cache");
    let mut config = Config::new(from.budget_bytes.unwrap_or(BUDGET_BYTES), from.seed);
    set(&mut config.hot.value_bytes_max, from.value_bytes_max);
    set(&mut config.hot.scope_percent, from.scope_percent);
    for (name, told) in from.limits {
        let mut limits = Limits::NONE;
        limits.count = told.count;
        limits.bytes = told.bytes;
        limits.count_per_scope = told.count_per_scope;
        limits.ttl = told.ttl_ms.map(Duration::from_millis);
        config.hot.limits[usize::from(kind(&name).number())] = limits;
    }
    config.has_store = from.has_store;
    set(&mut config.stored, kinds(from.stored));
    set(&mut config.fetched, kinds(from.fetched));
    let events = from
        .before
        .iter()
        .map(|name| EventKind::from_name(name.as_bytes()));
    config.before = events.fold(EventFilter::none(), EventFilter::with);
    set(&mut config.pending_bytes_max, from.pending_bytes_max);
    set(&mut config.marks_max, from.marks_max);
    set(&mut config.scopes_max, from.scopes_max);
    set(&mut config.flights_max, from.flights_max);
    set(&mut config.patch_bytes_max, from.patch_bytes_max);
    set(&mut config.batch_max, from.batch_max);
    set(&mut config.batches_max, from.batches_max);
    set_ms(&mut config.store_timeout, from.store_timeout_ms);
    set_ms(&mut config.retry_after, from.retry_after_ms);
    set_ms(&mut config.negative_ttl, from.negative_ttl_ms);
    set(&mut config.negatives_max, from.negatives_max);
    config
}

/// The counters of a snapshot.
const COUNTERS: &[&str] = &[
    "dispatches",
    "malformed",
    "deferred",
    "forgotten",
    "made",
    "written",
    "superseded",
    "coalesced",
    "withdrawn",
    "failed",
    "dropped",
    "stale",
    "read",
    "fetched",
    "joined",
    "negative",
    "open",
    "pending",
    "pending_bytes",
    "flights",
];

impl Under for Cache {
    const NAME: &'static str = "cache";

    fn start(settings: &Value, snapshot: Option<&Value>) -> Result<Self, String> {
        assert!(snapshot.is_none(), "a cache goes on from nothing");
        Ok(Self::new(config(settings)))
    }

    fn input(&mut self, at_us: u64, input: &Rec) -> Status {
        let record = under::numbered(record::CACHE_INPUTS, input);
        match record::handle_cache_input(self, Instant::from_micros(at_us), record) {
            Ok(()) => Status::Ok,
            Err(status) => status,
        }
    }

    fn timeout(&mut self, at_us: u64) {
        self.handle_timeout(Instant::from_micros(at_us));
    }

    fn output(&mut self) -> Option<Rec> {
        let (output, mut text) = (self.poll_output()?, String::new());
        let record = record::cache_output(&output, &mut text);
        Some(under::named(record::CACHE_OUTPUTS, &record))
    }

    fn next(&self) -> Option<Next> {
        let timeout = self.poll_timeout().map(record::cache_timeout);
        under::next(record::CACHE_TIMEOUTS, timeout)
    }

    fn state(&self) -> Option<String> {
        None
    }

    fn stat(&self, name: &str) -> u64 {
        let stats = self.stats();
        match name {
            "dispatches" => stats.dispatches,
            "malformed" => stats.malformed,
            "deferred" => stats.deferred,
            "forgotten" => stats.forgotten,
            "made" => stats.made,
            "written" => stats.written,
            "coalesced" => stats.coalesced,
            "withdrawn" => stats.withdrawn,
            "open" => stats.open,
            "superseded" => stats.superseded,
            "failed" => stats.failed,
            "dropped" => stats.dropped,
            "stale" => stats.stale,
            "read" => stats.read,
            "fetched" => stats.fetched,
            "joined" => stats.joined,
            "negative" => stats.negative,
            "pending" => stats.pending as u64,
            "pending_bytes" => stats.pending_bytes as u64,
            "flights" => stats.flights as u64,
            "hits" => stats.hot.hits,
            "misses" => stats.hot.misses,
            "hot" => stats.hot.kinds.iter().map(|kind| kind.count as u64).sum(),
            "guilds" => self.guilds().count() as u64,
            _ => hot_set_stat(self, name),
        }
    }

    fn snapshot(&self) -> Value {
        let counters = COUNTERS
            .iter()
            .map(|name| (String::from(*name), self.stat(name).into()));
        Value::Object(counters.collect())
    }

    fn edges_taken(&self) -> u64 {
        0
    }
}

/// What the hot set gave up or refused, over all kinds.
fn hot_set_stat(cache: &Cache, name: &str) -> u64 {
    let hot = cache.stats().hot;
    let refused = |why| hot.kinds.iter().map(|kind| kind.refused_for(why)).sum();
    match name {
        "evicted_cold" => hot.evicted_for(Reason::Cold),
        "evicted_share" => hot.evicted_for(Reason::Share),
        "evicted_kind_limit" => hot.evicted_for(Reason::KindLimit),
        "evicted_scope_limit" => hot.evicted_for(Reason::ScopeLimit),
        "evicted_expired" => hot.evicted_for(Reason::Expired),
        "evicted_outdated" => hot.evicted_for(Reason::Outdated),
        "refused_off" => refused(Refusal::Off),
        "refused_too_long" => refused(Refusal::TooLong),
        "refused_no_room" => refused(Refusal::NoRoom),
        _ => panic!("{name} is no counter of a cache"),
    }
}
