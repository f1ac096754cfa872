//! An overlay session for a hot guild, and the way back.

use alloc::vec::Vec;

use crate::fleet::serving::Serving;
use crate::fleet::shards::SHARDS_MAX;
use crate::id::{ShardId, Snowflake};

use super::error::PlanError;
use super::facts::Facts;
use super::step::{Step, StepKind};

/// Starts an overlay for the guild. Discord's rule leaves no session for one guild alone: an overlay of total M has one
/// guild in M, so the larger M, the fewer come along.
///
/// M is a multiple of the shard's total, and the overlay must not have index 0 or meet another. The smallest such M is
/// taken at which less than one other guild is to be expected, else the largest.
pub(super) fn plan(
    serving: &Serving,
    guild: Snowflake,
    facts: &Facts,
) -> Result<Vec<Step>, PlanError> {
    let shard = serving.shard_of(guild);
    if serving.overlays().contains(&shard) {
        return Err(PlanError::AlreadyIsolated {
            guild,
            overlay: shard,
        });
    }
    let fits = |overlay: &ShardId| {
        let apart = |other: &ShardId| !other.meets(*overlay);
        overlay.index() != 0 && serving.overlays().iter().all(apart)
    };
    let overlay = |ways: u32| ShardId::of_guild(guild, shard.total() * ways).filter(fits);
    let most = SHARDS_MAX / shard.total();
    let guilds = facts.guilds.unwrap_or(u64::MAX);
    let enough = guilds.div_ceil(shard.total().into()).max(2);
    let enough = u32::try_from(enough).unwrap_or(u32::MAX).min(most);
    let found = (enough.max(2)..=most).find_map(overlay);
    let found = found.or_else(|| (2..enough).rev().find_map(overlay));
    match found {
        Some(overlay) => {
            let start = Vec::from([overlay]);
            Ok(Vec::from([Step::new(StepKind::Overlay, start, Vec::new())]))
        }
        None => Err(PlanError::CannotIsolate { guild, shard }),
    }
}

/// Stops an overlay.
pub(super) fn rejoin(serving: &Serving, overlay: ShardId) -> Result<Vec<Step>, PlanError> {
    if !serving.overlays().contains(&overlay) {
        return Err(PlanError::UnknownShard(overlay));
    }
    Ok(Vec::from([leave(overlay)]))
}

/// The step that stops an overlay.
pub(super) fn leave(overlay: ShardId) -> Step {
    Step::new(StepKind::Rejoin, Vec::new(), Vec::from([overlay]))
}
