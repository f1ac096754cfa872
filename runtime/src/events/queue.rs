//! The bounded queue between the shards and the user. Whoever takes is woken when it stops being empty, and only then.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use shardkeep_core::wire::EventKind;

use super::batch::Batch;
use super::chunk::Chunk;
use crate::sessions::Sessions;

/// Chunks grow to about this many bytes before another one is begun: what one kept event can hold on to.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

/// Chunks kept for use again, and the most memory that each of them may hold. Those that nobody needs for a while are
/// freed by [`Queue::trim`].
const SPARES: usize = 32;
const SPARE_BYTES: usize = 3 * CHUNK_BYTES;

/// What is called when the queue stops being empty: once, until it has been emptied.
pub(crate) type Wake = Arc<dyn Fn() + Send + Sync>;

/// How full the queue is and what went through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Events that wait.
    pub events: u64,
    /// Bytes of JSON that wait.
    pub bytes: u64,
    /// The most events that ever waited.
    pub events_peak: u64,
    /// Events put in since the start.
    pub accepted: u64,
    /// Events taken out since the start.
    pub taken: u64,
    /// How often the user was woken.
    pub wakes: u64,
    /// How often it became full, so that shards stopped reading.
    pub full_times: u64,
    /// Whether it is full now.
    pub full: bool,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    /// Events of the first chunk that were handed out already.
    skip: usize,
    spares: Vec<Chunk>,
    /// The fewest spares that there were since the last trim: so many were not needed.
    spares_unused: usize,
    takers: Vec<Waker>,
    wake: Option<Wake>,
    /// Shards that wait for room.
    pushers: Vec<Waker>,
    closed: bool,
    /// Whether the user was told that there is something, since it was last empty.
    told: bool,
    status: QueueStatus,
    /// Dispatches put in, by the number of their kind.
    kinds: Kinds,
}

struct Kinds([u64; 256]);

impl Default for Kinds {
    fn default() -> Self {
        Self([0; 256])
    }
}

/// Events of every shard, in the order in which they arrived from each.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// A copy of the state's flag that shards may read without the lock.
    full: AtomicBool,
    events_max: u64,
    bytes_max: u64,
    /// Who hears which of its events are finished.
    sessions: Option<Arc<Sessions>>,
}

impl Queue {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            full: AtomicBool::new(false),
            events_max: events_max.max(1) as u64,
            bytes_max: bytes_max.max(1) as u64,
            sessions: None,
        }
    }

    /// The same queue, whose events are acknowledged to `sessions`.
    pub(crate) fn with_sessions(mut self, sessions: Option<Arc<Sessions>>) -> Self {
        self.sessions = sessions;
        self
    }

    pub(crate) const fn sessions(&self) -> Option<&Arc<Sessions>> {
        self.sessions.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Queue::put`] and [`Queue::tell`] in one.
    pub(crate) fn publish(&self, staged: &mut Chunk) {
        self.put(staged);
        self.tell();
    }

    /// Moves everything in `staged` into the queue and leaves it empty. Takes it even beyond the limits: shards ask
    /// [`Queue::poll_room`] before they read more.
    ///
    /// Who looks finds it; who sleeps is woken by [`Queue::tell`], which must follow soon. Waking another thread takes
    /// two system calls and a switch: a shard that has more to put does it once.
    pub(crate) fn put(&self, staged: &mut Chunk) {
        if staged.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.closed {
            staged.clear();
            return;
        }
        staged.count_kinds(&mut state.kinds.0);
        state.status.accepted += staged.len() as u64;
        state.status.events += staged.len() as u64;
        state.status.bytes += staged.bytes() as u64;
        state.status.events_peak = state.status.events_peak.max(state.status.events);
        let fits = |tail: &Chunk| tail.bytes() + staged.bytes() <= CHUNK_BYTES;
        let appended = state.chunks.back_mut().filter(|tail| fits(tail));
        if appended.is_some_and(|tail| tail.append(staged, 0, staged.len())) {
            staged.clear();
        } else {
            let spare = state.spare().unwrap_or_else(|| Chunk::as_large_as(staged));
            state.chunks.push_back(std::mem::replace(staged, spare));
        }
        if !state.status.full
            && (state.status.events >= self.events_max || state.status.bytes >= self.bytes_max)
        {
            state.status.full = true;
            state.status.full_times += 1;
            self.full.store(true, Ordering::Release);
        }
    }

    /// Wakes the user if there is something that nobody was woken for.
    pub(crate) fn tell(&self) {
        let mut state = self.lock();
        if state.told || state.chunks.is_empty() {
            return;
        }
        state.told = true;
        state.status.wakes += 1;
        let takers = std::mem::take(&mut state.takers);
        let wake = state.wake.clone();
        drop(state);
        takers.into_iter().for_each(Waker::wake);
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Whether shards may read on. If not, `cx` is woken when half of the queue has been taken.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.full.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let mut state = self.lock();
        if !state.status.full || state.closed {
            return Poll::Ready(());
        }
        remember(&mut state.pushers, cx);
        Poll::Pending
    }

    /// Takes up to `max` events. `None` if there are none; then [`Queue::is_closed`] tells whether any can come.
    pub(crate) fn take(self: &Arc<Self>, max: usize) -> Option<Batch> {
        let mut state = self.lock();
        let chunk = state.take(max.max(1))?;
        if state.chunks.is_empty() {
            state.told = false;
        }
        state.status.events -= chunk.len() as u64;
        state.status.bytes -= chunk.bytes() as u64;
        state.status.taken += chunk.len() as u64;
        let drained =
            state.status.events <= self.events_max / 2 && state.status.bytes <= self.bytes_max / 2;
        let mut pushers = Vec::new();
        if state.status.full && drained {
            state.status.full = false;
            self.full.store(false, Ordering::Release);
            pushers = std::mem::take(&mut state.pushers);
        }
        drop(state);
        pushers.into_iter().for_each(Waker::wake);
        Some(Batch::new(chunk, Arc::clone(self)))
    }

    /// Takes up to `max` events, or arranges for `cx` to be woken; `None` once closed and empty.
    pub(crate) fn poll_take(self: &Arc<Self>, cx: &Context<'_>, max: usize) -> Poll<Option<Batch>> {
        loop {
            if let Some(batch) = self.take(max) {
                return Poll::Ready(Some(batch));
            }
            let mut state = self.lock();
            // Something may have arrived between the two looks.
            if state.chunks.is_empty() {
                if state.closed {
                    return Poll::Ready(None);
                }
                remember(&mut state.takers, cx);
                return Poll::Pending;
            }
        }
    }

    /// Calls `wake` on every change from empty to not empty from now on, at once if there is something already.
    pub(crate) fn set_wake(&self, wake: Wake) {
        let mut state = self.lock();
        state.wake = Some(Arc::clone(&wake));
        let pending = !state.chunks.is_empty() || state.closed;
        drop(state);
        if pending {
            wake();
        }
    }

    /// Lets nothing more in. What is there can still be taken.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let mut wakers = std::mem::take(&mut state.takers);
        wakers.append(&mut state.pushers);
        let wake = state.wake.clone();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(wake) = wake {
            wake();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn status(&self) -> QueueStatus {
        self.lock().status
    }

    /// Dispatches put in since the start, by kind; those that never occurred are left out.
    pub(crate) fn kinds(&self) -> Vec<(EventKind, u64)> {
        let state = self.lock();
        let kinds = EventKind::ALL.iter().copied().chain([EventKind::Unknown]);
        kinds
            .map(|kind| (kind, state.kinds.0[usize::from(kind.number())]))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    /// Keeps a chunk's memory for use again.
    pub(crate) fn recycle(&self, mut chunk: Chunk) {
        if chunk.capacity() == 0 || chunk.capacity() > SPARE_BYTES {
            return;
        }
        chunk.clear();
        let mut state = self.lock();
        if state.spares.len() < SPARES {
            state.spares.push(chunk);
        }
    }

    /// Frees the spares that were not needed since this was last called.
    pub(crate) fn trim(&self) {
        let mut state = self.lock();
        let unused = state.spares_unused;
        let freed: Vec<_> = state.spares.drain(..unused).collect();
        state.spares_unused = state.spares.len();
        drop(state);
        drop(freed);
    }
}

impl State {
    fn spare(&mut self) -> Option<Chunk> {
        let spare = self.spares.pop();
        self.spares_unused = self.spares_unused.min(self.spares.len());
        spare
    }

    fn take(&mut self, max: usize) -> Option<Chunk> {
        let left = self.chunks.front()?.len() - self.skip;
        if self.skip == 0 && left <= max {
            return self.chunks.pop_front();
        }
        let mut part = self.spare().unwrap_or_default();
        let first = self.chunks.front()?;
        let count = left.min(max);
        part.append(first, self.skip, count);
        self.skip += count;
        if count == left {
            self.skip = 0;
            if let Some(mut used) = self.chunks.pop_front()
                && used.capacity() <= SPARE_BYTES
                && self.spares.len() < SPARES
            {
                used.clear();
                self.spares.push(used);
            }
        }
        Some(part)
    }
}

fn remember(wakers: &mut Vec<Waker>, cx: &Context<'_>) {
    if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
        wakers.push(cx.waker().clone());
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
