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
use std::time::Duration;

use indicatif::ProgressBar;
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

/// Seconds of processor time that this process has used, where the system tells.
fn cpu_seconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100)
}

/// A million guilds, and a change from 1,000 to 2,000 shards.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn big() -> ExitCode {
    let bar = ProgressBar::new_spinner();
    bar.set_message("1,000,000 guilds go from 1,000 to 2,000 shards");
    bar.enable_steady_tick(Duration::from_millis(200));
    let plan = Plan {
        is_big: true,
        ..Plan::new(1)
    };
    let report = run(plan, &mut fleet_register::register());
    bar.finish_and_clear();
    println!("{report}\n{}", report.sums());
    if let Some(seconds) = cpu_seconds() {
        println!("{seconds} s of processor time");
    }
    match report.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--big") {
        return big();
    }
    let Some(seeds) = Seeds::from_arguments("fleet") else {
        return ExitCode::from(2);
    };
    let mut totals = Totals::default();
    let is_told = seeds.count() == 1;
    seeds.run(
        |seed| {
            let plan = Plan {
                is_told,
                ..Plan::new(seed)
            };
            run(plan, &mut fleet_register::register())
        },
        |report| totals.add(report),
    );
    totals.print(seeds.count());
    match totals.bad.iter().all(Report::is_good) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
