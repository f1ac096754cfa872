//! A request came back: what it cost, what it taught, and whether its caller hears of it.

use core::time::Duration;

use crate::time::Instant;
use crate::wire::rate_limit::{RateLimit, error_code};

use super::Scheduler;
use super::buckets::Limiter;
use super::io::{Event, Failure, Misuse, Output, Refusal, RequestId, Retry};
use super::profile::Sample;
use super::request::State;
use super::route::Method;

/// Discord does not know the webhook.
const UNKNOWN_WEBHOOK: u32 = 10_015;

/// What a server answers when it, or something behind it, failed.
const fn is_server_error(status: u16) -> bool {
    matches!(status, 500 | 502..=504 | 520..=524 | 529)
}

impl Scheduler {
    fn flying(&self, id: RequestId) -> Result<u32, Misuse> {
        let at = self.find(id).ok_or(Misuse::UnknownId(id))?;
        match self.requests[at as usize].state {
            State::InFlight => Ok(at),
            _ => Err(Misuse::NotInFlight(id)),
        }
    }

    pub(super) fn answered(
        &mut self,
        id: RequestId,
        status: u16,
        limit: &RateLimit<'_>,
        body: &[u8],
    ) -> Result<(), Misuse> {
        let at = self.flying(id)?;
        self.stats.answered += 1;
        self.land(at, Failure::Unanswered);
        self.note_change(at);
        self.learn(at, status, limit);
        if status == 429 {
            self.limited(at, limit, body);
        } else {
            let lane = self.requests[at as usize].lane;
            self.tell_of_count(lane);
            let lane = &mut self.lanes[lane as usize];
            lane.counted(self.now);
            let bucket = lane.bucket;
            if self.sample(at, limit).is_none() {
                // The answer does not say what is left: what it took is taken.
                self.lose(bucket);
            }
            self.judge(at, status, limit, body);
        }
        Ok(())
    }

    /// Gives back what a request in flight held. Whether Discord counted it, the answer or the failure says.
    fn land(&mut self, at: u32, failure: Failure) {
        let request = &self.requests[at as usize];
        let lane = &mut self.lanes[request.lane as usize];
        lane.in_flight -= 1;
        lane.touched = self.now;
        let bucket = lane.bucket;
        self.buckets[bucket as usize].in_flight -= 1;
        self.in_flight -= 1;
        self.tell_of_landing(bucket);
        let request = &self.requests[at as usize];
        if request.is_exempt() {
            self.interactions_in_flight -= 1;
            return;
        }
        let sent = self.details[at as usize].sent;
        let global = &mut self.identities[request.identity].global;
        match failure {
            Failure::NotSent => global.withdraw(sent, at),
            Failure::Unanswered => global.arrived(sent, at, self.now),
        }
    }

    /// Any answer but 429.
    fn judge(&mut self, at: u32, status: u16, limit: &RateLimit<'_>, body: &[u8]) {
        let request = &self.requests[at as usize];
        let bucket = self.lanes[request.lane as usize].bucket;
        match status {
            401 | 403 => {
                self.blame(at);
                if status == 401 && !self.details[at as usize].route.authenticates_by_path() {
                    self.stop_token(at);
                }
            }
            404 => {
                self.clear(at);
                self.check_webhook(at, body);
            }
            200..=499 => self.clear(at),
            _ => {}
        }
        self.reindex(bucket);
        if is_server_error(status) && self.may_repeat(at) {
            let after = limit.retry_after.unwrap_or(Duration::ZERO);
            self.back_off(at, Retry::ServerError, after);
        } else {
            self.deliver(at);
        }
    }

    /// Discord accepted a request: whoever could be to blame for it is not.
    fn clear(&mut self, at: u32) {
        if self.guard.has_offenders() {
            let suspects = self.details[at as usize].suspects();
            self.guard.valid(suspects);
        }
    }

    /// Whether a request that may have been executed can be sent again.
    fn may_repeat(&self, at: u32) -> bool {
        let detail = &self.details[at as usize];
        let is_harmless = detail.route.method() != Method::Post || detail.is_repeatable;
        is_harmless && !detail.route.is_callback() && detail.failures < self.config.retries
    }

    pub(super) fn failed(&mut self, id: RequestId, failure: Failure) -> Result<(), Misuse> {
        let at = self.flying(id)?;
        self.stats.failed += 1;
        self.land(at, failure);
        let request = &self.requests[at as usize];
        let lane = request.lane;
        let bucket = self.lanes[lane as usize].bucket;
        let can_retry = match failure {
            Failure::NotSent => self.details[at as usize].failures < self.config.retries,
            Failure::Unanswered => self.may_repeat(at),
        };
        if failure == Failure::Unanswered {
            self.note_change(at);
            self.tell_of_count(lane);
            self.lanes[lane as usize].counted(self.now);
            self.lose(bucket);
        }
        self.reindex(bucket);
        if can_retry {
            let why = match failure {
                Failure::NotSent => Retry::NotSent,
                Failure::Unanswered => Retry::Unanswered,
            };
            self.back_off(at, why, Duration::ZERO);
        } else {
            self.deliver(at);
        }
        Ok(())
    }

    /// Discord may have counted a request that nobody answered.
    fn lose(&mut self, at: u32) {
        let bucket = &mut self.buckets[at as usize];
        if let Limiter::Named { profile } = bucket.limiter {
            let profile = &self.profiles[profile as usize];
            let is_told = !profile.window.is_zero() || !bucket.window.is_idle(self.now);
            if is_told {
                bucket.window.lose(profile, self.now);
                self.tell_of_loss(at);
            }
        }
    }

    /// Sends a request again after a pause that doubles with each failure; half of it is jitter, so that those who
    /// failed together do not come back together.
    fn back_off(&mut self, at: u32, why: Retry, at_least: Duration) {
        let failures = self.details[at as usize].failures;
        let ceiling = self
            .config
            .backoff_base
            .saturating_mul(1 << failures.min(16))
            .min(self.config.backoff_cap);
        let pause = self
            .rng
            .duration_between(ceiling / 2, ceiling)
            .max(at_least);
        self.details[at as usize].failures += 1;
        let when = self.now + pause;
        self.send_again(at, why, when);
    }

    /// Lets a request wait until `when` and go again, unless nobody waits for it or its deadline is sooner.
    pub(super) fn send_again(&mut self, at: u32, why: Retry, when: Instant) {
        let request = &self.requests[at as usize];
        let detail = &mut self.details[at as usize];
        detail.last_retry = Some(why);
        if request.is_cancelled {
            // Its driver may have let go of it: whoever shares its answer is sent instead.
            self.hand_over(at);
            self.stop_leading(at);
            self.forget(at);
            return;
        }
        let id = request.id;
        let deadline = detail.deadline;
        self.stats.retry(why);
        self.outbox.push_back(Output::Retry { id, why, at: when });
        self.queued += 1;
        if deadline.is_some_and(|deadline| deadline < when) {
            self.requests[at as usize].state = State::Delayed;
            self.refuse(at, Refusal::DeadlineTooSoon, Some(when));
            return;
        }
        if let Some(deadline) = deadline {
            self.deadlines.set(at, deadline);
        }
        if when <= self.now {
            self.enqueue(at);
        } else {
            self.requests[at as usize].state = State::Delayed;
            self.details[at as usize].until = when;
            self.delayed.set(at, when);
        }
    }

    /// Counts an invalid answer against whoever caused it.
    pub(super) fn blame(&mut self, at: u32) {
        let suspects = self.details[at as usize].suspects();
        let verdict = self.guard.invalid(self.now, suspects);
        self.stats.invalid += 1;
        self.spend_credit();
        if let Some((offender, until, invalid)) = verdict.quarantined {
            self.stats.quarantines += 1;
            self.say(Event::Quarantined {
                offender,
                until,
                invalid,
            });
        }
        if let Some((spent, exhausted_in)) = verdict.threshold {
            let budget = self.config.invalid_budget;
            self.say(Event::InvalidBudget {
                spent,
                budget,
                exhausted_in,
            });
        }
    }

    /// 401 on a token that is not in the path: every request with it would be invalid.
    fn stop_token(&mut self, at: u32) {
        let (identity, auth) = {
            let request = &self.requests[at as usize];
            (request.identity, self.details[at as usize].auth)
        };
        if auth == super::Auth::NONE || self.identities[identity].is_stopped {
            return;
        }
        self.identities[identity].is_stopped = true;
        self.say(Event::TokenStopped { auth });
        self.refuse_all(Refusal::TokenRejected, None, |detail| {
            detail.auth == auth && !detail.route.authenticates_by_path()
        });
    }

    /// 404 on a webhook: if it is the webhook itself that does not exist, it is not called again.
    fn check_webhook(&mut self, at: u32, body: &[u8]) {
        let route = self.details[at as usize].route;
        let Some(webhook) = route.webhook() else {
            return;
        };
        if error_code(body) != Some(UNKNOWN_WEBHOOK) {
            return;
        }
        if self.guard.webhook_gone(webhook) {
            self.say(Event::WebhookGone { id: webhook.0 });
            self.refuse_all(Refusal::WebhookGone, None, |detail| {
                detail.route.webhook() == Some(webhook)
            });
        }
    }

    pub(super) fn sample(&self, at: u32, limit: &RateLimit<'_>) -> Option<Sample> {
        Some(Sample {
            sent: self.details[at as usize].sent,
            received: self.now,
            limit: limit.limit?,
            remaining: limit.remaining?,
            reset_after: limit.reset_after?,
        })
    }
}
