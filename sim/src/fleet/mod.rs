//! Whole fleets under faults: processes that lease their shards, sessions that outlive them, and a change of shards in
//! the middle, in virtual time.
//!
//! A seed draws up to 12 processes and up to 256 shards, their clocks, a register, a store of sessions, Discord's
//! limits, and what befalls all of them: crashes, pauses, partitions, slow stores, storms, outages, and an operator who
//! changes how many shards there are, in one process or over several, whose letters are lost and late. [`run`] lets it
//! happen and compares, after each step, what the bot does with what it may do; and in the end, event by event, what
//! its handlers finished with what Discord sent.

mod across;
mod bus;
mod calm;
mod clock;
mod crew;
mod cutover;
mod draw;
mod happening;
mod kept;
mod lead;
mod leases;
mod mishaps;
mod process;
mod report;
mod reshard;
mod sessions;
mod shards;
mod stage;
mod store;
mod stored;
mod truth;

pub use report::Report;

use crate::rush::crew::Ledger;

/// What to run. Everything random follows from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Names the run: the same seed gives the same run.
    pub seed: u64,
    /// Whether the report tells what happened, line by line.
    pub is_told: bool,
    /// In place of what the seed draws: a million guilds, and a change from 1,000 to 2,000 shards.
    pub is_big: bool,
}

impl Plan {
    /// What the seed draws, without the story.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            is_told: false,
            is_big: false,
        }
    }
}
/// Lets a fleet live through what a seed draws. `register` runs
/// [`REGISTER`](shardkeep_core::fleet::lease::REGISTER).
#[must_use]
pub fn run(plan: Plan, register: &mut dyn Ledger) -> Report {
    let scene = match plan.is_big {
        true => draw::Scene::big(plan.seed),
        false => draw::Scene::draw(plan.seed),
    };
    stage::Stage::new(scene, plan.is_told, register).finish()
}
