//! `cargo xtask sim-rest`: the REST scheduler against the strict model, seed after seed.

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
        "rush",
        "--",
    ])
    .args(args.rest())
    .run()
}
