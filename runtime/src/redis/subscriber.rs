//! Subscriptions on a connection of their own, made again and subscribed again after it ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{PubSub, PubSubSink};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::{Redis, RedisError, jitter};

/// How often a connection that brings nothing is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(5);

const BACKOFF: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Changes that may wait for the connection.
const CHANGES_MAX: usize = 64;

/// What a subscription brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// A message.
    Message {
        /// Which of the patterns it came by. A message comes by each pattern that its channel is one of.
        pattern: String,
        /// Where it was published.
        channel: String,
        /// What was published.
        payload: Vec<u8>,
    },
    /// Something is missing here: the connection had ended, or there was no room.
    Gap,
}

#[derive(Debug)]
enum Change {
    Add(String, oneshot::Sender<()>),
    Remove(String),
}

/// The patterns of a [`Subscriber`], to be changed from anywhere.
#[derive(Clone, Debug)]
pub struct Patterns {
    changes: mpsc::Sender<Change>,
    limit: Duration,
}

impl Patterns {
    /// Listens to a pattern as Redis writes them: `*` any text, `?` a character, `[ab]` one of these, `\` before what
    /// shall mean itself. Once this returns, nothing that is published goes unheard unless a [`Heard::Gap`] says so.
    ///
    /// # Errors
    ///
    /// [`RedisError::TimedOut`] if the server has not confirmed within the time limit. It is subscribed to all the
    /// same, as soon as the server can be reached.
    pub async fn subscribe(&self, pattern: impl Into<String>) -> Result<(), RedisError> {
        let (confirm, confirmed) = oneshot::channel();
        let confirmed = async {
            let _ = self
                .changes
                .send(Change::Add(pattern.into(), confirm))
                .await;
            confirmed.await
        };
        match timeout(self.limit, confirmed).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisError::TimedOut { limit: self.limit }),
        }
    }

    /// Listens to a pattern no longer.
    pub async fn unsubscribe(&self, pattern: impl Into<String>) {
        let _ = self.changes.send(Change::Remove(pattern.into())).await;
    }
}

/// A connection that listens. Dropping it ends the connection.
#[derive(Debug)]
pub struct Subscriber {
    patterns: Patterns,
    heard: mpsc::Receiver<Heard>,
    task: tokio::task::JoinHandle<()>,
    dropped: Arc<AtomicU64>,
}

impl Subscriber {
    pub(super) fn start(redis: Redis, buffer: usize) -> Self {
        let (changes, wanted) = mpsc::channel(CHANGES_MAX);
        let (out, heard) = mpsc::channel(buffer.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let limit = redis.limit();
        let listener = Listener {
            redis,
            wanted,
            out,
            patterns: BTreeSet::new(),
            unconfirmed: Vec::new(),
            dropped: Arc::clone(&dropped),
            has_gap: false,
        };
        Self {
            patterns: Patterns { changes, limit },
            heard,
            task: tokio::spawn(listener.run()),
            dropped,
        }
    }

    /// What is listened to.
    #[must_use]
    pub fn patterns(&self) -> Patterns {
        self.patterns.clone()
    }

    /// The next thing heard. `None` only when the runtime ends.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Messages for which there was no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Listener {
    redis: Redis,
    wanted: mpsc::Receiver<Change>,
    out: mpsc::Sender<Heard>,
    patterns: BTreeSet<String>,
    /// Who waits for the server to confirm a pattern.
    unconfirmed: Vec<oneshot::Sender<()>>,
    dropped: Arc<AtomicU64>,
    /// The reader does not know yet that something is missing.
    has_gap: bool,
}

/// Why listening ended.
enum Ended {
    /// The connection did.
    Connection,
    /// Nobody listens any more.
    Reader,
}

impl Listener {
    async fn run(mut self) {
        let mut wait = BACKOFF;
        let mut was_listening = false;
        loop {
            if let Ok(connection) = self.open().await {
                self.has_gap |= was_listening;
                was_listening = true;
                wait = BACKOFF;
                if matches!(self.listen(connection).await, Ended::Reader) {
                    return;
                }
            }
            tokio::select! {
                () = sleep(jitter(wait)) => wait = (wait * 2).min(BACKOFF_MAX),
                change = self.wanted.recv() => match change {
                    Some(change) => drop(self.remember(change)),
                    None => return,
                },
            }
        }
    }

    /// Connects, and subscribes to all that is wanted.
    async fn open(&mut self) -> Result<PubSub, RedisError> {
        while let Ok(change) = self.wanted.try_recv() {
            self.remember(change);
        }
        let mut connection = self.redis.any_node().subscriber().await?;
        let all: Vec<&str> = self.patterns.iter().map(String::as_str).collect();
        if !all.is_empty() {
            let told = timeout(self.redis.limit(), connection.psubscribe(&all)).await;
            if !matches!(told, Ok(Ok(()))) {
                return Err(RedisError::TimedOut {
                    limit: self.redis.limit(),
                });
            }
        }
        self.confirm();
        Ok(connection)
    }

    fn confirm(&mut self) {
        for waiting in self.unconfirmed.drain(..) {
            // Who stopped waiting need not be told.
            let _ = waiting.send(());
        }
    }

    async fn listen(&mut self, connection: PubSub) -> Ended {
        let (mut sink, mut stream) = connection.split();
        loop {
            if self.has_gap && self.out.try_send(Heard::Gap).is_ok() {
                self.has_gap = false;
            }
            tokio::select! {
                message = stream.next() => match message {
                    Some(message) => self.hand_on(&message),
                    None => return Ended::Connection,
                },
                change = self.wanted.recv() => match change {
                    None => return Ended::Reader,
                    Some(change) => if let Err(ended) = self.apply(change, &mut sink).await {
                        return ended;
                    },
                },
                () = sleep(PING_EVERY) => {
                    let pong = timeout(self.redis.limit(), sink.ping::<redis::Value>()).await;
                    if !matches!(pong, Ok(Ok(_))) {
                        return Ended::Connection;
                    }
                },
            }
        }
    }

    fn hand_on(&mut self, message: &redis::Msg) {
        let heard = Heard::Message {
            // It always has one: patterns are all that is subscribed to.
            pattern: message.get_pattern().unwrap_or_default(),
            channel: message.get_channel_name().to_owned(),
            payload: message.get_payload_bytes().to_vec(),
        };
        // After a gap the reader must learn of it before anything newer.
        if self.has_gap || self.out.try_send(heard).is_err() {
            self.has_gap = true;
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.redis.inner.common.counters.message_dropped();
        }
    }

    /// Whether the server must be told.
    fn remember(&mut self, change: Change) -> bool {
        match change {
            Change::Add(pattern, confirm) => {
                self.unconfirmed.push(confirm);
                self.patterns.insert(pattern)
            }
            Change::Remove(pattern) => self.patterns.remove(&pattern),
        }
    }

    async fn apply(&mut self, change: Change, sink: &mut PubSubSink) -> Result<(), Ended> {
        let (pattern, is_added) = match &change {
            Change::Add(pattern, _) => (pattern.clone(), true),
            Change::Remove(pattern) => (pattern.clone(), false),
        };
        if self.remember(change) {
            let told = async {
                if is_added {
                    sink.psubscribe(pattern).await
                } else {
                    sink.punsubscribe(pattern).await
                }
            };
            let told = timeout(self.redis.limit(), told).await;
            if !matches!(told, Ok(Ok(()))) {
                return Err(Ended::Connection);
            }
        }
        self.confirm();
        Ok(())
    }
}
