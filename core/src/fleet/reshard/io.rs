//! What a change of shards takes and gives.

use core::fmt;

use crate::fleet::serving::StepError;
use crate::id::ShardId;
use crate::reasons::reasons;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The guilds of a session that joins are known now: READY came on one that was started; one that was open
    /// before was told those of the overlay that leaves. To be said after both sides were told them: one that knows of
    /// no guild has nothing to hand over, and would be through at once.
    Ready {
        /// The session.
        shard: ShardId,
    },
    /// Every guild of the session that leaves is cut and taken:
    /// [`Leaving::is_finished`](crate::fleet::cutover::Leaving::is_finished).
    Left {
        /// The session.
        shard: ShardId,
    },
    /// The session that joins expects no duplicates any more:
    /// [`Joining::is_finished`](crate::fleet::cutover::Joining::is_finished).
    Settled {
        /// The session.
        shard: ShardId,
    },
    /// What [`Output::Commit`] asked for is stored.
    Committed,
    /// A session has ended for good: it was stopped, or Discord refuses it.
    Ended {
        /// The session.
        shard: ShardId,
    },
    /// Ask for no more guilds, and take no further step. What is under way ends.
    Pause,
    /// Go on.
    Resume,
    /// End as soon as possible: at once if no guild has switched in this step, else after it.
    Abort,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make a [`Leaving`](crate::fleet::cutover::Leaving) for this session, for the guilds that those who
    /// [join](super::Reshard::sides) carry.
    Leave {
        /// The session.
        shard: ShardId,
        /// The cutover's number.
        cutover: u64,
    },
    /// Start this session, with a [`Joining`](crate::fleet::cutover::Joining).
    Start {
        /// The session.
        shard: ShardId,
        /// The cutover's number.
        cutover: u64,
    },
    /// Make a `Joining` for this session, which has been open all the time, for the guilds that the sessions that leave
    /// carry: an overlay's come back to their shard.
    Join {
        /// The session.
        shard: ShardId,
        /// The cutover's number.
        cutover: u64,
    },
    /// From now on those who join may ask for guilds, or may not.
    Ask {
        /// Whether they may.
        is_on: bool,
    },
    /// Store [`Reshard::serving`](super::Reshard::serving) and the sessions it needs, then say [`Input::Committed`].
    Commit,
    /// Close the session; it is not needed any more. Say [`Input::Ended`] when it has ended.
    Stop {
        /// The session.
        shard: ShardId,
    },
    /// This session goes on without its side of the cutover: its guilds are its own, except those of overlays.
    Stay {
        /// The session.
        shard: ShardId,
    },
    /// Nothing more will happen.
    Ended(Outcome),
}

/// How a change of shards ended. In every case what serves is an exact cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps were taken.
    Done,
    /// It was aborted, after the steps that were taken.
    Aborted,
    /// Discord refused a new session for good. The step was undone.
    Refused(ShardId),
    /// A step does not fit what serves: nothing of it was done.
    Unproven(StepError),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("all steps were taken"),
            Self::Aborted => f.write_str("aborted: what serves now is complete"),
            Self::Refused(shard) => write!(
                f,
                "Discord refused shard {shard}: its step was undone, what served before serves on"
            ),
            Self::Unproven(error) => write!(f, "the next step was not taken: {error}"),
        }
    }
}

/// The two sides of a cutover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The old session's.
    Leaving,
    /// The new session's.
    Joining,
}

reasons! {
    /// Where a change of shards is.
    Stage {
        1 Between "between two steps: paused, or new sessions still expect duplicates of old ones",
        2 Starting "new sessions start beside the old ones, which serve",
        3 Switching "both are open, and guild by guild the new ones take over",
        4 Committing "the new sessions have every guild; that is being stored",
        5 Stopping "the old sessions are closed",
        6 RollingBack "the step is undone: the new sessions are closed, the old ones serve on",
        7 Ended "it has ended",
    }
}

impl Stage {
    /// The name in every language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Between => "between",
            Self::Starting => "starting",
            Self::Switching => "switching",
            Self::Committing => "committing",
            Self::Stopping => "stopping",
            Self::RollingBack => "rolling_back",
            Self::Ended => "ended",
        }
    }
}

/// How far a change of shards has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many steps there are.
    pub steps: usize,
    /// How many were taken.
    pub taken: usize,
    /// Where the present one is.
    pub stage: Stage,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Whether it was asked to abort.
    pub is_aborted: bool,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
}
