//! Identifies that lead nowhere slow the next ones down: one shard's, and the fleet's.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::id::ShardId;
use crate::rng::Rng;
use crate::time::Instant;

use super::config::Damping;

/// A shard wastes once in a row by bad luck, twice for a reason.
const SICK_FROM: u32 = 2;

/// What a shard's identifies have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Identifies in a row that led to no session, or to one that died young.
    pub(crate) wasted_in_a_row: u32,
    /// Before then, the next identify is held back.
    pub(crate) not_before: Option<Instant>,
    /// Whether the last verdict was a session that lasts.
    pub(crate) is_proven: bool,
}

impl Health {
    pub(crate) fn is_sick(&self) -> bool {
        self.wasted_in_a_row >= SICK_FROM
    }
}

/// The health of every shard that has a verdict, and whether the fleet as a whole is slowed.
#[derive(Clone, Debug)]
pub(crate) struct Damper {
    config: Damping,
    shards: BTreeMap<ShardId, Health>,
    sick: u32,
    proven: u32,
    /// Proofs since the last waste.
    proofs_in_a_row: u32,
    /// When the next identify of those who share the trickle may go.
    pub(crate) trickle_at: Instant,
    /// Whether the fleet was slowed when it was last looked at.
    pub(crate) was_braked: bool,
}

impl Damper {
    pub(crate) fn new(config: Damping) -> Self {
        Self {
            config,
            shards: BTreeMap::new(),
            sick: 0,
            proven: 0,
            proofs_in_a_row: 0,
            trickle_at: Instant::ZERO,
            was_braked: false,
        }
    }

    pub(crate) fn config(&self) -> &Damping {
        &self.config
    }

    pub(crate) fn health(&self, shard: ShardId) -> Health {
        self.shards.get(&shard).copied().unwrap_or_default()
    }

    pub(crate) fn sick(&self) -> u32 {
        self.sick
    }

    pub(crate) fn proven(&self) -> u32 {
        self.proven
    }

    /// Whether so many shards waste that the reason must be common to all.
    pub(crate) fn is_braked(&self) -> bool {
        self.sick >= self.config.fleet_min.max(1) && self.sick > self.proven
    }

    /// An identify of the shard led nowhere: the next one waits, twice as long each time. The pause lies between
    /// three quarters of the step and the whole, so that shards that failed together do not come back together.
    pub(crate) fn wasted(&mut self, now: Instant, shard: ShardId, rng: &mut Rng) {
        let mut health = self.health(shard);
        let doublings = health.wasted_in_a_row.min(31);
        let step = self
            .config
            .base
            .saturating_mul(1 << doublings)
            .min(self.config.cap);
        health.wasted_in_a_row = health.wasted_in_a_row.saturating_add(1);
        health.not_before = Some(now + rng.duration_between(step * 3 / 4, step));
        health.is_proven = false;
        self.proofs_in_a_row = 0;
        self.set(shard, health);
    }

    /// The shard has a session that lasts. Each such proof without a waste in between halves the trickle's pause,
    /// which is `spread` at its longest: when the cause is gone, full speed is a few proofs away.
    pub(crate) fn proven_now(&mut self, now: Instant, shard: ShardId, spread: Duration) {
        self.set(
            shard,
            Health {
                wasted_in_a_row: 0,
                not_before: None,
                is_proven: true,
            },
        );
        self.proofs_in_a_row = self.proofs_in_a_row.saturating_add(1);
        self.trickle_at = self.trickle_at.min(now + self.pause(spread));
    }

    /// The trickle's pause now.
    pub(crate) fn pause(&self, spread: Duration) -> Duration {
        spread / (1 << self.proofs_in_a_row.min(31))
    }

    /// Forgets a shard that has ended for good.
    pub(crate) fn forget(&mut self, shard: ShardId) {
        self.set(shard, Health::default());
        self.shards.remove(&shard);
    }

    /// Goes on from a snapshot.
    pub(crate) fn set(&mut self, shard: ShardId, health: Health) {
        let before = self.shards.insert(shard, health).unwrap_or_default();
        self.sick = self.sick + u32::from(health.is_sick()) - u32::from(before.is_sick());
        self.proven = self.proven + u32::from(health.is_proven) - u32::from(before.is_proven);
    }

    /// Whether the shard's identify shares the trickle. `strained` says that much of the day's total was wasted.
    pub(crate) fn trickles(&self, shard: ShardId, strained: bool) -> bool {
        self.is_braked() || (strained && self.health(shard).is_sick())
    }

    /// An identify of the trickle has gone: the next one waits.
    pub(crate) fn trickled(&mut self, now: Instant, spread: Duration) {
        self.trickle_at = now + self.pause(spread);
    }

    /// The fleet is slowed from now on: even the first identify waits.
    pub(crate) fn brake(&mut self, now: Instant, spread: Duration) {
        self.trickle_at = self.trickle_at.max(now + self.pause(spread));
    }

    /// Discord told the allowance anew: nobody waits longer than it now takes.
    pub(crate) fn reconsider(&mut self, now: Instant, spread: Duration) {
        self.trickle_at = self.trickle_at.min(now + self.pause(spread));
    }
}
