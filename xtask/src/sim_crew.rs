//! `cargo xtask sim-crew`: schedulers that share limits through the ledger, under faults, seed after seed.

use anyhow::Result;

use crate::args::Args;
use crate::step::Step;

pub(crate) fn run(args: Args) -> Result<()> {
    Step::cargo([
        "run",
        "--release",
        "--package",
        "shardkeep-sim",
        "--no-default-features",
        "--example",
        "crew",
        "--",
    ])
    .args(args.rest())
    .run()
}
