//! `shardkeep plan 16 32`: how to get from some shards to others, and what it costs. It starts and stops nothing.

mod screen;

use std::io::{Write, stdout};
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args};
use serde::{Deserialize, Serialize};
use shardkeep::HttpError;
use shardkeep::core::fleet::{self, Facts, PlanError, SessionStartLimit, Shards, Target, Topology};
use shardkeep::core::record::PlanAnswer;
use shardkeep::core::{ShardId, Snowflake};
use shardkeep::rest::Rest;

use crate::connect::{self, Connection};
use crate::failure::Failure;

/// Plan a change of shards: the steps, the identifies and the time they take, or why it cannot be. Nothing is started
/// or stopped.
///
/// Discord's limits are asked from /gateway/bot if there is a token, unless they are given.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("target").required(true).args(["shards", "split", "merge", "isolate", "rejoin"]),
    override_usage = "shardkeep plan [OPTIONS] <CURRENT> \
                      <SHARDS|--split <I/N>|--merge <I/N>|--isolate <GUILD>|--rejoin <I/N>>"
)]
pub(crate) struct Plan {
    /// The shards that serve now: a count, ranges such as `0-15/16`, or totals side by side such as `1-15/16;0,16/32`.
    #[arg(value_name = "CURRENT", value_parser = topology)]
    current: Topology,
    /// How many there are to be.
    shards: Option<u32>,
    /// Start all of them before any of the old ones stops, even where shards could be split or merged.
    #[arg(long, conflicts_with_all = ["split", "merge", "isolate", "rejoin"])]
    generation: bool,
    /// Split this shard in two.
    #[arg(long, value_name = "INDEX/TOTAL", value_parser = shard)]
    split: Option<ShardId>,
    /// Merge this shard with its other half.
    #[arg(long, value_name = "INDEX/TOTAL", value_parser = shard)]
    merge: Option<ShardId>,
    /// Start an overlay for this guild: a session with few others.
    #[arg(long, value_name = "GUILD")]
    isolate: Option<Snowflake>,
    /// Stop this overlay.
    #[arg(long, value_name = "INDEX/TOTAL", value_parser = shard)]
    rejoin: Option<ShardId>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    connection: Connection,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is known of the bot.
#[derive(Debug, Args)]
struct Known {
    /// An overlay that is open; may be given several times.
    #[arg(long = "overlay", value_name = "INDEX/TOTAL", value_parser = shard)]
    overlays: Vec<ShardId>,
    /// How many guilds the bot is in: then Discord's rules for guilds and shards are checked.
    #[arg(long)]
    guilds: Option<u64>,
    /// The number that a very large bot's totals must be multiples of, as Discord told its owner.
    #[arg(long, value_name = "SHARDS", value_parser = clap::value_parser!(u32).range(1..))]
    large_bot_shards: Option<u32>,
    /// How many identifies a day has [default: 1000, unless Discord is asked]
    #[arg(long)]
    total: Option<u32>,
    /// How many of them are left [default: all, unless Discord is asked]
    #[arg(long)]
    remaining: Option<u32>,
    /// How many shards may identify every 5 s [default: 1, unless Discord is asked]
    #[arg(long)]
    max_concurrency: Option<u32>,
    /// How long until the day ends [default: 24 h, unless Discord is asked]
    #[arg(long)]
    reset_after_ms: Option<u64>,
    /// How many identifies are never spent [default: the configuration's, or 50]
    #[arg(long)]
    reserve: Option<u32>,
    /// What is added to the 5 s between two identifies of one key [default: the configuration's, or 250]
    #[arg(long)]
    margin_ms: Option<u64>,
    /// How long old and new sessions run beside each other in each step.
    #[arg(long, default_value_t = 10_000)]
    overlap_ms: u64,
    /// Plan so many steps only; the rest can be planned another day.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
}

fn topology(text: &str) -> Result<Topology, String> {
    match Shards::from_str(text) {
        Ok(Shards::Fixed(topology)) => Ok(topology),
        Ok(Shards::Auto) => Err("name the shards that serve now, such as 16".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn shard(text: &str) -> Result<ShardId, String> {
    match topology(text)?.shards() {
        [only] => Ok(*only),
        _ => Err("name one shard, such as 3/16".to_owned()),
    }
}

/// Where Discord's limits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Limits {
    /// `/gateway/bot` was asked.
    Asked,
    /// The command line.
    Given,
    /// There is no token: those of most bots.
    Assumed,
}

/// The answer of `GET /gateway/bot`.
#[derive(Debug, Deserialize)]
struct GatewayBot {
    shards: u32,
    session_start_limit: SessionStartLimit,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Printed {
    limits: Limits,
    total: u32,
    remaining: u32,
    max_concurrency: u32,
    reserve: u32,
    #[serde(flatten)]
    answer: PlanAnswer,
}

pub(crate) async fn run(arguments: Plan) -> Result<(), Failure> {
    let (facts, limits) = arguments.facts().await?;
    let plan = fleet::Plan::new(&arguments.current, arguments.target()?, &facts);
    let written = if arguments.json {
        let printed = Printed {
            limits,
            total: facts.limit.total,
            remaining: facts.limit.remaining,
            max_concurrency: facts.limit.max_concurrency,
            reserve: facts.reserve,
            answer: PlanAnswer::of(&plan),
        };
        let line = serde_json::to_string(&printed);
        let line = line.map_err(|error| Failure::Failed(error.to_string()))?;
        writeln!(stdout(), "{line}")
    } else if let Ok(plan) = &plan {
        stdout().write_all(screen::of(plan, &facts, limits).as_bytes())
    } else {
        Ok(())
    };
    written.map_err(|error| Failure::output(&error))?;
    match plan {
        Ok(_) => Ok(()),
        Err(PlanError::Budget(short)) if short.days.is_some() && short.steps_that_fit > 0 => {
            let steps = short.steps_that_fit;
            let text = format!("{short} (--steps {steps} plans those of today)");
            Err(Failure::Failed(text))
        }
        Err(refused) => Err(Failure::Failed(refused.to_string())),
    }
}

impl Plan {
    fn target(&self) -> Result<Target, Failure> {
        let shards = self.shards.map(|total| match self.generation {
            true => Target::Generation(total),
            false => Target::Shards(total),
        });
        let target = shards
            .or_else(|| self.split.map(Target::Split))
            .or_else(|| self.merge.map(Target::Merge))
            .or_else(|| self.isolate.map(Target::Isolate))
            .or_else(|| self.rejoin.map(Target::Rejoin));
        target.ok_or_else(|| Failure::Usage("say how many shards there are to be".to_owned()))
    }

    async fn facts(&self) -> Result<(Facts, Limits), Failure> {
        let known = &self.known;
        let is_given = known.total.is_some()
            || known.remaining.is_some()
            || known.max_concurrency.is_some()
            || known.reset_after_ms.is_some();
        let total = known.total.unwrap_or(1_000);
        let limit = SessionStartLimit {
            total,
            remaining: known.remaining.unwrap_or(total),
            reset_after_ms: known.reset_after_ms.unwrap_or(86_400_000),
            max_concurrency: known.max_concurrency.unwrap_or(1),
        };
        let mut facts = Facts::new(limit);
        let mut limits = if is_given {
            Limits::Given
        } else {
            Limits::Assumed
        };
        if let Some(config) = connect::build_if_token(self.connection.builder())? {
            let settings = config.fleet_machine(0);
            (facts.reserve, facts.margin) = (settings.reserve, settings.margin);
            if !is_given {
                let rest = Rest::start(&config.token, config.rest())
                    .map_err(|error| Failure::Failed(error.to_string()))?;
                let answer = ask(&rest).await?;
                facts.limit = answer.session_start_limit;
                facts.recommended = Some(answer.shards);
                limits = Limits::Asked;
            }
        }
        facts.reserve = known.reserve.unwrap_or(facts.reserve);
        facts.margin = known.margin_ms.map_or(facts.margin, Duration::from_millis);
        facts.overlap = Duration::from_millis(known.overlap_ms);
        facts.overlays.clone_from(&known.overlays);
        facts.guilds = known.guilds;
        facts.large_bot_shards = known.large_bot_shards;
        facts.steps_max = known.steps;
        Ok((facts, limits))
    }
}

async fn ask(rest: &Rest) -> Result<GatewayBot, Failure> {
    let failed = |error| Failure::Failed(HttpError::from(error).to_string());
    let request = rest.get_gateway_bot().deadline(Duration::from_secs(30));
    let response = request.send().await.map_err(failed)?;
    response.json().map_err(failed)
}
