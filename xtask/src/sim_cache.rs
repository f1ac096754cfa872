//! `cargo xtask sim-cache`: the cache against the naive model, under any limits and faults, seed after seed.

use anyhow::Result;

use crate::args::Args;
use crate::step::Step;

/// What issue 4 asks for.
const SEEDS: u64 = 10_000;

pub(crate) fn run(mut args: Args) -> Result<()> {
    let seeds = args.number("--seeds")?.unwrap_or(SEEDS);
    let seed = args.number("--seed")?;
    args.finish()?;
    let step = Step::cargo([
        "test",
        "--release",
        "--package",
        "shardkeep-core",
        "--test",
        "cache_chaos",
        "--",
        "--nocapture",
    ]);
    match seed {
        Some(seed) => step.env("SHARDKEEP_SEED", seed.to_string()).run(),
        None => step.env("SHARDKEEP_SEEDS", seeds.to_string()).run(),
    }
}
