//! Discord's rules for totals: multiples for very large bots (4010), guilds for each shard (4011).

use alloc::collections::BTreeSet;

use crate::fleet::shards::SHARDS_MAX;
use crate::fleet::topology::Topology;

use super::error::PlanError;
use super::facts::Facts;
use super::step::{Step, StepKind};

/// Above so many guilds, totals must be multiples of the number that Discord assigned, or 4010 follows.
pub const LARGE_BOT_GUILDS: u64 = 150_000;

/// A shard with more guilds is refused with 4011.
pub const GUILDS_PER_SHARD_MAX: u64 = 2_500;

/// Checks the totals that the steps start.
pub(super) fn check(current: &Topology, steps: &[Step], facts: &Facts) -> Result<(), PlanError> {
    let Some(guilds) = facts.guilds else {
        return Ok(());
    };
    let totals = |overlays: bool| {
        let steps = steps
            .iter()
            .filter(move |step| (step.kind() == StepKind::Overlay) == overlays);
        steps.flat_map(|step| step.start().iter().map(|shard| shard.total()))
    };
    if guilds > LARGE_BOT_GUILDS {
        let started: BTreeSet<_> = totals(false).chain(totals(true)).collect();
        let wrong = started
            .into_iter()
            .find(|&total| !is_allowed(total, current, facts));
        if let Some(total) = wrong {
            return Err(not_a_multiple(total, current, facts));
        }
    }
    if let Some(total) = totals(false).min() {
        let on_each = guilds.div_ceil(total.into());
        if on_each > GUILDS_PER_SHARD_MAX {
            let least = guilds.div_ceil(GUILDS_PER_SHARD_MAX);
            return Err(PlanError::TooManyGuilds {
                total,
                on_each,
                least,
            });
        }
    }
    Ok(())
}

/// Whether Discord is sure to take the total of a very large bot. What it recommends is always valid; multiples of a
/// total that it takes already are multiples of the assigned number too, whatever that is.
fn is_allowed(total: u32, current: &Topology, facts: &Facts) -> bool {
    let divides = |unit: u32| unit > 0 && total.is_multiple_of(unit);
    match facts.large_bot_shards {
        Some(unit) => divides(unit) || facts.recommended == Some(total),
        None => facts.recommended.is_some_and(divides) || current.totals().any(divides),
    }
}

fn not_a_multiple(total: u32, current: &Topology, facts: &Facts) -> PlanError {
    let known = facts.large_bot_shards.or(facts.recommended);
    let unit = known
        .filter(|&unit| unit > 0)
        .or_else(|| current.totals().next())
        .unwrap_or(1);
    let below = total / unit * unit;
    PlanError::NotAMultiple {
        total,
        unit,
        assigned: facts.large_bot_shards.is_some(),
        below: Some(below).filter(|&below| below > 0),
        above: below.checked_add(unit).filter(|&above| above <= SHARDS_MAX),
    }
}
