//! `shardkeep sim`: the simulator by itself, for any bot in any language.

use std::io::{Write, stderr, stdout};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use shardkeep_sim::rest::RestConfig;
use shardkeep_sim::server::{Server, ServerConfig, StartError};
use shardkeep_sim::{Control, DEFAULT_TOKEN, Fault, WeightedFault, WorldConfig};

use crate::failure::Failure;
use crate::signals::Stop;

/// Run a simulated Discord, to test any bot against. The first line on standard output is a JSON object with its
/// addresses; point the bot's API base there.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Allow an address that other machines reach. Tokens travel in the clear.
    #[arg(long)]
    allow_remote: bool,
    /// How many guilds the bot is in.
    #[arg(long, default_value_t = 20)]
    guilds: u32,
    /// How many members a guild has on average.
    #[arg(long, default_value_t = 100)]
    members: u32,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Events per second over all guilds.
    #[arg(long, default_value_t = 0, value_name = "EVENTS_PER_S")]
    rate: u32,
    /// Identifies allowed per 5 seconds, each with its own key.
    #[arg(long, default_value_t = 16)]
    max_concurrency: u32,
    /// How many shards /gateway/bot recommends; 0 for one per 1,000 guilds.
    #[arg(long, default_value_t = 0)]
    shards: u32,
    /// The heartbeat interval that clients are told.
    #[arg(long, default_value_t = 41_250)]
    heartbeat_interval_ms: u64,
    /// REST requests allowed per second in all; 0 for any number. Routes keep their own limits.
    #[arg(long, default_value_t = 50, value_name = "REQUESTS_PER_S")]
    rest_global: u32,
    /// How long REST requests and their answers travel, each way.
    #[arg(long, default_value_t = 0)]
    rest_latency_ms: u64,
    /// The token that is accepted.
    #[arg(long, default_value = DEFAULT_TOKEN)]
    token: String,
    /// Faults at random: names with an optional weight, such as `drop=3,reconnect,half_open`.
    #[arg(long, value_name = "FAULT[=WEIGHT],..")]
    weather: Option<Weather>,
    /// The mean time between two faults of the weather.
    #[arg(long, default_value_t = 5_000, requires = "weather")]
    weather_every_ms: u64,
    /// End by itself after this time.
    #[arg(long, value_name = "SECONDS")]
    for_s: Option<u64>,
}

/// Faults and their weights.
#[derive(Clone, Debug)]
struct Weather(Vec<WeightedFault>);

/// What `--weather` knows, with the fields that a fault needs.
fn fault(name: &str) -> Option<Fault> {
    Some(match name {
        "drop" => Fault::Drop,
        "half_open" => Fault::HalfOpen,
        "slow" => Fault::Slow {
            delay_ms: 400,
            for_ms: Some(5_000),
        },
        "zombie" => Fault::Zombie,
        "lost_ack" => Fault::LostAck { count: 1 },
        "reconnect" => Fault::Reconnect { count: 1 },
        "invalid_session" => Fault::InvalidSession { resumable: true },
        "session_loss" => Fault::SessionLoss,
        "close" => Fault::Close { code: 4_000 },
        "truncated_frame" => Fault::TruncatedFrame,
        "corrupt_frame" => Fault::CorruptFrame,
        "request_heartbeat" => Fault::RequestHeartbeat,
        _ => return None,
    })
}

impl FromStr for Weather {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let fault = fault(name.trim()).ok_or_else(|| {
                format!(
                    "there is no fault `{name}`: use drop, half_open, slow, zombie, lost_ack, reconnect, \
                     invalid_session, session_loss, close, truncated_frame, corrupt_frame or request_heartbeat"
                )
            })?;
            let weight = weight
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|&weight| weight > 0)
                .ok_or_else(|| format!("the weight of `{name}` is a number from 1 on"))?;
            Ok(WeightedFault { fault, weight })
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

impl Sim {
    fn server(&self) -> ServerConfig {
        let way = [self.rest_latency_ms; 2];
        let mut rest = RestConfig::default();
        rest.global.limit = self.rest_global;
        rest.latency.there_ms = way;
        rest.latency.back_ms = way;
        let world = WorldConfig {
            seed: self.seed,
            guilds: self.guilds,
            members_per_guild: self.members,
            token: self.token.clone(),
            max_concurrency: self.max_concurrency,
            recommended_shards: self.shards,
            heartbeat_interval_ms: self.heartbeat_interval_ms,
            rest,
            chatter_per_s: self.rate,
            ..WorldConfig::default()
        };
        ServerConfig {
            world,
            listen: self.listen,
            allow_remote: self.allow_remote,
            ..ServerConfig::default()
        }
    }
}

pub(crate) async fn run(arguments: Sim) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    let server = Server::start(arguments.server())
        .await
        .map_err(|error| match error {
            StartError::NotLoopback { .. } => Failure::Usage(
                format!("--listen {error}").replace("`allow_remote`", "--allow-remote"),
            ),
            error => Failure::Failed(error.to_string()),
        })?;
    if let Some(Weather(faults)) = arguments.weather {
        let every_ms = arguments.weather_every_ms;
        server
            .control(Control::Weather {
                every_ms,
                faults,
                for_ms: None,
            })
            .await;
    }
    writeln!(stdout(), "{}", server.addresses()).map_err(|error| Failure::output(&error))?;
    match arguments.for_s {
        None => stop.wait().await,
        Some(seconds) => {
            // Either way it ends.
            let _ = tokio::time::timeout(Duration::from_secs(seconds), stop.wait()).await;
        }
    }
    let counters = server.control(Control::Counters).await;
    let violations = server.control(Control::Violations).await;
    // The summary is for people; where nobody reads standard error, it is lost and no harm is done.
    let _ = write!(stderr(), "{}", summary(&counters, &violations));
    server.shutdown().await;
    Ok(())
}

/// What happened, for people.
fn summary(counters: &Value, violations: &Value) -> String {
    let empty = Map::new();
    let fields = counters.as_object().unwrap_or(&empty);
    let number = |key: &str| fields.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut text = format!(
        "\n{} connections, {} identifies ({} refused), {} resumes ({} failed)\n\
         {} REST requests ({} refused with 429)\n\
         {} events, {} of them sent again after a resume; {} heartbeats, {} faults\n",
        number("connections"),
        number("identifies"),
        number("identifies_refused"),
        number("resumes"),
        number("resumes_failed"),
        number("http_requests"),
        number("http_refused"),
        number("dispatches"),
        number("dispatches_replayed"),
        number("heartbeats"),
        number("faults"),
    );
    let broken = &violations["violations"];
    match broken.as_array().map(Vec::as_slice) {
        None | Some([]) => text.push_str("no rule was broken\n"),
        Some(list) => {
            text.push_str(&format!("{} rules were broken:\n", number("violations")));
            for one in list.iter().take(20) {
                let word = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
                let shard = one.get("shard").unwrap_or(&Value::Null);
                let shard = if shard.is_null() {
                    json!("?")
                } else {
                    shard.clone()
                };
                text.push_str(&format!(
                    "  {} (shard {shard}): {}\n",
                    word("kind"),
                    word("detail")
                ));
            }
        }
    }
    text
}
