//! What commands that connect have in common: which API, which file, which token.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use shardkeep::bus::{EventBus, RedisBus};
use shardkeep::config::{Config, ConfigBuilder, Problem};
use shardkeep::redis::Redis;
use shardkeep_sim::DEFAULT_TOKEN;

use crate::failure::Failure;

/// Where to connect. The token comes from DISCORD_TOKEN or the file: a command line is no place for it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Connection {
    /// The base of Discord's REST API, of a proxy or of a simulator [default: DISCORD_API_BASE, then the file, then
    /// Discord]
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// A TOML file with options.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Connection {
    /// The options so far: file, environment and command line.
    pub(crate) fn builder(&self) -> ConfigBuilder {
        let mut builder = Config::builder().environment();
        if let Some(path) = &self.config {
            builder = builder.file(path);
        }
        match &self.api {
            Some(url) => builder.api_base(url),
            None => builder,
        }
    }
}

/// Checks the options. Where none has a token and the API is on this machine, the simulator's is used: it opens nothing
/// anywhere else.
pub(crate) fn build(builder: ConfigBuilder) -> Result<Config, Failure> {
    let error = match builder.clone().build() {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    if matches!(error.problem(), Problem::Missing { .. }) && error.option() == "token" {
        let config = builder.token(DEFAULT_TOKEN).build()?;
        if is_loopback(&config.api_base) {
            return Ok(config);
        }
    }
    Err(error.into())
}

/// As [`build`]; `None` where there is no token and the API is not on this machine.
pub(crate) fn build_if_token(builder: ConfigBuilder) -> Result<Option<Config>, Failure> {
    match builder.clone().build() {
        Err(error)
            if matches!(error.problem(), Problem::Missing { .. }) && error.option() == "token" =>
        {
            Ok(build(builder).ok())
        }
        _ => build(builder).map(Some),
    }
}

/// How many messages a slow listener may leave unread.
const BUS_BUFFER: usize = 1_024;

/// The bus of a Redis server or cluster.
pub(crate) fn bus(url: &str) -> Result<Arc<dyn EventBus>, Failure> {
    let redis = Redis::connect(url).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Arc::new(RedisBus::new(redis, "shardkeep:", BUS_BUFFER)))
}

/// Whether a checked base URL is on this machine.
fn is_loopback(base: &str) -> bool {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or(ipv6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_gets_the_simulators_token() {
        for base in [
            "http://127.0.0.1:80/api/v10",
            "http://[::1]:80/api",
            "http://localhost/api",
        ] {
            assert!(is_loopback(base), "{base}");
        }
        for base in [
            "https://discord.com/api/v10",
            "http://127.0.0.1.example.com/api",
            "http://10.0.0.1",
        ] {
            assert!(!is_loopback(base), "{base}");
        }
        let builder = |api: &str| Config::builder().api_base(api);
        assert!(build(builder("http://127.0.0.1:80")).is_ok());
        assert!(build(builder("https://discord.com")).is_err());
    }
}
