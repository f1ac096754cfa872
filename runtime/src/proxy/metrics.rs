//! `/metrics`: the proxy's numbers and the scheduler's, as Prometheus reads them. Names and labels are stable.

use std::fmt::Error;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Registry, Unit};
use shardkeep_core::rest::{Priority, Refusal, Retry, Stats};

use super::cache::CacheCounts;
use super::gate::Gate;
use super::reason::Reason;
use super::status::priority;
pub(super) use crate::ops::metrics::CONTENT_TYPE;
use crate::ops::metrics::{Page, snake};

/// The numbers in OpenMetrics text. Every label is one of a table: nothing that a client does can make them grow.
pub(super) fn text(gate: &Gate) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("shardkeep");
    registry.register_collector(Box::new(Snapshot::of(gate)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// The numbers of one request for them.
#[derive(Debug)]
struct Snapshot {
    methods: Vec<(&'static str, u64)>,
    statuses: Vec<(&'static str, u64)>,
    refusals: Vec<(Reason, u64)>,
    connections: u64,
    handshakes_failed: u64,
    stalled: u64,
    abandoned: u64,
    open: u64,
    active: u64,
    large: u64,
    tokens: [u64; 3],
    cache: CacheCounts,
    stats: Stats,
    queued: u64,
    in_flight: u64,
    buckets: u64,
    invalid: u64,
    stopped: u64,
}

impl Snapshot {
    fn of(gate: &Gate) -> Self {
        let counters = &gate.counters;
        let (known, used, replaced) = gate.identities.counts();
        let (queued, in_flight, buckets, invalid, stopped) = gate.client.observe(|scheduler| {
            let stopped = scheduler.identities().filter(|one| one.is_stopped).count();
            let (spent, _) = scheduler.invalid();
            (
                scheduler.queued() as u64,
                scheduler.in_flight() as u64,
                scheduler.buckets() as u64,
                u64::from(spent),
                stopped as u64,
            )
        });
        Self {
            methods: counters
                .methods()
                .map(|(method, count)| (method.as_str(), count))
                .collect(),
            statuses: counters.statuses().collect(),
            refusals: counters.refusals().collect(),
            connections: counters.connections.load(Ordering::Relaxed),
            handshakes_failed: counters.handshakes_failed.load(Ordering::Relaxed),
            stalled: counters.stalled.load(Ordering::Relaxed),
            abandoned: counters.abandoned.load(Ordering::Relaxed),
            open: counters.open.load(Ordering::Relaxed) as u64,
            active: counters.active.load(Ordering::Relaxed) as u64,
            large: gate.deposit.large() as u64,
            tokens: [known as u64, used as u64, replaced],
            cache: gate.cache.counts(),
            stats: gate.client.stats(),
            queued,
            in_flight,
            buckets,
            invalid,
            stopped,
        }
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        self.clients(&mut page)?;
        self.sockets(&mut page)?;
        self.cached(&mut page)?;
        self.limits(&mut page)?;
        self.waits(&mut page)
    }
}

impl Snapshot {
    fn clients(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let methods = self
            .methods
            .iter()
            .map(|&(name, count)| ([("method", name)], count));
        page.counters(
            "proxy_requests",
            "Requests for Discord, by method.",
            methods,
        )?;
        let statuses = self
            .statuses
            .iter()
            .map(|&(name, count)| ([("status", name)], count));
        page.counters(
            "proxy_answers",
            "Answers to requests for Discord, by the class of their status.",
            statuses,
        )?;
        let refusals = self
            .refusals
            .iter()
            .map(|&(reason, count)| ([("reason", reason.name())], count));
        page.counters(
            "proxy_refused",
            "Answers of the proxy's own, by reason.",
            refusals,
        )?;
        page.counter(
            "proxy_abandoned",
            "Requests whose client went away before the answer.",
            self.abandoned,
        )?;
        page.gauge(
            "proxy_active",
            "Requests for Discord that are not answered.",
            Some(self.active),
        )?;
        page.gauge(
            "proxy_uploads",
            "Large bodies that are under way.",
            Some(self.large),
        )
    }

    fn sockets(&self, page: &mut Page<'_>) -> Result<(), Error> {
        page.counter(
            "proxy_connections",
            "Connections accepted.",
            self.connections,
        )?;
        page.gauge(
            "proxy_connections_open",
            "Connections that are open.",
            Some(self.open),
        )?;
        page.counter(
            "proxy_handshakes_failed",
            "TLS handshakes that failed.",
            self.handshakes_failed,
        )?;
        page.counter(
            "proxy_connections_stalled",
            "Connections closed because the client did not read.",
            self.stalled,
        )?;
        let [known, used, replaced] = self.tokens;
        page.gauge("proxy_tokens", "Tokens that are told apart.", Some(known))?;
        page.gauge(
            "proxy_tokens_in_use",
            "Tokens with a request under way.",
            Some(used),
        )?;
        page.counter(
            "proxy_tokens_replaced",
            "Tokens that made room for others.",
            replaced,
        )
    }

    fn cached(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let cache = &self.cache;
        page.counter(
            "proxy_cache_hits",
            "Requests answered by the cache.",
            cache.hits,
        )?;
        page.counter(
            "proxy_cache_misses",
            "Requests that the cache could not answer.",
            cache.misses,
        )?;
        page.counter(
            "proxy_cache_evicted",
            "Answers dropped for want of room.",
            cache.evicted,
        )?;
        page.counter(
            "proxy_cache_invalidated",
            "Answers dropped on request.",
            cache.invalidated,
        )?;
        page.gauge(
            "proxy_cache_entries",
            "Answers in the cache.",
            Some(cache.entries as u64),
        )?;
        page.gauge(
            "proxy_cache_bytes",
            "Bytes in the cache.",
            Some(cache.bytes as u64),
        )
    }

    fn limits(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        page.counter(
            "rest_sent",
            "Requests sent to Discord, repeated ones too.",
            stats.sent,
        )?;
        page.counter(
            "rest_delivered",
            "Requests whose caller got an outcome.",
            stats.delivered,
        )?;
        page.counter(
            "rest_shared",
            "Requests that another's answer served.",
            stats.shared,
        )?;
        page.counter("rest_failed", "Sendings without an answer.", stats.failed)?;
        page.counter(
            "rest_limited",
            "Answers of 429 from Discord.",
            stats.limited,
        )?;
        page.counter(
            "rest_invalid",
            "Answers of 401, 403 and 429 that Discord counts.",
            stats.invalid,
        )?;
        page.counter("rest_bans", "Bans by Cloudflare.", stats.bans)?;
        page.counter(
            "rest_quarantines",
            "Pauses of offenders.",
            stats.quarantines,
        )?;
        self.outcomes(page)
    }

    fn outcomes(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        let refused = Refusal::ALL
            .iter()
            .map(|&why| ([("reason", snake(why))], stats.refused_for(why)));
        page.counters(
            "rest_refused",
            "Requests that the scheduler did not send, by reason.",
            refused,
        )?;
        let retried = Retry::ALL
            .iter()
            .map(|&why| ([("reason", snake(why))], stats.retried_for(why)));
        page.counters(
            "rest_retried",
            "Requests that were sent again, by reason.",
            retried,
        )?;
        page.gauge("rest_queued", "Requests that wait.", Some(self.queued))?;
        page.gauge(
            "rest_in_flight",
            "Requests in flight.",
            Some(self.in_flight),
        )?;
        page.gauge(
            "rest_buckets",
            "Buckets that are known.",
            Some(self.buckets),
        )?;
        page.gauge(
            "rest_invalid_spent",
            "Invalid answers in ten minutes.",
            Some(self.invalid),
        )?;
        page.gauge(
            "rest_tokens_stopped",
            "Tokens that Discord refused.",
            Some(self.stopped),
        )
    }

    /// First sendings and their waits: their quotient is the mean wait of a priority.
    fn waits(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        let name = |one: Priority| [("priority", priority(one))];
        let counts = Priority::ALL
            .iter()
            .map(|&one| (name(one), stats.waits[usize::from(one.number())]));
        page.counters("rest_waits", "First sendings, by priority.", counts)?;
        let seconds: Vec<_> = Priority::ALL
            .iter()
            .map(|&one| {
                let waited_us = stats.waited_us[usize::from(one.number())];
                (name(one), waited_us as f64 / 1e6)
            })
            .collect();
        page.gauges(
            "rest_waited",
            "How long requests waited for their first sending in all, by priority.",
            Some(&Unit::Seconds),
            seconds,
        )
    }
}
