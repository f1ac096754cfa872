//! The transport: hyper's HTTP/1.1 connections, kept alive, each driven by whoever uses it.
//!
//! No task belongs to a connection. While a request is under way, its exchange polls the connection; at rest nobody
//! does, and whether it is still open is asked when it is needed next. Beside a task for each connection this saves
//! the ways between them: docs/benchmarks.md has the figures.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use shardkeep_core::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::base::Base;
use super::body::Passage;
use super::transport::{Answer, Exchange, Outgoing, Transport, TransportError};
use crate::clock;
use crate::config::Roots;
use crate::transport::{TlsError, client_config};

/// How long a connection may rest and still be used: servers close theirs after a minute or more, and a request that
/// meets the close is lost.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// The most headers an answer may have. Discord sends about thirty.
const HEADERS_MAX: usize = 128;

/// The most bytes the head of an answer may have.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// HTTP/1.1 to one host, over as many connections as there are requests at once.
#[derive(Clone)]
pub struct Http1 {
    pool: Arc<Pool>,
}

struct Pool {
    base: Base,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    host: HeaderValue,
    connect_timeout: Duration,
    body_bytes_max: usize,
    idle: Mutex<Vec<(Wire, Instant)>>,
}

impl Http1 {
    /// A client for the host of `base`.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if the platform's roots are wanted and there are none.
    pub(crate) fn new(
        base: Base,
        roots: Roots,
        connect_timeout: Duration,
        body_bytes_max: usize,
    ) -> Result<Self, TlsError> {
        let tls = match base.tls_name() {
            None => None,
            Some(name) => {
                let mut config = Arc::unwrap_or_clone(client_config(roots)?);
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                Some((TlsConnector::from(Arc::new(config)), name))
            }
        };
        let pool = Pool {
            host: base.host_header(),
            base,
            tls,
            connect_timeout,
            body_bytes_max,
            idle: Mutex::default(),
        };
        Ok(Self {
            pool: Arc::new(pool),
        })
    }
}

impl fmt::Debug for Http1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1")
            .field("base", &self.pool.base)
            .finish_non_exhaustive()
    }
}

impl Transport for Http1 {
    fn exchange(&self, request: Arc<Outgoing>, authorization: Option<HeaderValue>) -> Exchange {
        let pool = Arc::clone(&self.pool);
        Box::pin(async move { pool.exchange(&request, authorization).await })
    }
}

type Sent = Request<Passage<Outgoing>>;

impl Pool {
    async fn exchange(
        &self,
        outgoing: &Arc<Outgoing>,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, TransportError> {
        let mut request = self.request(outgoing, authorization);
        loop {
            let (mut wire, is_fresh) = match self.idle() {
                Some(wire) => (wire, false),
                None => (self.connect().await?, true),
            };
            match wire.send(request).await {
                Ok(response) => {
                    let answer = wire.read(response, self.body_bytes_max).await?;
                    self.keep(wire);
                    return Ok(answer);
                }
                // A connection that was closed while it rested took nothing of the request.
                Err(Unsent::Back(unsent)) if !is_fresh => request = *unsent,
                Err(Unsent::Back(_)) => {
                    return Err(TransportError::not_sent("the server closed the connection"));
                }
                Err(Unsent::Lost(error)) => return Err(error),
            }
        }
    }

    fn request(&self, outgoing: &Arc<Outgoing>, authorization: Option<HeaderValue>) -> Sent {
        let mut request = Request::new(Passage::new(Arc::clone(outgoing)));
        *request.method_mut() = method(outgoing.method);
        *request.uri_mut() = outgoing.target.clone().into();
        let headers = request.headers_mut();
        headers.clone_from(&outgoing.headers);
        headers.insert(header::HOST, self.host.clone());
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        request
    }

    /// The connection that rested for the shortest time, if one is still open.
    fn idle(&self) -> Option<Wire> {
        let oldest = clock::now();
        loop {
            let (mut wire, since) = lock(&self.idle).pop()?;
            if oldest.since(since) <= IDLE_MAX && wire.is_open() {
                return Some(wire);
            }
        }
    }

    fn keep(&self, mut wire: Wire) {
        if !wire.is_open() {
            return;
        }
        let now = clock::now();
        let mut idle = lock(&self.idle);
        idle.push((wire, now));
        // The longest rest lies at the front. What is used least is closed, one at a time.
        if idle
            .first()
            .is_some_and(|(_, since)| now.since(*since) > IDLE_MAX)
        {
            idle.remove(0);
        }
    }

    async fn connect(&self) -> Result<Wire, TransportError> {
        let opened = tokio::time::timeout(self.connect_timeout, self.open()).await;
        match opened {
            Ok(Ok(wire)) => Ok(wire),
            Ok(Err(error)) => Err(TransportError::not_sent(format_args!(
                "cannot connect to {:?}: {error}",
                self.base
            ))),
            Err(_) => Err(TransportError::not_sent(format_args!(
                "{:?} did not take the connection within {} ms",
                self.base,
                self.connect_timeout.as_millis()
            ))),
        }
    }

    async fn open(&self) -> io::Result<Wire> {
        let tcp = TcpStream::connect(self.base.address()).await?;
        tcp.set_nodelay(true)?;
        let socket = match &self.tls {
            None => Socket::Plain(tcp),
            Some((connector, name)) => {
                Socket::Tls(Box::new(connector.connect(name.clone(), tcp).await?))
            }
        };
        let mut http = http1::Builder::new();
        http.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
        let (sender, connection) = http
            .handshake(TokioIo::new(socket))
            .await
            .map_err(io::Error::other)?;
        Ok(Wire {
            sender,
            connection,
            is_over: false,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn method(method: shardkeep_core::rest::route::Method) -> http::Method {
    use shardkeep_core::rest::route::Method;
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

/// A connection. Whoever waits for an answer polls it.
struct Wire {
    sender: SendRequest<Passage<Outgoing>>,
    connection: Connection<TokioIo<Socket>, Passage<Outgoing>>,
    is_over: bool,
}

/// A request that has no answer.
enum Unsent {
    /// Nothing of it left: here it is again.
    Back(Box<Sent>),
    Lost(TransportError),
}

impl Wire {
    /// Lets the connection read and write.
    fn drive(&mut self, cx: &mut Context<'_>) {
        // How it ends is told to whoever waits for an answer.
        if !self.is_over && Pin::new(&mut self.connection).poll(cx).is_ready() {
            self.is_over = true;
        }
    }

    /// Whether another request may be sent.
    fn is_open(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.is_over && self.sender.is_ready()
    }

    async fn send(&mut self, request: Sent) -> Result<Response<Incoming>, Unsent> {
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

    async fn read(
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

/// TCP, with TLS or without.
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, into),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, pieces),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
