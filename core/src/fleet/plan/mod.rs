//! From the shards there are to those that are wanted: step by step, proven before each, with its price.
//!
//! Discord sends a guild to shard `(guild_id >> 22) % num_shards` of each session's own `num_shards`. So shards of
//! different totals can serve one bot together, as long as every guild is on exactly one of them
//! ([`Topology::prove_cover`]). That gives four ways to change, and a plan is made of their [`Step`]s:
//!
//! | kind | before | after | sessions at once |
//! |---|---|---|---|
//! | split | (i, N) | (i, kN), (i + N, kN), ... | k more |
//! | merge | (i, N), (i + N/k, N), ... | (i, N/k) | 1 more |
//! | generation | any | all of another total | that total more |
//! | overlay | (i, N) | (i, N) and a part of it, (j, kN) | 1 more |
//!
//! Splits and merges go one shard at a time, so few guilds are held twice at any moment.

mod error;
mod estimate;
mod facts;
mod generation;
mod isolate;
mod merge;
mod resize;
mod rules;
mod split;
mod step;

use alloc::vec::Vec;
use core::fmt;

use crate::fleet::serving::{Serving, StepError, Walk};
use crate::fleet::topology::Topology;
use crate::id::{ShardId, Snowflake};

pub use error::{PlanError, Shortfall, Span};
pub use estimate::Estimate;
pub use facts::Facts;
pub use rules::{GUILDS_PER_SHARD_MAX, LARGE_BOT_GUILDS};
pub use step::{Step, StepKind};

/// What a plan is to lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// So many shards, the gentlest way: where the totals divide each other, shards are split or merged one at a time;
    /// otherwise a second generation.
    Shards(u32),
    /// This shard split in two.
    Split(ShardId),
    /// This shard merged with the one that has the other half of their common class: (i, N) with (i + N/2, N).
    Merge(ShardId),
    /// So many shards, all started before any of the old ones is stopped.
    Generation(u32),
    /// An overlay for this guild: a session of its own, with few other guilds.
    Isolate(Snowflake),
    /// This overlay stopped, its guilds back on their shard.
    Rejoin(ShardId),
}

/// How to get from the shards there are to a [`Target`].
///
/// A plan is a value: it does nothing, and the same arguments always give the same. When it was made, every step was
/// proven to leave an exact cover; [`Serving::after`] proves it again, of what really serves, before a step is taken.
///
/// ```
/// use shardkeep_core::fleet::{Facts, Plan, SessionStartLimit, Target, Topology};
///
/// let facts = Facts::new(SessionStartLimit {
///     total: 1000,
///     remaining: 900,
///     reset_after_ms: 3_600_000,
///     max_concurrency: 1,
/// });
/// let plan = Plan::new(&Topology::whole(16)?, Target::Shards(32), &facts)?;
/// assert_eq!(plan.steps().len(), 16);
/// assert_eq!(
///     plan.steps()[3].to_string(),
///     "split 3/16: start 3,19/32, and when they serve its guilds, stop 3/16"
/// );
/// let estimate = plan.estimate();
/// assert_eq!((estimate.identifies, estimate.budget_left), (32, 900 - 50 - 32));
/// assert_eq!((estimate.peak_sessions, estimate.peak_guilds_per_mille), (33, 1_063));
///
/// // 16 and 24 do not divide each other: 24 shards start beside the 16.
/// let plan = Plan::new(&Topology::whole(16)?, Target::Shards(24), &facts)?;
/// assert_eq!((plan.steps().len(), plan.estimate().peak_sessions), (1, 40));
///
/// let refused = Plan::new(&Topology::whole(16)?, Target::Shards(1600), &facts).unwrap_err();
/// assert!(refused.to_string().contains("take the first 8 of its 16 steps today"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    target: Target,
    before: Serving,
    after: Serving,
    steps: Vec<Step>,
    /// Steps that [`Facts::steps_max`] left for another day.
    steps_left: usize,
    estimate: Estimate,
}

impl Plan {
    /// Makes the plan from the shards that serve now; open overlays are among the facts.
    ///
    /// Overlays that would not be a part of one shard afterwards are stopped first.
    ///
    /// # Errors
    ///
    /// [`PlanError`], with what is possible instead: `current` is not an exact cover; the target asks for what is there
    /// or for what cannot be; Discord would refuse the totals (4010, 4011), as far as [`Facts::guilds`] is known; or
    /// today's identifies do not carry it.
    pub fn new(current: &Topology, target: Target, facts: &Facts) -> Result<Self, PlanError> {
        let overlays = facts.overlays.iter().copied();
        let before = Serving::new(current.clone(), overlays).map_err(PlanError::NotACover)?;
        let mut steps = match target {
            Target::Shards(total) => resize::plan(&before, total),
            Target::Split(shard) => split::plan(&before, shard),
            Target::Merge(shard) => merge::plan(&before, shard),
            Target::Generation(total) => generation::plan(&before, total),
            Target::Isolate(guild) => isolate::plan(&before, guild, facts),
            Target::Rejoin(overlay) => isolate::rejoin(&before, overlay),
        }?;
        if steps.is_empty() {
            return Err(PlanError::NothingToDo);
        }
        rules::check(current, &steps, facts)?;
        free_overlays(&before, &mut steps);
        let all = steps.len();
        let most = facts
            .steps_max
            .map_or(usize::MAX, |most| most.max(1) as usize);
        steps.truncate(most);
        let after = prove(&before, &steps)?;
        let estimate = estimate::estimate(&before, &after, &steps, facts);
        if estimate.identifies > facts.spendable() {
            return Err(PlanError::Budget(shortfall(&steps, facts)));
        }
        let steps_left = all - steps.len();
        Ok(Self {
            target,
            before,
            after,
            steps,
            steps_left,
            estimate,
        })
    }

    /// What it leads to.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The steps, in order. At least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many more steps the target would take, which [`Facts::steps_max`] left for another day.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.steps_left
    }

    /// What it costs.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// What serves before the first step.
    #[must_use]
    pub fn before(&self) -> &Serving {
        &self.before
    }

    /// What serves after the last step.
    #[must_use]
    pub fn after(&self) -> &Serving {
        &self.after
    }

    /// What serves after the first `steps` steps; after the last if there are no more.
    #[must_use]
    pub fn serving_after(&self, steps: usize) -> Serving {
        let mut walk = Walk::new(&self.before);
        let taken = self
            .steps
            .iter()
            .take(steps)
            .try_for_each(|step| walk.take(step))
            .and_then(|()| walk.serving());
        taken.expect("every step was proven when the plan was made")
    }
}

/// The plan in one line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            identifies,
            duration,
            peak_sessions,
            ..
        } = self.estimate;
        let (steps, span) = (self.steps.len(), Span(duration));
        let steps_are = if steps == 1 { "step" } else { "steps" };
        let identifies_are = if identifies == 1 {
            "identify"
        } else {
            "identifies"
        };
        write!(
            f,
            "from {} to {}: {steps} {steps_are}, {identifies} {identifies_are}, {span}, \
             at most {peak_sessions} sessions open",
            self.before, self.after
        )
    }
}

/// Proves every step, and as a whole what the last one leaves.
fn prove(before: &Serving, steps: &[Step]) -> Result<Serving, PlanError> {
    let mut walk = Walk::new(before);
    for (step, taken) in steps.iter().enumerate() {
        walk.take(taken)
            .map_err(|error| PlanError::Unproven { step, error })?;
    }
    walk.serving().map_err(|error: StepError| {
        let step = steps.len().saturating_sub(1);
        PlanError::Unproven { step, error }
    })
}

/// Overlays that would not be a part of one shard any more leave before everything else.
fn free_overlays(before: &Serving, steps: &mut Vec<Step>) {
    let is_torn = |overlay: &ShardId| {
        let home = before.topology().home_of(*overlay);
        let moves = |step: &&Step| home.is_some_and(|home| step.stop().contains(&home));
        let lands = |shard: &ShardId| shard.covers(*overlay) && shard != overlay;
        let step = steps.iter().find(moves);
        step.is_some_and(|step| !step.start().iter().any(lands))
    };
    let torn = before
        .overlays()
        .iter()
        .copied()
        .filter(|overlay| is_torn(overlay));
    let leave: Vec<_> = torn.map(isolate::leave).collect();
    steps.splice(0..0, leave);
}

/// How far today's identifies reach, and how many days all of it takes.
fn shortfall(steps: &[Step], facts: &Facts) -> Shortfall {
    let of_a_day = facts.spendable_of_a_day();
    let mut left = facts.spendable();
    let mut days = Some(1_u32);
    let mut needed: u32 = 0;
    let mut steps_that_fit = 0;
    for step in steps {
        let takes = u32::try_from(step.start().len()).unwrap_or(u32::MAX);
        needed = needed.saturating_add(takes);
        if takes > left {
            left = of_a_day;
            days = days.filter(|_| takes <= of_a_day).map(|days| days + 1);
        }
        left = left.saturating_sub(takes);
        steps_that_fit += u32::from(days == Some(1));
    }
    Shortfall {
        needed,
        spendable: facts.spendable(),
        resets_in: facts.resets_in(),
        steps_that_fit,
        steps: u32::try_from(steps.len()).unwrap_or(u32::MAX),
        days,
    }
}
