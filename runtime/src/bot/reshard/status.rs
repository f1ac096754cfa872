//! A change of shards in numbers.

use std::time::Duration;

use serde::Serialize;
use shardkeep_core::fleet::cutover::{Account, Ledger};
use shardkeep_core::fleet::reshard::Outcome;
use shardkeep_core::fleet::reshard::across::{Course, Ended};

/// How far a change of shards has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReshardStatus {
    /// The shards before, as `shards` writes them.
    pub from: String,
    /// The shards that it leads to.
    pub to: String,
    /// How many steps there are.
    pub steps: usize,
    /// How many were taken.
    pub steps_taken: usize,
    /// The present step, in words; empty between steps.
    pub step: String,
    /// Where the step is: `starting`, `switching`, `committing`, `stopping`, `rolling_back`, `between`, `ended`.
    pub stage: &'static str,
    /// Guilds that the present step moves, as far as they are known.
    pub guilds: usize,
    /// How many of them have switched.
    pub guilds_switched: usize,
    /// Whether it is paused.
    pub paused: bool,
    /// How it ended; none while it has not.
    pub outcome: Option<String>,
    /// Milliseconds since it began; when it has ended, until then.
    pub elapsed_ms: u64,
}

/// What looking at a bot's growth came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AutoReshardStatus {
    /// Above so many guilds on a shard there are to be more shards.
    pub max_guilds_per_shard: u32,
    /// Whether nothing is done but said.
    pub dry_run: bool,
    /// Guilds, when it was looked at last; 0 before.
    pub guilds: u64,
    /// Shards then.
    pub shards: u32,
    /// What was decided, in words; empty before.
    pub decision: String,
}

/// Events in numbers, over both sides and all guilds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReshardTotals {
    /// Handed on, from sessions that took part.
    pub dispatched: u64,
    /// Of those, held until their guild switched.
    pub held_back: u64,
    /// Not handed on, because the other session handed them on.
    pub suppressed: u64,
    /// GUILD_CREATEs of new sessions, which are no join.
    pub overlap: u64,
    /// Handed on, though the other session may have done so too: an upper bound.
    pub possibly_duplicated: u64,
    /// Not handed on without being sure that the other session did: an upper bound.
    pub possibly_lost: u64,
    /// Times during which neither session may have seen a guild.
    pub gaps: u64,
}

impl ReshardTotals {
    fn of(account: &Account) -> Self {
        let (old, new) = (&account.old, &account.new);
        Self {
            dispatched: old.dispatched + new.dispatched + new.released,
            held_back: new.released,
            suppressed: old.after_cut + new.watched + new.duplicates + new.dropped,
            overlap: new.overlap,
            possibly_duplicated: old.possibly_duplicated + new.possibly_duplicated,
            possibly_lost: old.possibly_lost + new.possibly_lost,
            gaps: old.gaps + new.gaps,
        }
    }
}

/// What a change of shards came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReshardReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The shards that serve now, as `shards` writes them.
    pub serving: String,
    /// Every guild's account, of both sessions. Empty where the change went over several processes: they tell each
    /// other the totals alone.
    pub ledger: Ledger,
    /// All guilds together.
    pub totals: ReshardTotals,
    /// Identifies that it spent.
    pub identifies: u64,
    /// How long it took.
    pub duration: Duration,
}

impl ReshardReport {
    pub(in crate::bot) fn new(
        outcome: Outcome,
        serving: String,
        ledger: Ledger,
        identifies: u64,
        duration: Duration,
    ) -> Self {
        let totals = ReshardTotals::of(&ledger.sum());
        Self {
            outcome,
            serving,
            ledger,
            totals,
            identifies,
            duration,
        }
    }

    /// Of a change over several processes.
    pub(in crate::bot) fn across(course: &Course, ended: &Ended, outcome: Outcome) -> Self {
        Self {
            outcome,
            serving: course.serving.to_string(),
            ledger: Ledger::default(),
            totals: ReshardTotals::of(&ended.account),
            identifies: ended.identifies,
            duration: Duration::from_millis(ended.took_ms),
        }
    }
}
