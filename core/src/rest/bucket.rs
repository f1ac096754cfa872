//! One bucket: how many requests it has left, by the headers of answers that may arrive in any order.
//!
//! Discord has windows of two kinds and does not say which is which. A *fixed* window opens with a request and gives
//! everything back at its end. A *sliding* one leaks: it gives one request back every period, and `Reset-After` is the
//! time until it is completely full. Waiting at zero until `Reset-After` has passed is right for both, so that is how
//! every bucket begins. It is called sliding only once its answers have proven it.
//!
//! All that is known of the server's clock is that it counted a request between sending it and its answer. So the end
//! of a window is an interval, and only its late end is acted on.

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
    const fn used(&self) -> u32 {
        self.limit.saturating_sub(self.remaining)
    }

    fn reset(&self) -> Reset {
        Reset {
            lower: self.sent + self.reset_after,
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
    /// One every period.
    Sliding { period: Duration },
}

/// What all buckets of one hash have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) limit: u32,
    /// The longest `Reset-After` that a first request was answered with.
    pub(super) window: Duration,
    pub(super) kind: Kind,
    /// It was taken for sliding and Discord disagreed: never again.
    pub(super) is_distrusted: bool,
    /// Two hashes that one route alternates between: answers speak of either.
    pub(super) is_merged: bool,
    evidence: Evidence,
}

/// What speaks for a sliding window so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Evidence {
    /// `Reset-After` of a request that found the bucket full: one period, if it slides.
    period: Option<Duration>,
    /// An answer whose window had surely not ended when later ones were counted.
    anchor: Option<Reset>,
    /// A later answer of the same window named a later end.
    has_moved: bool,
    /// A later answer named about as many periods as requests were spent.
    is_proportional: bool,
}

/// Slack for `Reset-After`, which Discord rounds to milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

impl Profile {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// How long one request takes of the bucket's capacity, in microseconds: what a queue of it costs in time.
    pub(super) fn cost(&self) -> u64 {
        match self.kind {
            Kind::Fixed => micros(self.window) / u64::from(self.limit.max(1)),
            Kind::Sliding { period } => micros(period),
        }
    }

    pub(super) fn distrust(&mut self) {
        if matches!(self.kind, Kind::Sliding { .. }) {
            self.kind = Kind::Fixed;
            self.is_distrusted = true;
        }
    }

    fn learn(&mut self, sample: Sample, found_full: bool) {
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
                // `used` is rounded up, so the quotient never exceeds the true period.
                let told = sample.reset_after / sample.used().max(1);
                if told > period {
                    self.kind = Kind::Sliding { period: told };
                }
            }
            Kind::Fixed if !self.is_distrusted && !self.is_merged => {
                self.weigh(sample, found_full);
            }
            Kind::Fixed => {}
        }
    }

    /// Looks for proof that the window slides. Three things must come together: a period, told by a request that found
    /// the bucket full; an end that moved while the window cannot have ended, which rules a fixed window out; and ends
    /// in proportion to what was spent, which rules out a log of the last `limit` requests.
    fn weigh(&mut self, sample: Sample, found_full: bool) {
        let (used, reset) = (sample.used(), sample.reset());
        if found_full && used == 1 {
            let is_new = self.evidence.period != Some(sample.reset_after);
            if is_new {
                self.evidence = Evidence {
                    period: Some(sample.reset_after),
                    ..Evidence::default()
                };
            }
            self.evidence.anchor = Some(reset);
            return;
        }
        let Some(period) = self.evidence.period else {
            return;
        };
        let highest = period.saturating_mul(used) + period / 50 + ROUNDING;
        let lowest = period.saturating_mul(used.saturating_sub(1));
        if sample.reset_after > highest || sample.reset_after + ROUNDING < lowest {
            self.evidence = Evidence::default();
            return;
        }
        if used >= 2 && sample.reset_after > lowest + period / 5 {
            self.evidence.is_proportional = true;
        }
        match self.evidence.anchor {
            Some(anchor) if sample.received < anchor.lower => {
                if reset.lower > anchor.upper + ROUNDING {
                    self.evidence.has_moved = true;
                }
            }
            _ => self.evidence.anchor = Some(reset),
        }
        if self.evidence.has_moved && self.evidence.is_proportional {
            self.kind = Kind::Sliding { period };
            self.window = period.saturating_mul(self.limit);
        }
    }
}

/// How much a bucket has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// This many may be sent now, at least one.
    Now(u32),
    /// None before then.
    At(Instant),
    /// None before an answer comes.
    AfterAnswer,
}

/// The window of one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// The least that was left in this window.
    low: u32,
    reset: Option<Reset>,
    /// Discord said how long to wait.
    held: Option<Instant>,
}

impl Window {
    /// How many may be sent while `in_flight` are under way, which Discord may or may not have counted yet.
    pub(super) fn room(
        &self,
        profile: &Profile,
        now: Instant,
        in_flight: u32,
        margin: Duration,
    ) -> Room {
        if let Some(held) = self.held.filter(|&held| held > now) {
            return Room::At(held);
        }
        let pending = self
            .reset
            .map(|reset| reset.upper + margin)
            .filter(|&end| end > now);
        match profile.kind {
            Kind::Fixed => {
                let left = pending.map_or(profile.limit, |_| self.low);
                match (left.checked_sub(in_flight), pending) {
                    (Some(room @ 1..), _) => Room::Now(room),
                    (_, Some(end)) => Room::At(end),
                    (_, None) => Room::AfterAnswer,
                }
            }
            Kind::Sliding { period } => {
                let Some(slots) = profile.limit.checked_sub(in_flight).filter(|&n| n > 0) else {
                    return Room::AfterAnswer;
                };
                let Some(end) = pending else {
                    return Room::Now(slots);
                };
                let owed = end.since(now);
                let free = period.saturating_mul(slots).saturating_sub(owed);
                match micros(free) / micros(period).max(1) {
                    0 => Room::At(end_minus(end, period.saturating_mul(slots - 1))),
                    room => Room::Now(u32::try_from(room).unwrap_or(slots).min(slots)),
                }
            }
        }
    }

    /// Takes in what an answer said. The order in which Discord counted is told by the ends of windows, which never
    /// go back; where two cannot be told apart, the one with less left was counted later.
    pub(super) fn learn(&mut self, profile: &mut Profile, sample: Sample, margin: Duration) {
        if sample.remaining >= sample.limit || sample.limit == 0 {
            return;
        }
        let found_full = self
            .reset
            .is_none_or(|reset| reset.upper + margin <= sample.sent);
        profile.learn(sample, found_full);
        let new = sample.reset();
        let current = self.reset.filter(|reset| reset.upper > sample.received);
        let Some(current) = current else {
            self.reset = Some(new);
            self.low = sample.remaining;
            return;
        };
        if profile.is_merged || matches!(profile.kind, Kind::Sliding { .. }) {
            self.low = self.low.min(sample.remaining);
            self.reset = Some(Reset {
                lower: current.lower.max(new.lower),
                upper: current.upper.max(new.upper),
            });
        } else if new.lower > current.upper {
            self.low = sample.remaining;
            self.reset = Some(new);
        } else if new.upper >= current.lower && sample.remaining <= self.low {
            let is_tie = sample.remaining == self.low;
            let upper = if is_tie {
                current.upper.max(new.upper)
            } else {
                new.upper
            };
            self.low = sample.remaining;
            self.reset = Some(Reset { upper, ..new });
        }
    }

    /// A request was sent and never answered: Discord may have counted it.
    pub(super) fn lose(&mut self, profile: &Profile, now: Instant) {
        let current = self.reset.filter(|reset| reset.upper > now);
        match profile.kind {
            Kind::Sliding { period } => {
                let end = current.map_or(now, |reset| reset.upper) + period;
                self.reset = Some(Reset {
                    lower: end,
                    upper: end,
                });
            }
            Kind::Fixed if current.is_some() => self.low = self.low.saturating_sub(1),
            Kind::Fixed => {
                self.low = profile.limit.saturating_sub(1);
                self.reset = Some(Reset {
                    lower: now,
                    upper: now + profile.window,
                });
            }
        }
    }

    /// Nothing goes before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held = self.held.max(Some(until));
    }

    /// Takes over what another window of the same limit knew, whichever says less.
    pub(super) fn absorb(&mut self, other: &Self, now: Instant) {
        self.held = self.held.max(other.held);
        let Some(theirs) = other.reset.filter(|reset| reset.upper > now) else {
            return;
        };
        match self.reset.filter(|reset| reset.upper > now) {
            None => {
                self.low = other.low;
                self.reset = Some(theirs);
            }
            Some(ours) => {
                self.low = self.low.min(other.low);
                self.reset = Some(Reset {
                    lower: ours.lower.max(theirs.lower),
                    upper: ours.upper.max(theirs.upper),
                });
            }
        }
    }

    /// When `ahead` more requests could have been sent, as far as can be told.
    pub(super) fn forecast(
        &self,
        profile: &Profile,
        now: Instant,
        in_flight: u32,
        ahead: u32,
        margin: Duration,
    ) -> Instant {
        let cost = Duration::from_micros(profile.cost());
        match self.room(profile, now, in_flight, margin) {
            Room::Now(room) if ahead < room => now,
            Room::Now(room) => match profile.kind {
                Kind::Sliding { .. } => now + cost.saturating_mul(ahead - room + 1),
                Kind::Fixed => {
                    let windows = (ahead - room) / profile.limit.max(1);
                    let first = self
                        .reset
                        .filter(|reset| reset.upper > now)
                        .map_or(now + profile.window, |reset| reset.upper + margin);
                    first + (profile.window + margin).saturating_mul(windows)
                }
            },
            Room::At(at) => match profile.kind {
                Kind::Sliding { .. } => at + cost.saturating_mul(ahead),
                Kind::Fixed => {
                    let windows = ahead / profile.limit.max(1);
                    at + (profile.window + margin).saturating_mul(windows)
                }
            },
            Room::AfterAnswer => now + cost.saturating_mul(ahead),
        }
    }

    /// Nothing is left to wait for: forgetting it loses nothing.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.held.is_none_or(|held| held <= now)
            && self.reset.is_none_or(|reset| reset.upper <= now)
    }

    /// What is left, until when, and until when it is held: for a snapshot.
    pub(super) fn parts(&self) -> (u32, Option<Instant>, Option<Instant>) {
        (self.low, self.reset.map(|reset| reset.upper), self.held)
    }

    pub(super) fn restored(low: u32, end: Option<Instant>, held: Option<Instant>) -> Self {
        Self {
            low,
            reset: end.map(|at| Reset {
                lower: at,
                upper: at,
            }),
            held,
        }
    }
}

fn end_minus(end: Instant, span: Duration) -> Instant {
    Instant::from_micros(end.as_micros().saturating_sub(micros(span)))
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
