//! The three ways to count, in whole microseconds, exact.

use std::collections::VecDeque;

use super::rule::Kind;

/// The figures of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) limit: u64,
    pub(crate) window_us: u64,
}

impl Spec {
    pub(crate) fn new(kind: Kind, limit: u32, window_ms: u64) -> Self {
        Self {
            kind,
            limit: u64::from(limit),
            window_us: window_ms.saturating_mul(1_000),
        }
    }
}

/// What is left of a limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many more are taken now.
    pub(crate) remaining: u64,
    /// Until everything is free again.
    pub(crate) reset_after_us: u64,
    /// Until one more is taken; 0 if one is taken now.
    pub(crate) retry_after_us: u64,
}

/// What a limit has counted. Times must not go backwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Window {
    Fixed {
        /// When the open window ends; in the past if none is open.
        ends: u64,
        used: u64,
    },
    Leaky {
        /// When the level is zero, in microseconds times the limit: exact for any limit and window.
        empty_at: u128,
    },
    Log(VecDeque<u64>),
}

impl Window {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Fixed => Self::Fixed { ends: 0, used: 0 },
            Kind::Leaky => Self::Leaky { empty_at: 0 },
            Kind::Log => Self::Log(VecDeque::new()),
        }
    }

    /// Forgets what no longer counts at `now`.
    pub(crate) fn roll(&mut self, spec: Spec, now: u64) {
        match self {
            Self::Fixed { ends, used } => {
                if now >= *ends {
                    *used = 0;
                }
            }
            Self::Leaky { .. } => {}
            Self::Log(times) => {
                while times
                    .front()
                    .is_some_and(|&at| at.saturating_add(spec.window_us) <= now)
                {
                    times.pop_front();
                }
            }
        }
    }

    /// Whether one more is taken now. Call [`roll`](Self::roll) first.
    pub(crate) fn fits(&self, spec: Spec, now: u64) -> bool {
        self.fits_without(spec, now, 0)
    }

    /// Whether one more would be taken if `excused` of the counted ones were not there.
    pub(crate) fn fits_without(&self, spec: Spec, now: u64, excused: u64) -> bool {
        match self {
            Self::Fixed { used, .. } => used.saturating_sub(excused) < spec.limit,
            Self::Log(times) => (times.len() as u64).saturating_sub(excused) < spec.limit,
            Self::Leaky { empty_at } => {
                let (level, slot) = (level(*empty_at, spec, now), u128::from(spec.window_us));
                let level = level.saturating_sub(u128::from(excused) * slot);
                level + slot <= u128::from(spec.limit) * slot
            }
        }
    }

    /// Counts one. It must fit.
    pub(crate) fn take(&mut self, spec: Spec, now: u64) {
        match self {
            Self::Fixed { ends, used } => {
                if now >= *ends {
                    *ends = now.saturating_add(spec.window_us);
                }
                *used += 1;
            }
            Self::Leaky { empty_at } => {
                let now = u128::from(now) * u128::from(spec.limit);
                *empty_at = (*empty_at).max(now) + u128::from(spec.window_us);
            }
            Self::Log(times) => times.push_back(now),
        }
    }

    /// What is left. Call [`roll`](Self::roll) first.
    pub(crate) fn room(&self, spec: Spec, now: u64) -> Room {
        let fits = self.fits(spec, now);
        let (remaining, reset_after_us, until_one) = match self {
            Self::Fixed { ends, used } => {
                let left = ends.saturating_sub(now);
                (spec.limit.saturating_sub(*used), left, left)
            }
            Self::Log(times) => {
                let leaves = |at: Option<&u64>| {
                    at.map_or(0, |&at| {
                        at.saturating_add(spec.window_us).saturating_sub(now)
                    })
                };
                let remaining = spec.limit.saturating_sub(times.len() as u64);
                (remaining, leaves(times.back()), leaves(times.front()))
            }
            Self::Leaky { empty_at } => {
                let (level, slot) = (level(*empty_at, spec, now), u128::from(spec.window_us));
                let limit = u128::from(spec.limit);
                let remaining = (limit * slot).saturating_sub(level) / slot;
                let until_one = (level + slot).saturating_sub(limit * slot).div_ceil(limit);
                (
                    small(remaining),
                    small(level.div_ceil(limit)),
                    small(until_one),
                )
            }
        };
        Room {
            remaining,
            reset_after_us,
            retry_after_us: if fits { 0 } else { until_one },
        }
    }

    /// Whether nothing is counted any more, so that it may be forgotten.
    pub(crate) fn is_idle(&self, spec: Spec, now: u64) -> bool {
        match self {
            Self::Fixed { ends, .. } => now >= *ends,
            Self::Leaky { empty_at } => level(*empty_at, spec, now) == 0,
            Self::Log(times) => times
                .back()
                .is_none_or(|&at| at.saturating_add(spec.window_us) <= now),
        }
    }
}

/// The level, in slots times the window.
fn level(empty_at: u128, spec: Spec, now: u64) -> u128 {
    empty_at.saturating_sub(u128::from(now) * u128::from(spec.limit))
}

fn small(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: Kind, limit: u64) -> Spec {
        Spec {
            kind,
            limit,
            window_us: 1_000,
        }
    }

    fn offer(window: &mut Window, spec: Spec, now: u64) -> bool {
        window.roll(spec, now);
        let fits = window.fits(spec, now);
        if fits {
            window.take(spec, now);
        }
        fits
    }

    #[test]
    fn a_fixed_window_opens_with_its_first_request() {
        let spec = spec(Kind::Fixed, 2);
        let mut window = Window::new(Kind::Fixed);
        assert_eq!(
            [500, 600, 700, 1_499].map(|at| offer(&mut window, spec, at)),
            [true, true, false, false]
        );
        assert_eq!(window.room(spec, 1_499).retry_after_us, 1);
        assert!(offer(&mut window, spec, 1_500));
        assert_eq!(
            window.room(spec, 1_600),
            Room {
                remaining: 1,
                reset_after_us: 900,
                retry_after_us: 0
            }
        );
    }

    #[test]
    fn a_leaky_bucket_gives_back_one_slot_at_a_time() {
        let spec = spec(Kind::Leaky, 3);
        let mut window = Window::new(Kind::Leaky);
        assert_eq!(
            [0, 0, 0, 0].map(|at| offer(&mut window, spec, at)),
            [true, true, true, false]
        );
        assert_eq!(
            window.room(spec, 0),
            Room {
                remaining: 0,
                reset_after_us: 1_000,
                retry_after_us: 334
            }
        );
        assert!(!offer(&mut window, spec, 333) && offer(&mut window, spec, 334));
        assert_eq!(window.room(spec, 334).remaining, 0);
        assert_eq!(window.room(spec, 1_000).remaining, 2);
        assert!(window.is_idle(spec, 1_334));
    }

    #[test]
    fn a_log_counts_any_span() {
        let spec = spec(Kind::Log, 2);
        let mut window = Window::new(Kind::Log);
        assert_eq!(
            [0, 900, 999, 1_000, 1_001].map(|at| offer(&mut window, spec, at)),
            [true, true, false, true, false]
        );
        assert_eq!(
            window.room(spec, 1_001),
            Room {
                remaining: 0,
                reset_after_us: 999,
                retry_after_us: 899
            }
        );
    }
}
