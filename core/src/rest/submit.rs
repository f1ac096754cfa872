//! A request wants to be sent: refused at once where it must be, and given its place otherwise.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::time::Instant;

use super::buckets::{Bucket, Limiter};
use super::global::Global;
use super::guard::suspects;
use super::identity::Identity;
use super::io::{Auth, Misuse, Output, Priority, Refusal, Submit};
use super::lane::{Lane, LaneKey};
use super::request::{Detail, Kind, Request, State, tenant};
use super::route::Route;
use super::{Profile, Scheduler};

/// A slab's key as it is kept elsewhere: half the size of a `usize`, and more than any queue holds.
pub(super) fn slot(key: usize) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

impl Scheduler {
    pub(super) fn submit(&mut self, submit: &Submit<'_>) -> Result<(), Misuse> {
        if self.find(submit.id).is_some() {
            return Err(Misuse::DuplicateId(submit.id));
        }
        let route = Route::parse(submit.method, submit.path).map_err(Misuse::Route)?;
        self.stats.submitted += 1;
        let identity = self.identity(submit.auth);
        if let Some((why, until)) = self.objection(submit, &route, identity) {
            self.refuse_new(submit, why, until);
            return Ok(());
        }
        if self.follow(submit, route, identity) {
            return Ok(());
        }
        let lane = self.lane(submit, &route, identity);
        if let Some(deadline) = submit.deadline {
            let predicted = self.predict(lane, identity, submit.priority, route.is_global_exempt());
            if predicted > deadline {
                self.refuse_new(submit, Refusal::DeadlineTooSoon, Some(predicted));
                return Ok(());
            }
        }
        let at = self.admit(submit, route, identity, lane);
        self.enqueue(at);
        self.lead(at, submit.path);
        Ok(())
    }

    /// Why a request must not even wait, and until when that holds.
    fn objection(
        &self,
        submit: &Submit<'_>,
        route: &Route,
        identity: usize,
    ) -> Option<(Refusal, Option<Instant>)> {
        let is_token_bad = self.identities[identity].is_stopped && !route.authenticates_by_path();
        if is_token_bad {
            return Some((Refusal::TokenRejected, None));
        }
        if route
            .webhook()
            .is_some_and(|webhook| self.guard.is_gone(webhook))
        {
            return Some((Refusal::WebhookGone, None));
        }
        let who = suspects(submit.auth, route, submit.guild);
        if let Some(until) = self.guard.quarantined(self.now, who) {
            return Some((Refusal::Quarantined, Some(until)));
        }
        if let Some(until) = self.guard.spent_until() {
            return Some((Refusal::InvalidBudgetSpent, Some(until)));
        }
        // A queue full of other work must not cost an interaction its three seconds.
        let extra = match submit.priority {
            Priority::Interaction => self.config.queue_size / 10 + 16,
            _ => 0,
        };
        let is_full = self.queued >= self.config.queue_size + extra;
        is_full.then(|| (Refusal::QueueFull, self.relief(identity)))
    }

    /// When the first of the waiting requests can go: asking again before makes no sense.
    fn relief(&self, identity: usize) -> Option<Instant> {
        let identity = &self.identities[identity];
        let bucket = self.waiting.first().map(|(at, _)| at);
        let at = match bucket {
            Some(at) if !identity.has_ready() => at,
            _ => identity.global.forecast(self.now, 1),
        };
        Some(at.max(self.now))
    }

    fn refuse_new(&mut self, submit: &Submit<'_>, why: Refusal, until: Option<Instant>) {
        self.stats.refuse(why);
        self.ended.refused(submit.id, why, until);
        self.outbox.push_back(Output::Refuse {
            id: submit.id,
            why,
            until,
        });
    }

    pub(super) fn identity(&mut self, auth: Auth) -> usize {
        if let Some(&at) = self.identity_keys.get(&auth) {
            return at as usize;
        }
        let global = Global::new(
            self.config.global_limit,
            self.config.global_window,
            self.config.arrival_bound,
        );
        self.identities.push(Identity::new(auth, global));
        let at = self.identities.len() - 1;
        self.identity_keys.insert(auth, slot(at));
        at
    }

    fn lane(&mut self, submit: &Submit<'_>, route: &Route, identity: usize) -> u32 {
        let key = LaneKey::new(submit.auth, route, submit.class);
        let known = |at: u32| self.lanes[at as usize].key == key;
        if let Some(lane) = self.lane_keys.get(key.hash(), known) {
            return lane;
        }
        let known = self.routes.get(&key.route);
        let sublimit = known.and_then(|state| state.sublimit(self.now));
        let (hash, is_free) = known.map_or((None, false), |state| (state.hash(), state.is_free()));
        let bucket = match hash {
            Some(hash) => self.named_bucket(submit.auth, hash, key.major, route.is_global_exempt()),
            None => {
                let limiter = if is_free || route.is_callback() {
                    Limiter::Free
                } else {
                    Limiter::Unknown
                };
                let exempt = route.is_global_exempt();
                let bucket = Bucket::new(submit.auth, identity, limiter, exempt);
                slot(self.buckets.insert(bucket))
            }
        };
        let mut lane = Lane::new(key, bucket, self.now);
        lane.sublimit = sublimit.map(Box::new);
        let at = slot(self.lanes.insert(lane));
        self.lane_keys.insert(key.hash(), at);
        self.buckets[bucket as usize].lanes.push(at);
        at
    }

    fn admit(&mut self, submit: &Submit<'_>, route: Route, identity: usize, lane: u32) -> u32 {
        let seq = self.next_seq();
        let at = slot(self.requests.insert(Request {
            id: submit.id,
            turn: 0,
            seq,
            submitted: self.now,
            identity,
            lane,
            tenant: 0,
            state: State::Queued,
            attempts: 0,
            priority: submit.priority,
            kind: Kind::of(&route),
            is_cancelled: false,
            is_shared: false,
        }));
        let detail = Detail {
            auth: submit.auth,
            route,
            guild: submit.guild,
            sharing: submit.sharing,
            deadline: submit.deadline,
            is_repeatable: submit.is_repeatable,
            sent: Instant::ZERO,
            sent_seq: 0,
            until: Instant::ZERO,
            failures: 0,
            limited: 0,
            last_retry: None,
            followers: Vec::new(),
            leads: None,
        };
        match self.details.get_mut(at as usize) {
            Some(old) => *old = detail,
            // A slab fills its first vacancy before it grows by one.
            None => self.details.push(detail),
        }
        self.ids.insert(submit.id.hash(), at);
        if let Some(deadline) = submit.deadline {
            self.deadlines.set(at, deadline);
        }
        self.queued += 1;
        self.stats.queued_max = self.stats.queued_max.max(self.queued);
        at
    }

    /// A request that is to be answered by another's answer: it has no place in any lane.
    pub(super) fn admit_follower(
        &mut self,
        submit: &Submit<'_>,
        route: Route,
        identity: usize,
        leader: u32,
    ) {
        let lane = self.requests[leader as usize].lane;
        let at = self.admit(submit, route, identity, lane);
        self.requests[at as usize].state = State::Following(leader);
        self.requests[leader as usize].is_shared = true;
        self.details[leader as usize].followers.push(at);
    }

    /// Gives a request a turn and a place in its lane.
    pub(super) fn enqueue(&mut self, at: u32) {
        let request = &mut self.requests[at as usize];
        let identity = &mut self.identities[request.identity];
        let detail = &self.details[at as usize];
        let tenant = tenant(&detail.route, detail.guild);
        let is_exempt = request.is_exempt();
        if request.attempts > 0 || is_exempt {
            // A request that was sent before keeps its turn, ahead of all that came after it.
            request.turn = request.submitted.as_micros();
        } else {
            (request.turn, request.tenant) = identity.join(request.priority, tenant, self.now);
        }
        request.state = State::Queued;
        if !is_exempt {
            identity.queued[usize::from(request.priority.number())] += 1;
        }
        let place = (request.turn, request.seq, at);
        let lane = &mut self.lanes[request.lane as usize];
        let is_first = lane.push(request.priority, place);
        lane.touched = self.now;
        let bucket = lane.bucket;
        self.buckets[bucket as usize].queued += 1;
        if is_first || !self.lengthen(bucket) {
            self.reindex(bucket);
        }
    }

    /// Takes a waiting request out of its lane.
    pub(super) fn dequeue(&mut self, at: u32) {
        if let Some(bucket) = self.unqueue(at) {
            self.reindex(bucket);
        }
    }

    /// The same, for who puts the bucket in order afterwards.
    pub(super) fn unqueue(&mut self, at: u32) -> Option<u32> {
        let request = &self.requests[at as usize];
        let place = (request.turn, request.seq, at);
        let lane = &mut self.lanes[request.lane as usize];
        if !lane.take(request.priority.number(), place) {
            return None;
        }
        let bucket = lane.bucket;
        self.buckets[bucket as usize].queued -= 1;
        self.unqueued(at);
        Some(bucket)
    }

    /// A request is in no lane's queue any more.
    pub(super) fn unqueued(&mut self, at: u32) {
        let request = &self.requests[at as usize];
        let identity = &mut self.identities[request.identity];
        if !request.is_exempt() {
            identity.queued[usize::from(request.priority.number())] -= 1;
            if request.attempts == 0 {
                identity.quit(request.tenant);
            }
        }
    }

    /// When one more request of a lane could go, as far as can be told.
    pub(super) fn predict(
        &self,
        lane: u32,
        identity: usize,
        priority: Priority,
        is_exempt: bool,
    ) -> Instant {
        let lane = &self.lanes[lane as usize];
        let bucket = &self.buckets[lane.bucket as usize];
        let margin = self.config.reset_margin;
        let ahead = bucket
            .lanes
            .iter()
            .map(|&lane| self.lanes[lane as usize].ahead_of(priority))
            .fold(0, u32::saturating_add);
        let by_bucket = match self.profile_of(bucket) {
            Some(profile) => {
                bucket
                    .window
                    .forecast(profile, self.now, bucket.in_flight, ahead, margin)
            }
            None => bucket.window.forecast(
                &Profile::new(u32::MAX),
                self.now,
                bucket.in_flight,
                ahead,
                margin,
            ),
        };
        let by_lane = lane.held(self.now, margin).unwrap_or(self.now);
        let identity = &self.identities[identity];
        let by_global = if is_exempt {
            self.now
        } else {
            identity
                .global
                .forecast(self.now, identity.ahead_of(priority))
        };
        let by_ban = self.guard.banned().unwrap_or(self.now);
        by_bucket.max(by_lane).max(by_global).max(by_ban)
    }
}
