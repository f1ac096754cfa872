//! `cargo xtask demo`: builds and runs `shardkeep demo`, passing its arguments on.

use anyhow::Result;

use crate::args::Args;
use crate::step::Step;

pub(crate) fn run(args: Args) -> Result<()> {
    Step::cargo([
        "run",
        "--release",
        "--package",
        "shardkeep-cli",
        "--bin",
        "shardkeep",
        "--",
        "demo",
    ])
    .args(args.rest())
    .run()
}
