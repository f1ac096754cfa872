//! What the ledger answered: tokens, shares, and what others found out.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::rest::Scheduler;
use crate::rest::buckets::Limiter;
use crate::rest::io::Event;
use crate::time::Instant;

use super::allowance::Share;
use super::words::{Answer, State};
use super::{Allowance, PoolStatus, Target, UnderWay, keys};

/// The first pause after an exchange that failed; each further one doubles it.
const RETRY_FIRST: Duration = Duration::from_millis(50);

/// The longest of them.
const RETRY_LAST: Duration = Duration::from_secs(1);

impl Scheduler {
    /// The exchange under way was answered, or failed.
    pub(in crate::rest) fn exchanged(&mut self, answer: Option<&[u8]>) {
        let Some(pool) = &mut self.pool else {
            return;
        };
        let Some(told) = pool.under_way.take() else {
            return;
        };
        match answer.and_then(|answer| serde_json::from_slice::<Answer>(answer).ok()) {
            Some(answer) => {
                pool.failures = 0;
                pool.stats.exchanges += 1;
                self.heed(told, answer);
            }
            None => {
                pool.stats.failed += 1;
                let pause = RETRY_FIRST
                    .saturating_mul(1 << pool.failures.min(8))
                    .min(RETRY_LAST);
                pool.failures += 1;
                pool.not_before = self.now + pause;
                self.untold(told);
            }
        }
    }

    /// What was told did not arrive, as far as is known: it is told again.
    fn untold(&mut self, told: UnderWay) {
        let now = self.now;
        for (target, key, _) in told.items {
            if self.key_of(target).as_ref() == Some(&key)
                && let Some(allowance) = self.allowance_mut(target)
            {
                allowance.untold();
                self.list(target, now);
            }
        }
        if let Some(pool) = &mut self.pool {
            let newer = core::mem::replace(&mut pool.notes, told.notes);
            pool.notes.extend(newer);
        }
    }

    fn heed(&mut self, told: UnderWay, answer: Answer) {
        let now = self.now;
        let Some(pool) = &mut self.pool else {
            return;
        };
        match answer.state {
            State::Open => {
                let was_away = core::mem::take(&mut pool.is_away);
                let is_new = pool.heard.is_none();
                pool.is_name_taken = false;
                pool.inc = answer.inc;
                pool.peers = answer.peers;
                pool.heard = Some((answer.now, told.sent, now));
                self.learn_notes(&answer.notes);
                if let Some(pool) = &mut self.pool {
                    pool.revision = answer.revision;
                }
                self.receive(told, answer.items);
                if was_away || is_new {
                    self.say(Event::PoolInTouch);
                    self.reorder();
                }
            }
            State::Join => {
                pool.inc = answer.inc;
                pool.heard = None;
                pool.is_away = false;
                pool.revision = -1;
                pool.stats.rejoined += 1;
                self.forget_ledger();
            }
            State::Stay => {
                self.prolong(told.sent + Duration::from_micros(answer.closed));
                self.put_off(told, Duration::ZERO);
            }
            State::Late => self.put_off(told, Duration::ZERO),
            State::Taken => {
                let is_new = !core::mem::replace(&mut pool.is_name_taken, true);
                if is_new {
                    self.say(Event::PoolNameTaken);
                }
                self.put_off(told, RETRY_LAST);
            }
        }
    }

    /// Nothing came of the exchange: there is another one after `pause`, or with the next heartbeat.
    fn put_off(&mut self, told: UnderWay, pause: Duration) {
        self.untold(told);
        if let Some(pool) = &mut self.pool {
            pool.not_before = self.now + pause.max(pool.config.heartbeat);
        }
    }

    /// An identity's limits are shared under `name`. What was granted under another name is not used any more.
    pub(in crate::rest) fn pool_as(&mut self, at: usize, name: u64) {
        if self.pool.is_none() || self.identities[at].pooled == Some(name) {
            return;
        }
        let was_pooled = self.identities[at].pooled.replace(name).is_some();
        if was_pooled {
            self.identities[at].allowance = None;
            let buckets = self.buckets.iter_mut().map(|(_, bucket)| bucket);
            for bucket in buckets.filter(|bucket| bucket.identity == at) {
                bucket.allowance = None;
                for &lane in bucket.lanes.iter() {
                    self.lanes[lane as usize].allowance = None;
                }
            }
        }
        self.reorder();
    }

    /// While a new ledger gives nothing out, shares of the old one that have not run out may be lived on.
    fn prolong(&mut self, until: Instant) {
        let now = self.now;
        self.each_allowance(|allowance| {
            if allowance.share.until > now {
                allowance.share.until = allowance.share.until.max(until);
            }
        });
    }

    fn each_allowance(&mut self, change: impl Fn(&mut Allowance)) {
        let credits = self.pool.as_deref_mut().map(|pool| &mut *pool.credits);
        let identities = self
            .identities
            .iter_mut()
            .map(|identity| &mut identity.allowance);
        let buckets = self
            .buckets
            .iter_mut()
            .map(|(_, bucket)| &mut bucket.allowance);
        let lanes = self.lanes.iter_mut().map(|(_, lane)| &mut lane.allowance);
        let others = identities.chain(buckets).chain(lanes);
        let others = others.filter_map(|allowance| allowance.as_deref_mut());
        credits.into_iter().chain(others).for_each(change);
    }

    /// The ledger was lost: nothing that it granted counts any more.
    fn forget_ledger(&mut self) {
        self.each_allowance(Allowance::forget);
        self.renote();
        self.reorder();
    }

    fn receive(&mut self, told: UnderWay, items: Vec<(u32, i64, u32, u32, u64, String)>) {
        let sent = told.sent;
        // The global limit before buckets: what becomes ready then has its tokens already.
        for ((target, key, wanted), item) in told.items.into_iter().zip(items).rev() {
            if self.key_of(target).as_ref() != Some(&key) {
                continue;
            }
            self.receive_one(target, wanted, sent, item);
        }
    }

    fn receive_one(
        &mut self,
        target: Target,
        wanted: u32,
        sent: Instant,
        (got, at, parts, limit, window, moved): (u32, i64, u32, u32, u64, String),
    ) {
        let now = self.now;
        let grant = self.grant_of(target);
        let Some(pool) = &mut self.pool else {
            return;
        };
        pool.stats.granted += u64::from(got);
        let away = pool.config.away;
        let again = u64::try_from(at)
            .ok()
            .map(|at| now + Duration::from_micros(at));
        let Some(allowance) = self.allowance_mut(target) else {
            return;
        };
        if matches!(target, Target::Bucket(_)) && !moved.is_empty() {
            // The ledger heeded none of it: it is told of the bucket that this one turned out to be.
            allowance.untold();
        } else {
            allowance.granted(now, (got, sent + grant), got >= wanted, again);
        }
        if parts > 0 || moved.is_empty() {
            allowance.share = Share {
                parts,
                until: sent + away,
            };
        }
        match target {
            Target::Invalid => allowance.renew(sent + grant),
            Target::Identity(at) => self.ask_for_identity(at as usize),
            Target::Bucket(at) => self.receive_bucket(at, limit, window, &moved),
            Target::Lane(at) => {
                let bucket = self.lanes[at as usize].bucket;
                self.reindex(bucket);
            }
        }
    }

    fn receive_bucket(&mut self, at: u32, limit: u32, window: u64, moved: &str) {
        let bucket = &self.buckets[at as usize];
        let named = bucket.name.map(|(hash, _)| hash);
        match bucket.limiter {
            Limiter::Named { profile } => {
                let auth = bucket.auth;
                let profile = &mut self.profiles[profile as usize];
                if profile.window.is_zero() && limit > 0 {
                    profile.limit = limit;
                    profile.window = Duration::from_micros(window);
                }
                if let (Some(into), Some(hash)) = (keys::parse_hash(moved), named) {
                    self.aliases.remove(&(auth, into));
                    self.merge(auth, hash, into);
                    return;
                }
            }
            Limiter::Unknown if !moved.is_empty() => {
                let lane = bucket.lanes.first().copied();
                if let Some(lane) = lane {
                    let key = self.lanes[lane as usize].key.route;
                    self.hear_of_route(key, moved);
                }
                return;
            }
            Limiter::Unknown | Limiter::Free => {}
        }
        self.reindex(at);
    }

    /// How this process stands to its pool; `None` if it is in none.
    #[must_use]
    pub fn pool(&self) -> Option<PoolStatus> {
        self.pool.as_ref().map(|pool| PoolStatus {
            is_in_touch: pool.is_in_touch(self.now),
            is_away: pool.is_away,
            peers: pool.peers.clone(),
            stats: pool.stats,
        })
    }
}
