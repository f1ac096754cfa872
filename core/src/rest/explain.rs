//! Why a request waits, until when, and why it was refused or sent again.

use alloc::collections::VecDeque;

use crate::time::Instant;

use super::Scheduler;
use super::bucket::Room;
use super::buckets::Limiter;
use super::io::{Priority, Refusal, RequestId, Retry, Wait};
use super::request::{Request, State};
use super::route::Route;

/// How many refused requests are remembered, to explain them.
const ENDED_MAX: usize = 1_024;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// It waits.
    Waiting {
        /// For what.
        why: Wait,
        /// Until when at least, as far as can be told.
        until: Option<Instant>,
        /// How many of its bucket go before it.
        ahead: u32,
    },
    /// It was sent, and its answer is awaited.
    InFlight {
        /// Since when.
        since: Instant,
    },
    /// The answer of another request will be its answer.
    Following {
        /// That request.
        leader: RequestId,
    },
    /// It was refused.
    Refused {
        /// Why.
        why: Refusal,
        /// When it could have gone, as far as could be told.
        until: Option<Instant>,
    },
}

/// What can be said about one request.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Where it stands.
    pub place: Place,
    /// Its route; `None` once it is refused.
    pub route: Option<Route>,
    /// How urgent it is; `None` once it is refused.
    pub priority: Option<Priority>,
    /// How often it was sent.
    pub attempts: u32,
    /// Why it was last sent again.
    pub last_retry: Option<Retry>,
}

/// The last refusals.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    refused: VecDeque<(RequestId, Refusal, Option<Instant>)>,
}

impl Ended {
    pub(super) fn refused(&mut self, id: RequestId, why: Refusal, until: Option<Instant>) {
        if self.refused.len() == ENDED_MAX {
            self.refused.pop_front();
        }
        self.refused.push_back((id, why, until));
    }

    fn find(&self, id: RequestId) -> Option<Explanation> {
        let &(_, why, until) = self.refused.iter().rev().find(|(other, ..)| *other == id)?;
        Some(Explanation {
            place: Place::Refused { why, until },
            route: None,
            priority: None,
            attempts: 0,
            last_retry: None,
        })
    }
}

impl Scheduler {
    /// Why a request waits and until when, or why it was refused. `None` if it was delivered, never submitted, or
    /// refused long ago: the last 1,024 refusals are remembered.
    #[must_use]
    pub fn explain(&self, id: RequestId) -> Option<Explanation> {
        let Some(at) = self.find(id) else {
            return self.ended.find(id);
        };
        let request = &self.requests[at as usize];
        let detail = &self.details[at as usize];
        if request.is_cancelled {
            return self.ended.find(id);
        }
        let place = match request.state {
            State::InFlight => Place::InFlight { since: detail.sent },
            State::Following(leader) => Place::Following {
                leader: self.requests[leader as usize].id,
            },
            State::Delayed => Place::Waiting {
                why: Wait::Backoff,
                until: Some(detail.until),
                ahead: 0,
            },
            State::Queued => {
                let (why, until) = self.why_waiting(request);
                let ahead = self.ahead_of(request);
                Place::Waiting { why, until, ahead }
            }
        };
        Some(Explanation {
            place,
            route: Some(detail.route),
            priority: Some(request.priority),
            attempts: request.attempts,
            last_retry: detail.last_retry,
        })
    }

    fn ahead_of(&self, request: &Request) -> u32 {
        let lane = &self.lanes[request.lane as usize];
        lane.before(request.priority, (request.turn, request.seq))
    }

    /// Which of the pool's reasons holds a request.
    fn why_pooled(&self) -> Wait {
        match &self.pool {
            Some(pool) if pool.is_away() => Wait::PoolAway,
            _ => Wait::Pool,
        }
    }

    /// The longest of what holds a waiting request.
    fn why_waiting(&self, request: &Request) -> (Wait, Option<Instant>) {
        if let Some(until) = self.guard.banned() {
            return (Wait::Banned, Some(until));
        }
        if let Some(until) = self.guard.spent_until() {
            return (Wait::InvalidBudget, Some(until));
        }
        let lane = &self.lanes[request.lane as usize];
        let bucket = &self.buckets[lane.bucket as usize];
        let held = self.lane_held(lane);
        let by_lane = held.map(|until| (Wait::Sublimit, until));
        let by_bucket = match self.room(bucket) {
            Room::At(until) => Some((Wait::Bucket, until)),
            Room::AfterAnswer
                if bucket.limiter == Limiter::Unknown
                    && self.own_room(bucket) == Room::AfterAnswer =>
            {
                return (Wait::Discovery, None);
            }
            Room::AfterAnswer if self.own_room(bucket) == Room::AfterAnswer => {
                return (Wait::Answers, None);
            }
            Room::AfterAnswer => return (self.why_pooled(), None),
            Room::Now(_) => None,
        };
        let by_global = match self.global_room(request.identity) {
            _ if request.is_exempt() => None,
            Room::At(until) => Some((Wait::Global, until)),
            Room::AfterAnswer if self.pool.is_some() => return (self.why_pooled(), None),
            Room::AfterAnswer | Room::Now(_) => None,
        };
        let longest = [by_lane, by_bucket, by_global]
            .into_iter()
            .flatten()
            .max_by_key(|&(_, until)| until);
        match longest {
            Some((why, until)) => (why, Some(until)),
            None if self.in_flight - self.interactions_in_flight >= self.places() => {
                (Wait::InFlight, None)
            }
            None => (Wait::Turn, None),
        }
    }
}
