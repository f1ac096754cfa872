//! The order of buckets: which could send now, which wait for a moment, which need longest.

use core::cmp::Reverse;
use core::time::Duration;

use crate::time::{Instant, micros};

use super::Scheduler;
use super::bucket::Room;
use super::buckets::Bucket;
use super::identity::ReadyKey;
use super::profile::Kind;
use super::queue::Place;
use super::submit::slot;

/// For how many of the buckets that need longest places are kept.
const CRITICAL_MAX: usize = 16;

/// A lane, and the priority and place of one of its requests.
pub(super) type Next = (u32, (u8, Place));

impl Scheduler {
    /// Puts a bucket where it belongs after anything about it changed.
    pub(super) fn reindex(&mut self, at: u32) {
        let bucket = &self.buckets[at as usize];
        let own = self.own_room(bucket);
        let room = self.pooled_room(bucket, own);
        let (ready, wait) = self.standing(at, room);
        let drain = match self.profile_of(bucket) {
            Some(profile) if !bucket.is_exempt => {
                // What can all go now waits for nobody.
                let fits = matches!(room, Room::Now(open) if open >= bucket.queued);
                let waiting = if fits { 0 } else { bucket.queued };
                profile.cost().saturating_mul(waiting.into())
            }
            _ => 0,
        };
        let bucket = &mut self.buckets[at as usize];
        let identity = &mut self.identities[bucket.identity];
        if bucket.ready != ready {
            identity.stand(at, ready, bucket.is_exempt);
            bucket.ready = ready;
        }
        if self.drains.len() <= at as usize {
            self.drains.resize(at as usize + 1, 0);
        }
        if self.drains[at as usize] != drain {
            self.drains[at as usize] = drain;
            identity.changes += 1;
        }
        if bucket.wait != wait {
            match wait {
                Some(until) => self.waiting.set(at, until),
                None => self.waiting.remove(at),
            }
            bucket.wait = wait;
        }
        self.ask_for(at, own);
    }

    /// One more request waits behind others of its lane. If the bucket cannot send all of them now, no order changes,
    /// only how long they take: the bucket itself need not be looked at. `false` if it could.
    pub(super) fn lengthen(&mut self, at: u32) -> bool {
        let bucket = &self.buckets[at as usize];
        let Some(drain) = self.drains.get_mut(at as usize).filter(|drain| **drain > 0) else {
            return false;
        };
        let before = u64::from(bucket.queued.saturating_sub(1).max(1));
        *drain = drain.saturating_add(*drain / before);
        self.identities[bucket.identity].changes += 1;
        true
    }

    /// Where a bucket belongs: among those that could send, or when to look at it again.
    fn standing(&self, at: u32, room: Room) -> (Option<ReadyKey>, Option<Instant>) {
        if self.buckets[at as usize].queued == 0 {
            return (None, None);
        }
        match room {
            Room::At(at) => (None, Some(at)),
            // Of a shared limit nothing is asked for while every lane is held: the first that is free again asks.
            Room::AfterAnswer if self.pool.is_some() => (None, self.best_head(at).1),
            Room::AfterAnswer => (None, None),
            Room::Now(_) => self.best_head(at),
        }
    }

    /// The best of the lanes that are not held, or when the first of them is not.
    fn best_head(&self, at: u32) -> (Option<ReadyKey>, Option<Instant>) {
        let mut best: Option<ReadyKey> = None;
        let mut free_at: Option<Instant> = None;
        for &lane in self.buckets[at as usize].lanes.iter() {
            let lane = &self.lanes[lane as usize];
            let (Some((class, (turn, _, _))), Some((_, (_, age, _)))) =
                (lane.head(), lane.oldest())
            else {
                continue;
            };
            if let Some(until) = self.lane_held(lane) {
                free_at = Some(free_at.map_or(until, |at| at.min(until)));
                continue;
            }
            best = Some(best.map_or(ReadyKey { class, turn, age }, |best| {
                let (class, turn) = (best.class, best.turn).min((class, turn));
                ReadyKey {
                    class,
                    turn,
                    age: best.age.min(age),
                }
            }));
        }
        match best {
            Some(key) => (Some(key), free_at),
            None => (None, free_at),
        }
    }

    pub(super) fn lane_held(&self, lane: &super::Lane) -> Option<Instant> {
        let own = lane.held(self.now, self.config.reset_margin);
        own.max(self.lane_pooled(lane))
    }

    /// What of a bucket goes next, by priority and turn, or by age: its lane, its priority and its place there.
    pub(super) fn next_of(&self, at: u32, by_age: bool) -> Option<Next> {
        let lanes = self.buckets[at as usize].lanes.iter();
        let open = lanes.filter_map(|&at| {
            let lane = &self.lanes[at as usize];
            let is_open = lane.queued > 0 && self.lane_held(lane).is_none();
            is_open.then_some((at, lane))
        });
        if by_age {
            open.filter_map(|(at, lane)| Some((at, lane.oldest()?)))
                .min_by_key(|&(_, (_, (_, seq, _)))| seq)
        } else {
            open.filter_map(|(at, lane)| Some((at, lane.head()?)))
                .min_by_key(|&(_, head)| head)
        }
    }

    /// How long the waiting requests of a bucket take by its own limit, if it is one of this identity.
    fn need(&self, bucket: u32, identity: usize) -> u64 {
        let is_its = self
            .buckets
            .get(bucket as usize)
            .is_some_and(|bucket| bucket.identity == identity);
        self.drains
            .get(bucket as usize)
            .copied()
            .filter(|_| is_its)
            .unwrap_or(0)
    }

    /// Finds out for which buckets places of the global limit are kept. All buckets are looked at once in as many
    /// changes, or eight times as many microseconds, as there are buckets: that costs a request next to nothing.
    pub(super) fn weigh(&mut self, at: usize) {
        let least = self.identities[at].critical_from(self.now);
        let count = self.buckets.len();
        let pause = Duration::from_micros(8).saturating_mul(slot(count));
        let identity = &self.identities[at];
        let is_old = identity.changes > 0 && identity.weighed + pause <= self.now;
        if is_old || identity.changes >= count {
            let mut critical = core::mem::take(&mut self.identities[at].critical);
            critical.clear();
            let long = |&(_, &drain): &(u32, &u64)| drain > 0 && drain >= least / 2;
            let candidates = (0..).zip(&self.drains).filter(long);
            critical.extend(candidates.map(|(bucket, _)| bucket));
            critical.retain(|&bucket| self.need(bucket, at) > 0);
            let order = |&bucket: &u32| (Reverse(self.drains[bucket as usize]), bucket);
            if critical.len() > CRITICAL_MAX {
                critical.select_nth_unstable_by_key(CRITICAL_MAX, order);
                critical.truncate(CRITICAL_MAX);
            }
            critical.sort_unstable_by_key(order);
            let identity = &mut self.identities[at];
            identity.critical = critical;
            identity.changes = 0;
            identity.weighed = self.now;
        }
    }

    /// How many places of the global limit are kept for a bucket that cannot send yet: what it can send when its window
    /// opens, if that saves it more time than it costs all others. A place that is taken now comes back a window of the
    /// global limit later; until then the bucket would miss what its own limit gives. But a place that is kept is idle
    /// till the bucket's window opens.
    fn kept_for(&self, bucket: &Bucket, window: Duration, limit: u32) -> u32 {
        let Some(profile) = self.profile_of(bucket) else {
            return 0;
        };
        // What waits for answers only does not wait for long.
        let until = bucket.wait.unwrap_or(self.now);
        let burst = profile.burst(window).min(bucket.queued);
        // What leaks goes on leaking while nothing is sent, until it is full.
        let misses_from = match profile.kind {
            Kind::Sliding { .. } => until.max(bucket.window.parts().1.unwrap_or(until)),
            Kind::Fixed | Kind::Log => until,
        };
        let saves = micros((self.now + window).since(misses_from));
        let idle = micros(until.since(self.now)).saturating_mul(burst.into());
        let costs = idle / u64::from(limit.max(1));
        if saves > costs { burst } else { 0 }
    }

    /// Of the buckets that need longest, the first that could send now and is as urgent as anybody; and how many places
    /// of the global limit are kept for those before it that cannot yet. At most half of all.
    pub(super) fn next_critical(&self, at: usize, free: u32) -> (Option<u32>, u32) {
        let identity = &self.identities[at];
        let Some(best) = identity.next_class() else {
            return (None, 0);
        };
        let least = identity.critical_from(self.now).max(1);
        let window = identity.global.window();
        let most = identity.global.limit() / 2;
        let mut kept = 0;
        for &bucket in &identity.critical {
            if self.need(bucket, at) < least {
                continue;
            }
            let waiting = &self.buckets[bucket as usize];
            match waiting.ready {
                Some(key) if key.class <= best && free > kept => return (Some(bucket), kept),
                Some(_) => {}
                None => kept = most.min(kept + self.kept_for(waiting, window, most * 2)),
            }
        }
        (None, kept)
    }
}
