//! The thread that reads and writes: its own, so that neither a disk nor a network keeps anybody waiting.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use shardkeep_core::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep_until, timeout_at};

use super::keeper::Keeper;
use super::loaded::Loaded;
use super::tracked::Change;
use super::{Changes, Sessions, add};
use crate::clock;
use crate::store::StoreError;

/// The pause before a load that failed is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// What the thread is asked for.
pub(super) enum Order {
    Load {
        until: Instant,
        answer: oneshot::Sender<Result<Loaded, StoreError>>,
    },
    Flush {
        until: Instant,
        answer: oneshot::Sender<bool>,
    },
    /// Something is to be stored at once.
    Look,
    Stop {
        until: Instant,
    },
}

/// The thread's handle.
pub(super) struct Writer {
    keeper: Option<Keeper>,
    interval: Duration,
    orders: mpsc::UnboundedSender<Order>,
    inbox: Option<mpsc::UnboundedReceiver<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn new(keeper: Keeper, interval: Duration) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        Self {
            keeper: Some(keeper),
            interval,
            orders,
            inbox: Some(inbox),
            thread: None,
        }
    }

    pub(super) fn start(&mut self, sessions: Weak<Sessions>) -> std::io::Result<()> {
        let (Some(keeper), Some(inbox)) = (self.keeper.take(), self.inbox.take()) else {
            return Ok(());
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let running = Running {
            keeper,
            sessions,
            interval: self.interval,
            has_failed: false,
        };
        let started = std::thread::Builder::new()
            .name("shardkeep-sessions".to_owned())
            .spawn(move || runtime.block_on(running.run(inbox)))?;
        self.thread = Some(started);
        Ok(())
    }

    /// A way to the thread.
    pub(super) fn orders(&self) -> mpsc::UnboundedSender<Order> {
        self.orders.clone()
    }

    /// Whether there is a thread that will do it.
    pub(super) fn send(&self, order: Order) -> bool {
        self.thread.is_some() && self.orders.send(order).is_ok()
    }

    pub(super) fn stop(&mut self, until: Instant) -> Option<JoinHandle<()>> {
        let thread = self.thread.take()?;
        self.orders
            .send(Order::Stop { until })
            .is_ok()
            .then_some(thread)
    }
}

struct Running {
    keeper: Keeper,
    sessions: Weak<Sessions>,
    interval: Duration,
    /// The last write failed: that is said once.
    has_failed: bool,
}

impl Running {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut next = clock::now() + self.interval;
        loop {
            let order = tokio::select! {
                order = inbox.recv() => order,
                () = sleep_until(clock::to_tokio(next)) => {
                    // As long as an interval has time: a store that is away is asked again with the next.
                    self.write(clock::now() + self.interval.max(PAUSE)).await;
                    next = clock::now() + self.interval;
                    continue;
                }
            };
            match order {
                Some(Order::Load { until, answer }) => {
                    // Whoever asked may have given up.
                    let _unheard = answer.send(self.load(until).await);
                }
                Some(Order::Flush { until, answer }) => {
                    let _unheard = answer.send(self.write(until).await);
                }
                Some(Order::Look) => {
                    self.write(clock::now() + self.interval.max(PAUSE)).await;
                }
                Some(Order::Stop { until }) => {
                    self.write(until).await;
                    return;
                }
                None => return,
            }
        }
    }

    async fn load(&mut self, until: Instant) -> Result<Loaded, StoreError> {
        loop {
            let loading = timeout_at(clock::to_tokio(until), self.keeper.load());
            let error = match loading.await {
                Ok(Ok(loaded)) => return Ok(loaded),
                Ok(Err(error)) => error,
                Err(_) => StoreError::Away {
                    reason: "it does not answer".to_owned(),
                },
            };
            if clock::now() + PAUSE >= until || !error.is_passing() {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Stores what has changed. Whether all of it is stored.
    async fn write(&mut self, until: Instant) -> bool {
        let Some(sessions) = self.sessions.upgrade() else {
            return false;
        };
        let changes = sessions.changes();
        if changes.is_empty() {
            return true;
        }
        let storing = self.keeper.store(&changes);
        let outcome = timeout_at(clock::to_tokio(until), storing)
            .await
            .unwrap_or_else(|_| {
                Err(StoreError::Uncertain {
                    reason: "it does not answer".to_owned(),
                })
            });
        let counters = &sessions.counters;
        match outcome {
            Ok(kept) => {
                add(&counters.saved, kept.saved);
                add(&counters.removed, kept.removed);
                add(&counters.superseded, kept.superseded);
                for part in &changes.parts {
                    if let Some(tracked) = sessions.of(part.shard) {
                        tracked.part_stored(part.number);
                    }
                }
                if std::mem::take(&mut self.has_failed) {
                    tracing::info!("sessions are stored again");
                }
                true
            }
            Err(error) => {
                add(&counters.failed, changes.sessions.len());
                again(&sessions, &changes);
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(%error, "sessions cannot be stored: a restart now would identify");
                }
                false
            }
        }
    }
}

/// What was not stored counts as changed.
fn again(sessions: &Arc<Sessions>, changes: &Changes) {
    for change in &changes.sessions {
        let shard = match change {
            Change::Save(capsule) => capsule.shard(),
            Change::Remove { shard, .. } => Some(*shard),
        };
        if let Some(tracked) = shard.and_then(|shard| sessions.of(shard)) {
            tracked.not_stored();
        }
    }
    for part in &changes.parts {
        if let Some(tracked) = sessions.of(part.shard) {
            tracked.part_not_stored();
        }
    }
    super::lock(&sessions.account).1 |= changes.account.is_some();
    super::lock(&sessions.shape).1 |= changes.shape.is_some();
}
