//! The limiter: what is let through, what is refused, and what the headers say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shardkeep_core::Instant;

use super::arrivals::{Arrival, Arrivals, Outcome, Refusal, RestCounters};
use super::best::Tally;
use super::bucket::{Bucket, BucketKey};
use super::config::{RestConfig, RestFault};
use super::fate::{Fate, Fates};
use super::guard::{Globals, Invalid};
use super::known::{HiddenKey, Known, Told};
use super::reply::{self, Headers, Reply, Shown};
use super::route::Path;
use super::rules::Rules;
use super::window::{Spec, Window};

/// How many lost answers are remembered.
const LOST_KEPT: usize = 10_000;

/// A request as it reaches the API.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The caller's number for it, not used for another request.
    pub id: u64,
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// Path and query, with or without `/api/v10`.
    pub path: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Which address it comes from, as any number.
    pub address: u64,
    /// The JSON body: hidden limits may look at its keys.
    pub body: &'a [u8],
    /// When the client sent it: what it had been told until then decides whose fault a refusal is.
    pub sent_at: Instant,
}

impl<'a> Request<'a> {
    /// A request without body from the address 0.
    #[must_use]
    pub const fn new(id: u64, method: &'a str, path: &'a str, sent_at: Instant) -> Self {
        Self {
            id,
            method,
            path,
            authorization: Some("Bot token"),
            address: 0,
            body: &[],
            sent_at,
        }
    }
}

/// Whether a request is let through.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// It counts. Do what it asks for, then call [`Limits::finish`].
    Accepted(Permit),
    /// It was not executed.
    Refused {
        /// The 429.
        reply: Reply,
        /// Why, and whose fault it is.
        refusal: Refusal,
        /// What exactly, for people.
        detail: String,
    },
}

/// A request that was let through and is not answered yet.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    arrival: Arrival,
    address: u64,
    told: Option<(Told, Shown)>,
}

impl Permit {
    /// The request's number.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.arrival.id
    }
}

/// Every limit of the REST API, in virtual time.
///
/// ```
/// use shardkeep_sim::Instant;
/// use shardkeep_sim::rest::{Limits, Request, RestConfig, Rule, Verdict};
///
/// let config = RestConfig {
///     rules: vec![Rule::new("GET", "/users/{user_id}", "users", 1, 1_000)],
///     ..RestConfig::unlimited()
/// };
/// let mut limits = Limits::new(config, 1, Instant::ZERO, 1_795_305_600_000);
/// let first = Request::new(1, "GET", "/users/5", Instant::ZERO);
/// let Verdict::Accepted(permit) = limits.arrive(Instant::ZERO, &first) else { panic!("nothing counts yet") };
/// let headers = limits.finish(permit, 200);
/// assert!(headers.contains(&("X-RateLimit-Remaining", "0".to_owned())));
/// limits.received(Instant::from_millis(10), 1);
///
/// let second = Request::new(2, "GET", "/users/6", Instant::from_millis(20));
/// let Verdict::Refused { reply, refusal, .. } = limits.arrive(Instant::from_millis(30), &second) else { panic!() };
/// assert_eq!(reply.status, 429);
/// assert!(refusal.is_fault(), "it was told at 10 ms that nothing remained");
/// ```
#[derive(Debug)]
pub struct Limits {
    pub(super) config: RestConfig,
    pub(super) rules: Rules,
    pub(super) epoch_unix_us: u64,
    pub(super) since: Instant,
    /// Authorisations by digest, addresses as they are.
    pub(super) identities: BTreeMap<(bool, u64), u32>,
    pub(super) routes: BTreeMap<String, (u32, Arc<str>)>,
    pub(super) scratch: String,
    pub(super) buckets: BTreeMap<BucketKey, Bucket>,
    pub(super) hidden: BTreeMap<HiddenKey, (Spec, Window)>,
    pub(super) globals: Globals,
    pub(super) invalid: Invalid,
    pub(super) known: Known,
    pub(super) lost: BTreeSet<u64>,
    pub(super) fates: Fates,
    pub(super) arrivals: Arrivals,
    pub(super) tally: Tally,
}

impl Limits {
    /// Limits at the moment `now`, before any request. `epoch_unix_ms` is the wall time at `Instant::ZERO`; latency and
    /// faults follow from `seed`. Rules that [`RestConfig::check`] finds fault with are left out.
    #[must_use]
    pub fn new(config: RestConfig, seed: u64, now: Instant, epoch_unix_ms: u64) -> Self {
        Self {
            rules: Rules::new(&config),
            epoch_unix_us: epoch_unix_ms.saturating_mul(1_000),
            since: now,
            identities: BTreeMap::new(),
            routes: BTreeMap::new(),
            scratch: String::new(),
            buckets: BTreeMap::new(),
            hidden: BTreeMap::new(),
            globals: Globals::default(),
            invalid: Invalid::default(),
            known: Known::default(),
            lost: BTreeSet::new(),
            fates: Fates::new(&config, seed),
            arrivals: Arrivals::new(config.log),
            tally: Tally::default(),
            config,
        }
    }

    /// What was chosen.
    #[must_use]
    pub const fn config(&self) -> &RestConfig {
        &self.config
    }

    /// Everything that is counted.
    #[must_use]
    pub const fn counters(&self) -> &RestCounters {
        &self.arrivals.counters
    }

    /// The last arrivals, oldest first: as many as [`RestConfig::log`] says.
    pub fn arrivals(&self) -> impl DoubleEndedIterator<Item = &Arrival> + ExactSizeIterator {
        self.arrivals.last()
    }

    /// The webhook posts to this channel: hidden limits by channel count it there. Unbound webhooks count each for
    /// itself.
    pub fn bind_webhook(&mut self, webhook: u64, channel: u64) {
        self.rules.bind(webhook, channel);
    }

    /// Draws what the network does to a request that is sent now.
    pub fn fate(&mut self, now: Instant, path: &str) -> Fate {
        let age = self.age_us(now);
        let fate = self.fates.draw(age, path);
        if matches!(fate.fault, Some(RestFault::Slow { .. })) {
            self.arrivals.counters.slow += 1;
        }
        fate
    }

    /// The status and code of a resource that is denied by the configuration.
    #[must_use]
    pub fn denial(&self, path: &str) -> Option<(u16, u32)> {
        self.rules.denial(&Path::parse(path))
    }

    /// A request arrives. Times must not go backwards.
    pub fn arrive(&mut self, now: Instant, request: &Request<'_>) -> Verdict {
        let mut seen = self.look(now, request);
        self.sweep(seen.now);
        if let Some(left) = self.invalid.banned(request.address, seen.now) {
            let detail = format!("{} while banned", seen.arrival.route);
            return self.refuse(seen, Refusal::Banned, reply::banned(left), detail);
        }
        let hit = self.find(&seen);
        if let Some(hit) = &hit {
            seen.arrival.bucket = Some(Arc::clone(&hit.hash));
            seen.arrival.major = hit.major;
        }
        if !seen.path.is_interaction()
            && let Err(retry_us) = self.global(&seen)
        {
            return self.over_global(seen, retry_us);
        }
        let mut told = None;
        if let Some(hit) = hit {
            match self.count(&seen, &hit) {
                Ok(there) => told = Some(there),
                Err(over) => return self.over(seen, *over),
            }
        }
        let bucket = told
            .as_ref()
            .and_then(|(told, shown): &(Told, Shown)| match told {
                Told::Counted { bucket, .. } => Some((*bucket, shown.spec)),
                _ => None,
            });
        let exempt = seen.path.is_interaction();
        self.tally
            .accepted(seen.now, seen.arrival.identity, bucket, exempt);
        Verdict::Accepted(Permit {
            arrival: seen.arrival,
            address: request.address,
            told,
        })
    }

    /// A request that was let through is answered with this status: the headers of the answer.
    pub fn finish(&mut self, permit: Permit, status: u16) -> Headers {
        let Permit {
            mut arrival,
            address,
            told,
        } = permit;
        arrival.outcome = Outcome::Accepted(status);
        let mut headers = reply::origin();
        if status == 204 {
            headers.retain(|(name, _)| *name != "Content-Type");
        }
        // Who is not let in is told of no bucket.
        if let Some((told, shown)) = told
            && status != 401
        {
            shown.write(&mut headers);
            self.known.tell(arrival.id, told);
        }
        if matches!(status, 401 | 403) {
            self.count_invalid(address, arrival.at_us);
        }
        self.arrivals.push(arrival);
        headers
    }

    /// A fault answers a request before it reaches any limit.
    pub fn fail(&mut self, now: Instant, request: &Request<'_>, status: u16) -> Reply {
        self.note(now, request, Outcome::Failed(status));
        reply::failed(status)
    }

    /// A request's connection breaks before it is looked at.
    pub fn drop_before(&mut self, now: Instant, request: &Request<'_>) {
        self.note(now, request, Outcome::Dropped);
    }

    /// The client received the answer to a request at `at`. It may be called beforehand, as soon as that is known.
    pub fn received(&mut self, at: Instant, id: u64) {
        match self.known.received(at, id) {
            Some(Told::Counted { bucket, .. }) => {
                if let Some(bucket) = self.buckets.get_mut(&bucket) {
                    bucket.received(at, id);
                }
            }
            Some(Told::Over {
                bucket, retry_us, ..
            }) => {
                if let Some(bucket) = self.buckets.get_mut(&bucket) {
                    bucket.warned(at, retry_us);
                }
            }
            _ => {}
        }
    }

    /// The answer to a request is lost: its connection broke after the request was processed.
    pub fn lost(&mut self, id: u64) {
        self.arrivals.counters.dropped_after += 1;
        self.known.lost(id);
        self.lost.insert(id);
        if self.lost.len() > LOST_KEPT {
            self.lost.pop_first();
        }
    }

    fn note(&mut self, now: Instant, request: &Request<'_>, outcome: Outcome) {
        let mut seen = self.look(now, request);
        seen.arrival.outcome = outcome;
        self.arrivals.push(seen.arrival);
    }
}
