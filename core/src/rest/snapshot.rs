//! A warm start: what was learned of Discord's limits, to go on with elsewhere.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

use super::Scheduler;
use super::bucket::Window;
use super::buckets::BucketHash;
use super::config::Config;
use super::io::Auth;
use super::lane::RouteKey;
use super::learn::RouteState;
use super::profile::Kind;
use super::route::{Major, Method, Template};

/// What a scheduler has learned. Requests are not part of it: who submitted them submits them again.
///
/// Moments are kept as what is left of them, because the next process has another epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which bucket each route belongs to.
    pub routes: Vec<RouteSnapshot>,
    /// The limits behind the hashes.
    pub limits: Vec<LimitSnapshot>,
    /// Buckets that are not full.
    pub buckets: Vec<BucketSnapshot>,
    /// How long Cloudflare refuses the address still, in milliseconds.
    pub banned_ms: Option<u64>,
}

/// The bucket of one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSnapshot {
    /// The identity.
    pub auth: u32,
    /// The method, by [`Method::number`].
    pub method: u8,
    /// The template, by [`Template::hash`].
    pub template: u64,
    /// What the driver tells apart.
    pub class: u8,
    /// The bucket, hashed; `None` if its answers name none.
    pub bucket: Option<u64>,
}

/// The limit of one bucket's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitSnapshot {
    /// The identity.
    pub auth: u32,
    /// The bucket, hashed.
    pub bucket: u64,
    /// How many requests.
    pub limit: u32,
    /// In how long, in microseconds.
    pub window_us: u64,
    /// How long one takes to come back, in microseconds, if the window was proven to slide.
    pub period_us: Option<u64>,
}

/// A bucket that is not full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSnapshot {
    /// The identity.
    pub auth: u32,
    /// The bucket, hashed.
    pub bucket: u64,
    /// The kind of resource: 0 none, 1 guild, 2 channel, 3 webhook. Interactions are not kept.
    pub major: u8,
    /// The resource's id.
    pub id: u64,
    /// The hash of the webhook's token.
    pub token: Option<u64>,
    /// How many requests are left.
    pub remaining: u32,
    /// In how long it is full again, in microseconds.
    pub reset_after_us: u64,
}

const NONE: u8 = 0;
const GUILD: u8 = 1;
const CHANNEL: u8 = 2;
const WEBHOOK: u8 = 3;

fn flat(major: Major) -> Option<(u8, u64, Option<u64>)> {
    match major {
        Major::None => Some((NONE, 0, None)),
        Major::Guild(id) => Some((GUILD, id.0, None)),
        Major::Channel(id) => Some((CHANNEL, id.0, None)),
        Major::Webhook { id, token } => Some((WEBHOOK, id.0, token)),
        // Its token lives fifteen minutes and its bucket seconds.
        Major::Interaction(_) => None,
    }
}

fn major(kind: u8, id: u64, token: Option<u64>) -> Option<Major> {
    let id = crate::Snowflake(id);
    match kind {
        NONE => Some(Major::None),
        GUILD => Some(Major::Guild(id)),
        CHANNEL => Some(Major::Channel(id)),
        WEBHOOK => Some(Major::Webhook { id, token }),
        _ => None,
    }
}

impl Scheduler {
    /// A scheduler that knows what another one learned `ago`. What makes no sense in a snapshot is left out: it is
    /// found out again.
    #[must_use]
    pub fn restore(config: Config, snapshot: &Snapshot, now: Instant, ago: Duration) -> Self {
        let mut scheduler = Self::new(config, now);
        for limit in &snapshot.limits {
            scheduler.restore_limit(limit);
        }
        for route in &snapshot.routes {
            scheduler.restore_route(route);
        }
        for bucket in &snapshot.buckets {
            scheduler.restore_bucket(bucket, ago);
        }
        let banned = snapshot.banned_ms.map(Duration::from_millis);
        if let Some(left) = banned.and_then(|left| left.checked_sub(ago)) {
            scheduler.guard.ban(now + left);
        }
        scheduler
    }

    fn restore_limit(&mut self, limit: &LimitSnapshot) {
        if limit.limit == 0 {
            return;
        }
        let at = self.profile(Auth(limit.auth), BucketHash(limit.bucket));
        let profile = &mut self.profiles[at as usize];
        profile.limit = limit.limit;
        profile.window = Duration::from_micros(limit.window_us);
        if let Some(period @ 1..) = limit.period_us {
            profile.kind = Kind::Sliding {
                period: Duration::from_micros(period),
            };
        }
    }

    fn restore_route(&mut self, route: &RouteSnapshot) {
        let Some(&method) = Method::ALL
            .iter()
            .find(|method| method.number() == route.method)
        else {
            return;
        };
        let key = RouteKey {
            auth: Auth(route.auth),
            template: Template::from_hash(route.template),
            method,
            class: route.class,
        };
        let hash = route.bucket.map(BucketHash);
        let state = RouteState::restored(hash, hash.is_none(), self.now);
        self.routes.insert(key, state);
    }

    fn restore_bucket(&mut self, bucket: &BucketSnapshot, ago: Duration) {
        let left = Duration::from_micros(bucket.reset_after_us).checked_sub(ago);
        let (Some(left), Some(major)) = (left, major(bucket.major, bucket.id, bucket.token)) else {
            return;
        };
        let at = self.named_bucket(Auth(bucket.auth), BucketHash(bucket.bucket), major, false);
        let window = Window::restored(bucket.remaining, Some(self.now + left), None);
        self.restore_window(at, window);
    }

    pub(super) fn take_snapshot(&self) -> Snapshot {
        let routes = self
            .routes
            .iter()
            .filter(|(_, state)| state.hash().is_some() || state.is_free());
        let routes = routes.map(|(key, state)| RouteSnapshot {
            auth: key.auth.0,
            method: key.method.number(),
            template: key.template.hash(),
            class: key.class,
            bucket: state.hash().map(|hash| hash.0),
        });
        let limits = self.profile_keys.iter().map(|(&(auth, hash), &at)| {
            let profile = &self.profiles[at as usize];
            LimitSnapshot {
                auth: auth.0,
                bucket: hash.0,
                limit: profile.limit,
                window_us: crate::time::micros(profile.window),
                period_us: match profile.kind {
                    Kind::Sliding { period } => Some(crate::time::micros(period)),
                    Kind::Fixed | Kind::Log => None,
                },
            }
        });
        let banned = self.guard.banned().map(|until| until.since(self.now));
        Snapshot {
            routes: routes.collect(),
            limits: limits.collect(),
            buckets: self.bucket_snapshots().collect(),
            banned_ms: banned.map(|left| crate::time::micros(left).div_ceil(1_000)),
        }
    }

    fn bucket_snapshots(&self) -> impl Iterator<Item = BucketSnapshot> + '_ {
        self.buckets.iter().filter_map(|(_, bucket)| {
            let (hash, major) = bucket.name?;
            let (remaining, reset, held) = bucket.window.parts();
            let until = reset.max(held).filter(|&until| until > self.now)?;
            let (kind, id, token) = flat(major)?;
            // What is in flight may be counted after this: the next process must not send in its place.
            let remaining = remaining.saturating_sub(bucket.in_flight);
            Some(BucketSnapshot {
                auth: bucket.auth.0,
                bucket: hash.0,
                major: kind,
                id,
                token,
                remaining: if held.is_some_and(|held| held > self.now) {
                    0
                } else {
                    remaining
                },
                reset_after_us: crate::time::micros(until.since(self.now)),
            })
        })
    }
}
