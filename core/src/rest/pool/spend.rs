//! Whether a request may go, as far as the pool decides it, and what it uses when it goes.

use core::time::Duration;

use crate::rest::Scheduler;
use crate::rest::bucket::Room;
use crate::rest::buckets::{Bucket, Limiter};
use crate::rest::lane::Lane;
use crate::rest::route::Major;
use crate::time::Instant;

use super::{Allowance, Pool};

/// The less of two.
fn both(one: Room, other: Room) -> Room {
    match (one, other) {
        (Room::Now(one), Room::Now(other)) => Room::Now(one.min(other)),
        (Room::Now(_), other) => other,
        (one, _) => one,
    }
}

impl Pool {
    /// How many the pool lets go of a limit now.
    fn room(
        &self,
        allowance: Option<&Allowance>,
        limit: u32,
        window: Duration,
        now: Instant,
    ) -> Room {
        let Some(allowance) = allowance else {
            return Room::AfterAnswer;
        };
        let usable = allowance.usable(now);
        if usable > 0 {
            return Room::Now(usable);
        }
        let Some(away) = self.away_at().filter(|_| self.is_away) else {
            return Room::AfterAnswer;
        };
        let from = away + window;
        if now < from {
            return Room::At(from);
        }
        allowance.share_room(limit, self.counted(window), now)
    }
}

impl Scheduler {
    /// Whether a bucket's limit is shared.
    pub(super) fn is_pooled(&self, bucket: &Bucket) -> bool {
        let is_interaction = |major| matches!(major, Major::Interaction(_));
        self.identities[bucket.identity].pooled.is_some()
            && match bucket.limiter {
                Limiter::Free => false,
                Limiter::Named { .. } => {
                    bucket.name.is_some_and(|(_, major)| !is_interaction(major))
                }
                Limiter::Unknown => bucket
                    .lanes
                    .first()
                    .is_some_and(|&lane| !is_interaction(self.lanes[lane as usize].key.major)),
            }
    }

    /// The limit and the window of a bucket.
    pub(super) fn measure(&self, bucket: &Bucket) -> (u32, Duration) {
        let told = bucket
            .allowance
            .as_deref()
            .map_or(Duration::ZERO, |allowance| allowance.window);
        self.profile_of(bucket).map_or((1, told), |profile| {
            (profile.limit, profile.window.max(told))
        })
    }

    /// How many of a bucket may go: what it has itself, and what the pool grants.
    pub(in crate::rest) fn pooled_room(&self, bucket: &Bucket, own: Room) -> Room {
        match (&self.pool, own) {
            (Some(pool), Room::Now(_)) if self.is_pooled(bucket) => {
                let (limit, window) = self.measure(bucket);
                both(
                    own,
                    pool.room(bucket.allowance.as_deref(), limit, window, self.now),
                )
            }
            _ => own,
        }
    }

    /// How many an identity may send over all routes.
    pub(in crate::rest) fn global_room(&self, at: usize) -> Room {
        let identity = &self.identities[at];
        let own = identity.global.room(self.now);
        match (&self.pool, own) {
            (Some(pool), Room::Now(_)) if identity.pooled.is_some() => {
                let global = &identity.global;
                let allowance = identity.allowance.as_deref();
                both(
                    own,
                    pool.room(allowance, global.limit(), global.window(), self.now),
                )
            }
            _ => own,
        }
    }

    /// Until when a lane waits for the pool, where a hidden limit is shared.
    pub(in crate::rest) fn lane_pooled(&self, lane: &Lane) -> Option<Instant> {
        let pool = self.pool.as_ref()?;
        let sublimit = lane.sublimit.as_deref()?;
        let bucket = &self.buckets[lane.bucket as usize];
        if !self.is_pooled(bucket) {
            return None;
        }
        let window = sublimit.window + self.config.reset_margin;
        let allowance = lane.allowance.as_deref();
        match pool.room(allowance, sublimit.limit, window, self.now) {
            Room::Now(_) => None,
            Room::At(at) => Some(at),
            // The ledger's answer puts the lane in order; this is for the time that it takes.
            Room::AfterAnswer => Some(self.now + pool.config.heartbeat),
        }
    }

    /// How many requests may be in flight at once: each may turn out to be invalid.
    pub(in crate::rest) fn most_in_flight(&self) -> usize {
        let most = self.config.max_in_flight;
        let Some(pool) = &self.pool else {
            return most;
        };
        let usable = pool.credits.usable(self.now);
        let may_fail = if usable == 0 && pool.is_away && pool.credits.share.until > self.now {
            let (_, shares) = self.invalid_parts();
            let share = shares.checked_div(pool.credits.share.parts).unwrap_or(0);
            share.saturating_sub(self.guard.spent())
        } else {
            usable
        };
        most.min(may_fail as usize)
    }

    /// How many invalid requests the ledger grants, and how many are set aside for shares.
    pub(super) fn invalid_parts(&self) -> (u32, u32) {
        let stop = self.guard.stop();
        (stop - stop / 4, stop / 4)
    }

    /// A request of a lane goes: it uses a token of every limit it counts against, or of the shares.
    pub(in crate::rest) fn spend(&mut self, lane: u32, is_exempt: bool) {
        let Some(pool) = &mut self.pool else {
            return;
        };
        let lane = &mut self.lanes[lane as usize];
        let bucket = &mut self.buckets[lane.bucket as usize];
        let identity = &mut self.identities[bucket.identity];
        if identity.pooled.is_none() {
            return;
        }
        let (now, margin) = (self.now, self.config.reset_margin);
        let window = match bucket.limiter {
            Limiter::Named { profile } => self.profiles[profile as usize].window,
            Limiter::Unknown | Limiter::Free => Duration::ZERO,
        };
        let hidden = lane
            .sublimit
            .as_deref()
            .map_or(Duration::ZERO, |sublimit| sublimit.window + margin);
        let global = (identity.global.window(), identity.allowance.as_deref_mut());
        let limits = [
            (window, bucket.allowance.as_deref_mut()),
            (hidden, lane.allowance.as_deref_mut()),
            if is_exempt {
                (Duration::ZERO, None)
            } else {
                global
            },
        ];
        let mut is_on_share = false;
        for (window, allowance) in limits {
            let Some(allowance) = allowance else {
                continue;
            };
            if !allowance.take(now) && pool.is_away {
                let window = window.max(allowance.window);
                allowance.use_share(now, window + pool.arrival);
                is_on_share = true;
            }
        }
        pool.stats.on_share += u64::from(is_on_share);
    }

    /// Discord counted an invalid request.
    pub(in crate::rest) fn spend_credit(&mut self) {
        let window = crate::rest::guard::SPAN;
        let Some(pool) = &mut self.pool else {
            return;
        };
        // On a share, what was spent is told when the ledger is back.
        pool.credits.take(self.now);
        pool.credits.news.leaves(self.now + window, 1);
    }
}
