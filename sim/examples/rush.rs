//! Runs the REST scheduler against the strict model, seed after seed, and names every seed that went wrong.
//!
//! `cargo run --release -p shardkeep-sim --example rush -- --seeds 10000`; a seed that failed replays with `--seed N`.

#[path = "seeds/mod.rs"]
mod seeds;

use std::process::ExitCode;

use seeds::Seeds;
use shardkeep_sim::rush::{Plan, Report, run};

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    requests: u64,
    announced: u64,
    unannounced: u64,
    hidden: u64,
    hidden_repeat: u64,
    ratios: Vec<(f64, u64)>,
    bad: Vec<Report>,
}

impl Totals {
    fn add(&mut self, report: Report) {
        self.requests += report.delivered;
        self.announced += report.counters.faults();
        self.unannounced += report.counters.unannounced;
        self.hidden += report.counters.hidden;
        self.hidden_repeat += report.counters.hidden_repeat;
        self.ratios
            .extend(report.throughput.map(|ratio| (ratio, report.plan.seed)));
        if !report.is_good() {
            self.bad.push(report);
        }
    }

    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    fn print(&mut self, seeds: u64) {
        println!(
            "{seeds} seeds: {} requests delivered; 429s: {} over what was announced, {} before the limit was known, \
             {} hidden, {} hidden again",
            self.requests, self.announced, self.unannounced, self.hidden, self.hidden_repeat
        );
        self.ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let (Some(worst), Some(median)) =
            (self.ratios.first(), self.ratios.get(self.ratios.len() / 2))
        {
            let below = self
                .ratios
                .iter()
                .filter(|(ratio, _)| *ratio < 0.95)
                .count();
            println!(
                "{} races: {:.1} % of the best possible throughput in the median, {:.1} % in the worst (seed {}); \
                 {below} below 95 %",
                self.ratios.len(),
                median.0 * 100.0,
                worst.0 * 100.0,
                worst.1,
            );
        }
        let slow: Vec<_> = self
            .ratios
            .iter()
            .take_while(|(ratio, _)| *ratio < 0.95)
            .take(12)
            .collect();
        if !slow.is_empty() {
            println!("the slowest races (share, seed): {slow:.3?}");
        }
        for report in self.bad.iter().take(if seeds == 1 { 1 } else { 20 }) {
            println!("{report}");
        }
        if !self.bad.is_empty() {
            println!(
                "{} seeds went wrong; replay one with --seed N",
                self.bad.len()
            );
        }
    }
}

fn main() -> ExitCode {
    let Some(seeds) = Seeds::from_arguments("rush") else {
        return ExitCode::from(2);
    };
    let mut totals = Totals::default();
    seeds.run(|seed| run(Plan::new(seed)), |report| totals.add(report));
    totals.print(seeds.count());
    if totals.bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
