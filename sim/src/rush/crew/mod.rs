//! Several schedulers that share one bot's limits through a ledger, under faults, in one virtual time.
//!
//! A seed draws limits and workload like [`run`](super::run), and what befalls the members: a ledger that is slow, out
//! of reach for one or for all, or restarted empty; answers that are lost after the ledger has acted; members that
//! crash, and come back under their old name or another. The model of Discord sees all members as one bot.

mod draw;
mod member;
mod post;
mod report;
mod world;

use core::time::Duration;

use shardkeep_core::Instant;

pub use report::CrewReport;

/// Where the ledger's script runs.
pub trait Ledger {
    /// Runs the script at `now` by the ledger's clock and tells its answer.
    fn run(&mut self, now: Instant, keys: &[String], body: &str) -> String;

    /// Everything is lost, as when a store without persistence is restarted.
    fn lose(&mut self);
}

/// Something that befalls the crew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// Nobody reaches the ledger for a while; it may be empty afterwards.
    Outage { lasts: Duration, is_lost: bool },
    /// One member's words do not reach the ledger, or its answers do not reach the member.
    CutOff {
        member: usize,
        lasts: Duration,
        only_answers: bool,
    },
    /// A member is gone at once, and comes back after a while under its name or a new one.
    Crash {
        member: usize,
        back_after: Duration,
        under_new_name: bool,
    },
}

/// Lets a crew work through what `seed` draws.
#[must_use]
pub fn run(seed: u64, ledger: &mut dyn Ledger) -> CrewReport {
    let plan = draw::plan(seed);
    world::World::new(&plan, ledger).finish()
}
