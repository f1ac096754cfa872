//! The bus over a Redis stream: what is published stays until a member of each group has acknowledged it.
//!
//! All members of a group share the events between them. What a member was given and did not acknowledge within
//! `claim_after`, because it died or forgot, goes to another one: so an event may be delivered twice, and is never lost
//! while it is in the stream. The stream is cut at `events_max`; what is cut before it was read is gone, and the gap
//! is told where Redis tells it.

mod read;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::listening::{Outlet, Receipt};
use super::{BusCounts, BusError, Counters, EventBus, Listening, Pattern, add};
use crate::redis::{Command, Redis, Script};
use crate::store::Answer;
use read::Reader;

/// How a durable bus works. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamsSettings {
    /// The key of the stream.
    pub stream: String,
    /// Those who share the events between them: the name of a service.
    pub group: String,
    /// The name of this process in its group, which no other process may have at the same time. One that stays the same
    /// over a restart finds its own events at once; the default is a new one each time.
    pub consumer: String,
    /// Events that the stream keeps, about.
    pub events_max: u64,
    /// How long an event may stay unacknowledged before somebody else is given it.
    pub claim_after: Duration,
    /// Events that are read at once, and that each listener has room for.
    pub buffer: usize,
    /// Whether a group that is new begins with what is in the stream already.
    pub from_start: bool,
}

impl Default for StreamsSettings {
    fn default() -> Self {
        Self {
            stream: String::from("shardkeep:events"),
            group: String::from("shardkeep"),
            consumer: format!("{:016x}", RandomState::new().hash_one(0)),
            events_max: 100_000,
            claim_after: Duration::from_secs(30),
            buffer: 256,
            from_start: false,
        }
    }
}

/// A bus over a Redis stream (Redis 6.2 or Valkey).
pub struct StreamsBus {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    redis: Redis,
    settings: StreamsSettings,
    outlets: Mutex<Vec<(Pattern, Arc<Outlet>)>>,
    counters: Arc<Counters>,
    create: Script,
    forget: Script,
}

impl StreamsBus {
    /// A bus over this connection. Reading begins with the first [`subscribe`](EventBus::subscribe).
    #[must_use]
    pub fn new(redis: Redis, settings: StreamsSettings) -> Self {
        Self {
            shared: Arc::new(Shared {
                redis,
                settings,
                outlets: Mutex::default(),
                counters: Counters::shared(),
                create: Script::new(include_str!("create.lua")).repeatable(),
                forget: Script::new(include_str!("forget.lua")).repeatable(),
            }),
            task: Mutex::new(None),
        }
    }

    fn read(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let reader = Reader::new(Arc::clone(&self.shared));
            *task = Some(tokio::spawn(reader.run()));
        }
    }
}

impl Drop for StreamsBus {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task {
            task.abort();
        }
    }
}

impl Shared {
    /// Creates the stream and the group unless they are there. Whether the group is new.
    async fn create_group(&self) -> Result<bool, BusError> {
        let settings = &self.settings;
        let from = if settings.from_start { "0" } else { "$" };
        let keys = [settings.stream.as_bytes()];
        let args = [settings.group.as_bytes(), from.as_bytes()];
        let created = self.redis.run_script(&self.create, &keys, &args);
        Ok(created.await?.into_int()? == 1)
    }

    fn outlets(&self) -> Vec<(Pattern, Arc<Outlet>)> {
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        outlets.retain(|(_, outlet)| !outlet.is_closed());
        outlets.clone()
    }
}

impl EventBus for StreamsBus {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        payload: &'a [u8],
    ) -> Answer<'a, Result<(), BusError>> {
        Box::pin(async move {
            let settings = &self.shared.settings;
            let command = Command::new("XADD")
                .key(&settings.stream)
                .arg("MAXLEN")
                .arg("~")
                .arg(settings.events_max.to_string())
                .arg("*")
                .arg("topic")
                .arg(topic)
                .arg("payload")
                .arg(payload);
            let outcome = self.shared.redis.run(&command).await;
            let outcome = outcome.map(drop).map_err(BusError::from);
            self.shared.counters.published(&outcome);
            outcome
        })
    }

    fn subscribe<'a>(&'a self, pattern: &'a str) -> Answer<'a, Result<Listening, BusError>> {
        Box::pin(async move {
            // From here on the group's place in the stream is kept.
            self.shared.create_group().await?;
            let (outlet, listening) =
                Outlet::new(self.shared.settings.buffer, &self.shared.counters);
            let outlets = &self.shared.outlets;
            let mut outlets = outlets.lock().unwrap_or_else(PoisonError::into_inner);
            outlets.push((Pattern::new(pattern), Arc::new(outlet)));
            drop(outlets);
            self.read();
            Ok(listening)
        })
    }

    fn counts(&self) -> BusCounts {
        self.shared.counters.read()
    }
}

impl fmt::Debug for StreamsBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamsBus")
            .field("redis", &self.shared.redis)
            .field("settings", &self.shared.settings)
            .finish()
    }
}

/// Acknowledges an event when all listeners of this process that have it did.
struct Ack {
    shared: Arc<Shared>,
    id: String,
    left: AtomicUsize,
}

impl Receipt for Ack {
    fn acknowledge(&self) -> Answer<'_, Result<(), BusError>> {
        Box::pin(async move {
            if self.left.fetch_sub(1, Ordering::AcqRel) > 1 {
                return Ok(());
            }
            let settings = &self.shared.settings;
            let command = Command::new("XACK")
                .key(&settings.stream)
                .arg(&settings.group)
                .arg(&self.id)
                .repeatable();
            let outcome = self.shared.redis.run(&command).await;
            if outcome.is_ok() {
                add(&self.shared.counters.acknowledged);
            }
            outcome.map(drop).map_err(BusError::from)
        })
    }
}
