//! The daily identify allowance: what Discord said is left, less what may have been spent since.

use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;

use crate::id::ShardId;
use crate::time::Instant;

/// `session_start_limit` of `GET /gateway/bot`.
///
/// Deserializes from Discord's JSON, where the milliseconds are called `reset_after`. Any numbers are taken: what
/// cannot be meant is read as the nearest that can.
///
/// ```
/// use shardkeep_core::fleet::SessionStartLimit;
///
/// let text = r#"{"total": 1000, "remaining": 999, "reset_after": 14400000, "max_concurrency": 1}"#;
/// let limit: SessionStartLimit = serde_json::from_str(text)?;
/// assert_eq!(limit.reset_after_ms, 4 * 3_600_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SessionStartLimit {
    /// How many identifies a day allows: 1,000, or more for very large bots.
    pub total: u32,
    /// How many are left.
    pub remaining: u32,
    /// Milliseconds until the day ends and all are left again.
    #[serde(rename = "reset_after")]
    pub reset_after_ms: u64,
    /// How many shards may identify every 5 s, one for each `shard_id % max_concurrency`. 0 counts as 1.
    pub max_concurrency: u32,
}

/// Discord's day. A longer wait than this cannot be meant.
const DAY: Duration = Duration::from_secs(86_400);

/// An answer that says the day has just ended is believed, but not asked for again at once.
const SHORTEST_WINDOW: Duration = Duration::from_secs(60);

/// What the last answer said, counted down.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) total: u32,
    /// The answer's count, less grants that it may not have seen, less grants since.
    pub(crate) remaining: u32,
    pub(crate) resets_at: Instant,
    /// From here on it must be asked for anew before the next grant.
    pub(crate) stale_at: Instant,
}

/// A grant that an answer of Discord's may not have counted yet.
#[derive(Clone, Debug)]
struct Flight {
    shard: ShardId,
    /// When its outcome was learnt; unknown while the identify is under way.
    settled: Option<Instant>,
}

/// Whether an identify may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Nothing is known, or it is too old.
    Ask,
    /// Only the reserve is left.
    Spent { until: Instant },
    /// This many, at least 1.
    Free(u32),
}

/// The account of identifies.
///
/// Rules: the count is never above what the last answer said, nor above its total; it only falls between answers; an
/// answer has certainly counted an identify only if its outcome was known before the answer was asked for, so all
/// others are subtracted from it; an answer that nobody asked for may be old and can only lower the count.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) known: Option<Known>,
    flights: Vec<Flight>,
    reserve: u32,
    max_age: Duration,
    /// Grants and wasted identifies of the current daily window.
    pub(crate) granted_today: u32,
    pub(crate) wasted_today: u32,
}

impl Ledger {
    pub(crate) fn new(reserve: u32, max_age: Duration) -> Self {
        Self {
            known: None,
            flights: Vec::new(),
            reserve,
            max_age,
            granted_today: 0,
            wasted_today: 0,
        }
    }

    /// Goes on from a snapshot. Identifies that were under way count as not seen by the next answer.
    pub(crate) fn restore(&mut self, now: Instant, known: Known, in_flight: &[ShardId]) {
        self.known = Some(known);
        self.flights = in_flight
            .iter()
            .map(|&shard| Flight {
                shard,
                settled: Some(now),
            })
            .collect();
    }

    /// Takes an answer that was asked for at `asked_at`; `None` if nobody asked.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        limit: &SessionStartLimit,
        asked_at: Option<Instant>,
    ) {
        if let Some(asked_at) = asked_at {
            self.flights
                .retain(|flight| flight.settled.is_none_or(|at| at >= asked_at));
        }
        let unseen = u32::try_from(self.flights.len()).unwrap_or(u32::MAX);
        let mut remaining = limit.remaining.min(limit.total).saturating_sub(unseen);
        match &self.known {
            Some(old) if now < old.resets_at => {
                if asked_at.is_none() {
                    remaining = remaining.min(old.remaining);
                }
            }
            _ => {
                self.granted_today = unseen;
                self.wasted_today = 0;
            }
        }
        let window = Duration::from_millis(limit.reset_after_ms).clamp(SHORTEST_WINDOW, DAY);
        self.known = Some(Known {
            total: limit.total,
            remaining,
            resets_at: now + window,
            stale_at: now + self.max_age,
        });
    }

    /// How many identifies are never spent.
    pub(crate) fn reserve(&self) -> u32 {
        self.known
            .as_ref()
            .map_or(self.reserve, |known| self.reserve.min(known.total / 2))
    }

    /// How many may be spent, whatever the age of the answer.
    pub(crate) fn spendable(&self) -> u32 {
        self.known
            .as_ref()
            .map_or(0, |known| known.remaining.saturating_sub(self.reserve()))
    }

    /// Whether the last answer is too old to spend by.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.known
            .as_ref()
            .is_none_or(|known| now >= known.stale_at || now >= known.resets_at)
    }

    /// Whether an identify may be spent now. `offline` says that Discord could not be asked: then the own count of an
    /// old answer, which errs on the low side, serves on.
    pub(crate) fn allowance(&self, now: Instant, offline: bool) -> Allowance {
        let Some(known) = &self.known else {
            return Allowance::Ask;
        };
        let stale = self.is_stale(now);
        match self.spendable() {
            _ if stale && !offline => Allowance::Ask,
            0 if stale => Allowance::Ask,
            0 => Allowance::Spent {
                until: known.resets_at,
            },
            n => Allowance::Free(n),
        }
    }

    /// Spends one. Only after [`Allowance::Free`].
    pub(crate) fn grant(&mut self, now: Instant, shard: ShardId) {
        self.settle(now, shard);
        self.flights.push(Flight {
            shard,
            settled: None,
        });
        self.granted_today = self.granted_today.saturating_add(1);
        if let Some(known) = &mut self.known {
            known.remaining = known.remaining.saturating_sub(1);
        }
    }

    /// The shard's identify has an outcome: answers asked for from here on have counted it.
    pub(crate) fn settle(&mut self, now: Instant, shard: ShardId) {
        for flight in &mut self.flights {
            if flight.shard == shard && flight.settled.is_none() {
                flight.settled = Some(now);
            }
        }
    }

    /// Takes the shard's last grant back: its identify was never sent. Says whether there was one to take back.
    pub(crate) fn refund(&mut self, shard: ShardId) -> bool {
        let is_open = |flight: &Flight| flight.shard == shard && flight.settled.is_none();
        let Some(position) = self.flights.iter().rposition(is_open) else {
            return false;
        };
        self.flights.remove(position);
        self.granted_today = self.granted_today.saturating_sub(1);
        if let Some(known) = &mut self.known {
            known.remaining = known.remaining.saturating_add(1).min(known.total);
        }
        true
    }

    /// Shards whose identify may not have been counted by Discord yet.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = ShardId> {
        self.flights
            .iter()
            .filter(|flight| flight.settled.is_none())
            .map(|flight| flight.shard)
    }

    /// Whether more of the day's total was wasted than `percent`.
    pub(crate) fn is_strained(&self, percent: u32) -> bool {
        self.known.as_ref().is_some_and(|known| {
            u64::from(self.wasted_today) * 100 >= u64::from(known.total) * u64::from(percent)
        })
    }

    /// The pause between two identifies at which half of what is left lasts until the day ends.
    pub(crate) fn spread(&self, now: Instant) -> Duration {
        self.known.as_ref().map_or(Duration::ZERO, |known| {
            known.resets_at.since(now) / (self.spendable() / 2).max(1)
        })
    }
}
