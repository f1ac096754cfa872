//! One lane: the requests of one route and one top-level resource that wait, and the hidden limit they keep to.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;
use crate::wire::rate_limit::Scope;

use super::io::{Auth, Priority};
use super::pool::Allowance;
use super::queue::{Place, Queues};
use super::route::{Major, Method, Route, Template};
use super::table::mix;

/// What Discord limits by: the method and the path's template, and what the driver tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RouteKey {
    pub(super) auth: Auth,
    pub(super) template: Template,
    pub(super) method: Method,
    pub(super) class: u8,
}

/// A route and the resource it is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneKey {
    pub(super) route: RouteKey,
    pub(super) major: Major,
}

impl LaneKey {
    pub(super) fn hash(&self) -> u64 {
        let route = self.route;
        let start = mix(route.auth.0.into(), route.template.hash());
        let of_route = mix(
            start,
            u64::from(route.method.number()) << 8 | u64::from(route.class),
        );
        match self.major {
            Major::None => of_route,
            Major::Guild(id) | Major::Channel(id) => mix(of_route, id.0),
            Major::Webhook { id, token } => mix(mix(of_route, id.0), token.unwrap_or(0)),
            Major::Interaction(token) => mix(of_route, token),
        }
    }

    pub(super) fn new(auth: Auth, route: &Route, class: u8) -> Self {
        Self {
            route: RouteKey {
                auth,
                template: route.template(),
                method: route.method(),
                class,
            },
            major: route.major(),
        }
    }
}

/// A limit that no header announces, told from a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sublimit {
    pub(super) limit: u32,
    pub(super) window: Duration,
}

/// How many past requests a lane remembers, to tell a hidden limit from them.
const HISTORY: usize = 64;

/// The spans that people choose for limits, in milliseconds. A hidden window is taken for one of them if one fits.
const SPANS_MS: [u64; 24] = [
    250, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000,
    30_000, 45_000, 60_000, 120_000, 180_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
    86_400_000,
];

/// The requests of one route and one resource. In the order of use, by cache lines: who goes next is told by the first
/// two alone.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Lane {
    held: Option<Instant>,
    /// The hidden limit of its route, if one is known.
    pub(super) sublimit: Option<Box<Sublimit>>,
    /// The bucket that counts them.
    pub(super) bucket: u32,
    pub(super) queued: u32,
    pub(super) in_flight: u32,
    queue: Queues,
    pub(super) key: LaneKey,
    pub(super) touched: Instant,
    /// What it may use of a hidden limit that other processes share.
    pub(super) allowance: Option<Box<Allowance>>,
    /// When answered requests had surely been counted, oldest first.
    history: VecDeque<Instant>,
}

impl Lane {
    pub(super) fn new(key: LaneKey, bucket: u32, now: Instant) -> Self {
        Self {
            held: None,
            sublimit: None,
            bucket,
            queued: 0,
            in_flight: 0,
            queue: Queues::new(),
            key,
            touched: now,
            allowance: None,
            history: VecDeque::new(),
        }
    }

    /// Adds a request. Tells whether it is the first of its priority.
    pub(super) fn push(&mut self, priority: Priority, place: Place) -> bool {
        self.queued += 1;
        self.queue.insert(priority.number().into(), place)
    }

    /// Takes a request out, by the number of its priority. `false` if it is not in.
    pub(super) fn take(&mut self, class: u8, place: Place) -> bool {
        let found = self.queue.remove(class.into(), place);
        self.queued -= u32::from(found);
        found
    }

    /// The next request by priority and turn.
    pub(super) fn head(&self) -> Option<(u8, Place)> {
        self.queue.firsts().next()
    }

    /// The one that was submitted first, of those next in their priority.
    pub(super) fn oldest(&self) -> Option<(u8, Place)> {
        self.queue.firsts().min_by_key(|&(_, (_, seq, _))| seq)
    }

    /// How many would go before one more of this priority.
    pub(super) fn ahead_of(&self, priority: Priority) -> u32 {
        let waiting: usize = (0..=usize::from(priority.number()))
            .map(|class| self.queue.len(class))
            .sum();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// How many wait before a place.
    pub(super) fn before(&self, priority: Priority, place: (u64, u64)) -> u32 {
        let class = usize::from(priority.number());
        let urgent: usize = (0..class).map(|class| self.queue.len(class)).sum();
        let same = self.queue.before(class, place);
        u32::try_from(urgent + same).unwrap_or(u32::MAX)
    }

    /// Every waiting request.
    pub(super) fn waiting(&self) -> impl Iterator<Item = u32> + '_ {
        self.queue.iter().map(|(_, _, slot)| slot)
    }

    /// Nothing of this lane goes before `until`; other lanes of the bucket may.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held = self.held.max(Some(until));
    }

    /// Until when the lane waits by itself, or `None` if it does not.
    pub(super) fn held(&self, now: Instant, margin: Duration) -> Option<Instant> {
        let held = self.held.filter(|&until| until > now);
        let Some(sublimit) = &self.sublimit else {
            return held;
        };
        let limit = usize::try_from(sublimit.limit).unwrap_or(usize::MAX);
        let in_flight = usize::try_from(self.in_flight).unwrap_or(usize::MAX);
        let span = sublimit.window + margin;
        let first = self.history.partition_point(|&at| at + span <= now);
        let counted = self.history.len() - first;
        if counted + in_flight < limit {
            return held;
        }
        // One more may go when as many have left as there are too many; if all of them are in flight, their answers
        // come before their window ends.
        let leaving = (counted + in_flight - limit).min(counted.saturating_sub(1));
        let free_at = self
            .history
            .get(first + leaving)
            .map_or(now + span, |&at| at + span);
        held.max(Some(free_at))
    }

    /// When answered requests had surely been counted.
    pub(super) fn past(&self) -> impl Iterator<Item = Instant> + '_ {
        self.history.iter().copied()
    }

    /// A request was answered, and counted, at the latest now.
    pub(super) fn counted(&mut self, now: Instant) {
        let cap = self
            .sublimit
            .as_ref()
            .map_or(0, |sublimit| usize::try_from(sublimit.limit).unwrap_or(0));
        if self.history.len() >= cap.max(HISTORY) {
            self.history.pop_front();
        }
        self.history.push_back(now);
        self.touched = now;
    }

    /// A hidden limit that explains a 429 received now: how many requests were accepted in a window that ends
    /// `retry_after` from now. Of the spans that fit, the shortest that what was accepted before does not contradict.
    /// Where others share the limit, what this bot was allowed tells it only if it comes out even: else they used it.
    pub(super) fn guess_sublimit(
        &self,
        now: Instant,
        retry_after: Duration,
        scope: Scope,
    ) -> Option<Sublimit> {
        let end = now + retry_after;
        let candidates = self
            .history
            .iter()
            .enumerate()
            .rev()
            .filter_map(|(index, &at)| {
                let limit = self.history.len() - index;
                round(end.since(at)).map(|window| (limit, window))
            });
        let found = candidates
            .into_iter()
            .find(|&(limit, window)| self.most_within(window) <= limit)
            .or_else(|| {
                let oldest = *self.history.front().filter(|_| scope != Scope::Shared)?;
                Some((self.history.len(), end.since(oldest)))
            })?;
        Some(Sublimit {
            limit: u32::try_from(found.0).unwrap_or(u32::MAX),
            window: found.1,
        })
    }

    /// The most requests that were accepted within `window`.
    fn most_within(&self, window: Duration) -> usize {
        let ends = self.history.iter().enumerate();
        ends.map(|(index, &end)| {
            let start = self.history.partition_point(|&at| at + window <= end);
            index + 1 - start
        })
        .max()
        .unwrap_or(0)
    }

    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.queued == 0 && self.in_flight == 0 && self.held.is_none_or(|until| until <= now)
    }
}

/// The span that people would have chosen, if `span` is one but for latency.
fn round(span: Duration) -> Option<Duration> {
    let slack = Duration::from_millis(150) + span / 50;
    SPANS_MS
        .iter()
        .map(|&ms| Duration::from_millis(ms))
        .find(|chosen| chosen.abs_diff(span) <= slack)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_millis(5);

    fn lane() -> Lane {
        let route = Route::parse(Method::Patch, "/channels/1").unwrap();
        Lane::new(LaneKey::new(Auth(1), &route, 1), 0, Instant::ZERO)
    }

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn two_in_ten_minutes_are_told_from_one_refusal() {
        let mut lane = lane();
        lane.counted(ms(0));
        lane.counted(ms(20_000));
        let sublimit = lane
            .guess_sublimit(ms(30_000), Duration::from_secs(570), Scope::User)
            .unwrap();
        assert_eq!(sublimit.limit, 2);
        assert_eq!(sublimit.window, Duration::from_secs(600));
    }

    #[test]
    fn a_window_that_the_past_contradicts_is_not_believed() {
        let mut lane = lane();
        for index in 0..30 {
            lane.counted(ms(index * 100));
        }
        // The newest lies 20 s before the end: one in 20 s would fit, had 30 not been accepted within 3 s.
        let sublimit = lane
            .guess_sublimit(ms(2_900), Duration::from_millis(57_100), Scope::User)
            .unwrap();
        assert_eq!(
            (sublimit.limit, sublimit.window),
            (30, Duration::from_secs(60))
        );
    }

    #[test]
    fn a_known_sublimit_holds_the_lane_until_one_has_left() {
        let mut lane = lane();
        lane.sublimit = Some(Box::new(Sublimit {
            limit: 2,
            window: Duration::from_secs(10),
        }));
        lane.counted(ms(0));
        assert_eq!(lane.held(ms(10), MARGIN), None);
        lane.counted(ms(1_000));
        assert_eq!(lane.held(ms(1_000), MARGIN), Some(ms(10_005)));
        assert_eq!(lane.held(ms(10_005), MARGIN), None);
    }

    #[test]
    fn priorities_go_first_and_turns_within_them() {
        let mut lane = lane();
        lane.push(Priority::Background, (0, 1, 10));
        lane.push(Priority::Normal, (9, 2, 11));
        lane.push(Priority::Normal, (5, 3, 12));
        assert_eq!(lane.head(), Some((2, (5, 3, 12))));
        assert_eq!(lane.oldest(), Some((3, (0, 1, 10))));
        assert!(lane.take(Priority::Normal.number(), (5, 3, 12)));
        assert_eq!(lane.head(), Some((2, (9, 2, 11))));
        assert_eq!((lane.queued, lane.ahead_of(Priority::Normal)), (2, 1));
    }
}
