//! `shardkeep proxy`: Discord's REST for programs in any language, which keeps the limits for all of them.

use std::io::{Write, stderr, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use shardkeep::config::{Config, Problem};
use shardkeep::proxy::{Access, Drained, Key, ProxyError, Settings, Tls};
use shardkeep::rest::StartError;

use crate::connect::{self, Connection};
use crate::failure::Failure;
use crate::signals::Stop;

/// Where the key is read from, unless a file is named.
const KEY_VARIABLE: &str = "SHARDKEEP_PROXY_KEY";

/// What stands for a token while the options are checked; it goes nowhere.
const NO_TOKEN: &str = "none";

/// Run a REST proxy: programs change their base URL, and Discord's limits are kept for all of them. The first line on
/// standard output is a JSON object with its addresses. Clients show the key of SHARDKEEP_PROXY_KEY; their own
/// `Authorization` goes on to Discord, and requests without one carry the token of DISCORD_TOKEN, if it is set.
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), value_name = "ADDRESS")]
    listen: SocketAddr,
    #[command(flatten)]
    connection: Connection,
    /// A file with the key that clients show, instead of SHARDKEEP_PROXY_KEY.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Ask for no key. Only on a loopback address; every program of this machine may then use DISCORD_TOKEN.
    #[arg(long, conflicts_with = "key_file")]
    open: bool,
    /// Requests a second that Discord allows each bot over all routes [default: rest_config.global_limit, or 50]
    #[arg(long, value_name = "REQUESTS_PER_S")]
    global_limit: Option<u32>,
    /// Connections to Discord: how many requests may be under way at once.
    #[arg(long, default_value_t = 32, env = "SHARDKEEP_REST_CONFIG_WORKERS")]
    workers: usize,
    /// Requests that may wait [default: rest_config.queue_size, or 10000]
    #[arg(long, value_name = "REQUESTS")]
    queue: Option<usize>,
    /// How long one exchange with Discord may take without progress [default: rest_config.timeout_ms, or 30000]
    #[arg(long)]
    timeout_ms: Option<u64>,
    /// Redis, in which proxies with the same one share Discord's limits: `redis://host:port`, `redis+cluster://...`
    /// [default: rest_pool.url, or none]
    #[arg(long, value_name = "URL")]
    pool: Option<String>,
    /// This proxy's name in the pool: one started again under it takes over its share [default: rest_pool.name, or
    /// one that no other has]
    #[arg(long, value_name = "NAME")]
    pool_name: Option<String>,
    /// How long the answer to a GET serves others that ask the same with the same token; 0 for no cache.
    #[arg(long, default_value_t = 0)]
    cache_ttl_ms: u64,
    /// Redis, over which bots tell what their events have changed (`shardkeep run --changes`, or `publish_changes`), so
    /// that the cache does not keep it.
    #[arg(long, value_name = "URL")]
    changes: Option<String>,
    /// How much memory the cache may take.
    #[arg(long, default_value_t = 64, value_name = "MEBIBYTES")]
    cache_mb: usize,
    /// The longest body that is taken.
    #[arg(long, default_value_t = 110, value_name = "MEBIBYTES")]
    max_body_mb: u64,
    /// Bodies above 256 KiB that may be under way at once; each keeps at most 10 MiB in memory.
    #[arg(long, default_value_t = 32)]
    uploads: usize,
    /// Clients that may be connected at once; one more waits.
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// Tokens that are told apart at once.
    #[arg(long, default_value_t = 1_000)]
    identities: usize,
    /// How long to finish what is queued after SIGTERM or ctrl-c. A second signal ends at once.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    drain_s: u64,
    /// A certificate chain in PEM, to speak HTTPS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl Proxy {
    /// The options of the client behind the proxy, and whether there is a token.
    fn config(&self) -> Result<(Config, bool), Failure> {
        let mut builder = self.connection.builder();
        builder = builder.set("rest_config.workers", self.workers);
        if let Some(limit) = self.global_limit {
            builder = builder.set("rest_config.global_limit", limit);
        }
        if let Some(queue) = self.queue {
            builder = builder.set("rest_config.queue_size", queue);
        }
        if let Some(timeout_ms) = self.timeout_ms {
            builder = builder.set("rest_config.timeout_ms", timeout_ms);
        }
        if let Some(url) = &self.pool {
            builder = builder.set("rest_pool.url", url.as_str());
        }
        if let Some(name) = &self.pool_name {
            builder = builder.set("rest_pool.name", name.as_str());
        }
        match builder.clone().build() {
            Ok(config) => Ok((config, true)),
            Err(error)
                if matches!(error.problem(), Problem::Missing { .. })
                    && error.option() == "token" =>
            {
                Ok((builder.token(NO_TOKEN).build()?, false))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn access(&self) -> Result<Access, Failure> {
        if self.open {
            return Ok(Access::Open);
        }
        let text = match &self.key_file {
            Some(path) => String::from_utf8(read(path)?)
                .map_err(|_| Failure::Usage(format!("{}: it is no text", path.display())))?,
            None => std::env::var(KEY_VARIABLE).map_err(|_| {
                Failure::Usage(format!(
                    "clients need a key: set {KEY_VARIABLE} (`openssl rand -hex 32` makes one), name a file with \
                     --key-file, or use --open on a loopback address"
                ))
            })?,
        };
        let key = Key::new(&text).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Access::Key(key))
    }

    fn settings(&self, config: &Config, has_token: bool) -> Result<Settings, Failure> {
        let mut settings = Settings::new(self.access()?);
        settings.listen = self.listen;
        settings.token = has_token.then(|| config.token.clone());
        settings.rest = config.rest();
        settings.connections_max = self.connections;
        settings.body_bytes_max = self.max_body_mb.saturating_mul(1 << 20);
        settings.uploads_max = self.uploads;
        settings.identities_max = self.identities;
        settings.cache_ttl = Duration::from_millis(self.cache_ttl_ms);
        settings.cache_bytes_max = self.cache_mb.saturating_mul(1 << 20);
        settings.bus = self.changes.as_deref().map(connect::bus).transpose()?;
        if let (Some(certificates), Some(key)) = (&self.tls_cert, &self.tls_key) {
            settings.tls = Some(Tls {
                certificates: read(certificates)?,
                key: read(key)?,
            });
        }
        Ok(settings)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Usage(format!("{}: cannot be read: {error}", path.display())))
}

/// What the command line can mend is a mistake in it.
fn failed(error: ProxyError) -> Failure {
    match error {
        ProxyError::OpenRemote(_) => Failure::Usage(format!("--open: {error}")),
        ProxyError::Tls(_) | ProxyError::Client(StartError::Pool(_)) => {
            Failure::Usage(error.to_string())
        }
        error => Failure::Failed(error.to_string()),
    }
}

pub(crate) async fn run(arguments: Proxy) -> Result<(), Failure> {
    let (config, has_token) = arguments.config()?;
    let settings = arguments.settings(&config, has_token)?;
    let mut stop = Stop::listen()?;
    // Where a subscriber is set up already there is nothing to do.
    let _ = shardkeep::log::init(config.log_format, config.log_level);
    let proxy = shardkeep::proxy::Proxy::start(settings)
        .await
        .map_err(failed)?;
    let addresses = json!({
        "api": proxy.api(),
        "ops": format!("{}/_shardkeep", proxy.origin()),
    });
    writeln!(stdout(), "{addresses}").map_err(|error| Failure::output(&error))?;
    stop.wait().await;
    say("stopping; what is queued is finished, a second signal ends at once");
    let client = proxy.client().clone();
    let limit = Duration::from_secs(arguments.drain_s);
    tokio::select! {
        drained = proxy.shutdown(limit) => say(&summary(&client, drained)),
        () = stop.wait() => say("stopped at once"),
    }
    Ok(())
}

/// What it did, for people.
fn summary(client: &shardkeep::rest::Client, drained: Drained) -> String {
    let stats = client.stats();
    let mut text = format!(
        "{} requests, {} sendings to Discord, {} answers shared, {} of 429 seen by the proxy",
        stats.submitted, stats.sent, stats.shared, stats.limited
    );
    if drained.cut_off > 0 {
        text.push_str(&format!(
            "; {} were not finished in time and answered with 503",
            drained.cut_off
        ));
    }
    text
}

/// Writes a line for people. Where standard error is closed, nobody reads it.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
