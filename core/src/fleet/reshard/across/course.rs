//! What all processes know of a change: kept in the register, replaced as a whole.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fleet::cutover::Account;
use crate::fleet::plan::{Step, StepKind, Target};
use crate::fleet::reshard::io::{Side, Stage};
use crate::fleet::reshard::step::sides;
use crate::fleet::serving::Serving;
use crate::fleet::shards::Shards;
use crate::fleet::topology::Topology;
use crate::id::{ShardId, Snowflake};

/// The form of a written course. Another one is not read.
const VERSION: u16 = 1;

/// How far a change of shards has come, as all processes know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Whoever leads it: the instance of a member of the register.
    pub leader: String,
    /// What it leads to.
    pub target: Target,
    /// What served before it began, as a topology is written.
    pub from: String,
    /// What serves.
    pub serving: Serving,
    /// Where it is.
    pub stage: Stage,
    /// The step that is being taken.
    pub step: Option<Step>,
    /// The number of that step's cutover, or of the last one's.
    pub cutover: u64,
    /// Whether the sessions that the step starts may be opened: those that leave remember what they dispatch.
    pub is_prepared: bool,
    /// Whether guilds may be asked for.
    pub may_ask: bool,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Whether it was asked to abort.
    pub is_aborted: bool,
    /// How many steps there are.
    pub steps: usize,
    /// How many were taken.
    pub taken: usize,
    /// When it began, in milliseconds of Unix time.
    pub began_ms: u64,
    /// How many permits to identify the register had given then.
    pub permits: u64,
    /// What it came to, once it has ended.
    pub ended: Option<Ended>,
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How it ended, in words.
    pub outcome: String,
    /// Whether all steps were taken.
    pub is_done: bool,
    /// Both sides' accounts, over all guilds, as far as the leader was told of them.
    pub account: Account,
    /// Permits to identify that the register gave meanwhile.
    pub identifies: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What a session does in the present step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It hands its guilds over.
    Leaving,
    /// It takes guilds over.
    Joining,
}

impl Course {
    /// What the register leases out: everything that serves, and what the present step starts.
    #[must_use]
    pub fn sessions(&self) -> Topology {
        let serving = &self.serving;
        let mut all: Vec<_> = serving.topology().shards().to_vec();
        all.extend(serving.overlays());
        if self.is_prepared && matches!(self.stage, Stage::Starting | Stage::Switching) {
            all.extend(self.step.iter().flat_map(|step| step.start()));
        }
        all.sort_unstable();
        all.dedup();
        Topology::new(all).unwrap_or_else(|_| serving.topology().clone())
    }

    /// What the session does in the present step.
    #[must_use]
    pub fn role(&self, shard: ShardId) -> Option<Role> {
        let (leave, join) = self.sides();
        match self.stage {
            Stage::Starting | Stage::Switching if leave.contains(&shard) => Some(Role::Leaving),
            Stage::Starting | Stage::Switching | Stage::Stopping if join.contains(&shard) => {
                Some(Role::Joining)
            }
            _ => None,
        }
    }

    /// Whose guilds move in the present step, and where to.
    #[must_use]
    pub fn sides(&self) -> (Vec<ShardId>, Vec<ShardId>) {
        let sides = |step: &Step| sides(&self.serving, step);
        self.step.as_ref().map(sides).unwrap_or_default()
    }

    /// Which sessions know the guilds of the present step, and which have to be told them: those that are started hear
    /// them with READY; one that takes an overlay's back was open before.
    #[must_use]
    pub fn tellers(&self) -> (Vec<ShardId>, Vec<ShardId>) {
        let (leave, join) = self.sides();
        match self.step.as_ref().map(Step::kind) {
            Some(StepKind::Rejoin) => (leave, join),
            _ => (join, leave),
        }
    }

    /// The sessions on the other side of this one's cutover.
    #[must_use]
    pub fn partners(&self, role: Role) -> Vec<ShardId> {
        let (leave, join) = self.sides();
        match role {
            Role::Leaving => join,
            Role::Joining => leave,
        }
    }

    /// The session on the other side of a guild's cutover.
    #[must_use]
    pub fn partner(&self, guild: Snowflake, to: Side) -> Option<ShardId> {
        let (leave, join) = self.sides();
        let shards = match to {
            Side::Leaving => leave,
            Side::Joining => join,
        };
        shards.into_iter().find(|shard| shard.carries(guild))
    }

    /// Whether it is under way.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// As the register keeps it.
    #[must_use]
    pub fn write(&self) -> String {
        let words = Words {
            version: VERSION,
            leader: self.leader.clone(),
            target: TargetWords::of(self.target),
            from: self.from.clone(),
            serving: self.serving.topology().to_string(),
            overlays: text_of(self.serving.overlays()),
            stage: self.stage.name().to_owned(),
            step: self.step.as_ref().map(StepWords::of),
            cutover: self.cutover,
            prepared: self.is_prepared,
            ask: self.may_ask,
            paused: self.is_paused,
            aborted: self.is_aborted,
            steps: self.steps,
            taken: self.taken,
            began_ms: self.began_ms,
            permits: self.permits,
            ended: self.ended.clone(),
        };
        serde_json::to_string(&words).expect("texts and numbers are always JSON")
    }

    /// Reads what the register has; `None` if it is none, or of another version.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let words: Words = serde_json::from_str(text).ok()?;
        if words.version != VERSION {
            return None;
        }
        let base = topology_of(&words.serving)?;
        let serving = Serving::new(base, shards_of(&words.overlays)?).ok()?;
        let step = match &words.step {
            Some(step) => Some(step.step()?),
            None => None,
        };
        Some(Self {
            leader: words.leader,
            target: words.target.target()?,
            from: words.from,
            serving,
            stage: Stage::ALL
                .iter()
                .copied()
                .find(|stage| stage.name() == words.stage)?,
            step,
            cutover: words.cutover,
            is_prepared: words.prepared,
            may_ask: words.ask,
            is_paused: words.paused,
            is_aborted: words.aborted,
            steps: words.steps,
            taken: words.taken,
            began_ms: words.began_ms,
            permits: words.permits,
            ended: words.ended,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    version: u16,
    leader: String,
    target: TargetWords,
    from: String,
    serving: String,
    overlays: String,
    stage: String,
    step: Option<StepWords>,
    cutover: u64,
    prepared: bool,
    ask: bool,
    paused: bool,
    aborted: bool,
    steps: usize,
    taken: usize,
    began_ms: u64,
    permits: u64,
    ended: Option<Ended>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepWords {
    kind: String,
    start: String,
    stop: String,
}

impl StepWords {
    fn of(step: &Step) -> Self {
        Self {
            kind: step.kind().name().to_owned(),
            start: step.start_text(),
            stop: step.stop_text(),
        }
    }

    fn step(&self) -> Option<Step> {
        let kind = StepKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == self.kind)?;
        Some(Step::new(
            kind,
            shards_of(&self.start)?,
            shards_of(&self.stop)?,
        ))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TargetWords {
    Shards(u32),
    Split(String),
    Merge(String),
    Generation(u32),
    Isolate(Snowflake),
    Rejoin(String),
}

impl TargetWords {
    fn of(target: Target) -> Self {
        match target {
            Target::Shards(total) => Self::Shards(total),
            Target::Split(shard) => Self::Split(text_of(&[shard])),
            Target::Merge(shard) => Self::Merge(text_of(&[shard])),
            Target::Generation(total) => Self::Generation(total),
            Target::Isolate(guild) => Self::Isolate(guild),
            Target::Rejoin(shard) => Self::Rejoin(text_of(&[shard])),
        }
    }

    fn target(&self) -> Option<Target> {
        let only = |text: &str| shards_of(text)?.first().copied();
        Some(match self {
            Self::Shards(total) => Target::Shards(*total),
            Self::Split(shard) => Target::Split(only(shard)?),
            Self::Merge(shard) => Target::Merge(only(shard)?),
            Self::Generation(total) => Target::Generation(*total),
            Self::Isolate(guild) => Target::Isolate(*guild),
            Self::Rejoin(shard) => Target::Rejoin(only(shard)?),
        })
    }
}

fn topology_of(text: &str) -> Option<Topology> {
    match text.parse() {
        Ok(Shards::Fixed(topology)) => Some(topology),
        _ => None,
    }
}

/// A list that may be empty.
fn shards_of(text: &str) -> Option<Vec<ShardId>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    topology_of(text).map(|topology| topology.shards().to_vec())
}

fn text_of(shards: &[ShardId]) -> String {
    let topology = Topology::new(shards.iter().copied());
    topology.map_or_else(|_| String::new(), |topology| topology.to_string())
}
