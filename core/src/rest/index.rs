//! The order of buckets: which could send now, which wait for a moment, which need longest.

use crate::time::Instant;

use super::Scheduler;
use super::bucket::{Profile, Room};
use super::identity::ReadyKey;

impl Scheduler {
    /// Puts a bucket where it belongs after anything about it changed.
    pub(super) fn reindex(&mut self, at: u32) {
        let bucket = &self.buckets[at as usize];
        let (ready, wait) = self.standing(at);
        let cost = self.profile_of(bucket).map_or(0, Profile::cost);
        let drain = if bucket.is_exempt {
            0
        } else {
            cost.saturating_mul(u64::from(bucket.queued))
        };
        let bucket = &mut self.buckets[at as usize];
        let identity = &mut self.identities[bucket.identity];
        if bucket.ready != ready {
            identity.stand(at, ready, bucket.is_exempt);
            bucket.ready = ready;
        }
        if bucket.drain != drain {
            identity.set_drain(at, bucket.drain, drain);
            bucket.drain = drain;
        }
        if bucket.wait != wait {
            match wait {
                Some(until) => self.waiting.set(at, until),
                None => self.waiting.remove(at),
            }
            bucket.wait = wait;
        }
    }

    /// Where a bucket belongs: among those that could send, or when to look at it again.
    fn standing(&self, at: u32) -> (Option<ReadyKey>, Option<Instant>) {
        let bucket = &self.buckets[at as usize];
        if bucket.queued == 0 {
            return (None, None);
        }
        match self.room(bucket) {
            Room::At(at) => (None, Some(at)),
            Room::AfterAnswer => (None, None),
            Room::Now(_) => self.best_head(at),
        }
    }

    /// The best of the lanes that are not held, or when the first of them is not.
    fn best_head(&self, at: u32) -> (Option<ReadyKey>, Option<Instant>) {
        let mut best: Option<ReadyKey> = None;
        let mut free_at: Option<Instant> = None;
        for &lane in &self.buckets[at as usize].lanes {
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
        lane.held(self.now, self.config.reset_margin)
    }

    /// The request of a bucket that goes next: by priority and turn, or by age.
    pub(super) fn next_of(&self, at: u32, by_age: bool) -> Option<u32> {
        let lanes = &self.buckets[at as usize].lanes;
        let open = lanes
            .iter()
            .map(|&lane| &self.lanes[lane as usize])
            .filter(|lane| lane.queued > 0 && self.lane_held(lane).is_none());
        let next = if by_age {
            open.filter_map(super::Lane::oldest)
                .min_by_key(|&(_, (_, seq, _))| seq)
        } else {
            open.filter_map(super::Lane::head).min()
        };
        next.map(|(_, (_, _, slot))| slot)
    }
}
