//! Forgetting: lanes, buckets and routes that nobody has used for a while, a few at a time.

use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;

use super::Scheduler;
use super::buckets::Limiter;
use super::route::Major;
use super::submit::slot;

/// How often something is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How many of each are looked at in one go, at least: a sweep must not hold up a request.
const STEP_MIN: usize = 512;

/// In how many goes all are looked at: with a fixed step, resources that come faster than it would never be caught up.
const GOES: usize = 32;

/// How long the lanes of an interaction are remembered at most: most are used once, and large bots have thousands a
/// second. Their buckets are remembered until they are full again, as all are.
const INTERACTION_KEPT: Duration = Duration::from_secs(10);

fn step(count: usize) -> usize {
    STEP_MIN.max(count.div_ceil(GOES))
}

/// Where the sweep stands.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    at: Instant,
    lane: usize,
    bucket: usize,
}

impl Sweep {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            at: now,
            lane: 0,
            bucket: 0,
        }
    }
}

impl Scheduler {
    /// When something may be forgotten; `None` while nothing is kept.
    pub(super) fn sweep_at(&self) -> Option<Instant> {
        let is_empty = self.lanes.is_empty() && self.buckets.is_empty();
        (!is_empty).then(|| self.sweep.at + EVERY)
    }

    pub(super) fn sweep(&mut self) {
        if self.sweep.at + EVERY > self.now {
            return;
        }
        self.sweep.at = self.now;
        self.guard.forget(self.now);
        self.sweep_lanes();
        self.sweep_buckets();
        if self.sweep.lane == 0 {
            self.sweep_routes();
        }
    }

    fn sweep_lanes(&mut self) {
        let now = self.now;
        let keep = self.config.forget_after;
        let start = self.sweep.lane;
        let most = self.lanes.capacity();
        let end = most.min(start + step(most));
        let idle: Vec<u32> = (start..end)
            .filter(|&at| {
                self.lanes.get(at).is_some_and(|lane| {
                    let keep = match lane.key.major {
                        Major::Interaction(_) => keep.min(INTERACTION_KEPT),
                        _ => keep,
                    };
                    // A hidden limit is kept to for as long as requests count against it.
                    let kept = lane
                        .sublimit
                        .as_ref()
                        .map_or(keep, |sublimit| keep.max(sublimit.window));
                    lane.is_idle(now) && lane.touched + kept <= now
                })
            })
            .map(slot)
            .collect();
        self.sweep.lane = if end == most { 0 } else { end };
        for at in idle {
            let lane = self.lanes.remove(at as usize);
            self.lane_keys.remove(lane.key.hash(), at);
            let bucket = &mut self.buckets[lane.bucket as usize];
            bucket.lanes.remove(at);
            if bucket.lanes.is_empty() && !matches!(bucket.limiter, Limiter::Named { .. }) {
                self.reindex(lane.bucket);
                self.buckets.remove(lane.bucket as usize);
            }
        }
    }

    fn sweep_buckets(&mut self) {
        let now = self.now;
        let start = self.sweep.bucket;
        let most = self.buckets.capacity();
        let end = most.min(start + step(most));
        let idle: Vec<u32> = (start..end)
            .filter(|&at| {
                self.buckets.get(at).is_some_and(|bucket| {
                    bucket.lanes.is_empty() && bucket.in_flight == 0 && bucket.window.is_idle(now)
                })
            })
            .map(slot)
            .collect();
        self.sweep.bucket = if end == most { 0 } else { end };
        for at in idle {
            let bucket = self.buckets.remove(at as usize);
            if let Some((hash, major)) = bucket.name {
                self.bucket_keys.remove(&(bucket.auth, hash, major));
            }
        }
    }

    /// Routes outlive their lanes by far: what they taught saves a request at a time for every new resource.
    fn sweep_routes(&mut self) {
        let (now, keep) = (self.now, self.config.forget_after.saturating_mul(288));
        let mut outdated = Vec::new();
        for (&key, state) in &mut self.routes {
            if state.drop_old_sublimit(now) {
                outdated.push(key);
            }
        }
        for key in outdated {
            for lane in self.lanes_of(key) {
                self.lanes[lane as usize].sublimit = None;
                let bucket = self.lanes[lane as usize].bucket;
                self.reindex(bucket);
            }
        }
        self.routes.retain(|_, state| state.touched + keep > now);
        if self.in_flight == 0 || self.leaders.is_empty() {
            // Reads that could be older than these changes are all answered.
            self.changes.clear();
        }
        self.drop_changes();
    }

    /// Changes that lie before every read in flight no longer matter.
    fn drop_changes(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let oldest = self
            .requests
            .iter()
            .filter(|(_, request)| request.state == super::request::State::InFlight)
            .map(|(at, _)| self.details[at].sent_seq)
            .min();
        if let Some(oldest) = oldest {
            self.changes.retain(|_, seq| *seq >= oldest);
        }
    }
}
