//! The global limit of one identity: a sliding log of what Discord may count in the second that ends now.
//!
//! A request can arrive at any moment between its sending and its answer. So it stays in the log until a whole window
//! after its answer, or after [`Config::arrival_bound`](super::Config::arrival_bound) where none comes: at no moment
//! can Discord see more than the limit in any window, however it is aligned.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::{Instant, micros};

use super::bucket::Room;

/// How long a limit that was lowered is kept before it is raised by a step.
const RAISE_AFTER: Duration = Duration::from_secs(60);

/// What counts against the global limit of one identity.
#[derive(Clone, Debug)]
pub(super) struct Global {
    /// The limit as configured.
    configured: u32,
    /// The limit in use: less than configured after Discord disagreed.
    limit: u32,
    window: Duration,
    arrival_bound: Duration,
    /// Sent and not answered, as (sent, slot), in order: answers come in nearly the same.
    flying: VecDeque<(Instant, u32)>,
    /// When counted requests leave the log, in order.
    leaving: VecDeque<Instant>,
    paused: Option<Instant>,
    raise_at: Option<Instant>,
    /// How many requests have arrived so far, or must have. Wraps.
    landed: u32,
}

impl Global {
    pub(super) fn new(limit: u32, window: Duration, arrival_bound: Duration) -> Self {
        Self {
            configured: limit.max(1),
            limit: limit.max(1),
            window,
            arrival_bound,
            flying: VecDeque::new(),
            leaving: VecDeque::new(),
            paused: None,
            raise_at: None,
            landed: 0,
        }
    }

    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) const fn window(&self) -> Duration {
        self.window
    }

    /// Microseconds that one request takes of the limit.
    pub(super) fn cost(&self) -> u64 {
        crate::time::micros(self.window) / u64::from(self.limit.max(1))
    }

    /// Another limit by the user's word.
    pub(super) fn configure(&mut self, limit: u32) {
        self.configured = limit.max(1);
        self.limit = self.configured;
        self.raise_at = None;
    }

    /// Forgets what has left the window. Tells the limit if it was raised.
    pub(super) fn advance(&mut self, now: Instant) -> Option<u32> {
        while let Some(&(sent, _)) = self.flying.front() {
            let arrived = sent + self.arrival_bound;
            if arrived > now {
                break;
            }
            self.flying.pop_front();
            self.leave(arrived + self.window);
        }
        while self.leaving.front().is_some_and(|&at| at <= now) {
            self.leaving.pop_front();
        }
        if self.paused.is_some_and(|until| until <= now) {
            self.paused = None;
        }
        if self.raise_at.is_some_and(|at| at <= now) {
            let raised = self.limit.saturating_add(self.configured.div_ceil(20));
            self.limit = raised.min(self.configured);
            self.raise_at = (self.limit < self.configured).then(|| now + RAISE_AFTER);
            return Some(self.limit);
        }
        None
    }

    fn leave(&mut self, at: Instant) {
        self.landed = self.landed.wrapping_add(1);
        if self.leaving.back().is_none_or(|&last| last <= at) {
            self.leaving.push_back(at);
        } else {
            let place = self.leaving.partition_point(|&other| other <= at);
            self.leaving.insert(place, at);
        }
    }

    pub(super) const fn landed(&self) -> u32 {
        self.landed
    }

    /// How many may not have arrived yet.
    pub(super) fn flying(&self) -> u32 {
        u32::try_from(self.flying.len()).unwrap_or(u32::MAX)
    }

    fn used(&self) -> u32 {
        u32::try_from(self.flying.len() + self.leaving.len()).unwrap_or(u32::MAX)
    }

    /// How many may be sent now, after [`advance`](Self::advance).
    pub(super) fn room(&self, now: Instant) -> Room {
        if let Some(until) = self.paused.filter(|&until| until > now) {
            return Room::At(until);
        }
        match (self.limit.saturating_sub(self.used()), self.next(now)) {
            (free @ 1.., _) => Room::Now(free),
            (0, Some(at)) => Room::At(at),
            (0, None) => Room::AfterAnswer,
        }
    }

    /// When the log changes by itself.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let leaving = self.leaving.front().copied();
        let flying = self
            .flying
            .front()
            .map(|&(sent, ..)| sent + self.arrival_bound);
        [leaving, flying]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(now))
    }

    /// When `ahead` more requests could have been sent, as far as can be told.
    pub(super) fn forecast(&self, now: Instant, ahead: u32) -> Instant {
        let free = self.limit.saturating_sub(self.used());
        let start = self.paused.unwrap_or(now).max(now);
        if ahead < free {
            return start;
        }
        let turns = u64::from(ahead - free + 1);
        start + Duration::from_micros(self.cost().saturating_mul(turns))
    }

    /// In how long the last of `count` more requests can go, in microseconds, if all go as early as they can.
    pub(super) fn drain(&self, now: Instant, count: u64) -> u64 {
        let pause = self.paused.map_or(0, |until| micros(until.since(now)));
        let limit = u64::from(self.limit);
        let free = limit.saturating_sub(self.used().into());
        let Some(behind) = count.checked_sub(free + 1) else {
            return pause;
        };
        // Places come back in the order in which they were taken; those taken now, a window from now.
        let place = usize::try_from(behind % limit).unwrap_or(usize::MAX);
        let window = micros(self.window);
        let first = self
            .leaving
            .get(place)
            .map_or(window, |at| micros(at.since(now)));
        first
            .max(pause)
            .saturating_add(window.saturating_mul(behind / limit))
    }

    pub(super) fn sent(&mut self, now: Instant, slot: u32) {
        let place = (now, slot);
        if self.flying.back().is_none_or(|&last| last < place) {
            self.flying.push_back(place);
        } else if let Err(at) = self.flying.binary_search(&place) {
            self.flying.insert(at, place);
        }
    }

    /// Takes a request out of those not answered. `false` if it is not among them.
    fn land(&mut self, sent: Instant, slot: u32) -> bool {
        let place = (sent, slot);
        if self.flying.front() == Some(&place) {
            return self.flying.pop_front().is_some();
        }
        let found = self.flying.binary_search(&place);
        found.is_ok_and(|at| self.flying.remove(at).is_some())
    }

    /// The request was answered, or its connection failed after it left: it arrived by now.
    pub(super) fn arrived(&mut self, sent: Instant, slot: u32, now: Instant) {
        if self.land(sent, slot) {
            self.leave(now + self.window);
        }
    }

    /// The request never left.
    pub(super) fn withdraw(&mut self, sent: Instant, slot: u32) {
        self.land(sent, slot);
    }

    /// Discord says that the global limit is reached. Tells the limit if it was lowered: either Discord named it, or
    /// its count is lower than ours.
    pub(super) fn exceeded(
        &mut self,
        until: Instant,
        named: Option<u32>,
        now: Instant,
    ) -> Option<u32> {
        let was_paused = self.paused.is_some();
        self.paused = self.paused.max(Some(until));
        if was_paused {
            return None;
        }
        let lowered = match named {
            Some(limit) if limit > 0 => limit,
            // Others may use the same token, or the bot's limit is lower than configured: a tenth less each time.
            _ => (self.limit - self.limit.div_ceil(10)).max(1),
        };
        let is_raised = lowered > self.limit;
        if is_raised {
            // Discord's word counts more than the configuration's.
            self.configured = lowered;
        }
        let is_changed = lowered != self.limit;
        self.limit = lowered;
        self.raise_at = (self.limit < self.configured).then(|| now + RAISE_AFTER);
        is_changed.then_some(self.limit)
    }

    /// When [`advance`](Self::advance) has something to do that nobody else waits for.
    pub(super) const fn raise_at(&self) -> Option<Instant> {
        self.raise_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn global(limit: u32) -> Global {
        Global::new(limit, WINDOW, Duration::from_secs(1))
    }

    #[test]
    fn a_request_counts_until_a_window_after_its_answer() {
        let mut global = global(2);
        global.sent(at(0), 0);
        global.sent(at(0), 1);
        assert_eq!(global.room(at(0)), Room::At(at(1_000)));
        global.arrived(at(0), 0, at(30));
        global.arrived(at(0), 1, at(40));
        assert_eq!(global.room(at(40)), Room::At(at(1_030)));
        global.advance(at(1_030));
        assert_eq!(global.room(at(1_030)), Room::Now(1));
        global.advance(at(1_040));
        assert_eq!(global.room(at(1_040)), Room::Now(2));
    }

    #[test]
    fn an_unanswered_request_counts_until_a_window_after_it_must_have_arrived() {
        let mut global = global(1);
        global.sent(at(0), 0);
        global.advance(at(1_500));
        assert_eq!(global.room(at(1_500)), Room::At(at(2_000)));
        global.advance(at(2_000));
        assert_eq!(global.room(at(2_000)), Room::Now(1));
    }

    #[test]
    fn a_request_that_never_left_gives_its_place_back() {
        let mut global = global(1);
        global.sent(at(0), 0);
        global.withdraw(at(0), 0);
        assert_eq!(global.room(at(0)), Room::Now(1));
    }

    #[test]
    fn a_drain_ends_when_the_last_place_comes_back() {
        let mut global = global(2);
        assert_eq!(global.drain(at(0), 0), 0);
        assert_eq!(global.drain(at(0), 2), 0);
        // One a window from now: it takes a place that is taken now.
        assert_eq!(global.drain(at(0), 3), 1_000_000);
        global.sent(at(0), 0);
        global.arrived(at(0), 0, at(30));
        assert_eq!(global.drain(at(500), 1), 0);
        assert_eq!(global.drain(at(500), 2), 530_000);
        assert_eq!(global.drain(at(500), 3), 1_000_000);
        assert_eq!(global.drain(at(500), 4), 1_530_000);
    }

    #[test]
    fn the_limit_is_learned_downwards_and_climbs_back() {
        let mut global = global(50);
        assert_eq!(global.exceeded(at(500), None, at(0)), Some(45));
        assert_eq!(
            global.exceeded(at(600), None, at(10)),
            None,
            "one pause, one lesson"
        );
        assert_eq!(global.room(at(20)), Room::At(at(600)));
        assert_eq!(global.advance(at(60_000)), Some(48));
        assert_eq!(global.advance(at(120_000)), Some(50));
        assert_eq!(global.raise_at(), None);
    }

    #[test]
    fn the_limit_that_discord_names_is_taken() {
        let mut global = global(50);
        assert_eq!(global.exceeded(at(500), Some(20), at(0)), Some(20));
        global.advance(at(500));
        assert_eq!(global.exceeded(at(900), Some(1_200), at(501)), Some(1_200));
        assert_eq!(global.limit(), 1_200);
    }
}
