//! `cargo xtask sim-hours`: simulated hours of a large bot under faults, seed after seed.

use anyhow::Result;

use crate::args::Args;
use crate::step::Step;

pub(crate) fn run(args: Args) -> Result<()> {
    Step::cargo([
        "run",
        "--release",
        "--package",
        "shardkeep-sim",
        "--example",
        "hours",
        "--",
    ])
    .args(args.rest())
    .run()
}
