//! `shardkeep bench`: what this machine can do.

mod ingest;
mod usage;

use clap::Subcommand;

use crate::failure::Failure;

/// Measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Count every dispatch of every shard until each shard has seen a given message.
    Ingest(ingest::Ingest),
}

pub(crate) async fn run(bench: Bench) -> Result<(), Failure> {
    match bench {
        Bench::Ingest(arguments) => ingest::run(arguments).await,
    }
}
