//! The cache against the naive model, for any limits, while the store and Discord fail in every way. `cargo xtask
//! sim-cache --seeds 10000` runs as many as it is told; by itself, the suite runs as many as fit into seconds.

#![allow(
    clippy::print_stdout,
    reason = "a run says what it has seen; TRACE=<text> shows what holds it"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "what a test picks from is small"
)]

mod answers;
#[path = "../cache_model/mod.rs"]
mod cache_model;
mod history;
mod limits;
mod outside;
mod run;
mod sum;

use std::env;
use std::panic::catch_unwind;

use run::Run;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn nothing_differs_and_nothing_is_stale() {
    let seeds = match (number("SHARDKEEP_SEED"), number("SHARDKEEP_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(250),
    };
    let count = seeds.end - seeds.start;
    let mut sum = sum::Sum::default();
    let mut wrong = Vec::new();
    for seed in seeds {
        match catch_unwind(|| Run::new(seed).play()) {
            Ok(run) => sum.add(&run),
            Err(_) => wrong.push(seed),
        }
        if count > 1_000 && seed % 1_000 == 999 {
            println!("{} of {count}: {sum:?}", seed + 1);
        }
    }
    println!("{count} sequences: {sum:?}");
    assert!(
        wrong.is_empty(),
        "wrong: seeds {wrong:?}; each replays with SHARDKEEP_SEED"
    );
    if count >= 100 {
        sum.check();
    }
}
