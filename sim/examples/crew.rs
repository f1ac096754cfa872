//! Runs crews that share limits through the ledger, seed after seed, and names every seed that went wrong.
//!
//! `cargo run --release -p shardkeep-sim --example crew -- --seeds 10000`; a seed that failed replays with `--seed N`.

#[path = "../tests/lua_ledger/mod.rs"]
mod lua_ledger;
#[path = "seeds/mod.rs"]
mod seeds;

use std::process::ExitCode;

use lua_ledger::LuaLedger;
use seeds::Seeds;
use shardkeep_core::rest::pool::LEDGER;
use shardkeep_sim::rush::crew::{self, CrewReport};

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    delivered: u64,
    lost: u64,
    announced: u64,
    unannounced: u64,
    hidden: u64,
    hidden_early: u64,
    exchanges: u64,
    on_share: u64,
    aways: u64,
    rejoined: u64,
    bad: Vec<CrewReport>,
}

impl Totals {
    fn add(&mut self, report: CrewReport) {
        let counters = &report.counters;
        self.delivered += report.delivered;
        self.lost += report.lost;
        self.announced +=
            counters.announced + counters.global_announced + counters.global_unannounced;
        self.unannounced += counters.unannounced;
        self.hidden += counters.hidden + counters.hidden_repeat;
        self.hidden_early += counters.hidden_early;
        self.exchanges += report.exchanges;
        self.on_share += report.on_share;
        self.aways += report.aways;
        self.rejoined += report.rejoined;
        if !report.is_good() {
            self.bad.push(report);
        }
    }

    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    fn print(&self, seeds: u64) {
        println!(
            "{seeds} seeds: {} requests delivered, {} lost with crashed processes, {} exchanges with ledgers; {} sent \
             on shares in {} times away, {} ledgers lost and rejoined",
            self.delivered, self.lost, self.exchanges, self.on_share, self.aways, self.rejoined
        );
        println!(
            "429s: {} over what was announced, {} before the limit was known, {} hidden, {} hidden before another \
             member had heard of it",
            self.announced, self.unannounced, self.hidden, self.hidden_early
        );
        for report in self.bad.iter().take(if seeds == 1 { 1 } else { 12 }) {
            println!("{report}");
        }
        if !self.bad.is_empty() {
            let bad: Vec<u64> = self.bad.iter().map(|report| report.seed).take(40).collect();
            println!(
                "{} seeds went wrong; replay one with --seed N: {bad:?}",
                self.bad.len()
            );
        }
    }
}

fn main() -> ExitCode {
    let Some(seeds) = Seeds::from_arguments("crew") else {
        return ExitCode::from(2);
    };
    let mut totals = Totals::default();
    seeds.run(
        |seed| crew::run(seed, &mut LuaLedger::new(LEDGER)),
        |report| totals.add(report),
    );
    totals.print(seeds.count());
    if totals.bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
