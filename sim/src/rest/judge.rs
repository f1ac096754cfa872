//! How the limiter comes to a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use shardkeep_core::Instant;

use super::arrivals::{Arrival, Outcome, Refusal};
use super::bucket::{Bucket, Use};
use super::known::{HiddenKey, Told, Warned};
use super::limits::{Limits, Request, Verdict};
use super::reply::{self, Reply, Shown};
use super::route::Path;
use super::rule::Scope;
use super::rules::{Hidden, Hit};
use super::window::{Spec, Window};

/// After how many arrivals idle counters are looked for.
const SWEEP: u64 = 4_096;

/// How many routes are told apart; more than Discord has.
const ROUTES: usize = 2_000;

/// How many authorisations and addresses are told apart; all others count as one.
const OTHERS: u32 = 100_000;

/// What is known of a request before any limit is looked at.
pub(super) struct Seen<'a> {
    pub(super) now: u64,
    pub(super) request: Request<'a>,
    pub(super) path: Path<'a>,
    pub(super) arrival: Arrival,
    route: u32,
}

/// A bucket or a hidden limit that is full.
pub(super) struct Over {
    refusal: Refusal,
    shown: Shown,
    retry_us: u64,
    scope: Scope,
    told: Told,
    name: Option<String>,
}

impl Limits {
    pub(super) fn age_us(&self, now: Instant) -> u64 {
        u64::try_from(now.since(self.since).as_micros()).unwrap_or(u64::MAX)
    }

    /// The number of an authorisation or address.
    fn identity(&mut self, who: (bool, u64)) -> u32 {
        let next = u32::try_from(self.identities.len()).unwrap_or(OTHERS);
        match self.identities.get(&who) {
            Some(&known) => known,
            None if next >= OTHERS => OTHERS,
            None => *self.identities.entry(who).or_insert(next),
        }
    }

    pub(super) fn look<'a>(&mut self, now: Instant, request: &Request<'a>) -> Seen<'a> {
        let path = Path::parse(request.path);
        let who = match request.authorization {
            Some(authorization) => (true, crate::digest(authorization.as_bytes())),
            None => (false, request.address),
        };
        let identity = self.identity(who);
        self.scratch.clear();
        path.write_route(request.method, &mut self.scratch);
        if !self.routes.contains_key(&self.scratch) && self.routes.len() >= ROUTES {
            self.scratch.clear();
            self.scratch.push_str("others");
        }
        let (route, name) = match self.routes.get(&self.scratch) {
            Some((number, name)) => (*number, Arc::clone(name)),
            None => {
                let number = u32::try_from(self.routes.len()).unwrap_or(u32::MAX);
                let name: Arc<str> = self.scratch.as_str().into();
                self.routes
                    .insert(self.scratch.clone(), (number, Arc::clone(&name)));
                (number, name)
            }
        };
        let now = now.as_micros();
        let arrival = Arrival {
            at_us: now,
            sent_us: request.sent_at.as_micros(),
            id: request.id,
            identity,
            route: name,
            bucket: None,
            major: 0,
            outcome: Outcome::Dropped,
        };
        Seen {
            now,
            request: *request,
            path,
            arrival,
            route,
        }
    }

    pub(super) fn find(&self, seen: &Seen<'_>) -> Option<Hit> {
        let age = self.age_us(Instant::from_micros(seen.now));
        let unix_us = self.epoch_unix_us.saturating_add(seen.now);
        self.rules
            .find(seen.request.method, &seen.path, age, unix_us)
    }

    /// Forgets counters that count nothing any more, now and then.
    pub(super) fn sweep(&mut self, now: u64) {
        if self.arrivals.counters.arrivals % SWEEP == SWEEP - 1 {
            self.buckets
                .retain(|_, bucket| !bucket.window.is_idle(bucket.spec, now));
            self.hidden
                .retain(|_, (spec, window)| !window.is_idle(*spec, now));
        }
    }

    /// Counts towards the global limit, or says how long it is full.
    pub(super) fn global(&mut self, seen: &Seen<'_>) -> Result<(), u64> {
        let rule = &self.config.global;
        let limit = match seen.request.authorization {
            Some(_) => rule.limit,
            None => rule.limit_per_address,
        };
        self.globals
            .take(limit, rule, seen.arrival.identity, seen.now)
    }

    pub(super) fn over_global(&mut self, seen: Seen<'_>, retry_us: u64) -> Verdict {
        let identity = seen.arrival.identity;
        let refusal =
            if self.config.global.known || self.known.global(identity, seen.request.sent_at) {
                Refusal::GlobalAnnounced
            } else {
                Refusal::GlobalUnannounced
            };
        let detail = format!("{}: over the global limit", seen.arrival.route);
        self.count_invalid(seen.request.address, seen.now);
        self.known.tell(seen.request.id, Told::Global { identity });
        self.refuse(seen, refusal, reply::over_global(retry_us), detail)
    }

    /// Counts in the bucket and in the hidden limits behind it, or in none if one of them is full.
    pub(super) fn count(&mut self, seen: &Seen<'_>, hit: &Hit) -> Result<(Told, Shown), Box<Over>> {
        let Seen { now, request, .. } = *seen;
        let identity = seen.arrival.identity;
        let route = (identity, seen.route, hit.rule);
        let key = (identity, hit.counter, hit.major);
        let spec = self.rules.get(hit.rule).spec;
        let hash = self.rules.shown(hit);
        let bucket = self.buckets.entry(key).or_insert_with(|| Bucket::new(spec));
        bucket.roll(now);
        let documented = seen.path.documented_major();
        let used = Use::new(now, request.id, request.sent_at, route, documented);
        let mut shown = Shown {
            hash,
            spec,
            room: bucket.window.room(spec, now),
            unix_us: self.epoch_unix_us.saturating_add(now),
        };
        if !bucket.window.fits(spec, now) {
            let announced = bucket.was_announced(&self.known, &self.lost, hit.counter, &used);
            let retry_us = shown.room.retry_after_us;
            return Err(Box::new(Over {
                refusal: if announced {
                    Refusal::Announced
                } else {
                    Refusal::Unannounced
                },
                shown,
                retry_us,
                scope: Scope::User,
                told: Told::Over {
                    route,
                    bucket: key,
                    retry_us,
                },
                name: None,
            }));
        }
        let hidden = self.rules.hidden(hit, &seen.path, identity, request.body);
        if let Some((limit, hidden_key, retry_us)) = full(&mut self.hidden, &hidden, now) {
            let refusal = match self
                .known
                .hidden(hidden_key, route, documented, request.sent_at)
            {
                Warned::Never => Refusal::Hidden,
                Warned::Before => Refusal::HiddenRepeat,
                Warned::Waiting => Refusal::HiddenEarly,
            };
            return Err(Box::new(Over {
                refusal,
                shown,
                retry_us,
                scope: limit.scope,
                told: Told::Hidden {
                    route,
                    bucket: key,
                    hidden: hidden_key,
                    documented,
                    retry_us,
                },
                name: Some(limit.name.clone()),
            }));
        }
        take(&mut self.hidden, &hidden, now);
        bucket.take(used);
        shown.room = bucket.window.room(spec, now);
        Ok((Told::Counted { route, bucket: key }, shown))
    }

    pub(super) fn over(&mut self, seen: Seen<'_>, over: Over) -> Verdict {
        let Over {
            refusal,
            shown,
            retry_us,
            scope,
            told,
            name,
        } = over;
        let what = match &name {
            Some(name) => format!("the hidden limit {name}"),
            None => format!(
                "{} per {} ms",
                shown.spec.limit,
                shown.spec.window_us / 1_000
            ),
        };
        let detail = format!(
            "{} (major {}): over {what}",
            seen.arrival.route, seen.arrival.major
        );
        if scope == Scope::User {
            self.count_invalid(seen.request.address, seen.now);
        }
        self.known.tell(seen.request.id, told);
        let reply = reply::over_bucket(&shown, retry_us, scope);
        self.refuse(seen, refusal, reply, detail)
    }

    pub(super) fn refuse(
        &mut self,
        seen: Seen<'_>,
        refusal: Refusal,
        reply: Reply,
        detail: String,
    ) -> Verdict {
        let mut arrival = seen.arrival;
        arrival.outcome = Outcome::Refused(refusal);
        self.arrivals.push(arrival);
        Verdict::Refused {
            reply,
            refusal,
            detail,
        }
    }

    pub(super) fn count_invalid(&mut self, address: u64, now: u64) {
        self.arrivals.counters.invalid += 1;
        if self.invalid.count(&self.config.guard, address, now) {
            self.arrivals.counters.bans += 1;
        }
    }
}

/// The first of these hidden limits that is full, and for how long.
fn full<'a>(
    windows: &mut BTreeMap<HiddenKey, (Spec, Window)>,
    limits: &[(&'a Hidden, HiddenKey)],
    now: u64,
) -> Option<(&'a Hidden, HiddenKey, u64)> {
    limits.iter().find_map(|&(limit, key)| {
        let new = || (limit.spec, Window::new(limit.spec.kind));
        let (spec, window) = windows.entry(key).or_insert_with(new);
        window.roll(*spec, now);
        let is_full = !window.fits(*spec, now);
        is_full.then(|| (limit, key, window.room(*spec, now).retry_after_us))
    })
}

/// Counts in all of these hidden limits.
fn take(
    windows: &mut BTreeMap<HiddenKey, (Spec, Window)>,
    limits: &[(&Hidden, HiddenKey)],
    now: u64,
) {
    for (_, key) in limits {
        if let Some((spec, window)) = windows.get_mut(key) {
            window.take(*spec, now);
        }
    }
}
