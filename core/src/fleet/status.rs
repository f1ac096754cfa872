//! What can be read at any time: every shard's phase, the allowance, and when the waiting get their slots.

use crate::id::ShardId;
use crate::time::Instant;

use super::io::{Phase, Wait};

/// One shard, as the fleet sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardStatus {
    /// The shard.
    pub shard: ShardId,
    /// Where it is in its life.
    pub phase: Phase,
    /// What it waits for, while its phase is [`Phase::Waiting`].
    pub wait: Option<Wait>,
    /// How many identifies in a row led to no session, or to one that died young.
    pub wasted_in_a_row: u32,
}

/// The fleet in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many shards the topology has; 0 until `auto` is resolved.
    pub shards: u32,
    /// How many of them have an established session.
    pub ready: u32,
    /// How many wait for an identify slot.
    pub waiting: u32,
    /// How many have not been started yet.
    pub parked: u32,
    /// How many have ended for good.
    pub closed: u32,
    /// How many shards wasted two identifies in a row or more.
    pub sick: u32,
    /// Whether the whole fleet is slowed because most shards that were tried are sick.
    pub is_damped: bool,
    /// How many identifies may follow each other at once, one for each key.
    pub max_concurrency: u32,
    /// The day's identifies, as Discord last said; `None` until it has.
    pub total: Option<u32>,
    /// How many are left, the reserve included, by an estimate that errs on the low side.
    pub remaining: Option<u32>,
    /// How many are never spent.
    pub reserve: u32,
    /// When all are left again.
    pub resets_at: Option<Instant>,
    /// Identifies granted in the current daily window, as far as this fleet and its snapshot know.
    pub granted_today: u32,
    /// How many of those led to no session, or to one that died young.
    pub wasted_today: u32,
    /// What happened since the fleet was made.
    pub counters: Counters,
}

/// What happened since the fleet was made. Every count only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Shards started.
    pub started: u64,
    /// Identify slots asked for.
    pub wanted: u64,
    /// Requests withdrawn before they were granted.
    pub cancelled: u64,
    /// Identify slots granted.
    pub granted: u64,
    /// Grants that came back unused.
    pub unused: u64,
    /// Identifies that Discord answered with op 9.
    pub rejected: u64,
    /// Identifies that led to no session, or to one that died young.
    pub wasted: u64,
    /// New sessions.
    pub ready: u64,
    /// Resumed sessions.
    pub resumed: u64,
    /// Connections lost.
    pub down: u64,
    /// Times that `/gateway/bot` was asked for.
    pub limits_fetched: u64,
    /// Times that it failed.
    pub limits_failed: u64,
}

/// When a shard gets its identify slot, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// The shard.
    pub shard: ShardId,
    /// When; `None` while Discord has not said how many identifies are left.
    pub at: Option<Instant>,
    /// What it waits for.
    pub why: Wait,
}
