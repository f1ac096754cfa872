//! `cargo xtask sim-fleet`: whole fleets under faults, seed after seed, or one very large one.

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
        "fleet",
        "--",
    ])
    .args(args.rest())
    .run()
}
