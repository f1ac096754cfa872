//! The command line: every command, described beside its code.

use clap::{Parser, Subcommand};

use crate::{bench, demo, fleet, plan, proxy, run, shard_of, sim};

/// Keeps Discord bots alive at scale.
#[derive(Debug, Parser)]
#[command(name = "shardkeep", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Run(run::Run),
    Proxy(Box<proxy::Proxy>),
    Sim(sim::Sim),
    ShardOf(shard_of::ShardOf),
    Plan(Box<plan::Plan>),
    /// Look at a bot whose processes share its shards.
    Fleet {
        #[command(subcommand)]
        fleet: fleet::Fleet,
    },
    /// Measure what this machine can do.
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
}
