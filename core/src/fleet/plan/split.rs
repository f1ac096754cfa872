//! Splitting a shard: (i, N) becomes (i, kN), (i + N, kN), and so on.

use alloc::vec::Vec;

use crate::fleet::error::TopologyError;
use crate::fleet::serving::Serving;
use crate::fleet::shards::SHARDS_MAX;
use crate::id::ShardId;

use super::error::PlanError;
use super::step::{Step, StepKind};

/// Splits one shard in two.
pub(super) fn plan(serving: &Serving, shard: ShardId) -> Result<Vec<Step>, PlanError> {
    if !serving.topology().contains(shard) {
        return Err(PlanError::UnknownShard(shard));
    }
    let total = u64::from(shard.total()) * 2;
    if total > u64::from(SHARDS_MAX) {
        return Err(PlanError::BadTotal(TopologyError::TotalTooLarge { total }));
    }
    Ok(Vec::from([into(shard, 2)]))
}

/// The step that splits a shard into `ways` of them.
pub(super) fn into(shard: ShardId, ways: u32) -> Step {
    let total = shard.total() * ways;
    let parts = (0..ways).filter_map(|n| ShardId::new(shard.index() + n * shard.total(), total));
    Step::new(StepKind::Split, parts.collect(), Vec::from([shard]))
}
