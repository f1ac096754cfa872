//! Plans as JSON: what is asked and what is answered, the same for every language, the command line and the vectors.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::fleet::{
    Estimate, Facts, KeySnapshot, Plan, PlanError, SessionStartLimit, Shards, Step, Target,
    Topology,
};
use crate::id::{ShardId, Snowflake};

/// A question for a plan.
///
/// ```
/// use shardkeep_core::record::PlanRequest;
///
/// let text = r#"{"topology": "2", "target": {"shards": 4}, "facts": {"remaining": 500}}"#;
/// let request: PlanRequest = serde_json::from_str(text)?;
/// let answer = serde_json::to_value(request.answer())?;
/// assert_eq!(answer["steps"][1]["start"], "1,3/4");
/// assert_eq!(answer["figures"]["budget_left"], 446);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    #[serde(deserialize_with = "topology")]
    topology: Topology,
    target: PlanTarget,
    #[serde(default)]
    facts: PlanFacts,
}

impl PlanRequest {
    /// The plan.
    ///
    /// # Errors
    ///
    /// [`PlanError`] as [`Plan::new`].
    pub fn plan(&self) -> Result<Plan, PlanError> {
        Plan::new(&self.topology, self.target.into(), &self.facts.facts())
    }

    /// The plan, or why there is none.
    #[must_use]
    pub fn answer(&self) -> PlanAnswer {
        PlanAnswer::of(&self.plan())
    }
}

/// A [`Target`], as `{"shards": 32}`, `{"split": "3/16"}`, `{"merge": "3/16"}`, `{"generation": 24}`,
/// `{"isolate": "41771983423143937"}` or `{"rejoin": "5/400"}`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanTarget {
    /// [`Target::Shards`]
    Shards(u32),
    /// [`Target::Split`]
    Split(#[serde(deserialize_with = "shard")] ShardId),
    /// [`Target::Merge`]
    Merge(#[serde(deserialize_with = "shard")] ShardId),
    /// [`Target::Generation`]
    Generation(u32),
    /// [`Target::Isolate`]
    Isolate(Snowflake),
    /// [`Target::Rejoin`]
    Rejoin(#[serde(deserialize_with = "shard")] ShardId),
}

impl From<PlanTarget> for Target {
    fn from(target: PlanTarget) -> Self {
        match target {
            PlanTarget::Shards(total) => Self::Shards(total),
            PlanTarget::Split(shard) => Self::Split(shard),
            PlanTarget::Merge(shard) => Self::Merge(shard),
            PlanTarget::Generation(total) => Self::Generation(total),
            PlanTarget::Isolate(guild) => Self::Isolate(guild),
            PlanTarget::Rejoin(shard) => Self::Rejoin(shard),
        }
    }
}

/// [`Facts`] whose defaults are those of most bots: 1,000 identifies a day, none spent, one at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlanFacts {
    total: u32,
    remaining: u32,
    resets_in_ms: u64,
    max_concurrency: u32,
    reserve: Option<u32>,
    margin_ms: Option<u64>,
    overlap_ms: Option<u64>,
    keys: Vec<KeySnapshot>,
    #[serde(deserialize_with = "shards")]
    overlays: Vec<ShardId>,
    guilds: Option<u64>,
    recommended: Option<u32>,
    large_bot_shards: Option<u32>,
    steps_max: Option<u32>,
}

impl Default for PlanFacts {
    fn default() -> Self {
        Self {
            total: 1_000,
            remaining: 1_000,
            resets_in_ms: 86_400_000,
            max_concurrency: 1,
            reserve: None,
            margin_ms: None,
            overlap_ms: None,
            keys: Vec::new(),
            overlays: Vec::new(),
            guilds: None,
            recommended: None,
            large_bot_shards: None,
            steps_max: None,
        }
    }
}

impl PlanFacts {
    fn facts(&self) -> Facts {
        let defaults = Facts::new(SessionStartLimit {
            total: self.total,
            remaining: self.remaining,
            reset_after_ms: self.resets_in_ms,
            max_concurrency: self.max_concurrency,
        });
        let or = |ms: Option<u64>, default| ms.map_or(default, Duration::from_millis);
        Facts {
            reserve: self.reserve.unwrap_or(defaults.reserve),
            margin: or(self.margin_ms, defaults.margin),
            overlap: or(self.overlap_ms, defaults.overlap),
            keys: self.keys.clone(),
            overlays: self.overlays.clone(),
            guilds: self.guilds,
            recommended: self.recommended,
            large_bot_shards: self.large_bot_shards,
            steps_max: self.steps_max,
            ..defaults
        }
    }
}

fn topology<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Topology, D::Error> {
    match Shards::deserialize(deserializer)? {
        Shards::Fixed(topology) => Ok(topology),
        Shards::Auto => Err(de::Error::custom(
            "a plan begins with the shards that serve now, not with auto",
        )),
    }
}

fn shard<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ShardId, D::Error> {
    match topology(deserializer)?.shards() {
        [only] => Ok(*only),
        _ => Err(de::Error::custom("not one shard, such as 3/16")),
    }
}

fn shards<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ShardId>, D::Error> {
    #[derive(Deserialize)]
    struct One(#[serde(deserialize_with = "shard")] ShardId);
    let list = Vec::<One>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|One(shard)| shard).collect())
}

/// A plan, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum PlanAnswer {
    /// The plan.
    #[non_exhaustive]
    Made {
        /// What serves before, as [`Shards`] writes it.
        before: String,
        /// What serves afterwards.
        after: String,
        /// The overlays that are open afterwards.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        overlays: Vec<String>,
        /// The steps, in order.
        steps: Vec<PlanStep>,
        /// How many more steps the target would take.
        #[serde(skip_serializing_if = "is_none")]
        steps_left: usize,
        /// What it costs.
        figures: PlanFigures,
    },
    /// Why there is none.
    #[non_exhaustive]
    Refused {
        /// Why.
        refused: Refused,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// One step: what starts, and what stops once that serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanStep {
    /// `split`, `merge`, `generation`, `overlay` or `rejoin`.
    pub kind: &'static str,
    /// The sessions to start, as [`Shards`] writes them; empty if there are none.
    pub start: String,
    /// The sessions to stop; empty if there are none.
    pub stop: String,
}

/// An [`Estimate`] in whole milliseconds, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is what it is in `Estimate`")]
pub struct PlanFigures {
    pub identifies: u32,
    pub duration_ms: u64,
    pub sessions_before: u32,
    pub sessions_after: u32,
    pub peak_sessions: u32,
    pub peak_sessions_per_mille: u32,
    pub peak_guilds_per_mille: u32,
    pub budget_left: u32,
    pub resets_in_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guilds_per_shard: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_with_milli: Option<u64>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refused {
    /// The name: [`PlanError::name`].
    pub why: &'static str,
    /// A sentence for the user, with what is possible instead.
    pub text: String,
    /// How many of the steps today's identifies carry, if they are what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_that_fit: Option<u32>,
    /// On how many days all of it could be done, if identifies are what is missing and that would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

impl PlanAnswer {
    /// What [`Plan::new`] said.
    #[must_use]
    pub fn of(said: &Result<Plan, PlanError>) -> Self {
        let plan = match said {
            Ok(plan) => plan,
            Err(error) => {
                let refused = Refused::of(error);
                return Self::Refused { refused };
            }
        };
        let after = plan.after();
        Self::Made {
            before: plan.before().topology().to_string(),
            after: after.topology().to_string(),
            overlays: after.overlays().iter().map(ToString::to_string).collect(),
            steps: plan.steps().iter().map(PlanStep::of).collect(),
            steps_left: plan.steps_left(),
            figures: PlanFigures::of(&plan.estimate()),
        }
    }
}

impl PlanStep {
    fn of(step: &Step) -> Self {
        Self {
            kind: step.kind().name(),
            start: step.start_text(),
            stop: step.stop_text(),
        }
    }
}

impl Refused {
    fn of(error: &PlanError) -> Self {
        let short = match error {
            PlanError::Budget(shortfall) => Some(shortfall),
            _ => None,
        };
        Self {
            why: error.name(),
            text: error.to_string(),
            steps_that_fit: short.map(|short| short.steps_that_fit),
            days: short.and_then(|short| short.days),
        }
    }
}

impl PlanFigures {
    fn of(estimate: &Estimate) -> Self {
        Self {
            identifies: estimate.identifies,
            duration_ms: millis(estimate.duration),
            sessions_before: estimate.sessions_before,
            sessions_after: estimate.sessions_after,
            peak_sessions: estimate.peak_sessions,
            peak_sessions_per_mille: estimate.peak_sessions_per_mille,
            peak_guilds_per_mille: estimate.peak_guilds_per_mille,
            budget_left: estimate.budget_left,
            resets_in_ms: millis(estimate.resets_in),
            guilds_per_shard: estimate.guilds_per_shard,
            shared_with_milli: estimate.shared_with_milli,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}
