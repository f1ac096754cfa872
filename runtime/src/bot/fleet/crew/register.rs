//! The way to the register: how its script is run. What it says is decided in core.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use shardkeep_core::fleet::lease::Exchange;

use crate::bus::EventBus;
use crate::config::Config;
use crate::store::StoreError;

/// An exchange under way: the register's answer, or `None` if there is none.
pub(super) type Answering = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// Where the register is.
pub(in crate::bot) trait Register: Send + Sync {
    /// Runs [`REGISTER`](shardkeep_core::fleet::lease::REGISTER) atomically. `None` if it was not run, or nobody knows.
    fn run(&self, exchange: Exchange) -> Answering;

    /// What the processes tell each other in a change of shards goes over this.
    fn bus(&self) -> Arc<dyn EventBus>;
}

/// The register that the configuration names.
#[cfg(feature = "redis")]
pub(in crate::bot) fn open(config: &Config) -> Result<Arc<dyn Register>, StoreError> {
    Ok(Arc::new(over_redis::RedisRegister::connect(config)?))
}

#[cfg(not(feature = "redis"))]
pub(in crate::bot) fn open(_config: &Config) -> Result<Arc<dyn Register>, StoreError> {
    Err(StoreError::Refused {
        reason: "this program was built without the feature `redis`: set `fleet.kind`".to_owned(),
    })
}

#[cfg(feature = "redis")]
mod over_redis {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use shardkeep_core::fleet::lease::{Exchange, REGISTER};

    use super::super::mail::ROOM;
    use super::{Answering, EventBus, Register};
    use crate::bus::RedisBus;
    use crate::cache;
    use crate::config::Config;
    use crate::redis::{Redis, RedisError, Reply, Script};
    use crate::store::StoreError;

    /// How long an exchange may take: the holder gives it up after two seconds.
    const LIMIT: Duration = Duration::from_millis(1_500);

    pub(super) struct RedisRegister {
        redis: Redis,
        script: Arc<Script>,
        prefix: String,
        was_reached: Arc<AtomicBool>,
    }

    impl RedisRegister {
        pub(super) fn connect(config: &Config) -> Result<Self, StoreError> {
            let refused = |reason: String| StoreError::Refused { reason };
            let redis = cache::redis(config)?.ok_or_else(|| {
                refused("`fleet.kind` is `redis`: set `redis_config.url`".to_owned())
            })?;
            let prefix = config.store.prefix.trim_end_matches(':');
            if prefix.contains(['{', '}']) {
                let reason = "`store.prefix` must not contain braces: they tell clusters the slot";
                return Err(refused(reason.to_owned()));
            }
            let bot = cache::bot_name(config);
            Ok(Self {
                redis,
                // Exchanges are numbered: the register heeds each once.
                script: Arc::new(Script::new(REGISTER).repeatable()),
                prefix: format!("{{{prefix}:{bot}}}:fleet:"),
                was_reached: Arc::new(AtomicBool::new(true)),
            })
        }
    }

    impl Register for RedisRegister {
        fn bus(&self) -> Arc<dyn EventBus> {
            let prefix = format!("{}letters:", self.prefix);
            Arc::new(RedisBus::new(self.redis.clone(), prefix, ROOM))
        }

        fn run(&self, exchange: Exchange) -> Answering {
            let (redis, script) = (self.redis.clone(), Arc::clone(&self.script));
            let was_reached = Arc::clone(&self.was_reached);
            let keys = exchange.keys.iter();
            let keys: Vec<_> = keys.map(|key| format!("{}{key}", self.prefix)).collect();
            Box::pin(async move {
                let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
                let args = [exchange.argument.as_bytes()];
                let running = redis.run_script(&script, &keys, &args);
                let answer = match tokio::time::timeout(LIMIT, running).await {
                    Ok(answer) => answer.and_then(Reply::into_bytes),
                    Err(_) => Err(RedisError::TimedOut { limit: LIMIT }),
                };
                let was_reached = was_reached.swap(answer.is_ok(), Ordering::Relaxed);
                match answer {
                    Ok(answer) => return Some(answer),
                    Err(error) if was_reached => {
                        tracing::warn!(%error, "the register of shards is not reached");
                    }
                    Err(error) => tracing::debug!(%error, "the register is still not reached"),
                }
                None
            })
        }
    }
}
