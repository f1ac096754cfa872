//! The machine that shards, readers and the driver share, and what comes out of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use shardkeep_core::cache::{self, Found, Input, Output, RequestId, Version};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine as _};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::clock;
use crate::events::before;

/// The machine, and the ways out of it. Nobody holds the lock while waiting for anything.
#[derive(Debug)]
pub(crate) struct Shared {
    machine: RwLock<cache::Cache>,
    waiting: Mutex<BTreeMap<RequestId, oneshot::Sender<Found>>>,
    next_request: AtomicU64,
    /// What the driver is to do. The machine bounds how much is under way.
    work: mpsc::UnboundedSender<Output>,
    /// When the machine's time comes, in microseconds; the greatest number for never.
    due: AtomicU64,
    pub(super) sooner: Notify,
    pub(super) is_running: AtomicBool,
}

impl Shared {
    pub(super) fn new(config: cache::Config) -> (Self, mpsc::UnboundedReceiver<Output>) {
        let (work, inbox) = mpsc::unbounded_channel();
        let shared = Self {
            machine: RwLock::new(cache::Cache::new(config)),
            waiting: Mutex::default(),
            next_request: AtomicU64::new(1),
            work,
            due: AtomicU64::new(u64::MAX),
            sooner: Notify::new(),
            is_running: AtomicBool::new(false),
        };
        (shared, inbox)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, cache::Cache> {
        self.machine.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, cache::Cache> {
        self.machine.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<RequestId, oneshot::Sender<Found>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened.
    pub(super) fn feed(&self, input: Input<'_>) {
        let mut machine = self.write();
        // Requests are numbered here: none is used twice.
        if let Err(misuse) = machine.handle_input(clock::now(), input) {
            tracing::debug!(%misuse, "the cache did not expect this");
        }
        self.drain(&mut machine, &mut Vec::new());
    }

    /// The clock has reached what the machine waited for.
    pub(super) fn tick(&self) {
        let mut machine = self.write();
        machine.handle_timeout(clock::now());
        self.drain(&mut machine, &mut Vec::new());
    }

    /// Takes a dispatch in. What records were before it is appended to `before`, for events that are to carry it.
    pub(super) fn dispatch(
        &self,
        event: EventKind,
        d: &[u8],
        version: Version,
        before: &mut Vec<u8>,
    ) {
        let input = Input::Dispatch {
            event,
            d,
            version,
            wall_ms: clock::unix_ms(),
        };
        let mut machine = self.write();
        if let Err(misuse) = machine.handle_input(clock::now(), input) {
            tracing::debug!(%misuse, "the cache did not expect this");
        }
        self.drain(&mut machine, before);
    }

    fn drain(&self, machine: &mut cache::Cache, before: &mut Vec<u8>) {
        while let Some(output) = machine.poll_output() {
            match output {
                Output::Before { key, json } => before::write(key, &json, before),
                Output::Deliver { id, found } => {
                    if let Some(waiter) = self.waiting().remove(&id) {
                        // Who asked may have stopped waiting.
                        let _unheard = waiter.send(found);
                    }
                }
                // The driver is gone only when the bot is.
                other => drop(self.work.send(other)),
            }
        }
        let due = machine
            .poll_timeout()
            .map_or(u64::MAX, |timeout| timeout.at.as_micros());
        if due < self.due.swap(due, Ordering::AcqRel) {
            self.sooner.notify_one();
        }
    }

    /// When the machine is to be told the time.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.due.load(Ordering::Acquire);
        (due < u64::MAX).then(|| Instant::from_micros(due))
    }

    /// Asks for a record, wherever it is.
    pub(super) fn ask(
        &self,
        key: cache::Key,
        deadline: Instant,
    ) -> (RequestId, oneshot::Receiver<Found>) {
        let id = RequestId(self.next_request.fetch_add(1, Ordering::Relaxed));
        let (waiter, answer) = oneshot::channel();
        self.waiting().insert(id, waiter);
        self.feed(Input::Fetch {
            id,
            key,
            deadline: Some(deadline),
        });
        (id, answer)
    }

    /// Who asked waits no longer.
    pub(super) fn give_up(&self, id: RequestId) {
        if self.waiting().remove(&id).is_some() {
            self.feed(Input::Cancel { id });
        }
    }

    /// Nobody will be answered any more.
    pub(super) fn end(&self) {
        self.is_running.store(false, Ordering::Release);
        self.waiting().clear();
    }
}
