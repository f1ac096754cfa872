//! What must outlive the process so that the next one neither overspends nor repeats its predecessor's mistakes.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The identify account and the shards' health.
///
/// All times are relative to the moment it was taken: whoever stores it stores the wall time beside it, and gives
/// [`Fleet::restore`](super::Fleet::restore) the time that has passed. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// The daily allowance; absent if Discord never told.
    pub allowance: Option<AllowanceSnapshot>,
    /// For each shard index that identified lately: how much longer its key is taken.
    pub keys: Vec<KeySnapshot>,
    /// Shards with something to remember.
    pub shards: Vec<ShardSnapshot>,
}

/// The daily allowance in a [`Snapshot`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowanceSnapshot {
    /// The day's identifies.
    pub total: u32,
    /// How many are left, the reserve included.
    pub remaining: u32,
    /// Milliseconds until all are left again.
    pub resets_in_ms: u64,
    /// How many shards may identify every 5 s.
    pub max_concurrency: u32,
    /// Identifies granted in this daily window.
    pub granted_today: u32,
    /// How many of those led nowhere.
    pub wasted_today: u32,
}

/// A key that is taken, in a [`Snapshot`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySnapshot {
    /// The index of the shard that identified.
    pub index: u32,
    /// Milliseconds until its key may identify again.
    pub free_in_ms: u64,
}

/// A shard in a [`Snapshot`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShardSnapshot {
    /// The shard's index.
    pub index: u32,
    /// The shard's total.
    pub total: u32,
    /// Identifies in a row that led nowhere.
    pub wasted_in_a_row: u32,
    /// Milliseconds until its next identify may go.
    pub held_back_ms: u64,
    /// How long a session that has not yet lived long enough to count as healthy has lived; absent if there is none.
    /// If the shard identifies again soon, that session was wasted. 0 for an identify that was not answered yet.
    pub young_ms: Option<u64>,
    /// Whether an identify was under way that Discord may not have counted.
    pub in_flight: bool,
}
