//! Runs the REST scheduler against the strict model, seed after seed, and names every seed that went wrong.
//!
//! `cargo run --release -p shardkeep-sim --example rush -- --seeds 10000`; a seed that failed replays with `--seed N`.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use shardkeep_sim::rush::{Plan, Report, run};

const USAGE: &str = "usage: rush [--seeds N] [--from N] [--seed N]";

fn range(mut words: impl Iterator<Item = String>) -> Option<(u64, u64)> {
    let (mut from, mut seeds) = (1, 1_000);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seeds" => seeds = number,
            "--from" => from = number,
            "--seed" => (from, seeds) = (number, 1),
            _ => return None,
        }
    }
    Some((from, seeds))
}

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

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> ExitCode {
    let Some((from, seeds)) = range(std::env::args().skip(1)) else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(seeds)
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let next = AtomicU64::new(from);
    let totals = Mutex::new(Totals::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    let report = run(Plan::new(seed));
                    totals
                        .lock()
                        .expect("no thread panics while it holds this")
                        .add(report);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut totals = totals.into_inner().expect("no thread panicked");
    totals.print(seeds);
    if totals.bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
