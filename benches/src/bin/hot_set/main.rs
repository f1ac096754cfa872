//! Hit ratios of cache policies on traces shaped like a bot's day, all in the same bytes of memory.
//!
//! `cargo xtask bench hot_set`. Options: `--seed N` (1), `--trace NAME`, `--speed`, which measures hits alone,
//! and `--docs`, which puts the tables into `docs/benchmarks.md` and a picture beside it.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of a trace are small"
)]

mod libraries;
mod policies;
mod speed;
mod tiny_lfu;
mod traces;
mod world;

use std::collections::HashSet;
use std::error::Error;
use std::io::{Write as _, stdout};

use libraries::{Moka, Ours, Quick};
use policies::{BESIDE, Lru, Policy, S3Fifo, Sieve};
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::{self, Group};
use tiny_lfu::TinyLfu;
use traces::{TRACES, Trace};
use world::Step;

/// Budgets in MiB.
const BUDGETS: [usize; 3] = [1, 4, 16];

/// Of those, the one in the picture.
const DRAWN: usize = 4;

/// Who takes part.
const ENTRANTS: [&str; 9] = [
    "Shardkeep",
    "quick_cache",
    "moka",
    "quick_cache, 32 B",
    "moka, 32 B",
    "LRU",
    "SIEVE",
    "S3-FIFO",
    "W-TinyLFU",
];

/// Of those, how many are caches that exist, and not policies alone.
const REAL: usize = 3;

fn entrant(number: usize, budget: usize, beside: [usize; 3]) -> Box<dyn Policy> {
    match number {
        0 => Box::new(Ours::new(budget)),
        1 => Box::new(Quick::new(budget, beside[1])),
        2 => Box::new(Moka::new(budget, beside[2])),
        3 => Box::new(Quick::new(budget, BESIDE)),
        4 => Box::new(Moka::new(budget, BESIDE)),
        5 => Box::new(Lru::new(budget)),
        6 => Box::new(Sieve::new(budget)),
        7 => Box::new(S3Fifo::new(budget)),
        _ => Box::new(TinyLfu::new(budget)),
    }
}

/// Questions that found their answer, in percent.
fn hit_percent(policy: &mut dyn Policy, steps: &[Step]) -> f64 {
    let (mut hits, mut asked) = (0_u64, 0_u64);
    for &step in steps {
        if step.is_write {
            policy.put(step);
            continue;
        }
        asked += 1;
        if policy.get(step.key) {
            hits += 1;
        } else {
            policy.put(step);
        }
    }
    hits as f64 * 100.0 / asked.max(1) as f64
}

/// A line about what a trace is.
fn describe(trace: &Trace, steps: &[Step]) -> String {
    let mut seen = HashSet::new();
    let mut bytes = 0;
    for step in steps {
        if seen.insert(step.key) {
            bytes += usize::from(step.bytes);
        }
    }
    let reads = steps.iter().filter(|step| !step.is_write).count();
    format!(
        "* *{}*: {}. {}k questions, {}k writes, {}k keys with {:.0} MiB of values.",
        trace.name,
        trace.about,
        reads / 1_000,
        (steps.len() - reads) / 1_000,
        seen.len() / 1_000,
        bytes as f64 / f64::from(1 << 20)
    )
}

struct Options {
    seed: u64,
    trace: Option<String>,
    is_speed: bool,
    docs: bool,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        seed: 1,
        trace: None,
        is_speed: false,
        docs: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => options.seed = words.next().ok_or("--seed wants a number")?.parse()?,
            "--trace" => options.trace = Some(words.next().ok_or("--trace wants a name")?),
            "--speed" => options.is_speed = true,
            "--docs" => options.docs = true,
            _ => {
                return Err(format!(
                    "there is no {word}; there are --seed N, --trace NAME, --speed, --docs"
                )
                .into());
            }
        }
    }
    Ok(options)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    if !options.is_speed {
        ratios(&options)?;
    }
    let text = speed::measure();
    writeln!(stdout(), "\n{text}")?;
    if options.docs {
        document::put("hot_set_hit", &text)?;
    }
    Ok(())
}

/// Hit ratios of everybody on every trace.
fn ratios(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut out = stdout();
    let beside = libraries::all_beside();
    let mut head = vec![String::from("trace, MiB")];
    head.extend(ENTRANTS.map(str::to_owned));
    let (mut rows, mut lines, mut groups) = (vec![head], Vec::new(), Vec::new());
    let (mut ahead, mut least) = (0, f64::MAX);
    for trace in &TRACES {
        if options
            .trace
            .as_ref()
            .is_some_and(|only| only != trace.name)
        {
            continue;
        }
        let steps = trace.make(options.seed);
        lines.push(describe(trace, &steps));
        for budget in BUDGETS {
            let ratios: Vec<f64> = (0..ENTRANTS.len())
                .map(|number| {
                    let mut policy = entrant(number, budget << 20, beside);
                    hit_percent(&mut *policy, &steps)
                })
                .collect();
            let best = ratios[1..].iter().copied().fold(0.0, f64::max);
            ahead += usize::from(ratios[0] >= best);
            least = least.min(ratios[0] - best);
            let mut row = vec![format!("{}, {budget}", trace.name)];
            row.extend(ratios.iter().map(|ratio| format!("{ratio:.1}")));
            writeln!(out, "{}", row.join("  "))?;
            rows.push(row);
            if budget == DRAWN {
                let names = ENTRANTS.iter().map(|&name| name.to_owned());
                let bars = names.zip(ratios).take(REAL).collect();
                let name = trace.name.to_owned();
                groups.push(Group { name, bars });
            }
        }
    }
    let text = format!(
        "Bytes that the allocator gives for an entry beside its value: Shardkeep {}, quick_cache {}, moka {}.\n\n\
         Hits of a hundred questions. Shardkeep is ahead of everybody else in {ahead} of {} rows, and nowhere further \
         behind the best than {:.1}.\n\n{}\n\n{}",
        beside[0],
        beside[1],
        beside[2],
        rows.len() - 1,
        (-least).max(0.0),
        table(&rows),
        lines.join("\n")
    );
    writeln!(out, "\n{text}")?;
    if options.docs {
        document::put("hot_set", &text)?;
        let title = format!("Hits of a hundred questions, {DRAWN} MiB");
        let svg = plot::bars(&title, "%, more is better", "Shardkeep", &groups);
        document::picture("hot_set.svg", &svg)?;
    }
    Ok(())
}
