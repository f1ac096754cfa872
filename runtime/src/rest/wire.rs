//! One connection: hyper's, polled by whoever waits for its answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;

use super::body::Passage;
use super::socket::Socket;
use super::transport::{Answer, Outgoing, TransportError};

/// The most bytes the head of an answer may have.
const HEAD_BYTES_MAX: usize = 64 << 10;

pub(super) type Sent = Request<Passage<Outgoing>>;

/// A connection. Whoever waits for an answer polls it.
pub(super) struct Wire {
    sender: SendRequest<Passage<Outgoing>>,
    connection: Connection<TokioIo<Socket>, Passage<Outgoing>>,
    is_over: bool,
}

/// A request that has no answer.
pub(super) enum Unsent {
    /// Nothing of it left: here it is again.
    Back(Box<Sent>),
    Lost(TransportError),
}

impl Wire {
    /// Speaks HTTP over an open socket.
    pub(super) async fn new(socket: Socket) -> io::Result<Self> {
        let mut http = http1::Builder::new();
        // As many headers as hyper has room for without asking for memory: 100. Discord sends about thirty.
        http.max_buf_size(HEAD_BYTES_MAX);
        let opened = http.handshake(TokioIo::new(socket)).await;
        let (sender, connection) = opened.map_err(io::Error::other)?;
        Ok(Self {
            sender,
            connection,
            is_over: false,
        })
    }

    /// Lets the connection read and write.
    fn drive(&mut self, cx: &mut Context<'_>) {
        // How it ends is told to whoever waits for an answer.
        if !self.is_over && Pin::new(&mut self.connection).poll(cx).is_ready() {
            self.is_over = true;
        }
    }

    /// Whether another request may be sent.
    pub(super) fn is_open(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.is_over && self.sender.is_ready()
    }

    pub(super) async fn send(&mut self, request: Sent) -> Result<Response<Incoming>, Unsent> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let (connection, is_over) = (&mut self.connection, &mut self.is_over);
        poll_fn(|cx| {
            if !*is_over && Pin::new(&mut *connection).poll(cx).is_ready() {
                *is_over = true;
            }
            match answer.as_mut().poll(cx) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(mut error)) => Poll::Ready(Err(match error.take_message() {
                    Some(request) => Unsent::Back(Box::new(request)),
                    None => Unsent::Lost(lost(error.error())),
                })),
                Poll::Pending if *is_over => Poll::Ready(Err(Unsent::Lost(closed()))),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    pub(super) async fn read(
        &mut self,
        response: Response<Incoming>,
        bytes_max: usize,
    ) -> Result<Answer, TransportError> {
        let (parts, mut body) = response.into_parts();
        let mut gathered = Gathered::default();
        poll_fn(|cx| {
            loop {
                self.drive(cx);
                let frame = match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Pending if self.is_over => return Poll::Ready(Err(closed())),
                    polled => ready!(polled),
                };
                match frame {
                    None => return Poll::Ready(Ok(())),
                    Some(Err(error)) => return Poll::Ready(Err(lost(&error))),
                    Some(Ok(frame)) => gathered.push(frame.into_data().unwrap_or_default()),
                }
                if gathered.len() > bytes_max {
                    let reason = format!("its body is longer than {bytes_max} bytes");
                    return Poll::Ready(Err(TransportError::unanswered(reason)));
                }
            }
        })
        .await?;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: gathered.into_bytes(),
        })
    }
}

fn closed() -> TransportError {
    TransportError::unanswered("the server closed the connection without an answer")
}

/// What hyper says, with its cause: neither holds a header or a body.
fn lost(error: &hyper::Error) -> TransportError {
    if error.is_incomplete_message() {
        return closed();
    }
    match std::error::Error::source(error) {
        Some(source) => TransportError::unanswered(format_args!("{error}: {source}")),
        None => TransportError::unanswered(error),
    }
}

/// A body as it comes in. Most come in one piece, which is not copied.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    rest: BytesMut,
}

impl Gathered {
    fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() {
            self.first = bytes;
        } else {
            self.rest.extend_from_slice(&bytes);
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut all = BytesMut::with_capacity(self.len());
        all.extend_from_slice(&self.first);
        all.extend_from_slice(&self.rest);
        all.freeze()
    }
}
