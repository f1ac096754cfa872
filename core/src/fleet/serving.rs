//! Who serves which guild: shards that are proven to be an exact cover, and overlays over them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use crate::id::{ShardId, Snowflake};

use super::cover::{CoverError, prove, prove_parts};
use super::plan::{Step, StepKind};
use super::topology::Topology;

/// The sessions that serve a bot's guilds. Proven when it is made: every guild is on exactly one shard, and on at most
/// one overlay, which is a part of that shard.
///
/// ```
/// use shardkeep_core::fleet::{Serving, Topology};
/// use shardkeep_core::{ShardId, Snowflake};
///
/// let overlay = ShardId::new(13, 400).unwrap();
/// let serving = Serving::new(Topology::whole(4)?, [overlay])?;
/// assert_eq!(serving.shard_of(Snowflake(413 << 22)), overlay);
/// assert_eq!(serving.shard_of(Snowflake(414 << 22)).to_string(), "2/4");
/// assert_eq!(serving.to_string(), "4 and overlay 13/400");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    base: Topology,
    /// In order.
    overlays: Vec<ShardId>,
}

impl Serving {
    /// These shards, and these overlays over them.
    ///
    /// # Errors
    ///
    /// [`CoverError`] unless they serve every guild exactly once: see [`Topology::prove_cover_with`].
    pub fn new(
        base: Topology,
        overlays: impl IntoIterator<Item = ShardId>,
    ) -> Result<Self, CoverError> {
        let mut overlays: Vec<_> = overlays.into_iter().collect();
        overlays.sort_unstable();
        base.prove_cover_with(&overlays)?;
        Ok(Self { base, overlays })
    }

    /// What these sessions serve: those that are a part of another are its overlays.
    ///
    /// # Errors
    ///
    /// [`CoverError`] unless they serve every guild exactly once.
    pub fn of_sessions(sessions: &Topology) -> Result<Self, CoverError> {
        let totals: Vec<_> = sessions.totals().collect();
        let is_overlay = |shard: &ShardId| {
            let smaller = totals.iter().take_while(|total| **total < shard.total());
            let mut whole = smaller.filter(|total| shard.total().is_multiple_of(**total));
            whole.any(|&total| {
                let of_it = ShardId::new(shard.index() % total, total);
                of_it.is_some_and(|of_it| sessions.contains(of_it))
            })
        };
        let all = sessions.shards().iter().copied();
        let (overlays, base): (Vec<_>, Vec<_>) = all.partition(is_overlay);
        // Of classes one of which covers another, the widest is no part of any.
        let base = Topology::new(base).unwrap_or_else(|_| sessions.clone());
        Self::new(base, overlays)
    }

    /// The shards, without overlays.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.base
    }

    /// The overlays, by total and index.
    #[must_use]
    pub fn overlays(&self) -> &[ShardId] {
        &self.overlays
    }

    /// How many sessions there are, overlays included.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.base.len() + self.overlays.len()
    }

    /// The session that handles the guild's events: the overlay if one has the guild, else the shard.
    #[must_use]
    pub fn shard_of(&self, guild: Snowflake) -> ShardId {
        let overlay = self.overlays.iter().find(|overlay| overlay.carries(guild));
        overlay
            .copied()
            .or_else(|| self.base.shards_of(guild).next())
            .expect("an exact cover serves every guild")
    }

    /// The session that handles events without a guild (direct messages, entitlements): the one shard of index 0.
    #[must_use]
    pub fn direct(&self) -> ShardId {
        let first = self.base.shards().iter().find(|shard| shard.index() == 0);
        first
            .copied()
            .expect("an exact cover has one shard of index 0")
    }

    /// What serves after the step: proven before it is taken.
    ///
    /// # Errors
    ///
    /// [`StepError`] if the step does not fit what serves now, or would not leave an exact cover.
    pub fn after(&self, step: &Step) -> Result<Self, StepError> {
        let mut walk = Walk::new(self);
        walk.take(step)?;
        walk.serving()
    }
}

impl fmt::Display for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)?;
        for overlay in &self.overlays {
            write!(f, " and overlay {overlay}")?;
        }
        Ok(())
    }
}

/// Why a step cannot be taken. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepError {
    /// It stops a session that does not serve.
    NotServing(ShardId),
    /// It starts a session that serves already.
    AlreadyServing(ShardId),
    /// What it starts does not serve exactly the guilds of what it stops.
    Cover(CoverError),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServing(shard) => write!(f, "the step stops {shard}, which does not serve"),
            Self::AlreadyServing(shard) => {
                write!(f, "the step starts {shard}, which serves already")
            }
            Self::Cover(error) => write!(f, "after the step, {error}"),
        }
    }
}

impl core::error::Error for StepError {}

impl From<CoverError> for StepError {
    fn from(error: CoverError) -> Self {
        Self::Cover(error)
    }
}

/// What serves while a plan is gone through. Each step is proven by itself, in time that its own size sets: if what it
/// starts partitions what it stops, an exact cover stays one.
pub(crate) struct Walk {
    base: BTreeSet<ShardId>,
    overlays: BTreeSet<ShardId>,
}

impl Walk {
    pub(crate) fn new(serving: &Serving) -> Self {
        Self {
            base: serving.base.shards().iter().copied().collect(),
            overlays: serving.overlays.iter().copied().collect(),
        }
    }

    /// Takes a step. After an error the walk is of no use.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), StepError> {
        let place = match step.kind() {
            StepKind::Overlay | StepKind::Rejoin => &mut self.overlays,
            StepKind::Split | StepKind::Merge | StepKind::Generation => &mut self.base,
        };
        for shard in step.stop() {
            if !place.remove(shard) {
                return Err(StepError::NotServing(*shard));
            }
        }
        for &shard in step.start() {
            if !place.insert(shard) {
                return Err(StepError::AlreadyServing(shard));
            }
        }
        match step.kind() {
            StepKind::Overlay => {
                self.serving()?;
            }
            StepKind::Rejoin => {}
            StepKind::Split | StepKind::Merge | StepKind::Generation => self.prove(step)?,
        }
        Ok(())
    }

    /// Proves that what the step starts has exactly the guilds of what it stops, and that overlays stay in one shard.
    fn prove(&self, step: &Step) -> Result<(), CoverError> {
        match (step.stop(), step.start()) {
            ([whole], parts) | (parts, [whole]) => prove_parts(*whole, parts)?,
            _ => {
                // The rest has not changed: if all are a cover again, what came has the guilds of what went.
                let all: Vec<_> = self.base.iter().copied().collect();
                prove(&all)?;
            }
        }
        for &overlay in &self.overlays {
            let moves = step.stop().iter().any(|shard| shard.covers(overlay));
            let lands = |shard: &&ShardId| shard.covers(overlay) && **shard != overlay;
            if moves && !step.start().iter().any(|shard| lands(&shard)) {
                let shard = step.start().iter().find(|shard| shard.meets(overlay));
                let shard = shard.copied().unwrap_or(overlay);
                return Err(CoverError::Astride { overlay, shard });
            }
        }
        Ok(())
    }

    /// What serves now, proven as a whole.
    pub(crate) fn serving(&self) -> Result<Serving, StepError> {
        let base = Topology::new(self.base.iter().copied()).map_err(|_| {
            // Nobody is left, or more than there can be: both are no cover.
            StepError::Cover(CoverError::Unserved {
                class: super::Residue::ALL,
            })
        })?;
        Ok(Serving::new(base, self.overlays.iter().copied())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(pairs: &[(u32, u32)]) -> Vec<ShardId> {
        let shard = |&(index, total): &(u32, u32)| ShardId::new(index, total);
        pairs.iter().filter_map(shard).collect()
    }

    /// No plan makes such steps: a walk must not take them either.
    #[test]
    fn steps_that_lose_or_double_guilds_are_not_taken() {
        let four = Topology::whole(4).expect("a total");
        let serving = Serving::new(four, shards(&[(6, 40)])).expect("a cover");
        let take = |kind, start: &[(u32, u32)], stop: &[(u32, u32)]| {
            Walk::new(&serving).take(&Step::new(kind, shards(start), shards(stop)))
        };
        use StepKind::{Generation, Merge, Overlay, Rejoin, Split};
        assert_eq!(take(Split, &[(1, 8), (5, 8)], &[(1, 4)]), Ok(()));
        assert_eq!(take(Merge, &[(1, 2)], &[(1, 4), (3, 4)]), Ok(()));
        for (kind, start, stop) in [
            (Split, &[(1, 8)][..], &[(1, 4)][..]),
            (Split, &[(1, 8), (5, 16)], &[(1, 4)]),
            (Split, &[(1, 8), (5, 8), (13, 16)], &[(1, 4)]),
            (Split, &[(1, 8), (6, 8)], &[(1, 4)]),
            (Split, &[], &[(1, 4)]),
            (Merge, &[(1, 2)], &[(1, 4)]),
            (Merge, &[(1, 2)], &[(1, 4), (2, 4)]),
            (Merge, &[(1, 2)], &[(0, 4), (1, 4), (3, 4)]),
            (Merge, &[(1, 2)], &[]),
            (
                Generation,
                &[(0, 3), (1, 3)],
                &[(0, 4), (1, 4), (2, 4), (3, 4)],
            ),
            (
                Generation,
                &[(0, 3), (1, 3), (2, 3)],
                &[(0, 4), (1, 4), (2, 4)],
            ),
            (Overlay, &[(6, 20)], &[]),
            (Overlay, &[(8, 39)], &[]),
            (Overlay, &[(0, 8)], &[]),
            // The overlay 6/40 would lie on two shards, or on none.
            (Split, &[(2, 12), (6, 12), (10, 12)], &[(2, 4)]),
        ] {
            let found = take(kind, start, stop);
            assert!(
                matches!(found, Err(StepError::Cover(_))),
                "{kind:?} {start:?} {stop:?}: {found:?}"
            );
        }
        let [gone, there] = [shards(&[(1, 8)])[0], shards(&[(1, 4)])[0]];
        assert_eq!(
            take(Split, &[(1, 16), (9, 16)], &[(1, 8)]),
            Err(StepError::NotServing(gone))
        );
        assert_eq!(
            take(Rejoin, &[], &[(1, 8)]),
            Err(StepError::NotServing(gone))
        );
        assert_eq!(
            take(Merge, &[(1, 4)], &[(3, 4)]),
            Err(StepError::AlreadyServing(there))
        );
    }
}
