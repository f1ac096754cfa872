//! A submitted request: its number, and its answer when there is one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::uri::PathAndQuery;
use shardkeep_core::rest::RequestId;
use shardkeep_core::rest::route::Method;
use tokio::sync::oneshot;

use super::error::{RestError, masked};
use super::inbox::Message;
use super::shared::Shared;
use super::transport::{Answer, Outgoing};

/// A submitted request. Dropping it cancels it: it leaves the queue; if it was sent already, its answer is not waited
/// for.
#[must_use = "dropping it cancels the request"]
pub struct Pending {
    pub(super) id: RequestId,
    pub(super) called: Called,
    pub(super) shared: Arc<Shared>,
    pub(super) answer: Option<oneshot::Receiver<Result<Answer, RestError>>>,
}

impl Pending {
    /// The request's number, for [`Client::explain`](super::Client::explain).
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    pub(super) fn called(&self) -> Called {
        self.called.clone()
    }

    /// Waits for the answer, whatever the thread: not for tasks of a runtime, whose thread it would block.
    ///
    /// # Errors
    ///
    /// As awaiting it.
    pub fn wait(self) -> Result<Answer, RestError> {
        super::blocking::block_on(self)
    }
}

impl Future for Pending {
    type Output = Result<Answer, RestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = &mut self.answer else {
            return Poll::Ready(Err(RestError::Stopped));
        };
        let answer = ready!(Pin::new(answer).poll(cx));
        self.answer = None;
        Poll::Ready(answer.unwrap_or(Err(RestError::Stopped)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.answer.is_some() {
            self.shared.inbox.tell(Message::Cancel(self.id));
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("id", &self.id)
            .field("called", &self.called)
            .finish_non_exhaustive()
    }
}

/// What was asked for. Shown without tokens.
#[derive(Clone)]
pub(super) struct Called {
    method: Method,
    target: PathAndQuery,
}

impl Called {
    pub(super) fn of(outgoing: &Outgoing) -> Self {
        Self {
            method: outgoing.method,
            target: outgoing.target.clone(),
        }
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, masked(self.target.path()))
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
