//! One step of a plan: what starts, and what stops once that serves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::fleet::topology;
use crate::id::ShardId;
use crate::reasons::reasons;

reasons! {
    /// What a step does.
    StepKind {
        1 Split "one shard becomes several of a larger total, which have its guilds between them",
        2 Merge "several shards become one of a smaller total, which has all their guilds",
        3 Generation "all shards of another total start beside those there are, which leave together",
        4 Overlay "a session of its own takes a guild over, and few others with it, from the shard that has them",
        5 Rejoin "an overlay leaves: its guilds are handled where their shard is",
    }
}

impl StepKind {
    /// The name in every language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Merge => "merge",
            Self::Generation => "generation",
            Self::Overlay => "overlay",
            Self::Rejoin => "rejoin",
        }
    }
}

/// One step of a [`Plan`](super::Plan): start these sessions, wait until they serve, then stop those.
///
/// What a step starts has exactly the guilds of what it stops, so that before and after it every guild is served
/// exactly once; only within it are there two sessions for a guild. An overlay is started or stopped alone: its guilds
/// go from their shard to it, or back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    kind: StepKind,
    start: Vec<ShardId>,
    stop: Vec<ShardId>,
}

impl Step {
    /// Both lists are put in order.
    pub(in crate::fleet) fn new(
        kind: StepKind,
        mut start: Vec<ShardId>,
        mut stop: Vec<ShardId>,
    ) -> Self {
        start.sort_unstable();
        stop.sort_unstable();
        Self { kind, start, stop }
    }

    /// What it does.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        self.kind
    }

    /// The sessions to start, by total and index. Each takes one identify.
    #[must_use]
    pub fn start(&self) -> &[ShardId] {
        &self.start
    }

    /// The sessions to stop afterwards, by total and index.
    #[must_use]
    pub fn stop(&self) -> &[ShardId] {
        &self.stop
    }

    /// What to start, as [`Shards`](crate::fleet::Shards) writes it; empty if there is nothing.
    #[must_use]
    pub fn start_text(&self) -> String {
        List(&self.start).to_string()
    }

    /// What to stop, as [`Shards`](crate::fleet::Shards) writes it; empty if there is nothing.
    #[must_use]
    pub fn stop_text(&self) -> String {
        List(&self.stop).to_string()
    }
}

/// The step in words, with shards as [`Shards`](crate::fleet::Shards) writes them.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, stop) = (List(&self.start), List(&self.stop));
        match self.kind {
            StepKind::Split => write!(
                f,
                "split {stop}: start {start}, and when they serve its guilds, stop {stop}"
            ),
            StepKind::Merge => write!(
                f,
                "merge {stop}: start {start}, and when it serves their guilds, stop {stop}"
            ),
            StepKind::Generation => write!(
                f,
                "second generation: start {start}, and when they serve all guilds, stop {stop}"
            ),
            StepKind::Overlay => write!(
                f,
                "isolate: start overlay {start}; its guilds' events on their shard are dropped once it serves"
            ),
            StepKind::Rejoin => write!(
                f,
                "rejoin: handle the guilds of overlay {stop} on their shard again, then stop it"
            ),
        }
    }
}

/// Shards as a topology writes them.
struct List<'a>(&'a [ShardId]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        topology::write_list(f, self.0)
    }
}
