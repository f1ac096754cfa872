//! Runs whole fleets under faults, seed after seed, and names every seed that went wrong.
//!
//! `cargo run --release -p shardkeep-sim --example fleet -- --seeds 2000`; a seed that failed replays with `--seed N`,
//! and tells what happened.

#[path = "../tests/fleet_register/mod.rs"]
mod fleet_register;
#[path = "../tests/lua_ledger/mod.rs"]
mod lua_ledger;
#[path = "seeds/mod.rs"]
mod seeds;

use std::process::ExitCode;

use seeds::Seeds;
use shardkeep_sim::fleet::{Plan, Report, run};

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    all: Report,
    bad: Vec<Report>,
}

impl Totals {
    fn add(&mut self, report: Report) {
        self.all += &report;
        if !report.is_good() || !report.story.is_empty() {
            self.bad.push(report);
        }
    }

    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    fn print(&self, seeds: u64) {
        for report in self.bad.iter().take(12) {
            println!("{report}");
        }
        println!("{seeds} seeds: {}", self.all.sums());
        let bad = self.bad.iter().filter(|report| !report.is_good());
        let bad: Vec<u64> = bad.map(|report| report.seed).collect();
        if !bad.is_empty() {
            let first: Vec<_> = bad.iter().take(40).collect();
            println!(
                "{} seeds went wrong; replay one with --seed N: {first:?}",
                bad.len()
            );
        }
    }
}

fn main() -> ExitCode {
    let Some(seeds) = Seeds::from_arguments("fleet") else {
        return ExitCode::from(2);
    };
    let mut totals = Totals::default();
    let is_told = seeds.count() == 1;
    seeds.run(
        |seed| run(Plan { seed, is_told }, &mut fleet_register::register()),
        |report| totals.add(report),
    );
    totals.print(seeds.count());
    match totals.bad.iter().all(Report::is_good) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
