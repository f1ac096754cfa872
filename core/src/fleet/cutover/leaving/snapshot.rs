//! What must outlive a crash of the old side: which guilds it no longer dispatches, and from where.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fleet::cutover::align::{Basis, Times};
use crate::fleet::cutover::config::Config;
use crate::fleet::cutover::ledger::Counts;
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Done, Leaving, State};

/// The old side's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeavingSnapshot {
    /// Which cutover it is of.
    pub cutover: u64,
    /// Tell [`Leaving::stored`] this number once it is stored.
    pub version: u64,
    /// Guilds that are cut.
    pub stopped: Vec<Stopped>,
    /// Asks that must never lead to a cut: of each guild the newest.
    pub withdrawn: Vec<(Snowflake, u64)>,
    /// Whether the session is gone.
    pub is_lost: bool,
    /// What was counted, over all guilds.
    pub counts: Counts,
}

/// A guild that the old side no longer dispatches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The guild.
    pub guild: Snowflake,
    /// The ask that it was cut for.
    pub number: u64,
    /// What came later in the session is not dispatched.
    pub sequence: u64,
    /// What the sides agreed by.
    pub basis: Basis,
    /// Events that neither side dispatched, as far as can be said.
    pub missing: u64,
    /// What the new side is told, as long as it has not confirmed.
    pub expected: Vec<Times>,
    /// As well.
    pub doubtful: Vec<Times>,
    /// Whether the session was gone.
    pub was_lost: bool,
    /// Whether the new side has confirmed.
    pub is_taken: bool,
}

impl Leaving {
    /// Enough to go on after a crash. Store it when [`wants_store`](Self::wants_store) says so, and then say
    /// [`stored`](Self::stored).
    #[must_use]
    pub fn snapshot(&self) -> LeavingSnapshot {
        let mut counts = self.inherited;
        let mut stopped = Vec::new();
        let mut withdrawn = Vec::new();
        for (&id, guild) in &self.guilds {
            counts += guild.counts;
            match &guild.state {
                State::Cut(done) => stopped.push(Stopped {
                    guild: id,
                    number: done.number,
                    sequence: done.sequence,
                    basis: done.basis,
                    missing: done.missing,
                    expected: done.expected.clone(),
                    doubtful: done.doubtful.clone(),
                    was_lost: done.was_lost,
                    is_taken: done.is_taken,
                }),
                State::Live | State::Asked(_) if guild.withdrawn > 0 => {
                    withdrawn.push((id, guild.withdrawn));
                }
                State::Live | State::Asked(_) => {}
            }
        }
        LeavingSnapshot {
            cutover: self.config.cutover,
            version: self.version,
            stopped,
            withdrawn,
            is_lost: self.is_lost,
            counts,
        }
    }

    /// Goes on from a snapshot, with the guilds of the session. Asks are forgotten: the new side asks again. What was
    /// dispatched before is forgotten too, so cuts that come within the horizon may have to wait for patience, and are
    /// counted as unsure then.
    #[must_use]
    pub fn restore(
        now: Instant,
        config: Config,
        guilds: impl IntoIterator<Item = Snowflake>,
        snapshot: &LeavingSnapshot,
    ) -> Self {
        let mut side = Self::new(config, guilds);
        side.inherited = snapshot.counts;
        side.version = snapshot.version;
        side.stored = snapshot.version;
        side.is_lost = snapshot.is_lost;
        // Whatever is replayed came late.
        side.resumed_at = Some(now);
        for &(id, number) in &snapshot.withdrawn {
            side.guilds.entry(id).or_default().withdrawn = number;
        }
        for stopped in &snapshot.stopped {
            let guild = side.guilds.entry(stopped.guild).or_default();
            if matches!(guild.state, State::Cut(_)) {
                continue;
            }
            guild.state = State::Cut(Box::new(Done {
                number: stopped.number,
                sequence: stopped.sequence,
                basis: stopped.basis,
                missing: stopped.missing,
                expected: stopped.expected.clone(),
                doubtful: stopped.doubtful.clone(),
                asked_at: None,
                was_lost: stopped.was_lost,
                is_taken: stopped.is_taken,
            }));
            side.cut += 1;
            if !stopped.is_taken {
                side.reply(stopped.guild);
            }
            side.taken += usize::from(stopped.is_taken);
        }
        side
    }
}
