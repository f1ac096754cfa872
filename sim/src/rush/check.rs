//! What a run shows: the model's counts against the scheduler's.

use core::fmt;
use core::time::Duration;

use shardkeep_core::Instant;
use shardkeep_core::rest::{Refusal, Scheduler};

use super::{Plan, Theme};
use crate::rest::{Limits, Outcome, RestCounters};

/// A race that could be over sooner than this, in microseconds, says nothing of throughput.
const WORTH_US: u64 = 200_000;

/// How one request ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) waited: Duration,
    pub(super) refusal: Option<Refusal>,
}

/// What one run showed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What was run.
    pub plan: Plan,
    /// Everything that must not be. Empty if all is well.
    pub faults_found: Vec<String>,
    /// The model's counts.
    pub counters: RestCounters,
    /// Requests that got an outcome.
    pub delivered: u64,
    /// Requests that were refused, by their own deadline or by their caller.
    pub refused: u64,
    /// The longest that an interaction waited before it was sent.
    pub longest_interaction: Duration,
    /// The longest from a submission to its end.
    pub longest: Duration,
    /// In a race that takes any time at all: the best possible time over the one that was needed. At most 1.
    pub throughput: Option<f64>,
}

impl Report {
    pub(super) fn new(
        plan: Plan,
        scheduler: &Scheduler,
        limits: &Limits,
        endings: Vec<Ending>,
        mut faults_found: Vec<String>,
        longest_interaction: Duration,
        (since, best): (u64, Instant),
    ) -> Self {
        let counters = limits.counters().clone();
        for arrival in limits.arrivals() {
            if matches!(arrival.outcome, Outcome::Refused(refusal) if refusal.is_fault()) {
                faults_found.push(format!("{arrival:?}"));
            }
        }
        if counters.faults() > 0 {
            faults_found.push(format!(
                "{} over an announced bucket, {} over a hidden limit too early, {} over the global limit, {} banned",
                counters.announced, counters.hidden_early, counters.global_announced, counters.banned
            ));
        }
        if !longest_interaction.is_zero() {
            faults_found.push(format!("an interaction waited {longest_interaction:?}"));
        }
        if scheduler.queued() + scheduler.in_flight() > 0 {
            let (queued, in_flight) = (scheduler.queued(), scheduler.in_flight());
            faults_found.push(format!(
                "at the end {queued} are queued and {in_flight} in flight"
            ));
        }
        for ending in &endings {
            let is_expected = matches!(
                ending.refusal,
                None | Some(
                    Refusal::Cancelled | Refusal::DeadlinePassed | Refusal::DeadlineTooSoon
                )
            );
            if !is_expected {
                faults_found.push(format!("a request was refused: {:?}", ending.refusal));
            }
        }
        let refused = endings
            .iter()
            .filter(|ending| ending.refusal.is_some())
            .count();
        let needed = limits.so_far().last_us.saturating_sub(since);
        let possible = best.as_micros().saturating_sub(since);
        Self {
            plan,
            faults_found,
            counters,
            delivered: u64::try_from(endings.len() - refused).unwrap_or(u64::MAX),
            refused: u64::try_from(refused).unwrap_or(u64::MAX),
            longest_interaction,
            longest: endings
                .iter()
                .map(|ending| ending.waited)
                .max()
                .unwrap_or_default(),
            // Where everything may go at once, what takes time is the network.
            throughput: (plan.theme == Theme::Race && possible >= WORTH_US)
                .then(|| ratio(possible, needed)),
        }
    }

    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults_found.is_empty()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of a run are far below 2^52"
)]
fn ratio(possible: u64, needed: u64) -> f64 {
    if needed == 0 {
        1.0
    } else {
        possible as f64 / needed as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, counters, .. } = self;
        write!(
            f,
            "seed {}: {} delivered, {} refused, {} answers of 429 ({} before the limit was known, {} hidden, {} again)",
            plan.seed,
            self.delivered,
            self.refused,
            counters.refused,
            counters.unannounced,
            counters.hidden,
            counters.hidden_repeat,
        )?;
        if let Some(throughput) = self.throughput {
            write!(f, ", {:.1} % of the best", throughput * 100.0)?;
        }
        for fault in &self.faults_found {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}
