//! Speaking to the ledger: one exchange carries all that is to be said.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::rest::Scheduler;
use crate::rest::bucket::Room;
use crate::rest::io::{Event, Output};
use crate::rest::submit::slot;
use crate::time::{Instant, micros};

use super::config::CREDIT;
use super::words::{Body, Item};
use super::{Exchange, Target, UnderWay, keys};

/// How many limits one exchange speaks of at most: a store does one thing at a time.
const ITEMS_MAX: usize = 48;

impl Scheduler {
    /// Whether the pool has nothing more to be told than what is under way.
    pub(in crate::rest) fn work_on_pool(&mut self) {
        let Some(pool) = self.pool.as_mut().filter(|pool| !pool.has_left) else {
            return;
        };
        if !pool.is_away && pool.away_at().is_some_and(|away| away <= self.now) {
            pool.is_away = true;
            pool.stats.aways += 1;
            self.say(Event::PoolAway);
            self.reorder();
            self.is_dirty = true;
        }
        let Some(pool) = &self.pool else {
            return;
        };
        let is_due = pool.under_way.is_none()
            && pool.next().is_some_and(|at| at <= self.now)
            && pool.not_before <= self.now;
        if is_due {
            self.speak(false);
        }
    }

    /// Puts every shared bucket in order that has requests waiting.
    pub(super) fn reorder(&mut self) {
        let waiting: Vec<u32> = self
            .buckets
            .iter()
            .filter(|(_, bucket)| bucket.queued > 0 && self.is_pooled(bucket))
            .map(|(at, _)| slot(at))
            .collect();
        for at in waiting {
            self.reindex(at);
        }
    }

    fn speak(&mut self, bye: bool) {
        let Some(mut pool) = self.pool.take() else {
            return;
        };
        let mut targets = alloc::vec![Target::Invalid];
        let identities = (0..).zip(&self.identities);
        targets.extend(
            identities
                .filter(|(_, identity)| identity.pooled.is_some())
                .map(|(at, _)| Target::Identity(at)),
        );
        while targets.len() < ITEMS_MAX
            && let Some(&(at, target)) = pool.agenda.first()
            && at <= self.now
        {
            pool.agenda.pop_first();
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        self.pool = Some(pool);
        let mut wants = 0;
        // Buckets first: what they could send decides what is wanted of the global limit.
        targets.sort_unstable_by_key(|&target| core::cmp::Reverse(target));
        let mut keys = alloc::vec![String::from("m"), String::from("r")];
        let mut extra = Vec::new();
        let mut items = Vec::new();
        let mut spoken = Vec::new();
        for target in targets {
            self.unlist(target);
            let Some(key) = self.key_of(target) else {
                continue;
            };
            let (mut item, from) = self.item(target, &mut wants);
            let mut beside = None;
            if let Target::Bucket(at) = target
                && let Some((key, held)) = self.discovery_of(at)
            {
                item.beside_held = held;
                if item.kind == "route" {
                    item.held = held;
                } else {
                    beside = Some(key);
                }
            }
            spoken.push((target, key.clone(), item.want));
            keys.push(key);
            extra.push((from, beside));
            items.push(item);
        }
        let mut place = |key: String| {
            keys.push(key);
            keys.len()
        };
        for (item, (from, beside)) in items.iter_mut().zip(extra) {
            item.from = from.into_iter().map(&mut place).collect();
            item.beside = beside.map(&mut place);
        }
        self.send_words(keys, items, spoken, bye);
    }

    fn unlist(&mut self, target: Target) {
        let Some(listed) = self
            .allowance_mut(target)
            .and_then(|allowance| allowance.listed.take())
        else {
            return;
        };
        if let Some(pool) = &mut self.pool {
            pool.agenda.remove(&(listed, target));
        }
    }

    fn send_words(
        &mut self,
        keys: Vec<String>,
        items: Vec<Item>,
        spoken: Vec<(Target, String, u32)>,
        bye: bool,
    ) {
        let nonce = format!("{:016x}", self.rng.next_u64());
        let now = self.now;
        let Some(pool) = &mut self.pool else {
            return;
        };
        pool.seq += 1;
        let notes = core::mem::take(&mut pool.notes);
        let body = Body {
            name: &pool.config.name,
            instance: format!("{:016x}", pool.config.instance),
            nonce,
            inc: &pool.inc,
            seq: pool.seq,
            heard: pool.heard.map_or(-1, |(theirs, ..)| theirs),
            bye,
            peers: &pool.peers,
            revision: pool.revision,
            grant: micros(pool.config.grant),
            arrival: micros(pool.arrival),
            silent: micros(pool.config.silent),
            away: micros(pool.config.away),
            settle: micros(pool.config.settle),
            notes: &notes,
            items,
        };
        let body = serde_json::to_string(&body).expect("text and numbers have no way to fail");
        pool.outgoing = Some(Exchange { keys, body });
        pool.last_sent = Some(now);
        pool.under_way = Some(UnderWay {
            sent: now,
            items: spoken,
            notes,
        });
        self.outbox.push_back(Output::Exchange);
    }

    /// What is said of one limit, and the keys of those it took over from. `wants` adds up what buckets want.
    fn item(&mut self, target: Target, wants: &mut u32) -> (Item, Vec<String>) {
        let (limit, window, held, kept, want) = match target {
            Target::Invalid => self.invalid_item(),
            Target::Identity(at) => self.identity_item(at as usize, *wants),
            Target::Bucket(at) => self.bucket_item(at, wants),
            Target::Lane(at) => self.lane_item(at),
        };
        let (kind, hash, route) = self.kind_of(target);
        let now = self.now;
        let pool = self.pool.as_ref();
        let has_clock = pool.is_some_and(|pool| pool.heard.is_some());
        let (lower, upper) = pool.map_or((0, 0), |pool| pool.by_ledger(Instant::ZERO));
        let mut returned = 0;
        let mut item = Item {
            kind,
            hash,
            route,
            from: Vec::new(),
            beside: None,
            beside_held: 0,
            limit,
            window: micros(window),
            grant: micros(self.grant_of(target)),
            want,
            held,
            share: 0,
            seen: Vec::new(),
            gone: Vec::new(),
            lost: 0,
            hold: 0,
        };
        let mut from = Vec::new();
        if let Some(allowance) = self.allowance_mut(target) {
            returned = allowance.keep(now, kept);
            item.held += allowance.usable(now);
            item.share = if allowance.share.until > now {
                allowance.share.parts
            } else {
                0
            };
            let news = allowance.tell();
            // Before the ledger's clock is known, an answer's word cannot be passed on: what it took is taken.
            let seen = news.seen.iter().filter(|_| has_clock);
            item.lost = if has_clock { 0 } else { slot(news.seen.len()) };
            item.seen.extend(seen.map(|seen| {
                [
                    seen.limit.into(),
                    seen.remaining.into(),
                    super::signed(seen.lower) + lower,
                    super::signed(seen.upper) + upper,
                ]
            }));
            let gone = news.gone.iter().filter(|&&(at, _)| at > now);
            item.gone
                .extend(gone.map(|&(at, count)| [micros(at.since(now)), count.into()]));
            item.lost += news.lost;
            item.hold = news.hold.map_or(0, |until| micros(until.since(now)));
            from.clone_from(&news.from);
        }
        if let Some(pool) = &mut self.pool {
            pool.stats.returned += u64::from(returned);
        }
        (item, from)
    }

    pub(super) fn grant_of(&self, target: Target) -> Duration {
        match (target, &self.pool) {
            (Target::Invalid, _) => CREDIT,
            (_, Some(pool)) => pool.config.grant,
            (_, None) => Duration::ZERO,
        }
    }

    fn kind_of(&self, target: Target) -> (&'static str, String, String) {
        let none = String::new();
        match target {
            Target::Invalid => ("invalid", none.clone(), none),
            Target::Identity(_) | Target::Lane(_) => ("log", none.clone(), none),
            Target::Bucket(at) => match self.buckets[at as usize].name {
                Some((hash, _)) => ("bucket", keys::hash(hash), none),
                None => {
                    let bucket = &self.buckets[at as usize];
                    let pooled = self.identities[bucket.identity].pooled.unwrap_or_default();
                    let lane = bucket
                        .lanes
                        .first()
                        .map(|&lane| self.lanes[lane as usize].key.route);
                    let route = lane
                        .map_or_else(String::new, |key| format!("r:{}", keys::route(pooled, key)));
                    ("route", none, route)
                }
            },
        }
    }

    /// Limit, window, what is held but tokens, how many tokens are kept, how many are wanted.
    fn invalid_item(&self) -> (u32, Duration, u32, u32, u32) {
        let most = u32::try_from(self.config.max_in_flight).unwrap_or(u32::MAX);
        let target = most.saturating_add(16);
        let usable = self
            .pool
            .as_ref()
            .map_or(0, |pool| pool.credits.usable(self.now));
        let (limit, _) = self.invalid_parts();
        let window = crate::rest::guard::SPAN;
        (limit, window, 0, target, target.saturating_sub(usable))
    }

    fn identity_item(&mut self, at: usize, wants: u32) -> (u32, Duration, u32, u32, u32) {
        let now = self.now;
        let most = u32::try_from(self.config.max_in_flight).unwrap_or(u32::MAX);
        let ready = self.ready_of(at);
        let identity = &mut self.identities[at];
        let (limit, window) = (identity.global.limit(), identity.global.window());
        let landed = identity.global.landed();
        let held = identity.global.flying();
        let allowance = identity.allowance.get_or_insert_default();
        let news = landed.wrapping_sub(allowance.landed);
        allowance.landed = landed;
        if news > 0 {
            allowance.news.leaves(now + window, news);
        }
        let need = ready
            .saturating_add(wants)
            .min(most.saturating_mul(2))
            .min(limit);
        let want = need.saturating_sub(allowance.usable(now));
        (limit, window, held, need, want)
    }

    /// How many requests of an identity could go but for the global limit. Buckets whose tokens ran out while they
    /// waited for it are put in order.
    fn ready_of(&mut self, at: usize) -> u32 {
        let mut ready = 0_u32;
        let mut outdated = Vec::new();
        for at in self.identities[at].ready() {
            let bucket = &self.buckets[at as usize];
            match self.room(bucket) {
                Room::Now(open) => ready = ready.saturating_add(open.min(bucket.queued)),
                Room::At(_) | Room::AfterAnswer => outdated.push(at),
            }
        }
        for at in outdated {
            self.reindex(at);
        }
        ready
    }

    fn bucket_item(&self, at: u32, wants: &mut u32) -> (u32, Duration, u32, u32, u32) {
        let bucket = &self.buckets[at as usize];
        let (limit, window) = self.measure(bucket);
        let want = self.wanted(at, self.own_room(bucket));
        *wants = wants.saturating_add(want);
        (limit, window, bucket.in_flight, self.open_queue(at), want)
    }

    fn lane_item(&self, at: u32) -> (u32, Duration, u32, u32, u32) {
        let lane = &self.lanes[at as usize];
        let Some(sublimit) = lane.sublimit.as_deref() else {
            return (0, Duration::ZERO, 0, 0, 0);
        };
        let usable = lane
            .allowance
            .as_deref()
            .map_or(0, |allowance| allowance.usable(self.now));
        let need = lane.queued.min(sublimit.limit);
        let window = sublimit.window + self.config.reset_margin;
        (
            sublimit.limit,
            window,
            lane.in_flight,
            need,
            need.saturating_sub(usable),
        )
    }

    /// Leaves the pool: gives back what is held, so that others need not wait for it. The driver carries out the
    /// exchange that follows and sends nothing afterwards.
    pub(in crate::rest) fn leave(&mut self) {
        if let Some(pool) = &mut self.pool {
            pool.credits.keep(self.now, 0);
            pool.has_left = true;
            self.speak(true);
        }
    }

    /// The exchange that [`Output::Exchange`] spoke of.
    pub fn exchange(&mut self) -> Option<Exchange> {
        self.pool.as_mut()?.outgoing.take()
    }
}
