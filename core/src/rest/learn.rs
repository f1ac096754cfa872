//! What answers teach: which bucket a route belongs to, and which hidden limit it keeps to.
//!
//! A route's hash is not known before its first answer, may change at any time, and may differ from one answer to the
//! next. Requests wait in lanes, and a lane is moved from bucket to bucket with everything that is in flight: none is
//! lost, and none is forgotten by the bucket that may count it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;
use crate::wire::rate_limit::{RateLimit, Scope};

use super::Scheduler;
use super::bucket::Window;
use super::buckets::{Bucket, BucketHash, Limiter};
use super::io::{Auth, Event};
use super::lane::{RouteKey, Sublimit};
use super::profile::Profile;
use super::request::Kind;
use super::route::Major;
use super::submit::slot;

/// How many hashes of one route are remembered, to notice that they alternate.
const SEEN_MAX: usize = 4;

/// The least time for which a hidden limit is kept to.
const SUBLIMIT_KEPT: Duration = Duration::from_secs(3_600);

/// What is known of a route, on whatever resource it is called.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteState {
    hash: Option<BucketHash>,
    /// Hashes it had before.
    seen: Vec<BucketHash>,
    /// A successful answer named no bucket.
    is_free: bool,
    sublimit: Option<(Sublimit, Instant)>,
    pub(super) touched: Instant,
}

impl RouteState {
    pub(super) const fn hash(&self) -> Option<BucketHash> {
        self.hash
    }

    pub(super) const fn is_free(&self) -> bool {
        self.is_free
    }

    pub(super) fn sublimit(&self, now: Instant) -> Option<Sublimit> {
        self.sublimit
            .filter(|&(_, until)| until > now)
            .map(|(sublimit, _)| sublimit)
    }

    /// A hidden limit that has served its time. Tells whether there was one.
    pub(super) fn drop_old_sublimit(&mut self, now: Instant) -> bool {
        let is_old = self.sublimit.is_some_and(|(_, until)| until <= now);
        if is_old {
            self.sublimit = None;
        }
        is_old
    }

    /// The route had this hash before.
    fn remember(&mut self, hash: BucketHash) {
        if self.seen.len() == SEEN_MAX {
            self.seen.remove(0);
        }
        self.seen.push(hash);
    }

    pub(super) fn restored(hash: Option<BucketHash>, is_free: bool, now: Instant) -> Self {
        Self {
            hash,
            is_free,
            touched: now,
            ..Self::default()
        }
    }
}

impl Scheduler {
    /// Takes in the headers of an answer.
    pub(super) fn learn(&mut self, at: u32, status: u16, limit: &RateLimit<'_>) {
        // A 429 of scope shared carries the headers of another bucket.
        if limit.scope == Some(Scope::Shared) || limit.global && status == 429 {
            return;
        }
        let request = &self.requests[at as usize];
        let lane = request.lane;
        if request.kind == Kind::Callback {
            return;
        }
        let Some(name) = limit.bucket else {
            if (200..300).contains(&status) {
                self.learn_free(lane);
            }
            return;
        };
        let auth = self.lanes[lane as usize].key.route.auth;
        let hash = self.aliased(auth, BucketHash::of(name));
        let hash = self.learn_hash(lane, hash);
        let Some(sample) = self.sample(at, limit) else {
            return;
        };
        let bucket = self.lanes[lane as usize].bucket;
        let bucket = &mut self.buckets[bucket as usize];
        let Limiter::Named { profile } = bucket.limiter else {
            return;
        };
        debug_assert_eq!(
            bucket.name.map(|(hash, _)| hash),
            Some(hash),
            "the lane is in the bucket of its last answer"
        );
        let profile = &mut self.profiles[profile as usize];
        bucket
            .window
            .learn(profile, sample, bucket.in_flight, self.config.reset_margin);
        self.tell_of_sample(self.lanes[lane as usize].bucket, sample);
    }

    fn aliased(&self, auth: Auth, hash: BucketHash) -> BucketHash {
        self.aliases.get(&(auth, hash)).copied().unwrap_or(hash)
    }

    /// The lane's last answer named this hash. Tells the one it counts as.
    fn learn_hash(&mut self, lane: u32, hash: BucketHash) -> BucketHash {
        let key = self.lanes[lane as usize].key;
        let auth = key.route.auth;
        let state = self.routes.entry(key.route).or_default();
        state.touched = self.now;
        state.is_free = false;
        let mut hash = hash;
        match state.hash {
            Some(known) if known == hash => {}
            None => {
                state.hash = Some(hash);
                self.stats.discovered += 1;
                self.note_route(key.route, Some(hash));
                self.move_route(key.route, hash);
            }
            Some(known) if state.seen.contains(&hash) => {
                // It had this hash before: the two alternate, and an answer of one says nothing of the other's end.
                self.merge(auth, hash, known);
                hash = known;
            }
            Some(known) => {
                state.remember(known);
                state.hash = Some(hash);
                self.stats.rehashed += 1;
                self.note_route(key.route, Some(hash));
                self.move_route(key.route, hash);
            }
        }
        let bucket = self.lanes[lane as usize].bucket;
        let name = self.buckets[bucket as usize].name;
        if name.is_none_or(|(named, _)| named != hash) {
            self.move_lane(lane, hash);
        }
        hash
    }

    /// A successful answer without a bucket: only the global limit holds this route, until an answer says otherwise.
    fn learn_free(&mut self, lane: u32) {
        let route = self.lanes[lane as usize].key.route;
        if self.hear_of_freedom(route) {
            self.note_route(route, None);
        }
    }

    /// A route's answers name no bucket. `false` if one is known, or this is.
    pub(super) fn hear_of_freedom(&mut self, route: RouteKey) -> bool {
        let state = self.routes.entry(route).or_default();
        state.touched = self.now;
        if state.hash.is_some() || state.is_free {
            return false;
        }
        state.is_free = true;
        for lane in self.lanes_of(route) {
            let bucket = self.lanes[lane as usize].bucket;
            if self.buckets[bucket as usize].limiter == Limiter::Unknown {
                self.buckets[bucket as usize].limiter = Limiter::Free;
                self.reindex(bucket);
            }
        }
        true
    }

    /// Another process found out the bucket of a route.
    pub(super) fn hear_of_hash(&mut self, route: RouteKey, hash: BucketHash) {
        let hash = self.aliased(route.auth, hash);
        let state = self.routes.entry(route).or_default();
        state.touched = self.now;
        state.is_free = false;
        let mut hash = hash;
        match state.hash {
            Some(known) if known == hash => {}
            Some(known) if state.seen.contains(&hash) => {
                self.merge(route.auth, hash, known);
                hash = known;
            }
            Some(known) => {
                state.remember(known);
                state.hash = Some(hash);
            }
            None => state.hash = Some(hash),
        }
        self.move_route(route, hash);
    }

    pub(super) fn lanes_of(&self, route: RouteKey) -> Vec<u32> {
        self.lanes
            .iter()
            .filter(|(_, lane)| lane.key.route == route)
            .map(|(lane, _)| slot(lane))
            .collect()
    }

    fn move_route(&mut self, route: RouteKey, hash: BucketHash) {
        for lane in self.lanes_of(route) {
            self.move_lane(lane, hash);
        }
    }

    /// The bucket of a hash and a resource, made if it is new.
    pub(super) fn named_bucket(
        &mut self,
        auth: Auth,
        hash: BucketHash,
        major: Major,
        is_exempt: bool,
    ) -> u32 {
        let key = (auth, hash, major);
        if let Some(&at) = self.bucket_keys.get(&key) {
            return at;
        }
        let profile = self.profile(auth, hash);
        let identity = self.identity(auth);
        let limiter = Limiter::Named { profile };
        let mut bucket = Bucket::new(auth, identity, limiter, is_exempt);
        bucket.name = Some((hash, major));
        let at = slot(self.buckets.insert(bucket));
        self.bucket_keys.insert(key, at);
        at
    }

    pub(super) fn profile(&mut self, auth: Auth, hash: BucketHash) -> u32 {
        if let Some(&at) = self.profile_keys.get(&(auth, hash)) {
            return at;
        }
        // A limit that is not known yet lets one request go, like a route that is not.
        let at = slot(self.profiles.insert(Profile::new(1)));
        self.profile_keys.insert((auth, hash), at);
        at
    }

    /// Moves a lane, with what waits and what is in flight, to the bucket of `hash`.
    fn move_lane(&mut self, lane: u32, hash: BucketHash) {
        let (key, old) = {
            let lane = &self.lanes[lane as usize];
            (lane.key, lane.bucket)
        };
        let is_exempt = self.buckets[old as usize].is_exempt;
        let new = self.named_bucket(key.route.auth, hash, key.major, is_exempt);
        if new == old {
            return;
        }
        let (queued, in_flight) = {
            let lane = &mut self.lanes[lane as usize];
            lane.bucket = new;
            (lane.queued, lane.in_flight)
        };
        let left = &mut self.buckets[old as usize];
        left.lanes.remove(lane);
        left.queued -= queued;
        left.in_flight -= in_flight;
        let is_unnamed = !matches!(left.limiter, Limiter::Named { .. });
        let held = left.window.clone();
        let joined = &mut self.buckets[new as usize];
        joined.lanes.push(lane);
        joined.queued += queued;
        joined.in_flight += in_flight;
        // Another name need not mean another counter: what was spent under the old one is believed to be spent.
        joined.window.absorb(&held, self.now);
        self.note_move(old, new, in_flight);
        self.reindex(old);
        if is_unnamed && self.buckets[old as usize].lanes.is_empty() {
            self.buckets.remove(old as usize);
        }
        self.reindex(new);
    }

    /// Two hashes that one route alternates between become one, whose windows know the worse of both.
    pub(super) fn merge(&mut self, auth: Auth, from: BucketHash, into: BucketHash) {
        self.aliases.insert((auth, from), into);
        self.note_alias(auth, from, into);
        self.stats.merged += 1;
        let source = self.profile(auth, from);
        let source = self.profiles[source as usize].clone();
        let target = self.profile(auth, into);
        let target = &mut self.profiles[target as usize];
        target.limit = target.limit.min(source.limit).max(1);
        target.window = target.window.max(source.window);
        target.distrust();
        target.is_merged = true;
        let first = (auth, from, Major::None);
        let moved: Vec<(Major, u32)> = self
            .bucket_keys
            .range(first..)
            .take_while(|((owner, hash, _), _)| (*owner, *hash) == (auth, from))
            .map(|(&(_, _, major), &bucket)| (major, bucket))
            .collect();
        for (major, bucket) in moved {
            let window = self.buckets[bucket as usize].window.clone();
            let is_exempt = self.buckets[bucket as usize].is_exempt;
            let target = self.named_bucket(auth, into, major, is_exempt);
            self.buckets[target as usize]
                .window
                .absorb(&window, self.now);
            self.note_merge(bucket, target);
            for &lane in self.buckets[bucket as usize].lanes.clone().iter() {
                self.move_lane(lane, into);
            }
            self.reindex(target);
        }
        for state in self
            .routes
            .values_mut()
            .filter(|state| state.hash == Some(from))
        {
            state.hash = Some(into);
        }
    }

    /// A bucket that was held for sliding was spent although it should not have been.
    pub(super) fn distrust(&mut self, bucket: u32) {
        if let Limiter::Named { profile } = self.buckets[bucket as usize].limiter {
            self.profiles[profile as usize].distrust();
        }
    }

    /// Tells the hidden limit behind a 429 from what the lane was allowed before.
    pub(super) fn learn_sublimit(&mut self, at: u32, retry_after: Duration, scope: Scope) {
        let lane = self.requests[at as usize].lane;
        let route = self.details[at as usize].route;
        let key = self.lanes[lane as usize].key.route;
        let Some(sublimit) = self.lanes[lane as usize].guess_sublimit(self.now, retry_after, scope)
        else {
            return;
        };
        let kept = self.now + SUBLIMIT_KEPT.max(sublimit.window.saturating_mul(10));
        if !self.take_sublimit(key, sublimit, kept) {
            return;
        }
        self.stats.sublimits += 1;
        self.note_sublimit(key, sublimit.limit, sublimit.window, kept);
        self.say(Event::SublimitLearned {
            route,
            limit: sublimit.limit,
            window: sublimit.window,
        });
    }

    /// A hidden limit of a route is known. `false` if one is that is as strict.
    pub(super) fn take_sublimit(
        &mut self,
        key: RouteKey,
        sublimit: Sublimit,
        until: Instant,
    ) -> bool {
        let state = self.routes.entry(key).or_default();
        let stricter = state
            .sublimit(self.now)
            .is_none_or(|known| known.window != sublimit.window || sublimit.limit < known.limit);
        if !stricter {
            return false;
        }
        state.sublimit = Some((sublimit, until));
        state.touched = self.now;
        for lane in self.lanes_of(key) {
            self.lanes[lane as usize].sublimit = Some(Box::new(sublimit));
            let bucket = self.lanes[lane as usize].bucket;
            self.reindex(bucket);
        }
        true
    }

    /// The window of a bucket as it is in a snapshot.
    pub(super) fn restore_window(&mut self, bucket: u32, window: Window) {
        self.buckets[bucket as usize].window = window;
    }
}
