//! What a run of a crew shows.

use core::fmt;
use core::time::Duration;

use crate::rest::{Arrival, Limits, Outcome, Refusal, RestCounters};

/// What one run showed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CrewReport {
    /// What was run.
    pub seed: u64,
    /// How many members there were.
    pub members: usize,
    /// Everything that must not be. Empty if all is well.
    pub faults_found: Vec<String>,
    /// What arrived at the bucket of the first fault before it.
    pub before: Vec<String>,
    /// The model's counts.
    pub counters: RestCounters,
    /// Requests that got an outcome.
    pub delivered: u64,
    /// Requests that were refused, by their own deadline or by their caller.
    pub refused: u64,
    /// Requests that were lost with the process that had them.
    pub lost: u64,
    /// Exchanges that the ledger answered.
    pub exchanges: u64,
    /// Requests that were sent on shares, while the ledger was away.
    pub on_share: u64,
    /// How often a member began to live on its shares.
    pub aways: u64,
    /// How often a member joined another ledger after its own was lost.
    pub rejoined: u64,
    /// When the last request was let through.
    pub took: Duration,
}

impl CrewReport {
    /// Takes in what the model saw.
    pub(super) fn judge(&mut self, limits: &Limits) {
        self.counters = limits.counters().clone();
        self.took = Duration::from_micros(limits.so_far().last_us);
        for arrival in limits.arrivals() {
            // A hidden limit is in no header: that another member was told of it is known a moment later.
            if let Outcome::Refused(refusal) = arrival.outcome
                && refusal.is_fault()
                && refusal != Refusal::HiddenEarly
            {
                if self.faults_found.is_empty() {
                    self.before = before(limits, arrival);
                }
                self.faults_found.push(format!("{arrival:?}"));
            }
        }
        let counters = &self.counters;
        let over = counters.announced
            + counters.global_announced
            + counters.global_unannounced
            + counters.banned;
        if over > 0 {
            self.faults_found.push(format!(
                "{} over an announced bucket, {} over the global limit, {} banned",
                counters.announced,
                counters.global_announced + counters.global_unannounced,
                counters.banned
            ));
        }
    }

    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults_found.is_empty()
    }
}

impl fmt::Display for CrewReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} members, {} delivered, {} refused, {} lost, {} exchanges, {} on shares, {} away, {} rejoined, \
             took {:?}; 429: {} before the limit was known, {} hidden, {} hidden again, {} hidden early",
            self.seed,
            self.members,
            self.delivered,
            self.refused,
            self.lost,
            self.exchanges,
            self.on_share,
            self.aways,
            self.rejoined,
            self.took,
            self.counters.unannounced,
            self.counters.hidden,
            self.counters.hidden_repeat,
            self.counters.hidden_early,
        )?;
        for arrival in &self.before {
            write!(f, "\n    {arrival}")?;
        }
        for fault in self.faults_found.iter().take(12) {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// How many arrivals before a fault are shown.
const SHOWN: usize = 24;

fn before(limits: &Limits, fault: &Arrival) -> Vec<String> {
    let same = limits.arrivals().filter(|arrival| {
        (&arrival.bucket, arrival.major) == (&fault.bucket, fault.major)
            && arrival.at_us <= fault.at_us
    });
    let mut lines: Vec<String> = same
        .map(|arrival| {
            let Arrival {
                at_us,
                sent_us,
                id,
                outcome,
                ..
            } = arrival;
            format!(
                "{id} sent {sent_us} arrived {at_us} {} {outcome:?}",
                arrival.route
            )
        })
        .collect();
    lines.drain(..lines.len().saturating_sub(SHOWN));
    lines
}
