//! The limit that all buckets of one hash share: its size, and how it gives requests back, as far as answers prove it.

use core::time::Duration;

use crate::time::{Instant, micros};

/// What an answer said of its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) sent: Instant,
    pub(super) received: Instant,
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset_after: Duration,
}

impl Sample {
    pub(super) const fn used(&self) -> u32 {
        self.limit.saturating_sub(self.remaining)
    }

    pub(super) fn reset(&self) -> Reset {
        Reset {
            // Rounding up must not make an answer look newer than the ones before it.
            lower: self.sent + self.reset_after.saturating_sub(ROUNDED_UP),
            upper: self.received + self.reset_after,
        }
    }
}

/// When a window ends: not before `lower`, not after `upper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) lower: Instant,
    pub(super) upper: Instant,
}

/// How a bucket gives requests back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// All at the end of the window, or nothing else proven yet.
    #[default]
    Fixed,
    /// One every period, which is at least this: a longer one would promise room that is not there.
    Sliding { period: Duration },
    /// Each a window after it was counted.
    Log,
}

/// What all buckets of one hash have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) limit: u32,
    /// The longest `Reset-After` that a first request was answered with.
    pub(super) window: Duration,
    pub(super) kind: Kind,
    /// It was taken for another kind than fixed and Discord disagreed: never again.
    pub(super) is_distrusted: bool,
    /// Two hashes that one route alternates between: answers speak of either.
    pub(super) is_merged: bool,
    evidence: Evidence,
}

/// What the answers have shown so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Evidence {
    /// `Reset-After` of a request that found the bucket full.
    first: Option<Duration>,
    /// A later answer of the same window named a later end.
    has_moved: bool,
    /// One that was surely counted later named an end less than `first` later.
    moved_little: bool,
    /// An answer named as many times `first` as requests were spent; another one surely did not.
    is_proportional: bool,
    is_out_of_proportion: bool,
    /// An answer named another span than `first`.
    is_unsteady: bool,
}

/// How many requests of one bucket are remembered. A larger bucket is never taken for a log.
pub(super) const LOG_MAX: usize = 1_024;

/// By how much `Reset-After` may be rounded up: it is told in milliseconds.
pub(super) const ROUNDED_UP: Duration = Duration::from_millis(1);

/// Slack for comparing two of them.
pub(super) const ROUNDING: Duration = Duration::from_millis(2);

impl Profile {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// How long one request takes of the bucket's capacity, in microseconds.
    pub(super) fn cost(&self) -> u64 {
        match self.kind {
            Kind::Fixed | Kind::Log => micros(self.window) / u64::from(self.limit.max(1)),
            Kind::Sliding { period } => micros(period),
        }
    }

    /// How many requests can go within `span` of when one can.
    pub(super) fn burst(&self, span: Duration) -> u32 {
        match self.kind {
            Kind::Fixed | Kind::Log => self.limit,
            Kind::Sliding { period } => {
                let requests = micros(span).div_ceil(micros(period).max(1));
                u32::try_from(requests).unwrap_or(u32::MAX)
            }
        }
    }

    pub(super) fn distrust(&mut self) {
        if self.kind != Kind::Fixed {
            self.kind = Kind::Fixed;
            self.is_distrusted = true;
        }
    }

    pub(super) fn learn(&mut self, sample: Sample, found_full: bool, anchor: &mut Option<Sample>) {
        if sample.limit != self.limit {
            self.limit = sample.limit;
            self.kind = Kind::Fixed;
            self.window = Duration::ZERO;
            self.evidence = Evidence::default();
        }
        if found_full && sample.used() == 1 {
            self.window = self.window.max(sample.reset_after);
        }
        match self.kind {
            Kind::Sliding { period } => {
                // What is told is rounded up, and so is `used`: the quotient never exceeds the true period.
                let told = sample.reset_after.saturating_sub(ROUNDED_UP) / sample.used().max(1);
                if told > period {
                    self.kind = Kind::Sliding { period: told };
                }
            }
            Kind::Fixed if !self.is_distrusted && !self.is_merged => {
                self.weigh(sample, found_full, anchor);
            }
            Kind::Fixed | Kind::Log => {}
        }
    }

    /// Looks for proof that the window is not fixed. Its end must have moved while it cannot have ended, which rules a
    /// fixed window out. Then ends in proportion to what was spent rule out a log, whose end is always a window away;
    /// and an end that moved by less than a period rules out one that leaks. Both start from a request that found the
    /// bucket full: its `Reset-After` is a period of the one, and the window of the other.
    fn weigh(&mut self, sample: Sample, found_full: bool, anchor: &mut Option<Sample>) {
        let (used, reset) = (sample.used(), sample.reset());
        if found_full && used == 1 {
            if self.evidence.first != Some(sample.reset_after) {
                self.evidence = Evidence {
                    first: Some(sample.reset_after),
                    ..Evidence::default()
                };
            }
            *anchor = Some(sample);
            return;
        }
        let Some(first) = self.evidence.first else {
            return;
        };
        self.weigh_proportion(sample, first);
        let Some(before) = anchor.filter(|before| sample.received < before.reset().lower) else {
            *anchor = Some(sample);
            return;
        };
        let ends = before.reset();
        self.evidence.has_moved |= reset.lower > ends.upper + ROUNDING;
        let is_later = sample.sent >= before.received;
        self.evidence.moved_little |= is_later && reset.upper + ROUNDING < ends.lower + first;
        self.conclude(first);
    }

    fn weigh_proportion(&mut self, sample: Sample, first: Duration) {
        let used = sample.used();
        let highest = first.saturating_mul(used) + first / 50 + ROUNDING;
        let lowest = first.saturating_mul(used.saturating_sub(1));
        let evidence = &mut self.evidence;
        evidence.is_out_of_proportion |=
            sample.reset_after > highest || sample.reset_after + ROUNDING < lowest;
        evidence.is_proportional |= used >= 2 && sample.reset_after > lowest + first / 5;
        evidence.is_unsteady |= sample.reset_after.abs_diff(first) > ROUNDING;
    }

    fn conclude(&mut self, first: Duration) {
        let evidence = self.evidence;
        if !evidence.has_moved {
            return;
        }
        if evidence.is_proportional && !evidence.is_out_of_proportion && !evidence.moved_little {
            let period = first.saturating_sub(ROUNDED_UP);
            self.kind = Kind::Sliding { period };
            self.window = first.saturating_mul(self.limit);
        } else if evidence.moved_little && !evidence.is_unsteady && self.limit as usize <= LOG_MAX {
            self.kind = Kind::Log;
            self.window = first;
        }
    }
}
