//! Counters: what the scheduler was asked, what it did, and what Discord said.

use core::time::Duration;

use crate::wire::rate_limit::Scope;

use super::Scheduler;
use super::io::{Auth, PRIORITIES, Priority, Refusal, Retry};

/// What happened since the scheduler was made. Counts only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that were submitted, refused ones among them.
    pub submitted: u64,
    /// Sendings, repeated ones among them.
    pub sent: u64,
    /// Answers.
    pub answered: u64,
    /// Sendings without an answer.
    pub failed: u64,
    /// Requests whose caller got an outcome.
    pub delivered: u64,
    /// Requests that another's answer served.
    pub shared: u64,
    /// Writes that a later one replaced.
    pub replaced: u64,
    /// Requests that were refused, by [`Refusal::number`] less one.
    pub refused: [u64; Refusal::ALL.len()],
    /// Requests that were sent again, by [`Retry::number`] less one.
    pub retried: [u64; Retry::ALL.len()],
    /// Answers of 429.
    pub limited: u64,
    /// Answers of 429 by scope: user, global, shared.
    pub limited_by_scope: [u64; 3],
    /// Answers of 401, 403 and 429 that Discord counts.
    pub invalid: u64,
    /// Pauses of offenders.
    pub quarantines: u64,
    /// Bans by Cloudflare.
    pub bans: u64,
    /// Routes whose bucket was found out.
    pub discovered: u64,
    /// Routes whose bucket changed.
    pub rehashed: u64,
    /// Pairs of buckets that a route alternated between.
    pub merged: u64,
    /// Hidden limits that were told from a 429.
    pub sublimits: u64,
    /// The longest the queue was.
    pub queued_max: usize,
    /// The most that were in flight at once.
    pub in_flight_max: usize,
    /// First sendings by priority.
    pub waits: [u64; PRIORITIES],
    /// How long they had waited in all, in microseconds.
    pub waited_us: [u64; PRIORITIES],
}

impl Stats {
    pub(super) fn refuse(&mut self, why: Refusal) {
        self.refused[usize::from(why.number()) - 1] += 1;
    }

    pub(super) fn retry(&mut self, why: Retry) {
        self.retried[usize::from(why.number()) - 1] += 1;
    }

    pub(super) fn limited_by(&mut self, scope: Scope) {
        let at = match scope {
            Scope::User => 0,
            Scope::Global => 1,
            Scope::Shared => 2,
        };
        self.limited_by_scope[at] += 1;
    }

    pub(super) fn waited(&mut self, priority: Priority, waited: Duration) {
        let at = usize::from(priority.number());
        self.waits[at] += 1;
        self.waited_us[at] += crate::time::micros(waited);
    }

    /// How many requests were refused for `why`.
    #[must_use]
    pub fn refused_for(&self, why: Refusal) -> u64 {
        self.refused[usize::from(why.number()) - 1]
    }

    /// How many requests were sent again for `why`.
    #[must_use]
    pub fn retried_for(&self, why: Retry) -> u64 {
        self.retried[usize::from(why.number()) - 1]
    }
}

/// What one identity is allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityStatus {
    /// The identity.
    pub auth: Auth,
    /// Requests a second that are allowed over all routes.
    pub global_limit: u32,
    /// Waiting requests, by priority; interactions' callbacks and follow-ups not among them.
    pub queued: [u32; PRIORITIES],
    /// Discord refused the token.
    pub is_stopped: bool,
}

impl Scheduler {
    /// What happened so far.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How many requests wait.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.queued
    }

    /// How many requests are in flight.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many buckets are known.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Invalid answers in the last ten minutes, and how many Discord tolerates.
    #[must_use]
    pub const fn invalid(&self) -> (u32, u32) {
        (self.guard.spent(), self.config.invalid_budget)
    }

    /// Every identity that has sent something.
    pub fn identities(&self) -> impl Iterator<Item = IdentityStatus> + '_ {
        self.identities.iter().map(|identity| IdentityStatus {
            auth: identity.auth,
            global_limit: identity.global.limit(),
            queued: identity.queued,
            is_stopped: identity.is_stopped,
        })
    }
}
