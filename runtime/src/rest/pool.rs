//! A pool of processes: where its ledger is, and the way there.
//!
//! What the ledger says is decided in core; here is only how its script is run.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use shardkeep_core::rest::pool::{Exchange, PoolConfig};

use super::settings::StartError;

/// How long an exchange may take: until the ledger answers, nothing new is granted.
pub(super) const LIMIT: Duration = Duration::from_millis(500);

/// An exchange under way: the ledger's answer, or `None` if there is none.
pub(super) type Answering = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// Where the ledger's script runs. For a store of one's own; Redis needs none of this.
pub trait Ledger: Send + Sync {
    /// Runs [`LEDGER`](shardkeep_core::rest::pool::LEDGER) atomically with these keys and this argument. `None` if it
    /// was not run, or nobody knows.
    fn run(&self, exchange: Exchange) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;
}

/// The driver's way to the ledger: one exchange at a time.
#[derive(Default)]
pub(super) struct Way {
    ledger: Option<Arc<dyn Ledger>>,
    answering: Option<Answering>,
    has_left: bool,
}

impl Way {
    pub(super) fn to(ledger: Option<Arc<dyn Ledger>>) -> Self {
        Self {
            ledger,
            ..Self::default()
        }
    }

    pub(super) fn ask(&mut self, exchange: Option<Exchange>) {
        if let (Some(exchange), Some(ledger)) = (exchange, &self.ledger) {
            self.answering = Some(ledger.run(exchange));
        }
    }

    /// The answer to what was asked.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let Some(answering) = &mut self.answering else {
            return Poll::Pending;
        };
        let answer = answering.as_mut().poll(cx);
        if answer.is_ready() {
            self.answering = None;
        }
        answer
    }

    pub(super) const fn is_silent(&self) -> bool {
        self.answering.is_none()
    }

    /// Whether there is a ledger to take leave of. `true` once.
    pub(super) const fn leaves(&mut self) -> bool {
        self.ledger.is_some() && !std::mem::replace(&mut self.has_left, true)
    }
}

/// Which pool a process is in, and as whom.
#[derive(Clone)]
#[non_exhaustive]
pub struct PoolSettings {
    /// The Redis server or cluster that all members use: `redis://…`, `rediss://…`, `redis+cluster://…`.
    pub url: String,
    /// What all members begin their keys with; pools of other prefixes know nothing of each other.
    pub prefix: String,
    /// The member's name. None for one that no other process will have.
    pub name: Option<String>,
    /// How long the process goes on without the ledger, on its share; and for how long the share of one that crashed
    /// is set aside. The same for all members.
    pub away: Duration,
    /// A ledger of the program's own, instead of Redis.
    pub ledger: Option<Arc<dyn Ledger>>,
}

impl PoolSettings {
    /// A pool over Redis, with a name of its own for this process.
    #[must_use]
    pub fn redis(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "shardkeep".to_owned(),
            name: None,
            away: Duration::from_secs(300),
            ledger: None,
        }
    }

    /// What every member calls an identity: nobody finds a token from it.
    pub(super) fn name_of(&self, authorization: &[u8]) -> u64 {
        name_of(&self.prefix, authorization)
    }

    /// What the scheduler is told.
    pub(super) fn config(&self) -> PoolConfig {
        let instance = RandomState::new().hash_one(std::process::id());
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| format!("{}-{instance:x}", std::process::id()));
        let mut config = PoolConfig::new(name, instance);
        config.away = self.away;
        config
    }

    /// The way to the ledger.
    pub(super) fn connect(&self) -> Result<Arc<dyn Ledger>, StartError> {
        if let Some(ledger) = &self.ledger {
            return Ok(Arc::clone(ledger));
        }
        #[cfg(feature = "redis")]
        {
            let ledger = over_redis::RedisLedger::connect(self)?;
            Ok(Arc::new(ledger))
        }
        #[cfg(not(feature = "redis"))]
        Err(StartError::Pool(
            "this program was built without the feature `redis`".to_owned(),
        ))
    }
}

/// Without the password that may be in the URL.
impl fmt::Debug for PoolSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSettings")
            .field("prefix", &self.prefix)
            .field("name", &self.name)
            .field("away", &self.away)
            .finish_non_exhaustive()
    }
}

/// The first eight bytes of a hash of prefix and credentials.
pub(super) fn name_of(prefix: &str, authorization: &[u8]) -> u64 {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(prefix.as_bytes());
    hash.update(&[0]);
    hash.update(authorization);
    let digest = hash.finish();
    let mut name = [0; 8];
    name.copy_from_slice(&digest.as_ref()[..8]);
    u64::from_le_bytes(name)
}

/// The credentials that requests without any have: Discord counts them by the address.
pub(super) const NOBODY: HeaderValue = HeaderValue::from_static("");

#[cfg(feature = "redis")]
mod over_redis {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use shardkeep_core::rest::pool::{Exchange, LEDGER};

    use super::{Answering, LIMIT, Ledger, PoolSettings};
    use crate::redis::{Redis, Script};
    use crate::rest::settings::StartError;

    /// The ledger in Redis.
    pub(super) struct RedisLedger {
        redis: Redis,
        script: Arc<Script>,
        prefix: String,
        was_reached: Arc<AtomicBool>,
    }

    impl RedisLedger {
        pub(super) fn connect(settings: &PoolSettings) -> Result<Self, StartError> {
            let failed = |error: crate::redis::RedisError| StartError::Pool(error.to_string());
            let prefix = &settings.prefix;
            if prefix.is_empty() || prefix.contains(['{', '}']) {
                let reason =
                    "the prefix must not be empty or contain braces: they tell clusters the slot";
                return Err(StartError::Pool(reason.to_owned()));
            }
            Ok(Self {
                redis: Redis::connect(&settings.url).map_err(failed)?,
                // Members state what they hold: running an exchange twice does no harm.
                script: Arc::new(Script::new(LEDGER).repeatable()),
                // In a cluster, a script's keys lie in one slot: that of what is in braces.
                prefix: format!("{{{prefix}}}:rest:"),
                was_reached: Arc::new(AtomicBool::new(true)),
            })
        }
    }

    impl Ledger for RedisLedger {
        fn run(&self, exchange: Exchange) -> Answering {
            let (redis, script) = (self.redis.clone(), Arc::clone(&self.script));
            let was_reached = Arc::clone(&self.was_reached);
            let keys: Vec<String> = exchange
                .keys
                .iter()
                .map(|key| format!("{}{key}", self.prefix))
                .collect();
            Box::pin(async move {
                let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
                let body = exchange.body.as_bytes();
                let args = [body];
                let running = redis.run_script(&script, &keys, &args);
                let answer = match tokio::time::timeout(LIMIT, running).await {
                    Ok(answer) => answer.and_then(crate::redis::Reply::into_bytes),
                    Err(_) => Err(crate::redis::RedisError::TimedOut { limit: LIMIT }),
                };
                let is_reached = answer.is_ok();
                let was_reached = was_reached.swap(is_reached, Ordering::Relaxed);
                match answer {
                    Ok(answer) => return Some(answer),
                    Err(error) if was_reached => {
                        tracing::warn!(%error, "the ledger of shared limits is not reached");
                    }
                    Err(error) => tracing::debug!(%error, "the ledger is still not reached"),
                }
                None
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_agree_on_a_name_that_depends_on_prefix_and_credentials() {
        let pool = PoolSettings::redis("redis://127.0.0.1");
        let name = pool.name_of(b"Bot secret");
        assert_eq!(name, pool.clone().name_of(b"Bot secret"));
        assert_ne!(name, pool.name_of(b"Bot other"));
        let mut other = pool.clone();
        other.prefix = "another".to_owned();
        assert_ne!(name, other.name_of(b"Bot secret"));
    }

    #[test]
    fn the_password_is_not_shown() {
        let pool = PoolSettings::redis("redis://:secret@127.0.0.1");
        assert!(!format!("{pool:?}").contains("secret"));
    }

    #[test]
    fn a_pool_that_cannot_be_is_refused_at_once() {
        let mut pool = PoolSettings::redis("redis://127.0.0.1");
        pool.prefix = "a{b".to_owned();
        assert!(matches!(pool.connect(), Err(StartError::Pool(_))));
        let pool = PoolSettings::redis("http://127.0.0.1");
        assert!(matches!(pool.connect(), Err(StartError::Pool(_))));
    }
}
