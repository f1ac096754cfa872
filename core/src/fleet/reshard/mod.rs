//! A change of shards while it happens: a plan's steps one after the other, each with its cutover.
//!
//! A [`Plan`] says what is to start and what is to stop. [`Reshard`] says when, and never leaves a guild without a
//! session that dispatches it:
//!
//! ```text
//!  starting ------> switching ------> committing ------> stopping ------> the next step
//!  the new          guild by guild    what serves now    the old
//!  sessions come    (see `cutover`)   is stored          sessions close
//!      |
//!      '- refused, or aborted: back to what served before
//! ```
//!
//! Three rules: the old sessions' sides are made before a new session starts; a step is proven to leave an exact cover
//! before it is taken; nothing is stopped before what replaces it is stored. So a process that dies at any moment finds
//! in its store either the shards from before the step or those from after it, and all sessions that these need.
//!
//! A step is a point of no return once it switches guilds. [`Input::Abort`] undoes a step that has not, and otherwise
//! lets it end and takes no other: in both cases the shards that serve then are an exact cover.
//!
//! ```
//! use shardkeep_core::fleet::reshard::{Input, Output, Outcome, Reshard};
//! use shardkeep_core::fleet::{Facts, Plan, SessionStartLimit, Target, Topology};
//! use shardkeep_core::ShardId;
//!
//! let limit = SessionStartLimit { total: 1000, remaining: 900, reset_after_ms: 1, max_concurrency: 1 };
//! let plan = Plan::new(&Topology::whole(1)?, Target::Shards(2), &Facts::new(limit))?;
//! let mut reshard = Reshard::new(&plan, 7);
//! let [old, a, b] = [(0, 1), (0, 2), (1, 2)].map(|(i, n)| ShardId::new(i, n).unwrap());
//!
//! assert_eq!(reshard.poll_output(), Some(Output::Leave { shard: old, cutover: 7 }));
//! assert_eq!(reshard.poll_output(), Some(Output::Start { shard: a, cutover: 7 }));
//! assert_eq!(reshard.poll_output(), Some(Output::Start { shard: b, cutover: 7 }));
//! reshard.handle_input(Input::Ready { shard: a });
//! reshard.handle_input(Input::Ready { shard: b });
//! assert_eq!(reshard.poll_output(), Some(Output::Ask { is_on: true }));
//! // The sides of the cutover now talk to each other, until the old one has nothing left.
//! reshard.handle_input(Input::Left { shard: old });
//! assert_eq!(reshard.poll_output(), Some(Output::Commit));
//! assert_eq!(reshard.serving().to_string(), "2");
//! reshard.handle_input(Input::Committed);
//! assert_eq!(reshard.poll_output(), Some(Output::Stop { shard: old }));
//! for input in [Input::Ended { shard: old }, Input::Settled { shard: a }, Input::Settled { shard: b }] {
//!     reshard.handle_input(input);
//! }
//! assert_eq!(reshard.poll_output(), Some(Output::Ended(Outcome::Done)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod across;
mod io;
mod step;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::id::{ShardId, Snowflake};

use super::plan::{Plan, Step};
use super::serving::Serving;

pub use io::{Input, Outcome, Output, Progress, Side, Stage};

use step::{Phase, Taking};

/// A change of shards while it happens. The [module](self) tells the rules.
#[derive(Clone, Debug)]
pub struct Reshard {
    serving: Serving,
    left: VecDeque<Step>,
    all: usize,
    taken: usize,
    taking: Option<Taking>,
    /// New sessions that still expect duplicates of old ones.
    settling: BTreeSet<ShardId>,
    /// The number of the next cutover.
    next: u64,
    outbox: VecDeque<Output>,
    is_paused: bool,
    is_aborted: bool,
    outcome: Option<Outcome>,
}

impl Reshard {
    /// Begins. Each step's cutover has a number of its own, from `cutover` on: none that was used before, such as
    /// microseconds of Unix time.
    #[must_use]
    pub fn new(plan: &Plan, cutover: u64) -> Self {
        let mut reshard = Self {
            serving: plan.before().clone(),
            left: plan.steps().iter().cloned().collect(),
            all: plan.steps().len(),
            taken: 0,
            taking: None,
            settling: BTreeSet::new(),
            next: cutover,
            outbox: VecDeque::new(),
            is_paused: false,
            is_aborted: false,
            outcome: None,
        };
        reshard.advance();
        reshard
    }

    /// Goes on with a change that another process led, where its course says it is.
    pub(self) fn go_on(course: &across::Course, left: Vec<Step>) -> Self {
        let taking = course
            .step
            .clone()
            .and_then(|step| Taking::at(&course.serving, step, course.stage));
        let settling = match &taking {
            Some(taking) if course.stage == Stage::Stopping => taking.join.iter().copied(),
            _ => [].iter().copied(),
        };
        let mut reshard = Self {
            serving: course.serving.clone(),
            all: course.taken + usize::from(taking.is_some()) + left.len(),
            left: left.into(),
            taken: course.taken,
            settling: settling.collect(),
            taking,
            next: course.cutover + 1,
            outbox: VecDeque::new(),
            is_paused: course.is_paused,
            is_aborted: course.is_aborted,
            outcome: None,
        };
        if reshard.is_aborted && reshard.stage() == Stage::Starting {
            reshard.roll_back(Outcome::Aborted);
        }
        reshard.advance();
        reshard
    }

    /// Something happened. What is about no step that is being taken is passed over.
    pub fn handle_input(&mut self, input: Input) {
        match input {
            Input::Ready { shard } => self.ready(shard),
            Input::Left { shard } => self.left(shard),
            Input::Settled { shard } => self.settled(shard),
            Input::Committed => self.committed(),
            Input::Ended { shard } => self.ended(shard),
            Input::Pause if !self.is_paused => self.pause(true),
            Input::Resume if self.is_paused => self.pause(false),
            Input::Pause | Input::Resume => {}
            Input::Abort => {
                self.is_aborted = true;
                if self.stage() == Stage::Starting {
                    self.roll_back(Outcome::Aborted);
                }
            }
        }
        self.advance();
    }

    /// What to do now. Call until `None` after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// What serves: with [`Output::Commit`], what is to be stored.
    #[must_use]
    pub const fn serving(&self) -> &Serving {
        &self.serving
    }

    /// The session on the other side of a guild's cutover: where a message about it goes. `None` if no step is being
    /// taken that moves the guild.
    #[must_use]
    pub fn partner(&self, guild: Snowflake, to: Side) -> Option<ShardId> {
        let taking = self.taking.as_ref()?;
        let shards = match to {
            Side::Leaving => &taking.leave,
            Side::Joining => &taking.join,
        };
        shards.iter().copied().find(|shard| shard.carries(guild))
    }

    /// The sessions of the present step: those that hand guilds over, and those that take them.
    #[must_use]
    pub fn sides(&self) -> (Vec<ShardId>, Vec<ShardId>) {
        let sides = |taking: &Taking| (taking.leave.clone(), taking.join.clone());
        self.taking.as_ref().map(sides).unwrap_or_default()
    }

    /// The step that is being taken.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        self.taking.as_ref().map(|taking| &taking.step)
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            steps: self.all,
            taken: self.taken,
            stage: self.stage(),
            is_paused: self.is_paused,
            is_aborted: self.is_aborted,
            outcome: self.outcome,
        }
    }

    fn stage(&self) -> Stage {
        match self.taking.as_ref().map(|taking| &taking.phase) {
            Some(Phase::Starting(_)) => Stage::Starting,
            Some(Phase::Switching(_)) => Stage::Switching,
            Some(Phase::Committing) => Stage::Committing,
            Some(Phase::Stopping(_)) => Stage::Stopping,
            Some(Phase::RollingBack(..)) => Stage::RollingBack,
            None if self.outcome.is_some() => Stage::Ended,
            None => Stage::Between,
        }
    }

    fn push(&mut self, output: Output) {
        self.outbox.push_back(output);
    }

    fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        if self.stage() == Stage::Switching {
            self.push(Output::Ask { is_on: !is_paused });
        }
    }
}

#[cfg(test)]
mod tests;
