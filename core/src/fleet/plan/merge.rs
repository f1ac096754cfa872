//! Merging shards: (i, N), (i + N/k, N), and so on become (i, N/k).

use alloc::vec::Vec;

use crate::fleet::serving::Serving;
use crate::id::ShardId;

use super::error::PlanError;
use super::step::{Step, StepKind};

/// Merges a shard with the other half of the class that two of its kind make up.
pub(super) fn plan(serving: &Serving, shard: ShardId) -> Result<Vec<Step>, PlanError> {
    if !serving.topology().contains(shard) {
        return Err(PlanError::UnknownShard(shard));
    }
    let half = shard.total() / 2;
    if !shard.total().is_multiple_of(2) {
        return Err(PlanError::OddTotal(shard));
    }
    let other = match shard.index() < half {
        true => shard.index() + half,
        false => shard.index() - half,
    };
    let partner = ShardId::new(other, shard.total()).unwrap_or(shard);
    if !serving.topology().contains(partner) {
        return Err(PlanError::PartnerMissing { shard, partner });
    }
    let whole = ShardId::new(shard.index() % half, half).unwrap_or(ShardId::SINGLE);
    Ok(Vec::from([from(Vec::from([shard, partner]), whole)]))
}

/// The step that makes one shard of its parts.
pub(super) fn from(parts: Vec<ShardId>, whole: ShardId) -> Step {
    Step::new(StepKind::Merge, Vec::from([whole]), parts)
}
