//! `/metrics`: the proxy's numbers and the scheduler's, as Prometheus reads them. Names and labels are stable.

use std::fmt::Error;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::cache::CacheCounts;
use super::gate::Gate;
use super::reason::Reason;
pub(super) use crate::ops::metrics::CONTENT_TYPE;
use crate::ops::metrics::Page;
use crate::rest::RestNumbers;

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
    rest: RestNumbers,
}

impl Snapshot {
    fn of(gate: &Gate) -> Self {
        let counters = &gate.counters;
        let (known, used, replaced) = gate.identities.counts();
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
            rest: RestNumbers::of(&gate.client),
        }
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        self.clients(&mut page)?;
        self.sockets(&mut page)?;
        self.cached(&mut page)?;
        self.rest.encode(&mut page)
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
}
