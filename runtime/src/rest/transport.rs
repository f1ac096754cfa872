//! One HTTP exchange: what a transport is given, and what it answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use shardkeep_core::rest::Failure;
use shardkeep_core::rest::route::Method;

use super::body::{Body, Passage};
use super::error::masked;

/// Carries one request to the API and its answer back. [`Http1`](super::Http1) is the one that is used unless a program
/// brings its own.
///
/// Exchanges are polled by the task that schedules requests: an implementation must not block.
pub trait Transport: Send + Sync + 'static {
    /// Starts an exchange. Dropping it ends it.
    ///
    /// `authorization` belongs into the header of that name, and to the configured API alone: redirects are not
    /// followed. How long an exchange may take is the caller's business.
    fn exchange(&self, request: Arc<Outgoing>, authorization: Option<HeaderValue>) -> Exchange;
}

/// An exchange under way.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send>>;

/// A request as a transport sends it.
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The path with the base's own before it, and the query.
    pub target: PathAndQuery,
    /// Every header but `Host`, `Authorization` and those of the body's length.
    pub headers: HeaderMap,
    pub(crate) body: Body,
}

impl Outgoing {
    /// How many bytes the body has; `None` if that is not known before its end.
    #[must_use]
    pub fn body_len(&self) -> Option<u64> {
        self.body.len()
    }

    /// The body from its start, to be read once. Each attempt to send the request takes one.
    #[must_use]
    pub fn body(
        self: &Arc<Self>,
    ) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> + Send + Unpin + 'static {
        Passage::new(Arc::clone(self))
    }
}

impl fmt::Debug for Outgoing {
    /// Neither tokens in the path nor headers nor the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("path", &masked(self.target.path()))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl AsRef<Body> for Outgoing {
    fn as_ref(&self) -> &Body {
        &self.body
    }
}

/// What the API answered, whatever the status.
#[derive(Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    /// Not the body: a new webhook's holds its token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why an exchange brought no answer. Its text never holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// How far the request got.
    pub failure: Failure,
    /// What went wrong.
    pub reason: String,
}

impl TransportError {
    /// Nothing of the request left.
    pub fn not_sent(reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self {
            failure: Failure::NotSent,
            reason,
        }
    }

    /// The request left, or part of it.
    pub fn unanswered(reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self {
            failure: Failure::Unanswered,
            reason,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for TransportError {}
