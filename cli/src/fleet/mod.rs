//! `shardkeep fleet status`: the processes that are one bot, and who runs what.

mod screen;

use std::io::{Write, stdout};

use clap::{Args, Subcommand};

use crate::connect::{self, Connection};
use crate::failure::Failure;

/// Look at a bot whose processes share its shards (`fleet.kind = redis`).
#[derive(Debug, Subcommand)]
pub(crate) enum Fleet {
    Status(Status),
}

/// Every process, what it runs and says of itself; shards that nobody runs; what is left of the day's identifies.
///
/// The bot is found by its token and `redis_config.url`, from the environment (DISCORD_TOKEN,
/// SHARDKEEP_REDIS_CONFIG_URL) or a file.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    connection: Connection,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: Fleet) -> Result<(), Failure> {
    let Fleet::Status(arguments) = command;
    let config = connect::build(arguments.connection.builder())?;
    let view = shardkeep::bot::fleet_view(&config)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let text = match arguments.json {
        true => serde_json::to_string(&view).map_err(|error| Failure::Failed(error.to_string()))?,
        false => screen::of(&view),
    };
    let mut out = stdout();
    writeln!(out, "{}", text.trim_end()).map_err(|error| Failure::Failed(error.to_string()))
}
