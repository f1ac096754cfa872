//! What members tell each other about routes: their buckets, names that mean one bucket, and hidden limits.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::rest::buckets::{BucketHash, Limiter};
use crate::rest::lane::{RouteKey, Sublimit};
use crate::rest::submit::slot;
use crate::rest::{Auth, Scheduler};
use crate::time::{Instant, micros};

use super::allowance::News;
use super::{Allowance, Target, keys};

impl Scheduler {
    /// A route's bucket became known.
    pub(in crate::rest) fn note_route(&mut self, key: RouteKey, hash: Option<BucketHash>) {
        let Some(pooled) = self.pooled(key.auth) else {
            return;
        };
        let field = format!("r:{}", keys::route(pooled, key));
        let value = hash.map_or_else(|| String::from("-"), keys::hash);
        self.note([String::from("r"), field, value]);
    }

    /// Two hashes turned out to name one bucket.
    pub(in crate::rest) fn note_alias(&mut self, auth: Auth, from: BucketHash, into: BucketHash) {
        if self.pooled(auth).is_some() {
            self.note([String::from("h"), keys::hash(from), keys::hash(into)]);
        }
    }

    /// A hidden limit became known.
    pub(in crate::rest) fn note_sublimit(
        &mut self,
        key: RouteKey,
        limit: u32,
        window: Duration,
        until: Instant,
    ) {
        let (Some(pooled), Some(pool)) = (self.pooled(key.auth), &self.pool) else {
            return;
        };
        let until = pool.by_ledger(until).1;
        let value = format!("{limit} {} {until}", micros(window));
        self.note([
            String::from("s"),
            format!("s:{}", keys::route(pooled, key)),
            value,
        ]);
    }

    fn note(&mut self, note: [String; 3]) {
        let now = self.now;
        if let Some(pool) = &mut self.pool {
            pool.notes.push(note);
        }
        self.list(Target::Invalid, now);
    }

    fn pooled(&self, auth: Auth) -> Option<u64> {
        self.pool.as_ref()?;
        let &at = self.identity_keys.get(&auth)?;
        self.identities[at as usize].pooled
    }

    /// A lane moved, with `in_flight` requests: what the ledger knows of its old bucket counts in the new one as well.
    pub(in crate::rest) fn note_move(&mut self, old: u32, new: u32, in_flight: u32) {
        if self.pool.is_none() || !self.is_pooled(&self.buckets[new as usize]) {
            return;
        }
        let is_named = matches!(self.buckets[old as usize].limiter, Limiter::Named { .. });
        let from = self.key_of(Target::Bucket(old)).filter(|_| is_named);
        let left = self.buckets[old as usize].allowance.as_deref();
        let mut news = left.map_or_else(News::default, Allowance::not_heard);
        // What answers said is left of the old one need not be true of the new one, but they counted.
        news.lost += slot(news.seen.len());
        news.seen.clear();
        news.from.extend(from);
        self.pass_on(news, new, if is_named { 0 } else { in_flight });
    }

    fn pass_on(&mut self, news: News, new: u32, unheard: u32) {
        let now = self.now;
        if let Some(allowance) = self.allowance_mut(Target::Bucket(new)) {
            allowance.news.put_back(news);
            allowance.unheard += unheard;
            self.list(Target::Bucket(new), now);
        }
    }

    /// All of a bucket moved, for it is another one under a second name.
    pub(in crate::rest) fn note_merge(&mut self, old: u32, new: u32) {
        if self.pool.is_none() || !self.is_pooled(&self.buckets[new as usize]) {
            return;
        }
        let from = self.key_of(Target::Bucket(old));
        let left = self.buckets[old as usize].allowance.as_deref_mut();
        let mut news = left.map_or_else(News::default, Allowance::hand_over);
        news.from.extend(from);
        self.pass_on(news, new, 0);
    }

    /// Tells a new ledger what is known of routes.
    pub(super) fn renote(&mut self) {
        let known: Vec<_> = self
            .routes
            .iter()
            .filter(|(_, state)| state.hash().is_some() || state.is_free())
            .map(|(&key, state)| (key, state.hash()))
            .collect();
        for (key, hash) in known {
            self.note_route(key, hash);
        }
        for ((auth, from), into) in self.aliases.clone() {
            self.note_alias(auth, from, into);
        }
    }

    /// What others found out about routes.
    pub(super) fn learn_notes(&mut self, notes: &[String]) {
        for pair in notes.chunks_exact(2) {
            let (field, value) = (&pair[0], &pair[1]);
            let Some((kind, name)) = field.split_once(':') else {
                continue;
            };
            if kind == "h" {
                continue;
            }
            let Some((pooled, template, method, class)) = keys::parse_route(name) else {
                continue;
            };
            let auths: Vec<Auth> = self
                .identities
                .iter()
                .filter(|identity| identity.pooled == Some(pooled))
                .map(|identity| identity.auth)
                .collect();
            for auth in auths {
                let key = RouteKey {
                    auth,
                    template,
                    method,
                    class,
                };
                match kind {
                    "r" => self.hear_of_route(key, value),
                    "s" => self.hear_of_sublimit(key, value),
                    _ => {}
                }
            }
        }
    }

    pub(super) fn hear_of_route(&mut self, key: RouteKey, value: &str) {
        match keys::parse_hash(value) {
            Some(hash) => self.hear_of_hash(key, hash),
            None => {
                self.hear_of_freedom(key);
            }
        }
    }

    fn hear_of_sublimit(&mut self, key: RouteKey, value: &str) {
        let mut parts = value.split(' ');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (Some(limit), Some(window), Some(until)) = (number(), number(), number()) else {
            return;
        };
        let (Ok(limit), Ok(window)) = (u32::try_from(limit), u64::try_from(window)) else {
            return;
        };
        let now = self.now;
        let theirs = self.pool.as_ref().map_or(0, |pool| pool.by_ledger(now).1);
        let Ok(left) = u64::try_from(until - theirs) else {
            return;
        };
        let sublimit = Sublimit {
            limit,
            window: Duration::from_micros(window),
        };
        self.take_sublimit(key, sublimit, now + Duration::from_micros(left));
    }
}
