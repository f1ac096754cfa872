//! The bus over Redis' pub/sub: one connection for all that this process listens to.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::listening::Outlet;
use super::{BusCounts, BusError, BusEvent, Counters, EventBus, Listening, Pattern};
use crate::redis::{Command, Heard, Patterns, Redis, Subscriber};
use crate::store::Answer;

/// A bus over Redis' pub/sub: whoever listens at that moment hears it, nobody else ever does.
pub struct RedisBus {
    redis: Redis,
    prefix: String,
    buffer: usize,
    patterns: Patterns,
    outlets: Arc<Mutex<Vec<Wanted>>>,
    counters: Arc<Counters>,
    task: JoinHandle<()>,
}

struct Wanted {
    pattern: Pattern,
    outlet: Outlet,
}

impl RedisBus {
    /// A bus whose topics are the channels below `prefix`, and whose listeners have room for `buffer` events each.
    /// Needs a tokio runtime.
    #[must_use]
    pub fn new(redis: Redis, prefix: impl Into<String>, buffer: usize) -> Self {
        let prefix = prefix.into();
        let subscriber = redis.subscriber(buffer.max(256));
        let patterns = subscriber.patterns();
        let outlets = Arc::new(Mutex::new(Vec::new()));
        let route = Route {
            subscriber,
            prefix: prefix.clone(),
            outlets: Arc::clone(&outlets),
        };
        Self {
            redis,
            prefix,
            buffer,
            patterns,
            outlets,
            counters: Counters::shared(),
            task: tokio::spawn(route.run()),
        }
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries what is heard to those who wanted it.
struct Route {
    subscriber: Subscriber,
    prefix: String,
    outlets: Arc<Mutex<Vec<Wanted>>>,
}

fn lock(outlets: &Mutex<Vec<Wanted>>) -> MutexGuard<'_, Vec<Wanted>> {
    outlets.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Route {
    async fn run(mut self) {
        while let Some(heard) = self.subscriber.next().await {
            let unwanted = match heard {
                Heard::Gap => {
                    lock(&self.outlets)
                        .iter()
                        .for_each(|wanted| wanted.outlet.gap());
                    Vec::new()
                }
                Heard::Message {
                    pattern,
                    channel,
                    payload,
                } => self.hand_on(&pattern, &channel, payload),
            };
            for pattern in unwanted {
                let glob = pattern.to_glob(&self.prefix);
                self.subscriber.patterns().unsubscribe(glob).await;
            }
        }
    }

    /// To those of the pattern by which Redis sent it: of patterns that overlap, it sends one message for each. The
    /// patterns to which nobody listens any more.
    fn hand_on(&self, glob: &str, channel: &str, payload: Vec<u8>) -> Vec<Pattern> {
        let Some(topic) = channel.strip_prefix(&self.prefix) else {
            return Vec::new();
        };
        let payload = Bytes::from(payload);
        let mut outlets = lock(&self.outlets);
        let mut closed = Vec::new();
        outlets.retain(|wanted| {
            let is_closed = wanted.outlet.is_closed();
            if is_closed {
                closed.push(wanted.pattern.clone());
            } else if wanted.pattern.to_glob(&self.prefix) == glob {
                wanted.outlet.offer(BusEvent {
                    topic: topic.to_owned(),
                    payload: payload.clone(),
                    is_replayed: false,
                    receipt: None,
                });
            }
            !is_closed
        });
        closed.retain(|pattern| outlets.iter().all(|wanted| wanted.pattern != *pattern));
        closed
    }
}

impl EventBus for RedisBus {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        payload: &'a [u8],
    ) -> Answer<'a, Result<(), BusError>> {
        Box::pin(async move {
            let channel = format!("{}{topic}", self.prefix);
            // Any node of a cluster takes it; what is published on one topic goes by one of them, and stays in order.
            let command = Command::new("PUBLISH").key(channel).arg(payload);
            let outcome = self.redis.run(&command).await;
            let outcome = outcome.map(drop).map_err(BusError::from);
            self.counters.published(&outcome);
            outcome
        })
    }

    fn subscribe<'a>(&'a self, pattern: &'a str) -> Answer<'a, Result<Listening, BusError>> {
        Box::pin(async move {
            let pattern = Pattern::new(pattern);
            let glob = pattern.to_glob(&self.prefix);
            let (outlet, listening) = Outlet::new(self.buffer, &self.counters);
            lock(&self.outlets).push(Wanted { pattern, outlet });
            match self.patterns.subscribe(glob).await {
                Ok(()) => Ok(listening),
                Err(error) => Err(BusError::Away {
                    reason: error.to_string(),
                }),
            }
        })
    }

    fn counts(&self) -> BusCounts {
        self.counters.read()
    }
}

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus")
            .field("redis", &self.redis)
            .field("prefix", &self.prefix)
            .finish()
    }
}
