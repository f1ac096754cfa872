//! The listener's side: a bounded buffer that says when something is missing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{BusError, Counters, add};
use crate::store::Answer;

/// What a listener is handed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// An event.
    Event(BusEvent),
    /// Something is missing here: there was no room for it, or the connection had ended.
    Gap,
}

/// An event of a bus.
pub struct BusEvent {
    /// Where it was published.
    pub topic: String,
    /// What was published.
    pub payload: Bytes,
    /// It was delivered before, to this process or to one that did not acknowledge it in time.
    pub is_replayed: bool,
    pub(super) receipt: Option<Arc<dyn Receipt>>,
}

/// What acknowledging does.
pub(super) trait Receipt: Send + Sync {
    /// One of those who have the event is done with it.
    fn acknowledge(&self) -> Answer<'_, Result<(), BusError>>;
}

impl BusEvent {
    /// Says that it has been dealt with: nobody is given it again. On a bus that keeps nothing this does nothing.
    ///
    /// # Errors
    ///
    /// [`BusError`] if the bus could not be told. The event then comes again, to somebody.
    pub async fn acknowledge(self) -> Result<(), BusError> {
        match &self.receipt {
            Some(receipt) => receipt.acknowledge().await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for BusEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusEvent")
            .field("topic", &self.topic)
            .field("payload", &self.payload)
            .field("is_replayed", &self.is_replayed)
            .finish_non_exhaustive()
    }
}

/// Topics that are listened to, until this is dropped.
pub struct Listening {
    events: mpsc::Receiver<Delivery>,
}

impl Listening {
    /// What comes next. `None` if the bus is gone.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.events.recv().await
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}

/// The bus's side of a [`Listening`].
pub(super) struct Outlet {
    events: mpsc::Sender<Delivery>,
    /// The listener does not know yet that something is missing.
    has_gap: Mutex<bool>,
    counters: Arc<Counters>,
}

impl Outlet {
    pub(super) fn new(buffer: usize, counters: &Arc<Counters>) -> (Self, Listening) {
        let (sender, events) = mpsc::channel(buffer.max(1));
        let outlet = Self {
            events: sender,
            has_gap: Mutex::new(false),
            counters: Arc::clone(counters),
        };
        (outlet, Listening { events })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.events.is_closed()
    }

    /// Hands an event over if there is room. After a gap, the listener learns of it before anything newer.
    pub(super) fn offer(&self, event: BusEvent) {
        let mut has_gap = self.has_gap.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut has_gap);
        if !*has_gap && self.events.try_send(Delivery::Event(event)).is_ok() {
            add(&self.counters.delivered);
            return;
        }
        if !self.is_closed() {
            *has_gap = true;
            add(&self.counters.dropped);
        }
    }

    /// Waits for room, and hands an event over. Whether somebody is there to have it.
    #[cfg(feature = "redis")]
    pub(super) async fn hand(&self, event: BusEvent) -> bool {
        let is_taken = self.events.send(Delivery::Event(event)).await.is_ok();
        if is_taken {
            add(&self.counters.delivered);
        }
        is_taken
    }

    /// Something is missing.
    #[cfg(feature = "redis")]
    pub(super) fn gap(&self) {
        let mut has_gap = self.has_gap.lock().unwrap_or_else(PoisonError::into_inner);
        *has_gap = true;
        self.tell(&mut has_gap);
    }

    fn tell(&self, has_gap: &mut bool) {
        if *has_gap && self.events.try_send(Delivery::Gap).is_ok() {
            *has_gap = false;
            add(&self.counters.gaps);
        }
    }
}
