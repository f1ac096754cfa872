//! What `/status` and `/explain` show: the requests that wait, the identities, the sizes.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use shardkeep_core::Instant;
use shardkeep_core::rest::pool::PoolStatus;
use shardkeep_core::rest::{Explanation, Place, Refusal, RequestId, Retry};

use super::gate::Gate;
use crate::clock;
use crate::rest::priority;

/// How many of the oldest requests `/status` explains.
const OLDEST: usize = 10;

/// The requests that are not answered, by number.
#[derive(Default)]
pub(super) struct Waiting(Mutex<BTreeSet<RequestId>>);

/// A request among those that are not answered.
pub(super) struct Entered<'a> {
    waiting: &'a Waiting,
    id: RequestId,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<RequestId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, id: RequestId) -> Entered<'_> {
        self.lock().insert(id);
        Entered { waiting: self, id }
    }

    fn oldest(&self) -> Vec<RequestId> {
        self.lock().iter().take(OLDEST).copied().collect()
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.id);
    }
}

/// Milliseconds since 1970 of a moment on the process's clock.
fn unix_ms(at: Instant) -> u64 {
    let now = clock::now();
    clock::unix_ms()
        .saturating_add(at.as_millis())
        .saturating_sub(now.as_millis())
}

pub(super) fn explanation(id: RequestId, of: &Explanation) -> Value {
    let mut told = match of.place {
        Place::Waiting { why, until, ahead } => json!({
            "place": "waiting",
            "why": why.explain(),
            "until_ms": until.map(unix_ms),
            "ahead": ahead,
        }),
        Place::InFlight { since } => json!({
            "place": "in_flight",
            "why": "it was sent and its answer is awaited",
            "since_ms": unix_ms(since),
        }),
        Place::Following { leader } => json!({
            "place": "following",
            "why": "an identical request answers it as well",
            "leader": leader.0,
        }),
        Place::Refused { why, until } => json!({
            "place": "refused",
            "why": why.explain(),
            "until_ms": until.map(unix_ms),
        }),
        _ => json!({ "place": "unknown" }),
    };
    told["id"] = json!(id.0);
    told["route"] = json!(of.route.map(|route| route.to_string()));
    told["priority"] = json!(of.priority.map(priority));
    told["attempts"] = json!(of.attempts);
    told["last_retry"] = json!(of.last_retry.map(Retry::explain));
    told
}

/// How the proxy stands to those that share limits with it.
fn pool(pool: &PoolStatus) -> Value {
    json!({
        "in_touch": pool.is_in_touch,
        "away": pool.is_away,
        "members": pool.peers.len() + 1,
        "exchanges": pool.stats.exchanges,
        "failed": pool.stats.failed,
        "granted": pool.stats.granted,
        "returned": pool.stats.returned,
        "on_share": pool.stats.on_share,
        "aways": pool.stats.aways,
        "rejoined": pool.stats.rejoined,
    })
}

/// What the cache of answers holds and does.
fn cached(gate: &Gate) -> Value {
    let cache = gate.cache.counts();
    json!({
        "on": gate.cache.is_on(),
        "entries": cache.entries,
        "bytes": cache.bytes,
        "hits": cache.hits,
        "misses": cache.misses,
        "evicted": cache.evicted,
        "invalidated": cache.invalidated,
    })
}

/// The whole of `/status`.
pub(super) fn status(gate: &Gate) -> Value {
    let scheduler = gate.client.observe(|scheduler| {
        let identities: Vec<_> = scheduler
            .identities()
            .map(|identity| {
                json!({
                    "identity": identity.auth.0,
                    "global_limit": identity.global_limit,
                    "queued": identity.queued.iter().sum::<u32>(),
                    "stopped": identity.is_stopped,
                })
            })
            .collect();
        let (spent, budget) = scheduler.invalid();
        json!({
            "queued": scheduler.queued(),
            "in_flight": scheduler.in_flight(),
            "buckets": scheduler.buckets(),
            "identities": identities,
            "invalid": { "spent": spent, "budget": budget },
            "pool": scheduler.pool().as_ref().map(pool),
        })
    });
    let stats = gate.client.stats();
    let refused = Refusal::ALL
        .iter()
        .map(|&why| stats.refused_for(why))
        .sum::<u64>();
    let retried = Retry::ALL
        .iter()
        .map(|&why| stats.retried_for(why))
        .sum::<u64>();
    let (tokens, tokens_in_use, tokens_replaced) = gate.identities.counts();
    let oldest: Vec<_> = gate
        .waiting
        .oldest()
        .into_iter()
        .filter_map(|id| Some(explanation(id, &gate.client.explain(id)?)))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_ms": clock::now().as_millis().saturating_sub(gate.started.as_millis()),
        "draining": gate.is_draining.load(Ordering::Relaxed),
        "connections": gate.counters.open.load(Ordering::Relaxed),
        "active": gate.counters.active.load(Ordering::Relaxed),
        "large_bodies": gate.deposit.large(),
        "tokens": { "known": tokens, "in_use": tokens_in_use, "replaced": tokens_replaced },
        "scheduler": scheduler,
        "requests": {
            "submitted": stats.submitted,
            "sent": stats.sent,
            "delivered": stats.delivered,
            "shared": stats.shared,
            "refused": refused,
            "retried": retried,
            "limited": stats.limited,
            "invalid": stats.invalid,
        },
        "cache": cached(gate),
        "oldest": oldest,
    })
}
