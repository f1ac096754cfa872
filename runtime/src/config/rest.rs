//! REST's part of the configuration: its options, and what they become.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, de};

use super::option::{ConfigOption, Kind};
use super::settings::Config;
use super::table::{integer, option};
use crate::rest::{PoolSettings, Settings};

/// The options of `rest_config`, `rest_pool` and `rest_proxy`.
pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "rest_config.workers",
        integer(1, 10_000),
        "10",
        "How many REST requests may be under way at once, each on a connection of its own.",
    ),
    option(
        "rest_config.queue_size",
        integer(1, 10_000_000),
        "10000",
        "How many REST requests may wait. One more is refused at once, by name.",
    ),
    option(
        "rest_config.timeout_ms",
        integer(10, 600_000),
        "30000",
        "How long one REST exchange may take without progress, in milliseconds.",
    ),
    option(
        "rest_config.retries",
        integer(0, 100),
        "3",
        "How often a REST request is sent again after a 5xx or a failed connection, where that is safe.",
    ),
    option(
        "rest_config.limited_retries",
        integer(0, 1_000),
        "10",
        "How often a REST request is sent again after a 429.",
    ),
    option(
        "rest_config.global_limit",
        integer(1, 100_000),
        "50",
        "How many REST requests a second Discord allows the bot over all routes. Large bots are allowed more.",
    ),
    option(
        "rest_config.invalid_budget",
        integer(1, 10_000),
        "10000",
        "How many answers of 401, 403 and 429 in ten minutes this process may cause. Discord bans the IP address at \
         10,000: processes behind one address share that.",
    ),
    option(
        "rest_pool.url",
        Kind::Secret,
        "",
        "Redis, `redis://…`, `rediss://…` or `redis+cluster://…`: processes with the same one share Discord's limits and \
         keep to them together. Without it, each process believes to be the only one.",
    ),
    option(
        "rest_pool.prefix",
        Kind::Text,
        "\"shardkeep\"",
        "What all processes of the pool begin their keys with.",
    ),
    option(
        "rest_pool.name",
        Kind::Text,
        "",
        "The process's name in the pool, such as a pod's ordinal: one that is started again under the name of its \
         predecessor takes over its share at once. Two that run at once need different ones.",
    ),
    option(
        "rest_pool.away_ms",
        integer(1_000, 86_400_000),
        "300000",
        "How long a process goes on without Redis, on its share of the limits, in milliseconds; and for how long the \
         share of one that crashed is set aside. The same for the whole pool.",
    ),
    option(
        "rest_proxy.url",
        Kind::BaseUrl,
        "",
        "A proxy that speaks Discord's REST API, such as `shardkeep proxy`: requests go there instead of `api_base`, \
         the token with them. An address without path gets `/api/v10`.",
    ),
    option(
        "rest_proxy.headers",
        Kind::Headers,
        "{}",
        "Headers for the proxy. An `Authorization` among them takes the place of the token.",
    ),
];

/// How REST requests are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct RestConfig {
    pub workers: usize,
    pub queue_size: usize,
    pub timeout_ms: u64,
    pub retries: u32,
    pub limited_retries: u32,
    pub global_limit: u32,
    pub invalid_budget: u32,
}

/// The processes that share Discord's limits.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RestPool {
    /// Where Redis is; none if the limits are not shared.
    #[serde(default)]
    pub url: Option<String>,
    /// What all members begin their keys with.
    pub prefix: String,
    /// The member's name.
    #[serde(default)]
    pub name: Option<String>,
    /// How long a member goes on without Redis, in milliseconds.
    pub away_ms: u64,
}

/// Without the password that may be in the URL.
impl fmt::Debug for RestPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestPool")
            .field("prefix", &self.prefix)
            .field("name", &self.name)
            .field("away_ms", &self.away_ms)
            .finish_non_exhaustive()
    }
}

/// A proxy that REST requests go to instead of Discord.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RestProxy {
    /// Its base address, without a slash at its end; none if there is no proxy.
    #[serde(default)]
    pub url: Option<String>,
    /// Headers to send with every request to it.
    #[serde(default)]
    pub headers: Headers,
}

/// Headers whose values no log shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// The headers, their values marked as sensitive.
    #[must_use]
    pub const fn map(&self) -> &HeaderMap {
        &self.0
    }

    /// The header that cannot be sent, if there is one.
    pub(super) fn read(headers: &BTreeMap<String, String>) -> Result<Self, &str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let parsed = HeaderName::try_from(name)
                .ok()
                .zip(HeaderValue::try_from(value).ok());
            let (parsed, mut value) = parsed.ok_or(name.as_str())?;
            value.set_sensitive(true);
            map.insert(parsed, value);
        }
        Ok(Self(map))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let headers = BTreeMap::deserialize(deserializer)?;
        Self::read(&headers)
            .map_err(|name| de::Error::custom(format!("the header `{name}` cannot be sent")))
    }
}

impl Config {
    /// What the REST client is told.
    #[must_use]
    pub fn rest(&self) -> Settings {
        let from = &self.rest_config;
        let base = self.rest_proxy.url.as_ref().unwrap_or(&self.api_base);
        let mut settings = Settings::new(base);
        if self.rest_proxy.url.is_some() {
            settings.headers = self.rest_proxy.headers.map().clone();
        }
        settings.timeout = Duration::from_millis(from.timeout_ms);
        settings.roots = self.tls.roots;
        settings.pool = self.rest_pool.url.as_ref().map(|url| {
            let mut pool = PoolSettings::redis(url);
            pool.prefix.clone_from(&self.rest_pool.prefix);
            pool.name.clone_from(&self.rest_pool.name);
            pool.away = Duration::from_millis(self.rest_pool.away_ms);
            pool
        });
        let scheduler = &mut settings.scheduler;
        scheduler.max_in_flight = from.workers;
        // Interactions have places of their own as long as there are enough.
        scheduler.reserved_in_flight = scheduler.reserved_in_flight.min(from.workers - 1);
        scheduler.queue_size = from.queue_size;
        scheduler.retries = from.retries;
        scheduler.limited_retries = from.limited_retries;
        scheduler.global_limit = from.global_limit;
        scheduler.invalid_budget = from.invalid_budget;
        scheduler.seed = self
            .gateway
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one("rest"));
        settings
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::{toml_error, with_token};
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_client() {
        let config = with_token().build().unwrap();
        let (mut made, default) = (config.rest(), Settings::default());
        made.scheduler.seed = default.scheduler.seed;
        assert_eq!(format!("{made:?}"), format!("{default:?}"));
    }

    #[test]
    fn a_proxy_takes_the_place_of_discord_and_its_headers_are_not_shown() {
        let text = "rest_config = { workers = 1, timeout_ms = 500 }\n\
                    [rest_proxy]\nurl = 'http://proxy.internal:8080'\nheaders = { Authorization = 'secret' }";
        let config = with_token()
            .toml(text, Path::new("bot.toml"))
            .build()
            .unwrap();
        let settings = config.rest();
        assert_eq!(settings.base, "http://proxy.internal:8080/api/v10");
        assert_eq!(settings.headers["authorization"], "secret");
        assert_eq!(
            (
                settings.scheduler.max_in_flight,
                settings.scheduler.reserved_in_flight
            ),
            (1, 0)
        );
        assert_eq!(settings.timeout, Duration::from_millis(500));
        assert!(!format!("{config:?} {settings:?}").contains("secret"));
    }

    #[test]
    fn headers_are_written_in_the_environment_as_json_and_never_quoted() {
        let with = |value: &str| {
            let variable = ("SHARDKEEP_REST_PROXY_HEADERS".to_owned(), value.to_owned());
            with_token().variables([variable]).build()
        };
        let config = with(r#"{"X-Key":"secret"}"#).unwrap();
        assert_eq!(config.rest_proxy.headers.map()["x-key"], "secret");
        assert!(
            config.rest().headers.is_empty(),
            "without a proxy they go nowhere"
        );
        for wrong in [
            "secret",
            r#"{"X-Key":"sec\nret secret"}"#,
            r#"{"X-Key":["secret"]}"#,
        ] {
            let error = with(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn misspelt_options_are_told_the_nearest() {
        let error = toml_error("[rest_config]\nworker = 5");
        assert_eq!(error.suggestion(), Some("rest_config.workers"));
        assert_eq!(
            toml_error("[rest_proxi]\nurl = 'x'").suggestion(),
            Some("rest_proxy")
        );
    }
}
