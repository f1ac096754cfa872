//! Sending: who goes now, as far as limits and places allow.

use crate::machine::Timeout;
use crate::time::Instant;

use super::Scheduler;
use super::bucket::Room;
use super::config::Config;
use super::io::{Event, Output, Reason, Refusal};
use super::request::{Kind, State};

impl Scheduler {
    /// Lets go whatever may go now, and refuses what was not sent in time: a deadline is the last moment for it.
    pub(super) fn pump(&mut self) {
        self.send_all();
        while let Some((at, request)) = self.deadlines.first() {
            if at > self.now {
                break;
            }
            self.refuse(request, Refusal::DeadlinePassed, None);
        }
        self.work_on_pool();
    }

    fn send_all(&mut self) {
        if self.guard.banned().is_some() || self.guard.spent_until().is_some() {
            return;
        }
        for at in 0..self.identities.len() {
            while self.in_flight < self.most_in_flight() {
                let Some(bucket) = self.identities[at].next_exempt() else {
                    break;
                };
                self.send_from(bucket, false);
            }
        }
        self.pump_bound();
    }

    /// How many places in flight there are for what is no interaction: at least one.
    pub(super) fn places(&self) -> usize {
        let Config {
            max_in_flight,
            reserved_in_flight,
            ..
        } = self.config;
        max_in_flight.saturating_sub(reserved_in_flight).max(1)
    }

    /// Requests that the global limit binds: the identities take turns.
    fn pump_bound(&mut self) {
        let count = self.identities.len();
        let places = self.places();
        for at in 0..count {
            if self.identities[at].has_ready() {
                self.weigh(at);
            }
        }
        let mut idle = 0;
        while idle < count && self.in_flight - self.interactions_in_flight < places {
            if self.in_flight >= self.most_in_flight() {
                break;
            }
            let at = self.next_identity % count;
            self.next_identity = (at + 1) % count;
            idle = if self.send_one(at) { 0 } else { idle + 1 };
        }
    }

    /// Sends one request of an identity, if it has one that may go.
    fn send_one(&mut self, at: usize) -> bool {
        let identity = &self.identities[at];
        if !identity.has_ready() {
            return false;
        }
        let is_pooled = identity.pooled.is_some();
        let Room::Now(free) = self.global_room(at) else {
            return false;
        };
        let (critical, kept) = self.next_critical(at, free);
        // What the pool grants, it grants for what could go now: nothing is kept of it.
        let kept = if is_pooled { 0 } else { kept };
        if let Some(bucket) = critical {
            self.send_from(bucket, false);
            return true;
        }
        if free <= kept {
            return false;
        }
        let age_after = self.config.age_after;
        let next = self.identities[at].next_turn(|bucket| {
            let oldest = self.next_of(bucket, true);
            oldest.is_some_and(|(_, (_, (_, _, at)))| {
                self.requests[at as usize].submitted + age_after <= self.now
            })
        });
        let Some((bucket, by_age)) = next else {
            return false;
        };
        self.identities[at].turn_taken();
        self.send_from(bucket, by_age);
        true
    }

    /// Sends the next request of a bucket that could send.
    fn send_from(&mut self, bucket: u32, by_age: bool) {
        // Tokens may have run out since it was put in order.
        let is_open = self.pool.is_none()
            || matches!(self.room(&self.buckets[bucket as usize]), Room::Now(_));
        let Some((lane, (class, place))) = self.next_of(bucket, by_age).filter(|_| is_open) else {
            // Its lanes are held since it was put in order.
            self.reindex(bucket);
            return;
        };
        let at = place.2;
        let request = &self.requests[at as usize];
        if self.guard.has_offenders()
            && let Some(until) = self
                .guard
                .quarantined(self.now, self.details[at as usize].suspects())
        {
            self.refuse(at, Refusal::Quarantined, Some(until));
            return;
        }
        if request.kind == Kind::Webhook
            && let Some(webhook) = self.details[at as usize].route.webhook()
            && self.guard.is_gone(webhook)
        {
            self.refuse(at, Refusal::WebhookGone, None);
            return;
        }
        // By its place, not by what the request says of it: neither look-up then waits for the other.
        self.lanes[lane as usize].take(class, place);
        self.buckets[bucket as usize].queued -= 1;
        self.unqueued(at);
        self.send(at);
        self.reindex(bucket);
    }

    fn send(&mut self, at: u32) {
        let seq = self.next_seq();
        let request = &mut self.requests[at as usize];
        request.state = State::InFlight;
        let detail = &mut self.details[at as usize];
        detail.sent = self.now;
        detail.sent_seq = seq;
        let attempt = request.attempts;
        request.attempts += 1;
        let (lane, is_exempt) = (request.lane, request.is_exempt());
        self.deadlines.remove(at);
        self.spend(lane, is_exempt);
        let request = &self.requests[at as usize];
        let lane = &mut self.lanes[request.lane as usize];
        lane.in_flight += 1;
        self.buckets[lane.bucket as usize].in_flight += 1;
        if request.is_exempt() {
            self.interactions_in_flight += 1;
        } else {
            let identity = &mut self.identities[request.identity];
            identity.global.sent(self.now, at);
        }
        self.in_flight += 1;
        self.queued -= 1;
        self.stats.sent += 1;
        self.stats.in_flight_max = self.stats.in_flight_max.max(self.in_flight);
        let waited = self.now.since(request.submitted);
        if attempt == 0 {
            self.stats.waited(request.priority, waited);
        }
        self.outbox.push_back(Output::Send {
            id: request.id,
            attempt,
        });
    }

    /// Everything whose moment has come.
    pub(super) fn wake(&mut self) {
        if self.guard.ban_ends(self.now) {
            self.say(Event::BanEnded);
        }
        self.guard.advance(self.now);
        for at in 0..self.identities.len() {
            let auth = self.identities[at].auth;
            if let Some(limit) = self.identities[at].global.advance(self.now) {
                self.say(Event::GlobalLearned { auth, limit });
            }
        }
        while let Some((at, request)) = self.delayed.first() {
            if at > self.now {
                break;
            }
            self.delayed.remove(request);
            self.enqueue(request);
        }
        while let Some((at, bucket)) = self.waiting.first() {
            if at > self.now {
                break;
            }
            self.waiting.remove(bucket);
            self.buckets[bucket as usize].wait = None;
            self.reindex(bucket);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Timeout<Reason>> {
        let timeout = |at: Option<Instant>, reason| at.map(|at| Timeout { at, reason });
        let bucket = self.waiting.first().map(|(at, _)| at);
        let retry = self.delayed.first().map(|(at, _)| at);
        let deadline = self.deadlines.first().map(|(at, _)| at);
        let ban = self.guard.banned().or_else(|| {
            let is_waiting = self.queued > 0;
            self.guard.spent_until().filter(|_| is_waiting)
        });
        [
            timeout(bucket, Reason::Bucket),
            timeout(self.next_global(), Reason::Global),
            timeout(retry, Reason::Retry),
            timeout(deadline, Reason::Deadline),
            timeout(ban, Reason::Ban),
            timeout(
                self.pool.as_ref().and_then(|pool| pool.next()),
                Reason::Pool,
            ),
            timeout(self.sweep_at(), Reason::Sweep),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|timeout| timeout.at)
    }

    /// When the global limit of an identity that waits for it has room again.
    fn next_global(&self) -> Option<Instant> {
        let is_full = self.in_flight >= self.config.max_in_flight;
        let waiting = (0..)
            .zip(&self.identities)
            .filter(|(_, identity)| identity.has_ready() && !is_full);
        let room = waiting.filter_map(|(at, identity)| {
            match self.global_room(at) {
                Room::At(at) => Some(at),
                // What is left is kept for others: more comes when the log changes.
                Room::Now(_) => identity.global.next(self.now),
                Room::AfterAnswer => None,
            }
        });
        let raised = self
            .identities
            .iter()
            .filter_map(|identity| identity.global.raise_at());
        room.chain(raised).min()
    }
}
