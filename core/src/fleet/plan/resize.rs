//! To another number of shards, the gentlest way there is.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::fleet::error::TopologyError;
use crate::fleet::serving::Serving;
use crate::fleet::shards::SHARDS_MAX;
use crate::id::ShardId;

use super::error::PlanError;
use super::step::Step;
use super::{generation, merge, split};

/// Where every total divides the new one or is a multiple of it, each class of the new total lies in one shard or is
/// made up of some: shards are split and merged one at a time. Otherwise there is no way but a second generation.
///
/// Merges come first: they close sessions before splits open more. A plan that stopped halfway goes on where it was.
pub(super) fn plan(serving: &Serving, total: u32) -> Result<Vec<Step>, PlanError> {
    match total {
        0 => return Err(PlanError::BadTotal(TopologyError::ZeroTotal)),
        1..=SHARDS_MAX => {}
        _ => {
            let total = total.into();
            return Err(PlanError::BadTotal(TopologyError::TotalTooLarge { total }));
        }
    }
    let now = serving.topology();
    let nests = |other: u32| total.is_multiple_of(other) || other.is_multiple_of(total);
    if !now.totals().all(nests) {
        return generation::plan(serving, total);
    }
    let mut merges: BTreeMap<u32, Vec<ShardId>> = BTreeMap::new();
    let mut splits = Vec::new();
    for &shard in now.shards() {
        if shard.total() > total {
            merges.entry(shard.index() % total).or_default().push(shard);
        } else if shard.total() < total {
            splits.push(split::into(shard, total / shard.total()));
        }
    }
    let mut steps: Vec<_> = merges
        .into_iter()
        .filter_map(|(index, parts)| Some(merge::from(parts, ShardId::new(index, total)?)))
        .collect();
    steps.append(&mut splits);
    Ok(steps)
}
