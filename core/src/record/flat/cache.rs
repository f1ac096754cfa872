//! A cache in flat form.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;

use super::{Counter, Flat, Start, StartError, listed, set, set_ms, settings, size};
use crate::cache::hot_set::{Limits, Reason, Refusal};
use crate::cache::{Cache, Config, Kind, Kinds, Output};
use crate::machine::Machine;
use crate::record::{
    CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS, Record, Row, Status, cache_output, cache_timeout,
    handle_cache_input,
};
use crate::time::Instant;
use crate::wire::{EventFilter, EventKind};

/// What differs from the defaults.
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

fn kind(setting: &str, name: &str) -> Result<Kind, StartError> {
    let unknown = || StartError::Settings(format!("{setting}: `{name}` is no kind of record"));
    Kind::from_name(name).ok_or_else(unknown)
}

fn kinds(setting: &str, names: Option<Vec<String>>) -> Result<Option<Kinds>, StartError> {
    let Some(names) = names else { return Ok(None) };
    let mut kinds = Kinds::NONE;
    for name in &names {
        kinds = kinds.with(kind(setting, name)?);
    }
    Ok(Some(kinds))
}

fn config(from: Settings) -> Result<Config, StartError> {
    let mut config = Config::new(from.budget_bytes.unwrap_or(BUDGET_BYTES), from.seed);
    set(&mut config.hot.value_bytes_max, from.value_bytes_max);
    set(&mut config.hot.scope_percent, from.scope_percent);
    for (name, told) in from.limits {
        let mut limits = Limits::NONE;
        limits.count = told.count;
        limits.bytes = told.bytes;
        limits.count_per_scope = told.count_per_scope;
        limits.ttl = told.ttl_ms.map(Duration::from_millis);
        config.hot.limits[usize::from(kind("limits", &name)?.number())] = limits;
    }
    config.has_store = from.has_store;
    set(&mut config.stored, kinds("stored", from.stored)?);
    set(&mut config.fetched, kinds("fetched", from.fetched)?);
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
    Ok(config)
}

/// What a snapshot holds: what was counted, and what there is.
const SNAPSHOT: &[&str] = &[
    "coalesced",
    "deferred",
    "dispatches",
    "dropped",
    "failed",
    "fetched",
    "flights",
    "forgotten",
    "joined",
    "made",
    "malformed",
    "negative",
    "open",
    "pending",
    "pending_bytes",
    "read",
    "stale",
    "superseded",
    "withdrawn",
    "written",
];

/// Where the cache's last output is kept, and its words.
#[derive(Debug, Default)]
pub struct CacheScratch {
    output: Option<Output>,
    text: String,
}

fn refused(of: &Cache, why: Refusal) -> u64 {
    of.stats()
        .hot
        .kinds
        .iter()
        .map(|kind| kind.refused_for(why))
        .sum()
}

impl Flat for Cache {
    const NAME: &'static str = "cache";
    const INPUTS: &'static [Row] = CACHE_INPUTS;
    const OUTPUTS: &'static [Row] = CACHE_OUTPUTS;
    const TIMEOUTS: &'static [Row] = CACHE_TIMEOUTS;
    const COUNTERS: &'static [Counter<Self>] = &[
        ("dispatches", |of| of.stats().dispatches),
        ("malformed", |of| of.stats().malformed),
        ("deferred", |of| of.stats().deferred),
        ("forgotten", |of| of.stats().forgotten),
        ("made", |of| of.stats().made),
        ("written", |of| of.stats().written),
        ("coalesced", |of| of.stats().coalesced),
        ("withdrawn", |of| of.stats().withdrawn),
        ("open", |of| of.stats().open),
        ("superseded", |of| of.stats().superseded),
        ("failed", |of| of.stats().failed),
        ("dropped", |of| of.stats().dropped),
        ("stale", |of| of.stats().stale),
        ("read", |of| of.stats().read),
        ("fetched", |of| of.stats().fetched),
        ("joined", |of| of.stats().joined),
        ("negative", |of| of.stats().negative),
        ("pending", |of| size(of.stats().pending)),
        ("pending_bytes", |of| size(of.stats().pending_bytes)),
        ("flights", |of| size(of.stats().flights)),
        ("hits", |of| of.stats().hot.hits),
        ("misses", |of| of.stats().hot.misses),
        ("hot", |of| {
            of.stats()
                .hot
                .kinds
                .iter()
                .map(|kind| size(kind.count))
                .sum()
        }),
        ("guilds", |of| size(of.guilds().count())),
        ("evicted_cold", |of| {
            of.stats().hot.evicted_for(Reason::Cold)
        }),
        ("evicted_share", |of| {
            of.stats().hot.evicted_for(Reason::Share)
        }),
        ("evicted_kind_limit", |of| {
            of.stats().hot.evicted_for(Reason::KindLimit)
        }),
        ("evicted_scope_limit", |of| {
            of.stats().hot.evicted_for(Reason::ScopeLimit)
        }),
        ("evicted_expired", |of| {
            of.stats().hot.evicted_for(Reason::Expired)
        }),
        ("evicted_outdated", |of| {
            of.stats().hot.evicted_for(Reason::Outdated)
        }),
        ("refused_off", |of| refused(of, Refusal::Off)),
        ("refused_too_long", |of| refused(of, Refusal::TooLong)),
        ("refused_no_room", |of| refused(of, Refusal::NoRoom)),
    ];

    type Scratch = CacheScratch;

    fn start(start: Start<'_>) -> Result<Self, StartError> {
        if !start.snapshot.is_empty() {
            let why =
                "a cache goes on from no snapshot: what it held is in the store, or is told again";
            return Err(StartError::Snapshot(String::from(why)));
        }
        Ok(Self::new(config(settings(start.settings)?)?))
    }

    fn feed(&mut self, now: Instant, record: Record<'_>) -> Result<(), Status> {
        handle_cache_input(self, now, record)
    }

    fn next_output<'a>(&'a mut self, scratch: &'a mut CacheScratch) -> Option<Record<'a>> {
        scratch.output = self.poll_output();
        let output = scratch.output.as_ref()?;
        Some(cache_output(output, &mut scratch.text))
    }

    fn next_timeout(&self) -> Option<Record<'static>> {
        self.poll_timeout().map(cache_timeout)
    }

    fn snapshot_text(&self) -> String {
        listed(self, SNAPSHOT.iter().copied())
    }
}
