//! Asking `/gateway/bot`: when, how often, and what an answer changes.

use core::time::Duration;

use crate::time::Instant;

use super::identify::{Allowance, SessionStartLimit};
use super::io::{Event, Output};
use super::{Fleet, Pending};

/// The first pause after a failed request; it doubles up to the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// The longest `retry_after` that is believed.
const RETRY_AFTER_LONGEST: Duration = Duration::from_secs(86_400);

/// The request for limits: under way, failed, or neither.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fetch {
    /// When the request that is under way was made.
    pub(crate) asked_at: Option<Instant>,
    /// How many requests failed since the last answer.
    failures: u32,
    retry_at: Option<Instant>,
}

impl Fetch {
    /// Whether Discord could not be asked. True until it answers again.
    pub(crate) fn is_offline(&self) -> bool {
        self.failures > 0
    }
}

impl Fleet {
    pub(super) fn ask_for_limits(&mut self, now: Instant) {
        self.fetch.asked_at = Some(now);
        self.fetch.retry_at = None;
        self.counters.limits_fetched += 1;
        self.push(Output::FetchLimits);
    }

    pub(super) fn limits_came(&mut self, now: Instant, shards: u32, limit: &SessionStartLimit) {
        let asked_at = self.fetch.asked_at.take();
        self.fetch.failures = 0;
        self.fetch.retry_at = None;
        self.ledger.answer(now, limit, asked_at);
        self.queue.set_max_concurrency(now, limit.max_concurrency);
        let spread = self.ledger.spread(now);
        self.damper.reconsider(now, spread);
        if self.topology.is_none() && !self.is_stopping {
            self.set_topology(self.config.shards.resolve(shards));
            self.outbox.push_back(Pending::TopologyResolved);
            self.match_topology();
        }
    }

    /// A failure that nobody waited for is passed by: the answer it belongs to has come another way.
    pub(super) fn limits_failed(&mut self, now: Instant, retry_after: Option<Duration>) {
        if self.fetch.asked_at.take().is_none() {
            return;
        }
        self.counters.limits_failed += 1;
        let doublings = self.fetch.failures.min(31);
        let step = RETRY_FIRST
            .saturating_mul(1 << doublings)
            .min(RETRY_LONGEST);
        let pause = self.rng.duration_between(step * 3 / 4, step);
        let asked_to_wait = retry_after.unwrap_or_default().min(RETRY_AFTER_LONGEST);
        self.fetch.failures = self.fetch.failures.saturating_add(1);
        let retry_at = now + pause.max(asked_to_wait);
        self.fetch.retry_at = Some(retry_at);
        self.tell(Event::LimitsUnknown {
            attempt: self.fetch.failures,
            retry_at,
        });
    }

    /// Asks again if what is known is too old for whoever waits.
    pub(super) fn refresh_limits(&mut self, now: Instant) {
        if self.needs_limits(now) && self.fetch.retry_at.is_none_or(|at| at <= now) {
            self.ask_for_limits(now);
        }
    }

    /// When limits are to be asked for again, if nothing happens before.
    pub(super) fn next_limits(&self, now: Instant) -> Option<Instant> {
        if self.needs_limits(now) {
            return self.fetch.retry_at;
        }
        let spent = matches!(self.allowance(now), Allowance::Spent { .. });
        let known = self.ledger.known.as_ref()?;
        (spent && self.has_demand() && self.fetch.asked_at.is_none())
            .then(|| known.resets_at.min(known.stale_at))
    }

    fn needs_limits(&self, now: Instant) -> bool {
        self.fetch.asked_at.is_none()
            && (self.ledger.known.is_none() || (self.has_demand() && self.ledger.is_stale(now)))
    }
}
