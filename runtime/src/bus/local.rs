//! The bus of one process.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use super::listening::Outlet;
use super::{BusCounts, BusError, BusEvent, Counters, EventBus, Listening, Pattern};
use crate::store::Answer;

/// A bus that reaches this process alone. Clones are the same bus.
#[derive(Clone)]
pub struct LocalBus {
    inner: Arc<Inner>,
}

struct Inner {
    buffer: usize,
    outlets: RwLock<Vec<(Pattern, Outlet)>>,
    counters: Arc<Counters>,
}

impl LocalBus {
    /// A bus whose listeners have room for `buffer` events each.
    #[must_use]
    pub fn new(buffer: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                buffer,
                outlets: RwLock::default(),
                counters: Counters::shared(),
            }),
        }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new(1_024)
    }
}

impl EventBus for LocalBus {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        payload: &'a [u8],
    ) -> Answer<'a, Result<(), BusError>> {
        Box::pin(async move {
            let payload = Bytes::copy_from_slice(payload);
            let outlets = &self.inner.outlets;
            let mut has_closed = false;
            for (pattern, outlet) in &*outlets.read().unwrap_or_else(PoisonError::into_inner) {
                has_closed |= outlet.is_closed();
                if pattern.matches(topic) {
                    outlet.offer(BusEvent {
                        topic: topic.to_owned(),
                        payload: payload.clone(),
                        is_replayed: false,
                        receipt: None,
                    });
                }
            }
            if has_closed {
                let mut outlets = outlets.write().unwrap_or_else(PoisonError::into_inner);
                outlets.retain(|(_, outlet)| !outlet.is_closed());
            }
            self.inner.counters.published(&Ok::<_, BusError>(()));
            Ok(())
        })
    }

    fn subscribe<'a>(&'a self, pattern: &'a str) -> Answer<'a, Result<Listening, BusError>> {
        Box::pin(async move {
            let (outlet, listening) = Outlet::new(self.inner.buffer, &self.inner.counters);
            let outlets = &self.inner.outlets;
            let mut outlets = outlets.write().unwrap_or_else(PoisonError::into_inner);
            outlets.push((Pattern::new(pattern), outlet));
            Ok(listening)
        })
    }

    fn counts(&self) -> BusCounts {
        self.inner.counters.read()
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBus").finish_non_exhaustive()
    }
}
