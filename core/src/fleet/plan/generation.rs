//! A full second generation: every shard of another total starts beside those there are.

use alloc::vec::Vec;

use crate::fleet::serving::Serving;
use crate::fleet::topology::Topology;

use super::error::PlanError;
use super::step::{Step, StepKind};

/// Starts all of `total` that do not serve yet, and stops all that are of no use then.
pub(super) fn plan(serving: &Serving, total: u32) -> Result<Vec<Step>, PlanError> {
    let next = Topology::whole(total).map_err(PlanError::BadTotal)?;
    let now = serving.topology();
    let without = |all: &Topology, others: &Topology| {
        let shards = all.shards().iter().copied();
        shards.filter(|&shard| !others.contains(shard)).collect()
    };
    let start: Vec<_> = without(&next, now);
    if start.is_empty() {
        return Ok(Vec::new());
    }
    let stop = without(now, &next);
    Ok(Vec::from([Step::new(StepKind::Generation, start, stop)]))
}
