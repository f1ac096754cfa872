//! The bus: what the processes of a bot tell each other. Publish on a topic, listen to a pattern of topics.
//!
//! [`LocalBus`] reaches this process alone. [`RedisBus`] reaches whoever listens at that moment, over pub/sub.
//! [`StreamsBus`] keeps what is published in a Redis stream until a member of each group has acknowledged it, and
//! hands on what a member left that died. Buffers are bounded; what finds no room is counted, and the listener is
//! told that something is missing.

mod listening;
mod local;
mod pattern;
#[cfg(feature = "redis")]
mod pubsub;
#[cfg(feature = "redis")]
mod streams;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use listening::{BusEvent, Delivery, Listening};
pub use local::LocalBus;
pub use pattern::Pattern;
#[cfg(feature = "redis")]
pub use pubsub::RedisBus;
#[cfg(feature = "redis")]
pub use streams::{StreamsBus, StreamsSettings};

use crate::store::Answer;

/// Why something could not be published, listened to or acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusError {
    /// The bus cannot be reached now.
    Away {
        /// What reaching it said.
        reason: String,
    },
    /// No answer came: it may have been done.
    Uncertain {
        /// What was seen.
        reason: String,
    },
    /// It will not work until somebody changes something.
    Refused {
        /// What was said.
        reason: String,
    },
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away { reason } => write!(f, "the bus cannot be reached: {reason}"),
            Self::Uncertain { reason } => {
                write!(f, "the bus may or may not have done it: {reason}")
            }
            Self::Refused { reason } => write!(f, "the bus refused: {reason}"),
        }
    }
}

impl std::error::Error for BusError {}

#[cfg(feature = "redis")]
impl From<crate::redis::RedisError> for BusError {
    fn from(error: crate::redis::RedisError) -> Self {
        let reason = error.to_string();
        if error.may_have_run() {
            Self::Uncertain { reason }
        } else if error.is_passing() {
            Self::Away { reason }
        } else {
            Self::Refused { reason }
        }
    }
}

/// A bus. Topics are texts such as `guild.41771983423143937.settings`. What one process publishes on one topic arrives
/// in that order; between topics there is none.
pub trait EventBus: Send + Sync + fmt::Debug {
    /// Publishes on a topic.
    fn publish<'a>(&'a self, topic: &'a str, payload: &'a [u8])
    -> Answer<'a, Result<(), BusError>>;

    /// Listens to the topics of a [`Pattern`]. Once this returns, nothing that is published on them goes unheard
    /// unless a [`Delivery::Gap`] says so.
    fn subscribe<'a>(&'a self, pattern: &'a str) -> Answer<'a, Result<Listening, BusError>>;

    /// What has gone over it so far.
    fn counts(&self) -> BusCounts;
}

/// What has gone over a bus, as this process sees it. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusCounts {
    /// Events that were published.
    pub published: u64,
    /// Events that could not be, or perhaps were not.
    pub publish_failed: u64,
    /// Events that were handed to listeners, each once for each of them.
    pub delivered: u64,
    /// Events for which a listener had no room.
    pub dropped: u64,
    /// Times that listeners were told that something is missing.
    pub gaps: u64,
    /// Events that were acknowledged.
    pub acknowledged: u64,
    /// Events that somebody else had left, or that this process had not acknowledged in time.
    pub replayed: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    published: AtomicU64,
    publish_failed: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
    gaps: AtomicU64,
    acknowledged: AtomicU64,
    replayed: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    fn shared() -> Arc<Self> {
        Arc::default()
    }

    fn published<E>(&self, outcome: &Result<(), E>) {
        add(if outcome.is_ok() {
            &self.published
        } else {
            &self.publish_failed
        });
    }

    fn read(&self) -> BusCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusCounts {
            published: read(&self.published),
            publish_failed: read(&self.publish_failed),
            delivered: read(&self.delivered),
            dropped: read(&self.dropped),
            gaps: read(&self.gaps),
            acknowledged: read(&self.acknowledged),
            replayed: read(&self.replayed),
        }
    }
}
