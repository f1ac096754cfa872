//! The daily identify allowance: what Discord said is left, less what may have been spent since.

use serde::Deserialize;

/// `session_start_limit` of `GET /gateway/bot`.
///
/// Deserializes from Discord's JSON, where the milliseconds are called `reset_after`.
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
