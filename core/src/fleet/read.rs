//! Reads and the snapshot: what the fleet knows, without changing it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use crate::id::ShardId;
use crate::time::Instant;

use super::Fleet;
use super::config::Here;
use super::damping::Health;
use super::identify::{Allowance, Known};
use super::io::{Phase, Wait};
use super::queue::{Place, Ticket};
use super::roster::Attempt;
use super::snapshot::{AllowanceSnapshot, KeySnapshot, ShardSnapshot, Snapshot};
use super::status::{Planned, ShardStatus, Status};
use super::topology::Topology;

impl Fleet {
    /// The shards, once they are known: at once, or with `auto` after the first
    /// [`Input::Limits`](super::Input::Limits).
    #[must_use]
    pub fn topology(&self) -> Option<&Topology> {
        self.topology.as_ref()
    }

    /// The fleet in numbers, as of the last input or timeout.
    #[must_use]
    pub fn status(&self) -> Status {
        let known = self.ledger.known.as_ref();
        Status {
            shards: u32::try_from(self.roster.len()).unwrap_or(u32::MAX),
            ready: self.roster.count(Phase::Ready),
            waiting: self.roster.count(Phase::Waiting),
            parked: self.roster.count(Phase::Parked),
            closed: self.roster.count(Phase::Closed),
            sick: self.damper.sick(),
            is_damped: self.damper.is_braked(),
            max_concurrency: self.queue.max_concurrency(),
            total: known.map(|known| known.total),
            remaining: known.map(|known| known.remaining),
            reserve: self.ledger.reserve(),
            resets_at: known.map(|known| known.resets_at),
            granted_today: self.ledger.granted_today,
            wasted_today: self.ledger.wasted_today,
            counters: self.counters,
        }
    }

    /// One shard; `None` if it is not part of the topology.
    #[must_use]
    pub fn shard(&self, shard: ShardId) -> Option<ShardStatus> {
        self.roster.phase(shard).map(|phase| ShardStatus {
            shard,
            phase,
            wait: self.wait(self.now, shard).map(|(why, _)| why),
            wasted_in_a_row: self.damper.health(shard).wasted_in_a_row,
        })
    }

    /// Every shard, by total and index.
    pub fn shards(&self) -> impl Iterator<Item = ShardStatus> {
        self.roster
            .iter()
            .filter_map(|(shard, _)| self.shard(shard))
    }

    /// When each shard that waits, connects for the first time or has not been started gets its identify slot, if
    /// nothing else happens: soonest first. The last of `n` fresh shards goes after `ceil(n / max_concurrency) - 1`
    /// spacings of 5 s and the margin.
    ///
    /// What lies beyond today's allowance is put behind its reset; a slowed fleet is taken to stay as slow as it is.
    #[must_use]
    pub fn identify_plan(&self, now: Instant) -> Vec<Planned> {
        let now = now.max(self.now);
        let tickets = self.queue.tickets().into_iter().map(Ticket::shard);
        let later = self.queue.later().map(|(_, shard)| shard);
        let mut fresh: Vec<_> = self.starting.keys().copied().collect();
        fresh.extend(self.parked_shards());
        fresh.sort_by_key(|shard| (shard.index(), shard.total()));
        let line = tickets.chain(later).chain(fresh);
        let mut forecast = Forecast {
            keys: BTreeMap::new(),
            trickle_at: self.damper.trickle_at,
        };
        let spendable = match self.allowance(now) {
            Allowance::Ask => return line.map(|shard| self.planned(now, shard, None)).collect(),
            Allowance::Spent { .. } => 0,
            Allowance::Free(n) => n as usize,
        };
        let mut plan: Vec<_> = line
            .map(|shard| {
                let at = self.forecast(&mut forecast, now, shard);
                self.planned(now, shard, Some(at))
            })
            .collect();
        plan.sort_by_key(|planned| planned.at);
        let resets_at = self
            .ledger
            .known
            .as_ref()
            .map_or(now, |known| known.resets_at);
        forecast.keys.clear();
        for planned in plan.iter_mut().skip(spendable) {
            planned.at = Some(self.forecast(&mut forecast, resets_at, planned.shard));
            planned.why = Wait::Budget;
        }
        plan
    }

    fn planned(&self, now: Instant, shard: ShardId, at: Option<Instant>) -> Planned {
        let otherwise = if at.is_none() {
            Wait::Limits
        } else {
            Wait::Key
        };
        let why = self.wait(now, shard).map_or(otherwise, |(why, _)| why);
        Planned { shard, at, why }
    }

    /// The shard's slot behind those that were forecast before it, not before `from`.
    fn forecast(&self, forecast: &mut Forecast, from: Instant, shard: ShardId) -> Instant {
        let key = shard.rate_limit_key(self.queue.max_concurrency());
        let free_at = forecast
            .keys
            .entry(key)
            .or_insert_with(|| self.queue.free_at(shard));
        let mut at = from.max(*free_at);
        if let Some(Place::Later(not_before)) = self.queue.place(shard) {
            at = at.max(not_before);
        }
        if self.damper.trickles(shard, self.is_strained()) {
            at = at.max(forecast.trickle_at);
            forecast.trickle_at = at + self.damper.pause(self.ledger.spread(self.now));
        }
        *free_at = at + self.queue.spacing();
        at
    }

    pub(super) fn remember(&self) -> Snapshot {
        let now = self.now;
        let allowance = self.ledger.known.as_ref().map(|known| AllowanceSnapshot {
            total: known.total,
            remaining: known.remaining,
            resets_in_ms: millis(known.resets_at.since(now)),
            max_concurrency: self.queue.max_concurrency(),
            granted_today: self.ledger.granted_today,
            wasted_today: self.ledger.wasted_today,
        });
        let keys = self.queue.recent().filter(|&(_, free_at)| free_at > now);
        let keys = keys.map(|(index, free_at)| {
            let free_in_ms = millis(free_at.since(now));
            KeySnapshot { index, free_in_ms }
        });
        let mut shards: BTreeMap<_, _> = self.remembered.clone();
        for (shard, state) in self.roster.iter() {
            let memory = self.remember_shard(shard, state.phase(), state.attempt);
            shards.extend(memory.map(|memory| (shard, memory)));
        }
        Snapshot {
            allowance,
            keys: keys.collect(),
            shards: shards.into_values().collect(),
        }
    }

    fn remember_shard(
        &self,
        shard: ShardId,
        phase: Phase,
        attempt: Attempt,
    ) -> Option<ShardSnapshot> {
        let health = self.damper.health(shard);
        // A session that was told to stop did not die young.
        let young_ms = match attempt {
            _ if phase == Phase::Stopping => None,
            Attempt::None => None,
            Attempt::Granted | Attempt::Inherited => Some(0),
            Attempt::Young { since, down_at } => {
                Some(millis(down_at.unwrap_or(self.now).since(since)))
            }
        };
        let in_flight = self.ledger.in_flight().any(|flying| flying == shard);
        let is_blank = health.wasted_in_a_row == 0 && young_ms.is_none() && !in_flight;
        (!is_blank).then(|| ShardSnapshot {
            index: shard.index(),
            total: shard.total(),
            wasted_in_a_row: health.wasted_in_a_row,
            held_back_ms: health.not_before.map_or(0, |at| millis(at.since(self.now))),
            young_ms,
            in_flight,
        })
    }

    pub(super) fn recall(&mut self, now: Instant, snapshot: &Snapshot, elapsed: Duration) {
        let left = |ms| now + Duration::from_millis(ms).saturating_sub(elapsed);
        let shard_of = |memory: &ShardSnapshot| ShardId::new(memory.index, memory.total);
        if let Some(allowance) = &snapshot.allowance {
            let flying = snapshot.shards.iter().filter(|memory| memory.in_flight);
            let flying: Vec<_> = flying.filter_map(shard_of).collect();
            let known = Known {
                total: allowance.total,
                remaining: allowance.remaining.min(allowance.total),
                resets_at: left(allowance.resets_in_ms),
                stale_at: now,
            };
            self.ledger.restore(now, known, &flying);
            self.ledger.granted_today = allowance.granted_today;
            self.ledger.wasted_today = allowance.wasted_today;
            self.queue
                .set_max_concurrency(now, allowance.max_concurrency);
        }
        for key in &snapshot.keys {
            self.queue.restore(key.index, left(key.free_in_ms));
        }
        let elapsed_ms = millis(elapsed);
        for memory in &snapshot.shards {
            let Some(shard) = shard_of(memory) else {
                continue;
            };
            let aged = ShardSnapshot {
                held_back_ms: memory.held_back_ms.saturating_sub(elapsed_ms),
                young_ms: memory.young_ms.map(|ms| ms.saturating_add(elapsed_ms)),
                ..*memory
            };
            match self.topology {
                Some(_) if self.config.here == Here::All => self.recall_shard(now, shard, &aged),
                _ => {
                    self.remembered.insert(shard, aged);
                }
            }
        }
    }

    /// What a predecessor knew about a shard. Its session counts as wasted at the next identify if it cannot have
    /// lived long enough, even if it lived until now.
    pub(super) fn recall_shard(&mut self, now: Instant, shard: ShardId, memory: &ShardSnapshot) {
        let healthy_after = millis(self.damper.config().healthy_after);
        let Some(state) = self.roster.get_mut(shard) else {
            return;
        };
        if memory.young_ms.is_some_and(|ms| ms < healthy_after) {
            state.attempt = Attempt::Inherited;
        }
        let held_back = Duration::from_millis(memory.held_back_ms);
        let not_before = (memory.held_back_ms > 0).then(|| now + held_back);
        let wasted_in_a_row = memory.wasted_in_a_row;
        self.damper.set(
            shard,
            Health {
                wasted_in_a_row,
                not_before,
                is_proven: false,
            },
        );
    }
}

/// Slots that are taken in a plan.
struct Forecast {
    keys: BTreeMap<u32, Instant>,
    trickle_at: Instant,
}

/// Whole milliseconds, rounded up: a wait that is restored must not be shorter than it was.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}
