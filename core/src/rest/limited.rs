//! 429: whose limit it was, and who waits for it.

use core::time::Duration;

use crate::wire::rate_limit::{RateLimit, Scope, TooMany};

use super::Scheduler;
use super::io::{Event, Refusal, Retry};

/// How long to wait where Discord does not say.
const UNSAID: Duration = Duration::from_secs(1);

/// What a 429 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Cloudflare refuses the address.
    Ban,
    /// The identity sends too much over all routes.
    Global,
    /// The bucket is spent.
    Bucket,
    /// A limit that no header announces.
    Hidden(Scope),
}

impl Scheduler {
    pub(super) fn limited(&mut self, at: u32, limit: &RateLimit<'_>, body: &[u8]) {
        let told = TooMany::parse(body);
        let meaning = meaning(limit, told.as_ref());
        let retry_after = told
            .as_ref()
            .and_then(|told| told.retry_after)
            .or(limit.retry_after)
            .or(limit.reset_after);
        self.stats.limited += 1;
        if meaning == Meaning::Ban {
            self.ban(at, retry_after);
            return;
        }
        let retry_after = retry_after.unwrap_or(UNSAID);
        let until = self.now + retry_after + self.config.reset_margin;
        let (lane, route, id) = {
            let request = &self.requests[at as usize];
            (request.lane, self.details[at as usize].route, request.id)
        };
        let bucket = self.lanes[lane as usize].bucket;
        let scope = match meaning {
            Meaning::Global => Scope::Global,
            Meaning::Hidden(scope) => scope,
            Meaning::Bucket | Meaning::Ban => Scope::User,
        };
        // A limit that all users of a resource share is not the bot's fault, and Discord does not count it.
        if scope != Scope::Shared {
            self.blame(at);
        }
        self.stats.limited_by(scope);
        self.say(Event::RateLimited {
            id,
            route,
            scope,
            retry_after,
            is_hidden: matches!(meaning, Meaning::Hidden(_)),
        });
        match meaning {
            Meaning::Global => self.hold_identity(at, until, limit),
            Meaning::Hidden(scope) => {
                self.learn_sublimit(at, retry_after, scope);
                self.lanes[lane as usize].hold(until);
                self.hold_lane(lane, until);
            }
            Meaning::Bucket | Meaning::Ban => {
                self.buckets[bucket as usize].window.hold(until);
                self.distrust(bucket);
                self.hold_bucket(bucket, until);
            }
        }
        self.again_after_limit(at);
        self.reindex(bucket);
        self.refuse_hopeless(bucket, until);
    }

    fn again_after_limit(&mut self, at: u32) {
        let detail = &mut self.details[at as usize];
        detail.limited += 1;
        if detail.limited > self.config.limited_retries || detail.route.is_callback() {
            self.deliver(at);
        } else {
            self.send_again(at, Retry::RateLimited, self.now);
        }
    }

    fn hold_identity(&mut self, at: u32, until: crate::time::Instant, limit: &RateLimit<'_>) {
        let (identity, auth) = {
            let request = &self.requests[at as usize];
            (request.identity, self.details[at as usize].auth)
        };
        // The headers of a 429 that is global speak of the global limit, unless they name a bucket.
        let named = limit.limit.filter(|_| limit.bucket.is_none());
        let lowered = self.identities[identity]
            .global
            .exceeded(until, named, self.now);
        self.hold_global(identity, until);
        self.say(Event::GlobalLimited { auth, until });
        if let Some(limit) = lowered {
            self.say(Event::GlobalLearned { auth, limit });
        }
    }

    /// Everything stops: more requests would prolong the ban.
    fn ban(&mut self, at: u32, retry_after: Option<Duration>) {
        let lane = self.requests[at as usize].lane;
        let bucket = self.lanes[lane as usize].bucket;
        let until = self.now + retry_after.unwrap_or(self.config.assumed_ban);
        let is_new = self.guard.banned().is_none_or(|known| known < until);
        self.guard.ban(until);
        self.stats.bans += u64::from(is_new);
        if is_new {
            self.say(Event::Banned { until });
        }
        self.again_after_limit(at);
        self.reindex(bucket);
        self.refuse_all(Refusal::DeadlineTooSoon, Some(until), |detail| {
            detail.deadline.is_some_and(|deadline| deadline < until)
        });
    }
}

/// Whose limit a 429 speaks of, by protocol: `Via` is on everything that comes from Discord itself, and a body in JSON.
fn meaning(limit: &RateLimit<'_>, told: Option<&TooMany>) -> Meaning {
    let Some(told) = told.filter(|told| told.retry_after.is_some()) else {
        return Meaning::Ban;
    };
    // Who stands between may drop `Via`; the other headers then tell that it was Discord.
    if !limit.via && limit.scope.is_none() && limit.bucket.is_none() && !limit.global {
        return Meaning::Ban;
    }
    if told.global || limit.global || limit.scope == Some(Scope::Global) {
        return Meaning::Global;
    }
    if limit.scope == Some(Scope::Shared) {
        return Meaning::Hidden(Scope::Shared);
    }
    let has_room = limit.remaining.is_some_and(|remaining| remaining > 0);
    let is_longer = match (told.retry_after, limit.reset_after) {
        (Some(retry), Some(reset)) => retry > reset + UNSAID,
        _ => false,
    };
    if has_room || is_longer {
        Meaning::Hidden(Scope::User)
    } else {
        Meaning::Bucket
    }
}
