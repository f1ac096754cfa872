//! One bucket: how many requests it has left, by the headers of answers that may arrive in any order.
//!
//! Windows are of several kinds, and Discord does not say which is which. A *fixed* window opens with a request and
//! gives everything back at its end. A *sliding* one leaks: it gives one request back every period, and `Reset-After`
//! is the time until it is completely full. A *log* gives each request back a window after it was counted. Waiting at
//! zero until `Reset-After` has passed is right for all of them, so that is how every bucket begins. It is taken for
//! another kind only once its answers have proven it.
//!
//! All that is known of the server's clock is that it counted a request between sending it and its answer. So the end
//! of a window is an interval, and only its late end is acted on.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::{Instant, micros};

use super::profile::{Kind, LOG_MAX, Profile, ROUNDED_UP, ROUNDING, Reset, Sample};

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

/// The window of one bucket. What is left of it comes first, then what only answers need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Window {
    reset: Option<Reset>,
    /// Discord said how long to wait.
    held: Option<Instant>,
    /// The least that was left in this window.
    low: u32,
    /// When requests had surely been counted, oldest first, where the window is a log.
    log: VecDeque<Instant>,
    /// An answer has confirmed the log since the window is known to be one.
    is_log_right: bool,
    /// An answer whose window had surely not ended when later ones were counted.
    anchor: Option<Sample>,
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
            Kind::Log if self.is_log_right => self.log_room(profile, now, in_flight, margin),
            Kind::Fixed | Kind::Log => {
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

    fn log_room(&self, profile: &Profile, now: Instant, in_flight: u32, margin: Duration) -> Room {
        let span = profile.window + margin;
        let gone = self.log.partition_point(|&at| at + span <= now);
        let counted = u32::try_from(self.log.len() - gone).unwrap_or(u32::MAX);
        let Some(most) = profile.limit.checked_sub(in_flight).filter(|&n| n > 0) else {
            return Room::AfterAnswer;
        };
        match most.checked_sub(counted) {
            Some(room @ 1..) => Room::Now(room),
            _ => {
                let leaving = gone + (counted - most) as usize;
                self.log
                    .get(leaving)
                    .map_or(Room::AfterAnswer, |&at| Room::At(at + span))
            }
        }
    }

    /// Keeps the log, whatever the kind: it may be proven a log by another bucket of the same hash.
    fn keep_log(&mut self, profile: &Profile, sample: Sample, in_flight: u32) {
        self.log_one(profile.limit, sample.received);
        let was_right = self.is_log_right;
        // With nothing in flight it is plain what others, or lost requests, have spent.
        self.is_log_right = profile.kind == Kind::Log && (self.is_log_right || in_flight == 0);
        if !self.is_log_right {
            return;
        }
        // What Discord had surely forgotten when it counted this one, which may have been as soon as it was sent.
        let span = profile.window + ROUNDING;
        let gone = self.log.partition_point(|&at| at + span <= sample.sent);
        let known = u32::try_from(self.log.len() - gone).unwrap_or(u32::MAX);
        // The last answer to come need not be that of the last request to be counted.
        let is_pending = self
            .reset
            .is_some_and(|reset| reset.upper > sample.received);
        let used = match is_pending && !was_right {
            true => sample.used().max(sample.limit.saturating_sub(self.low)),
            false => sample.used(),
        };
        // What Discord says is more than was sent from here: somebody else uses the bucket.
        for _ in known.saturating_add(in_flight)..used {
            self.log_one(profile.limit, sample.received);
        }
    }

    fn log_one(&mut self, limit: u32, at: Instant) {
        if self.log.len() >= LOG_MAX.min(limit as usize) {
            self.log.pop_front();
        }
        self.log.push_back(at);
    }

    /// Takes in what an answer said. The order in which Discord counted is told by the ends of windows, which never
    /// go back.
    pub(super) fn learn(
        &mut self,
        profile: &mut Profile,
        sample: Sample,
        in_flight: u32,
        margin: Duration,
    ) {
        if sample.remaining >= sample.limit || sample.limit == 0 {
            return;
        }
        let found_full = self
            .reset
            .is_none_or(|reset| reset.upper + margin <= sample.sent);
        profile.learn(sample, found_full, &mut self.anchor);
        self.keep_log(profile, sample, in_flight);
        let new = sample.reset();
        let current = self.reset.filter(|reset| reset.upper > sample.received);
        let Some(current) = current else {
            self.reset = Some(new);
            self.low = sample.remaining;
            return;
        };
        let slides = matches!(profile.kind, Kind::Sliding { .. });
        if new.lower > current.upper && !profile.is_merged && !slides {
            self.low = sample.remaining;
            self.reset = Some(new);
        } else if new.upper >= current.lower || profile.is_merged || slides {
            // Either may have been counted later, in this window or the next: the worse of both holds.
            self.low = self.low.min(sample.remaining);
            self.reset = Some(Reset {
                lower: current.lower.max(new.lower),
                upper: current.upper.max(new.upper),
            });
        }
    }

    /// A request was sent and never answered: Discord may have counted it.
    pub(super) fn lose(&mut self, profile: &Profile, now: Instant) {
        self.log_one(profile.limit, now);
        let current = self.reset.filter(|reset| reset.upper > now);
        self.low = current
            .map_or(profile.limit, |_| self.low)
            .saturating_sub(1);
        let upper = match (profile.kind, current) {
            (Kind::Sliding { period }, _) => {
                current.map_or(now, |reset| reset.upper) + period + ROUNDED_UP
            }
            (Kind::Fixed, Some(reset)) => reset.upper,
            (Kind::Fixed | Kind::Log, _) => now + profile.window,
        };
        let lower = current.map_or(now, |reset| reset.lower);
        self.reset = Some(Reset { lower, upper });
    }

    /// Nothing goes before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held = self.held.max(Some(until));
    }

    /// Takes over what another window of the same limit knew, whichever says less.
    pub(super) fn absorb(&mut self, other: &Self, now: Instant) {
        self.held = self.held.max(other.held);
        self.log.extend(&other.log);
        self.log.make_contiguous().sort_unstable();
        self.is_log_right &= other.is_log_right;
        let Some(theirs) = other.reset.filter(|reset| reset.upper > now) else {
            return;
        };
        let ours = self.reset.filter(|reset| reset.upper > now);
        self.low = ours.map_or(other.low, |_| self.low.min(other.low));
        let upper = ours.map_or(theirs.upper, |ours| ours.upper.max(theirs.upper));
        // Whose window the next answer speaks of is not known: none is taken for one of an old window.
        self.reset = Some(Reset { lower: now, upper });
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
                Kind::Fixed | Kind::Log => {
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
                Kind::Fixed | Kind::Log => {
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
            ..Self::default()
        }
    }
}

fn end_minus(end: Instant, span: Duration) -> Instant {
    Instant::from_micros(end.as_micros().saturating_sub(micros(span)))
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
