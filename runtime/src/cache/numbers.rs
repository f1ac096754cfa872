//! The cache in numbers, for the metrics and the status of a bot.

use std::fmt::Error;

use prometheus_client::registry::Unit;
use serde::Serialize;
use shardkeep_core::cache::hot_set::{self, Reason, Refusal};
use shardkeep_core::cache::{Kind, Stats};

use super::OwnCounts;
use crate::bus::BusCounts;
use crate::ops::metrics::{Page, snake};
use crate::store::StoreCounts;

/// What a cache has done, and where it stands, with the store and the bus under it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CacheNumbers {
    /// The cache itself.
    pub stats: Stats,
    /// Its store; `None` if it has none.
    pub store: Option<StoreCounts>,
    /// Its bus; `None` if it has none.
    pub bus: Option<BusCounts>,
    /// The cache of the bot's own data; `None` before the bot is started.
    pub own: Option<OwnCounts>,
}

/// A cache in the status of a bot: what one looks at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheStatus {
    /// Bytes that it holds.
    pub bytes: u64,
    /// Records that it holds.
    pub records: u64,
    /// Looks that found something.
    pub hits: u64,
    /// Looks that did not.
    pub misses: u64,
    /// Keys that wait to be written to the store.
    pub pending: u64,
    /// Writes that were dropped because too much was waiting.
    pub dropped: u64,
}

fn kind_of(kind: Kind) -> hot_set::Kind {
    hot_set::Kind::new(kind.number()).unwrap_or_default()
}

impl CacheNumbers {
    /// The same in short.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        let hot = &self.stats.hot;
        let records: usize = hot.kinds.iter().map(|kind| kind.count).sum();
        CacheStatus {
            bytes: self.stats.held_bytes as u64,
            records: records as u64,
            hits: hot.hits,
            misses: hot.misses,
            pending: self.stats.pending as u64,
            dropped: self.stats.dropped,
        }
    }

    /// Writes them on a page of metrics.
    pub(crate) fn encode(&self, page: &mut Page<'_>) -> Result<(), Error> {
        self.held(page)?;
        self.asked(page)?;
        self.written(page)?;
        if let Some(store) = &self.store {
            store_counts(store, page)?;
        }
        if let Some(bus) = &self.bus {
            bus_counts(bus, page)?;
        }
        self.own
            .as_ref()
            .map_or(Ok(()), |own| own_counts(own, page))
    }

    fn held(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let hot = &self.stats.hot;
        let of = |kind: Kind| ([("kind", kind.name())], hot.of(kind_of(kind)));
        let kinds = || Kind::ALL.iter().map(|&kind| of(kind));
        page.gauges(
            "cache_held",
            "Memory that holds records.",
            Some(&Unit::Bytes),
            [([("part", "hot_set")], self.stats.held_bytes as f64)],
        )?;
        page.gauges(
            "cache_records",
            "Records in memory, by kind.",
            None,
            kinds().map(|(label, stats)| (label, stats.count as f64)),
        )?;
        let evicted = Reason::ALL
            .iter()
            .map(|&why| ([("reason", snake(why))], hot.evicted_for(why)));
        page.counters(
            "cache_evicted",
            "Records that memory gave up, by reason.",
            evicted,
        )?;
        let refused = Refusal::ALL.iter().map(|&why| {
            let sum = hot
                .kinds
                .iter()
                .map(|kind| kind.refused_for(why))
                .sum::<u64>();
            ([("reason", snake(why))], sum)
        });
        page.counters(
            "cache_refused",
            "Records that found no place in memory, by reason.",
            refused,
        )
    }

    fn asked(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        page.counter(
            "cache_hits",
            "Looks into memory that found a record.",
            stats.hot.hits,
        )?;
        page.counter(
            "cache_misses",
            "Looks into memory that did not.",
            stats.hot.misses,
        )?;
        page.counter(
            "cache_store_reads",
            "Records read back from the store.",
            stats.read,
        )?;
        page.counter(
            "cache_stale",
            "Values of the store that were older than what was served before, and not believed.",
            stats.stale,
        )?;
        page.counter(
            "cache_fetched",
            "Records that Discord was asked for.",
            stats.fetched,
        )?;
        page.counter(
            "cache_joined",
            "Questions that somebody had asked already.",
            stats.joined,
        )?;
        page.counter(
            "cache_negative",
            "Questions answered by the belief that there is no such thing.",
            stats.negative,
        )?;
        page.gauge(
            "cache_flights",
            "Questions under way.",
            Some(stats.flights as u64),
        )
    }

    fn written(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        page.counter("cache_dispatches", "Dispatches taken in.", stats.dispatches)?;
        page.counter(
            "cache_malformed",
            "Pieces of dispatches that were not what they should be.",
            stats.malformed,
        )?;
        page.counter(
            "cache_deferred",
            "Changes to records that had to be read back first.",
            stats.deferred,
        )?;
        page.counter(
            "cache_forgotten",
            "Changes to records that could not be read back: they were forgotten in the store too.",
            stats.forgotten,
        )?;
        self.writes(page)?;
        page.gauge(
            "cache_pending",
            "Records that wait to be written.",
            Some(stats.pending as u64),
        )?;
        page.gauges(
            "cache_pending_values",
            "Memory of what waits to be written.",
            Some(&Unit::Bytes),
            [([("part", "write_behind")], stats.pending_bytes as f64)],
        )
    }

    /// What became of each write.
    fn writes(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        let counters = [
            (
                "cache_writes_made",
                "Writes that changes have made: each comes to one of the ends below.",
                stats.made,
            ),
            (
                "cache_written",
                "Writes that the store has confirmed.",
                stats.written,
            ),
            (
                "cache_superseded",
                "Writes of which the store had something newer.",
                stats.superseded,
            ),
            (
                "cache_coalesced",
                "Writes whose place a newer one of the same record took before they were written.",
                stats.coalesced,
            ),
            (
                "cache_withdrawn",
                "Writes of what ended before they were written, or is not to be believed.",
                stats.withdrawn,
            ),
            (
                "cache_dropped",
                "Writes dropped because too much was waiting. What the store has of them is not believed.",
                stats.dropped,
            ),
            (
                "cache_write_failures",
                "How often a write failed, to be made again.",
                stats.failed,
            ),
        ];
        for (name, help, count) in counters {
            page.counter(name, help, count)?;
        }
        page.gauge(
            "cache_writes_open",
            "Writes that have come to no end yet.",
            Some(stats.open),
        )
    }
}

fn store_counts(store: &StoreCounts, page: &mut Page<'_>) -> Result<(), Error> {
    let read = [("hit", store.hits), ("miss", store.misses)];
    let read = read.map(|(outcome, count)| ([("outcome", outcome)], count));
    page.counters(
        "store_reads",
        "Ids that the store was asked for, by outcome.",
        read,
    )?;
    let written = [("done", store.written), ("superseded", store.superseded)];
    let written = written.map(|(outcome, count)| ([("outcome", outcome)], count));
    page.counters(
        "store_writes",
        "Writes that the store answered, by outcome.",
        written,
    )?;
    let failed = [
        ("away", store.away),
        ("uncertain", store.uncertain),
        ("full", store.full),
        ("other", store.failed),
    ];
    let failed = failed.map(|(reason, count)| ([("reason", reason)], count));
    page.counters(
        "store_failures",
        "What the store did not do, by reason.",
        failed,
    )
}

fn bus_counts(bus: &BusCounts, page: &mut Page<'_>) -> Result<(), Error> {
    let events = [
        ("published", bus.published),
        ("publish_failed", bus.publish_failed),
        ("delivered", bus.delivered),
        ("dropped", bus.dropped),
        ("acknowledged", bus.acknowledged),
        ("replayed", bus.replayed),
    ];
    let events = events.map(|(what, count)| ([("what", what)], count));
    page.counters(
        "bus_events",
        "Events on the bus, by what became of them.",
        events,
    )?;
    page.counter(
        "bus_gaps",
        "Times that a listener was told that something is missing.",
        bus.gaps,
    )
}

fn own_counts(own: &OwnCounts, page: &mut Page<'_>) -> Result<(), Error> {
    let asked = [
        ("local", own.local_hits),
        ("shared", own.shared_hits),
        ("stale", own.stale_hits),
        ("miss", own.misses),
    ];
    let asked = asked.map(|(outcome, count)| ([("outcome", outcome)], count));
    page.counters(
        "own_cache_asked",
        "Questions for the bot's own data, by outcome.",
        asked,
    )?;
    let loads = [
        ("done", own.loads),
        ("failed", own.load_failures),
        ("waited", own.waited),
        ("unlocked", own.unlocked_loads),
    ];
    let loads = loads.map(|(outcome, count)| ([("outcome", outcome)], count));
    page.counters(
        "own_cache_loads",
        "Loads of the bot's own data, by outcome.",
        loads,
    )
}
