//! The way from callers to the driver: one lock for a batch, one wake-up when it stops being empty.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use shardkeep_core::Instant;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{Auth, Priority, RequestId, Sharing, Submit};
use tokio::sync::oneshot;

use super::error::RestError;
use super::transport::{Answer, Outgoing};

pub(super) type Reply = oneshot::Sender<Result<Answer, RestError>>;

/// A request on its way to the driver.
pub(super) struct Job {
    pub(super) id: RequestId,
    pub(super) auth: Auth,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) priority: Priority,
    pub(super) deadline: Option<Instant>,
    pub(super) guild: Option<Snowflake>,
    pub(super) class: u8,
    pub(super) sharing: Sharing,
    pub(super) is_repeatable: bool,
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) reply: Reply,
}

impl Job {
    pub(super) fn submit(&self) -> Submit<'_> {
        Submit {
            priority: self.priority,
            deadline: self.deadline,
            guild: self.guild,
            class: self.class,
            sharing: self.sharing,
            is_repeatable: self.is_repeatable,
            ..Submit::new(self.id, self.auth, self.method, &self.path)
        }
    }
}

/// What a caller tells the driver.
pub(super) enum Message {
    Submit(Box<Job>),
    Cancel(RequestId),
    TokenReplaced(Auth),
    GlobalLimit(Auth, u32),
    /// The identity's limits are shared under this name.
    Pooled(Auth, u64),
    /// What is not answered by then is dropped.
    EndIn(Duration),
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Full,
    Closed,
}

/// How far a client has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    #[default]
    Open,
    /// Nothing new is taken; what was taken is finished.
    Draining,
    /// The driver is gone.
    Over,
}

/// What lies between callers and the driver.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// How many requests may lie here: a driver that does not come round must not let them pile up.
    requests_max: usize,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    requests: usize,
    waker: Option<Waker>,
    life: Life,
}

impl Inbox {
    pub(super) fn new(requests_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            requests_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a request to the driver.
    pub(super) fn submit(&self, job: Box<Job>) -> Result<(), NotTaken> {
        let mut state = self.lock();
        if state.life != Life::Open {
            return Err(NotTaken::Closed);
        }
        // As in the scheduler: a flood of other work must not cost an interaction its three seconds.
        let extra = match job.priority {
            Priority::Interaction => self.requests_max / 10 + 16,
            _ => 0,
        };
        if state.requests >= self.requests_max + extra {
            return Err(NotTaken::Full);
        }
        state.requests += 1;
        state.messages.push_back(Message::Submit(job));
        wake(state);
        Ok(())
    }

    /// Tells the driver something about a request or an identity: there are never more of those than of requests.
    pub(super) fn tell(&self, message: Message) {
        let mut state = self.lock();
        if state.life != Life::Over {
            state.messages.push_back(message);
            wake(state);
        }
    }

    /// Goes on to `life`, never back.
    pub(super) fn end(&self, life: Life) {
        let mut state = self.lock();
        state.life = state.life.max(life);
        wake(state);
    }

    /// The driver is gone: drops what lies here, so that whoever waits for it learns.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.life = Life::Over;
        let messages = std::mem::take(&mut state.messages);
        // Replies wake callers: not under the lock.
        drop(state);
        drop(messages);
    }

    /// Takes everything into `batch`, which is empty; if there is nothing, `cx` is woken when there is.
    pub(super) fn take(&self, cx: &Context<'_>, batch: &mut VecDeque<Message>) -> Life {
        let mut state = self.lock();
        if state.messages.is_empty() {
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        } else {
            state.requests = 0;
            std::mem::swap(&mut state.messages, batch);
        }
        state.life
    }
}

/// Wakes the driver if it has found the inbox empty since it was last woken.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
