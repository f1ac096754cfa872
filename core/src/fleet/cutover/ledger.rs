//! What became of every event, per guild and side: the account that a cutover ends with.

use alloc::collections::BTreeMap;
use core::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::id::Snowflake;

use super::{Joining, Leaving};

/// What a side did with the events of a guild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Handed on as they came.
    pub dispatched: u64,
    /// Held, and handed on after the cut.
    pub released: u64,
    /// Not handed on, because the other side dispatches the guild.
    pub watched: u64,
    /// Not handed on, because the guild is cut.
    pub after_cut: u64,
    /// Not handed on, because the other side had dispatched them before the cut.
    pub duplicates: u64,
    /// GUILD_CREATEs that are no join.
    pub overlap: u64,
    /// Copied, to be released or dropped later.
    pub held: u64,
    /// Held in vain: the ask was withdrawn, and the old side dispatches them.
    pub dropped: u64,
    /// Handed on, though the other side may have dispatched them too: an upper bound.
    pub possibly_duplicated: u64,
    /// Suppressed on one side without being sure that the other dispatched them: an upper bound.
    pub possibly_lost: u64,
    /// Times during which neither side may have seen the guild: how many events fell into them nobody can say.
    pub gaps: u64,
    /// Expected duplicates that had not come when the horizon ended. They are dispatched if they come later.
    pub unmet: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.dispatched += other.dispatched;
        self.released += other.released;
        self.watched += other.watched;
        self.after_cut += other.after_cut;
        self.duplicates += other.duplicates;
        self.overlap += other.overlap;
        self.held += other.held;
        self.dropped += other.dropped;
        self.possibly_duplicated += other.possibly_duplicated;
        self.possibly_lost += other.possibly_lost;
        self.gaps += other.gaps;
        self.unmet += other.unmet;
    }
}

/// Both sides' accounts of one guild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The session that leaves.
    pub old: Counts,
    /// The sessions that join.
    pub new: Counts,
}

impl Account {
    /// Nothing lost, nothing twice, as far as anyone can know.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        let (old, new) = (&self.old, &self.new);
        old.possibly_lost + new.possibly_lost + old.gaps + new.gaps == 0
            && old.possibly_duplicated + new.possibly_duplicated == 0
    }
}

/// The accounts of a cutover. Sides in other processes send theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// By guild.
    pub guilds: BTreeMap<Snowflake, Account>,
}

impl Ledger {
    /// Adds the account of the session that leaves.
    pub fn add_leaving(&mut self, side: &Leaving) {
        for (guild, counts) in side.counts() {
            self.guilds.entry(guild).or_default().old += counts;
        }
    }

    /// Adds the account of a session that joins.
    pub fn add_joining(&mut self, side: &Joining) {
        for (guild, counts) in side.counts() {
            self.guilds.entry(guild).or_default().new += counts;
        }
    }

    /// All guilds together.
    #[must_use]
    pub fn sum(&self) -> Account {
        let mut sum = Account::default();
        for account in self.guilds.values() {
            sum.old += account.old;
            sum.new += account.new;
        }
        sum
    }
}
