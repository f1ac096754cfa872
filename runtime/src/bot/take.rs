//! Taking events: one at a time, in batches, or from a loop of one's own.

use std::future::poll_fn;
use std::sync::Arc;

use super::{Bot, Failure, lock};
use crate::events::{Batch, Event};

impl Bot {
    /// The next events, up to `max` of them, as soon as there is one. `None` when the bot has stopped and everything
    /// was taken; [`Bot::failure`] then says whether it stopped by itself. Starts the bot if need be.
    ///
    /// One look brings what has gathered since the last: the more there is to do, the less each event costs.
    pub async fn next_batch(&self, max: usize) -> Option<Batch> {
        if let Err(error) = self.start().await {
            tracing::error!("{error}");
            self.inner.shared.fail(Failure::Start(error.to_string()));
            self.inner.shared.stop();
        }
        poll_fn(|cx| self.inner.shared.queue.poll_take(cx, max)).await
    }

    /// Up to `max` events that are there already, without waiting. `None` if there is none. For programs with a loop of
    /// their own; see [`Bot::on_wake`].
    #[must_use]
    pub fn try_next_batch(&self, max: usize) -> Option<Batch> {
        self.inner.shared.queue.take(max)
    }

    /// Whether the bot has stopped: what [`Bot::try_next_batch`] still finds is the last.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.inner.shared.queue.is_closed()
    }

    /// Calls `wake` from a thread of the bot when events arrive and there were none, and when the bot has stopped:
    /// once, until everything has been taken. It must not block: it writes to an eventfd or posts to a loop.
    pub fn on_wake(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.inner.shared.queue.set_wake(Arc::new(wake));
    }

    /// The next event. `None` as for [`Bot::next_batch`]. Starts the bot if need be.
    pub async fn next_event(&self) -> Option<Event> {
        loop {
            if let Some(event) = lock(&self.inner.begun).pop_front() {
                return Some(event);
            }
            let batch = self.next_batch(self.inner.config.queue.batch_max).await?;
            lock(&self.inner.begun).extend(batch.into_events());
        }
    }
}
