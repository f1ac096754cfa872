//! REST in numbers, for the metrics of bots and of proxies.

use std::fmt::Error;

use prometheus_client::registry::Unit;
use shardkeep_core::rest::pool::PoolStatus;
use shardkeep_core::rest::{Priority, Refusal, Retry, Stats};

use super::client::Client;
use crate::ops::metrics::{Page, snake};

/// What a client has done, and where it stands.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RestNumbers {
    /// What the scheduler has counted.
    pub stats: Stats,
    /// Requests that wait.
    pub queued: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Buckets that are known.
    pub buckets: u64,
    /// Invalid answers in ten minutes.
    pub invalid: u64,
    /// Tokens that Discord refused.
    pub stopped: u64,
    /// How it stands to its pool, if it is in one.
    pub pool: Option<PoolStatus>,
}

/// As the header for it is written, and the label.
pub(crate) const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Interaction => "interaction",
        Priority::UserFacing => "user",
        Priority::Background => "background",
        _ => "normal",
    }
}

impl RestNumbers {
    /// The numbers of a client at this moment.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        client.observe(|scheduler| {
            let stopped = scheduler.identities().filter(|one| one.is_stopped).count();
            let (spent, _) = scheduler.invalid();
            Self {
                stats: scheduler.stats().clone(),
                queued: scheduler.queued() as u64,
                in_flight: scheduler.in_flight() as u64,
                buckets: scheduler.buckets() as u64,
                invalid: spent.into(),
                stopped: stopped as u64,
                pool: scheduler.pool(),
            }
        })
    }

    /// Writes them on a page of metrics.
    pub(crate) fn encode(&self, page: &mut Page<'_>) -> Result<(), Error> {
        self.limits(page)?;
        self.waits(page)?;
        self.shared(page)
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

    /// What concerns limits that are shared with other processes.
    fn shared(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let Some(pool) = &self.pool else {
            return Ok(());
        };
        let members = pool.peers.len() as u64 + 1;
        page.gauge(
            "rest_pool_in_touch",
            "1 while the ledger of shared limits answers.",
            Some(pool.is_in_touch.into()),
        )?;
        page.gauge(
            "rest_pool_away",
            "1 while the process lives on its share of the limits.",
            Some(pool.is_away.into()),
        )?;
        page.gauge(
            "rest_pool_members",
            "Processes that share the limits, this one too.",
            Some(members),
        )?;
        let stats = &pool.stats;
        page.counter(
            "rest_pool_exchanges",
            "Exchanges with the ledger that were answered.",
            stats.exchanges,
        )?;
        page.counter(
            "rest_pool_failed",
            "Exchanges with the ledger that failed.",
            stats.failed,
        )?;
        page.counter(
            "rest_pool_granted",
            "Places in limits that the ledger granted.",
            stats.granted,
        )?;
        page.counter(
            "rest_pool_returned",
            "Of these, places that were given back unused.",
            stats.returned,
        )?;
        page.counter(
            "rest_pool_on_share",
            "Requests sent on shares while the ledger was away.",
            stats.on_share,
        )?;
        page.counter(
            "rest_pool_aways",
            "Times that the process began to live on its shares.",
            stats.aways,
        )?;
        page.counter(
            "rest_pool_rejoined",
            "Times that another ledger was joined because the old one was lost.",
            stats.rejoined,
        )
    }
}
