//! Bodies of clients: small ones are read whole before anything waits for them, large ones are read while Discord takes
//! them, a few at a time, and none is longer than allowed.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::answer::Refused;
use super::reason::Reason;
use crate::rest::Body;

/// Bodies up to here are read whole: a slow client then holds no place among the connections to Discord, and what it
/// sends can be sent again.
const SMALL_BYTES: usize = 256 << 10;

/// Where bodies are taken in.
pub(super) struct Deposit {
    bytes_max: u64,
    patience: Duration,
    large: Arc<Semaphore>,
    large_max: usize,
}

/// A body, and what is known of it afterwards.
pub(super) struct Deposited {
    pub(super) body: Body,
    /// Set when it turns out to be longer than allowed, while it is sent.
    pub(super) is_too_long: Arc<AtomicBool>,
}

impl Deposit {
    pub(super) fn new(bytes_max: u64, patience: Duration, large_max: usize) -> Self {
        let large_max = large_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            bytes_max,
            patience,
            large: Arc::new(Semaphore::new(large_max)),
            large_max,
        }
    }

    /// How many large bodies are under way.
    pub(super) fn large(&self) -> usize {
        self.large_max - self.large.available_permits()
    }

    pub(super) async fn take(&self, mut incoming: Incoming) -> Result<Deposited, Refused> {
        let is_too_long = Arc::new(AtomicBool::new(false));
        let deposited = |body| {
            let is_too_long = Arc::clone(&is_too_long);
            Deposited { body, is_too_long }
        };
        if incoming.is_end_stream() {
            return Ok(deposited(Body::empty()));
        }
        let len = incoming.size_hint().exact();
        if len.is_some_and(|len| len > self.bytes_max) {
            return Err(self.too_large());
        }
        let mut head = Head::default();
        if len.is_none_or(|len| len <= SMALL_BYTES as u64) {
            let is_whole = self.read(&mut incoming, &mut head).await?;
            if head.bytes as u64 > self.bytes_max {
                return Err(self.too_large());
            }
            if is_whole {
                return Ok(deposited(Body::from(head.into_bytes())));
            }
        }
        let permit = self.permit().await?;
        let stream = Large {
            head,
            rest: incoming,
            left: self.bytes_max,
            is_too_long: Arc::clone(&is_too_long),
            _permit: permit,
        };
        Ok(deposited(Body::stream(stream)))
    }

    /// Reads until the end or until it is not small any more. `true` at the end.
    async fn read(&self, incoming: &mut Incoming, head: &mut Head) -> Result<bool, Refused> {
        while head.bytes <= SMALL_BYTES {
            match timeout(self.patience, incoming.frame()).await {
                Ok(None) => return Ok(true),
                Ok(Some(Ok(frame))) => head.push(frame.into_data().unwrap_or_default()),
                Ok(Some(Err(error))) => {
                    let message = format!("the body cannot be read: {error}");
                    return Err(Refused::new(Reason::BodyBroken, message));
                }
                Err(_) => {
                    let message = format!(
                        "nothing of the body came for {} ms: send it faster",
                        self.patience.as_millis()
                    );
                    return Err(Refused::new(Reason::BodyTimeout, message));
                }
            }
        }
        Ok(false)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let permit = Arc::clone(&self.large).acquire_owned();
        match timeout(self.patience, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                let message = format!(
                    "{} large bodies are under way already: raise --uploads, or send fewer at once",
                    self.large_max
                );
                let refused = Refused::new(Reason::UploadsFull, message);
                Err(refused.wait(Duration::from_secs(1)))
            }
        }
    }

    pub(super) fn too_large(&self) -> Refused {
        let message = format!(
            "the body is longer than the {} bytes that the proxy takes: raise --max-body-mb",
            self.bytes_max
        );
        Refused::new(Reason::BodyTooLarge, message)
    }
}

/// What of a body was read already.
#[derive(Default)]
struct Head {
    chunks: VecDeque<Bytes>,
    bytes: usize,
}

impl Head {
    fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.bytes += chunk.len();
            self.chunks.push_back(chunk);
        }
    }

    fn pop(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.pop_front()?;
        self.bytes -= chunk.len();
        Some(chunk)
    }

    fn into_bytes(mut self) -> Bytes {
        if self.chunks.len() <= 1 {
            return self.pop().unwrap_or_default();
        }
        let mut all = BytesMut::with_capacity(self.bytes);
        for chunk in &self.chunks {
            all.extend_from_slice(chunk);
        }
        all.freeze()
    }
}

/// A large body, read while it is sent. It holds its place among the large ones as long as it exists.
struct Large {
    head: Head,
    rest: Incoming,
    left: u64,
    is_too_long: Arc<AtomicBool>,
    _permit: OwnedSemaphorePermit,
}

impl HttpBody for Large {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let frame = match this.head.pop() {
            Some(chunk) => Frame::data(chunk),
            None => match ready!(Pin::new(&mut this.rest).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(Broken::Read(error)))),
            },
        };
        let len = frame.data_ref().map_or(0, Bytes::len) as u64;
        match this.left.checked_sub(len) {
            Some(left) => {
                this.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                this.is_too_long.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(Broken::TooLong)))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.size_hint().exact();
        rest.map_or_else(SizeHint::default, |rest| {
            SizeHint::with_exact(rest + self.head.bytes as u64)
        })
    }
}

/// Why a body ended early.
#[derive(Debug)]
enum Broken {
    Read(hyper::Error),
    TooLong,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the client's body cannot be read: {error}"),
            Self::TooLong => f.write_str("the client's body is longer than allowed"),
        }
    }
}

impl std::error::Error for Broken {}
