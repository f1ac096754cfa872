//! `shardkeep shard-of GUILD --total N`: the shard that carries a guild.

use std::io::{Write, stdout};

use clap::Args;
use shardkeep::core::fleet::SHARDS_MAX;
use shardkeep::core::{ShardId, Snowflake};

use crate::failure::Failure;

/// Print the shard that Discord sends a guild's events to: (guild_id >> 22) % total.
#[derive(Debug, Args)]
pub(crate) struct ShardOf {
    /// The guild's id.
    guild: Snowflake,
    /// How many shards the bot has.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(SHARDS_MAX)))]
    total: u32,
}

pub(crate) fn run(arguments: &ShardOf) -> Result<(), Failure> {
    let shard = ShardId::of_guild(arguments.guild, arguments.total)
        .ok_or_else(|| Failure::Usage("--total is at least 1".to_owned()))?;
    writeln!(stdout(), "{}", shard.index()).map_err(|error| Failure::output(&error))
}
