//! Runs simulated hours of a large bot under faults, seed after seed, and names every seed whose run went wrong.
//!
//! `cargo run --release -p shardkeep-sim --example hours -- --seeds 1000`; a seed that failed replays with `--seed N`.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shardkeep_sim::hours::{Plan, Report, run};

struct Options {
    seeds: u64,
    from: u64,
    shards: u32,
    minutes: u64,
}

const USAGE: &str = "usage: hours [--seeds N] [--from N] [--seed N] [--shards N] [--minutes N]";

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            seeds: 10,
            from: 1,
            shards: 64,
            minutes: 60,
        };
        while let Some(word) = words.next() {
            let number = words.next()?.parse().ok()?;
            match word.as_str() {
                "--seeds" => options.seeds = number,
                "--from" => options.from = number,
                "--seed" => (options.from, options.seeds) = (number, 1),
                "--shards" => {
                    options.shards = u32::try_from(number).ok().filter(|&shards| shards > 0)?
                }
                "--minutes" => options.minutes = number,
                _ => return None,
            }
        }
        Some(options)
    }

    fn plan(&self, seed: u64) -> Plan {
        let duration = Duration::from_secs(self.minutes * 60);
        Plan {
            shards: self.shards,
            duration,
            ..Plan::hour(seed)
        }
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let bar = progress(options.seeds);
    let reports = run_all(&options, &bar);
    bar.finish_and_clear();
    summarise(&options, &reports)
}

fn progress(seeds: u64) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(seeds)
    } else {
        ProgressBar::hidden()
    };
    let style = ProgressStyle::with_template(
        "{bar:40} {pos}/{len} seeds, {elapsed} gone, {eta} to go {msg}",
    );
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs the seeds on every core there is.
fn run_all(options: &Options, bar: &ProgressBar) -> Vec<Report> {
    let next = AtomicU64::new(options.from);
    let reports = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.from + options.seeds {
                        return;
                    }
                    let report = run(&options.plan(seed));
                    for fault in &report.faults_found {
                        bar.suspend(|| eprintln!("seed {seed}: {fault}"));
                    }
                    reports
                        .lock()
                        .expect("no worker panics while it holds the lock")
                        .push(report);
                    bar.inc(1);
                }
            });
        }
    });
    reports
        .into_inner()
        .expect("no worker panics while it holds the lock")
}

#[expect(
    clippy::print_stdout,
    reason = "the summary is what the program is for"
)]
fn summarise(options: &Options, reports: &[Report]) -> ExitCode {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    println!(
        "{} runs of {} shards for {} virtual minutes",
        reports.len(),
        options.shards,
        options.minutes
    );
    for (name, value) in [
        ("faults", sum(|report| report.faults)),
        ("sessions opened by Discord", sum(|report| report.sessions)),
        ("identifies", sum(|report| report.identified)),
        ("sessions resumed", sum(|report| report.resumed)),
        ("dead connections found", sum(|report| report.zombies)),
        ("dispatches sent", sum(|report| report.sent)),
        ("dispatches handed on", sum(|report| report.dispatched)),
        ("replayed by resumes", sum(|report| report.replayed)),
        (
            "gone with sessions that Discord ended",
            sum(|report| report.lost_with_session),
        ),
        (
            "lost on sessions that could be resumed",
            sum(|report| report.lost),
        ),
        ("handed on twice", sum(|report| report.duplicated)),
    ] {
        println!("{value:>14}  {name}");
    }
    let mut failed: Vec<_> = reports
        .iter()
        .filter(|report| !report.faults_found.is_empty())
        .map(|report| report.seed)
        .collect();
    failed.sort_unstable();
    if failed.is_empty() {
        println!("every run agrees with the simulator's ledger");
        return ExitCode::SUCCESS;
    }
    println!(
        "{} runs went wrong; replay one with --seed: {failed:?}",
        failed.len()
    );
    ExitCode::FAILURE
}
