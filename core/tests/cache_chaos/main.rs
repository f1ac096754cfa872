//! The cache against the naive model, for any limits, while the store and Discord fail in every way. `cargo xtask
//! sim-cache --seeds 10000` runs as many as it is told; by itself, the suite runs as many as fit into seconds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../cache_model/mod.rs"]
mod cache_model;
mod history;
mod limits;
mod outside;
mod run;

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
        (None, seeds) => 0..seeds.unwrap_or(400),
    };
    let count = seeds.end - seeds.start;
    let mut sum = run::Sum::default();
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
