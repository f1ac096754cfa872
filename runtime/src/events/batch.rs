//! Batches: what one look at the queue brings.

use std::fmt;
use std::sync::Arc;

use super::chunk::{Chunk, Entry};
use super::event::Event;
use super::queue::Queue;
use crate::sessions::Sessions;

/// Events in the order in which they arrived. Dropping it gives its memory back to the bot.
///
/// With a `session_store`, and unless `acknowledge` is `manual`, dropping it also says that its events are finished:
/// what is not when the process dies is replayed to the next. While a panic unwinds it says nothing.
///
/// Iterating borrows: nothing is allocated, copied or decoded. [`Batch::into_events`] gives events that can be kept.
///
/// ```no_run
/// # async fn f(bot: shardkeep::Bot) {
/// while let Some(batch) = bot.next_batch(512).await {
///     for event in &batch {
///         println!("{} {} {}", event.shard, event.sequence, event.name);
///     }
/// }
/// # }
/// ```
#[derive(Default)]
pub struct Batch {
    chunk: Chunk,
    home: Option<Arc<Queue>>,
    /// Who hears what is finished.
    sessions: Option<Arc<Sessions>>,
    /// Whether dropping it finishes its events.
    finishes: bool,
}

impl Batch {
    pub(super) fn new(chunk: Chunk, home: Arc<Queue>) -> Self {
        let sessions = home.sessions().cloned();
        let finishes = sessions.as_ref().is_some_and(|all| all.is_automatic());
        Self {
            chunk,
            home: Some(home),
            sessions,
            finishes,
        }
    }

    /// Its events are finished one by one: dropping it says nothing.
    pub(crate) fn one_by_one(mut self) -> Self {
        self.finishes = false;
        self
    }

    /// Says that the application has finished these events. Saying it again changes nothing.
    pub fn acknowledge(&self) {
        if let Some(sessions) = &self.sessions {
            sessions.finished_all(&self.chunk);
        }
    }

    pub(super) fn acknowledge_one(&self, index: usize) -> bool {
        let (Some(sessions), Some(entry)) = (&self.sessions, self.get(index)) else {
            return false;
        };
        entry.topic == super::Topic::Dispatch
            && sessions.finished(entry.shard, entry.session, entry.sequence)
    }

    /// A batch of the event number `index` alone, with memory of its own.
    pub(super) fn alone(&self, index: usize) -> Self {
        let mut chunk = Chunk::default();
        if index < self.len() {
            chunk.append(&self.chunk, index, 1);
        }
        Self {
            chunk,
            home: None,
            sessions: self.sessions.clone(),
            finishes: false,
        }
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunk.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// How many bytes of JSON there are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunk.bytes()
    }

    /// Event number `index`, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        self.chunk.get(index)
    }

    /// The events in order.
    #[must_use]
    pub fn iter(&self) -> Entries<'_> {
        Entries {
            batch: self,
            next: 0,
        }
    }

    /// The events in order, each of them able to outlive the loop. They share the batch's memory: one that is kept
    /// keeps all of it (up to 256 KiB) until [`Event::detach`].
    pub fn into_events(self) -> impl Iterator<Item = Event> {
        let batch = Arc::new(self);
        (0..batch.len()).map(move |index| Event::new(Arc::clone(&batch), index))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.finishes && !std::thread::panicking() {
            self.acknowledge();
        }
        if let Some(home) = self.home.take() {
            home.recycle(std::mem::take(&mut self.chunk));
        }
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = Entry<'a>;
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

/// The events of a [`Batch`] in order.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    batch: &'a Batch,
    next: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.batch.get(self.next)?;
        self.next += 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Entries<'_> {}
