//! When the ledger is to be spoken to: what is wanted, and what it should hear.

use core::time::Duration;

use crate::rest::Scheduler;
use crate::rest::bucket::Room;
use crate::rest::profile::{ROUNDED_UP, Sample};
use crate::time::Instant;

use super::allowance::Seen;
use super::{Allowance, Target};

/// How long news wait for others to go with, where nothing is wanted.
const TOGETHER: Duration = Duration::from_millis(5);

impl Scheduler {
    /// Where the allowance of a limit is.
    pub(super) fn allowance_mut(&mut self, target: Target) -> Option<&mut Allowance> {
        let place = match target {
            Target::Invalid => return self.pool.as_deref_mut().map(|pool| &mut *pool.credits),
            Target::Identity(at) => &mut self.identities.get_mut(at as usize)?.allowance,
            Target::Bucket(at) => &mut self.buckets.get_mut(at as usize)?.allowance,
            Target::Lane(at) => &mut self.lanes.get_mut(at as usize)?.allowance,
        };
        Some(place.get_or_insert_default())
    }

    /// The ledger is to be spoken to about a limit at `at`.
    pub(super) fn list(&mut self, target: Target, at: Instant) {
        let Some(listed) = self.allowance_mut(target).map(|allowance| allowance.listed) else {
            return;
        };
        let Some(pool) = &mut self.pool else {
            return;
        };
        let listed = pool.list(target, listed, at);
        if let Some(allowance) = self.allowance_mut(target) {
            allowance.listed = Some(listed);
        }
    }

    /// A bucket was put in order: asks for what it could send and has no tokens for. `own` is what it has itself.
    pub(in crate::rest) fn ask_for(&mut self, at: u32, own: Room) {
        if self.pool.is_none() || !self.is_pooled(&self.buckets[at as usize]) {
            return;
        }
        let now = self.now;
        let wanted = self.wanted(at, own);
        let target = Target::Bucket(at);
        let bucket = &self.buckets[at as usize];
        let (identity, queued) = (bucket.identity, self.open_queue(at));
        let lanes = bucket.lanes.clone();
        let Some(allowance) = self.allowance_mut(target) else {
            return;
        };
        let not_before = allowance.not_before.max(now);
        let has_too_many = queued == 0 && allowance.usable(now) > 0;
        if wanted > 0 {
            self.list(target, not_before);
        } else if has_too_many {
            self.list(target, now + TOGETHER);
        }
        for &lane in lanes.iter() {
            self.ask_for_lane(lane);
        }
        self.ask_for_identity(identity);
    }

    /// How many requests of a bucket wait in lanes that nothing holds. Tokens of a bucket are wanted for no others: who
    /// holds one and waits for another limit could wait for somebody who holds that and waits for this. So hidden
    /// limits come first, then buckets, then the global limit.
    pub(super) fn open_queue(&self, at: u32) -> u32 {
        let lanes = &self.buckets[at as usize].lanes;
        lanes
            .iter()
            .map(|&lane| &self.lanes[lane as usize])
            .filter(|lane| lane.queued > 0 && self.lane_held(lane).is_none())
            .fold(0, |sum, lane| sum + lane.queued)
    }

    /// How many tokens a bucket wants beside those it has.
    pub(super) fn wanted(&self, at: u32, own: Room) -> u32 {
        let bucket = &self.buckets[at as usize];
        let usable = bucket
            .allowance
            .as_deref()
            .map_or(0, |allowance| allowance.usable(self.now));
        match own {
            Room::Now(open) => open.min(self.open_queue(at)).saturating_sub(usable),
            Room::At(_) | Room::AfterAnswer => 0,
        }
    }

    fn ask_for_lane(&mut self, at: u32) {
        let lane = &self.lanes[at as usize];
        if lane.sublimit.is_none() || lane.queued == 0 {
            return;
        }
        let now = self.now;
        let target = Target::Lane(at);
        if let Some(allowance) = self.allowance_mut(target)
            && allowance.usable(now) == 0
        {
            let not_before = allowance.not_before.max(now);
            self.list(target, not_before);
        }
    }

    /// Asks for tokens of the global limit, for what could go but for them.
    pub(in crate::rest) fn ask_for_identity(&mut self, at: usize) {
        let identity = &self.identities[at];
        let is_waiting = identity.has_ready();
        let now = self.now;
        let target = Target::Identity(super::super::submit::slot(at));
        if let Some(allowance) = self.allowance_mut(target)
            && is_waiting
            && allowance.usable(now) == 0
        {
            let not_before = allowance.not_before.max(now);
            self.list(target, not_before);
        }
    }

    /// A request landed: the ledger should hear of what that gives back.
    pub(in crate::rest) fn tell_of_landing(&mut self, bucket: u32) {
        if self.pool.is_none() {
            return;
        }
        let identity = self.buckets[bucket as usize].identity;
        if self.identities[identity].pooled.is_none() {
            return;
        }
        let at = self.now + TOGETHER;
        self.list(Target::Identity(super::super::submit::slot(identity)), at);
        if self.is_pooled(&self.buckets[bucket as usize]) {
            self.list(Target::Bucket(bucket), at);
        }
    }

    /// An answer said what is left of a bucket.
    pub(in crate::rest) fn tell_of_sample(&mut self, bucket: u32, sample: Sample) {
        if self.pool.is_none() {
            return;
        }
        let margin = self.config.reset_margin;
        if let Some(allowance) = self.allowance_mut(Target::Bucket(bucket)) {
            allowance.window = allowance.window.max(sample.reset_after);
            allowance.news.seen.push(Seen {
                limit: sample.limit,
                remaining: sample.remaining,
                lower: sample.sent + sample.reset_after.saturating_sub(ROUNDED_UP),
                upper: sample.received + sample.reset_after + margin,
            });
        }
    }

    /// Discord may have counted a request without saying what is left.
    pub(in crate::rest) fn tell_of_loss(&mut self, bucket: u32) {
        if self.pool.is_some()
            && let Some(allowance) = self.allowance_mut(Target::Bucket(bucket))
        {
            allowance.news.lost += 1;
        }
    }

    /// Discord said how long to wait for a limit.
    pub(super) fn tell_of_hold(&mut self, target: Target, until: Instant) {
        let now = self.now;
        if let Some(allowance) = self.allowance_mut(target) {
            allowance.news.hold = allowance.news.hold.max(Some(until));
            self.list(target, now);
        }
    }

    pub(in crate::rest) fn hold_bucket(&mut self, bucket: u32, until: Instant) {
        if self.pool.is_some() && self.is_pooled(&self.buckets[bucket as usize]) {
            self.tell_of_hold(Target::Bucket(bucket), until);
        }
    }

    pub(in crate::rest) fn hold_global(&mut self, identity: usize, until: Instant) {
        if self.pool.is_some() && self.identities[identity].pooled.is_some() {
            self.tell_of_hold(
                Target::Identity(super::super::submit::slot(identity)),
                until,
            );
        }
    }

    /// A hidden limit holds a lane: what of it was allowed before counts in the ledger too.
    pub(in crate::rest) fn hold_lane(&mut self, at: u32, until: Instant) {
        let lane = &self.lanes[at as usize];
        let Some(sublimit) = lane.sublimit.as_deref().copied() else {
            return;
        };
        if self.pool.is_none() || !self.is_pooled(&self.buckets[lane.bucket as usize]) {
            return;
        }
        let target = Target::Lane(at);
        if self.lanes[at as usize].allowance.is_none() {
            let (now, window) = (self.now, sublimit.window + self.config.reset_margin);
            let past: alloc::vec::Vec<Instant> = self.lanes[at as usize].past().collect();
            if let Some(allowance) = self.allowance_mut(target) {
                for counted in past.into_iter().filter(|&counted| counted + window > now) {
                    allowance.news.leaves(counted + window, 1);
                }
            }
        }
        self.tell_of_hold(target, until);
    }

    /// A request of a lane with a hidden limit was counted.
    pub(in crate::rest) fn tell_of_count(&mut self, at: u32) {
        let lane = &self.lanes[at as usize];
        let (Some(sublimit), true) = (lane.sublimit.as_deref(), lane.allowance.is_some()) else {
            return;
        };
        let leaves = self.now + sublimit.window + self.config.reset_margin;
        let at_latest = self.now + TOGETHER;
        let target = Target::Lane(at);
        if let Some(allowance) = self.allowance_mut(target) {
            allowance.news.leaves(leaves, 1);
            self.list(target, at_latest);
        }
    }
}
