//! The transport: hyper's HTTP/1.1 connections, kept alive, each driven by whoever uses it.
//!
//! No task belongs to a connection. While a request is under way, its exchange polls the connection; at rest nobody
//! does, and whether it is still open is asked when it is needed next. Beside a task for each connection this saves
//! the ways between them: docs/benchmarks.md has the figures.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, header};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use shardkeep_core::Instant;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::base::Base;
use super::body::Passage;
use super::socket::Socket;
use super::transport::{Answer, Exchange, Outgoing, Transport, TransportError};
use super::wire::{Sent, Unsent, Wire};
use crate::clock;

/// How long a connection may rest and still be used: servers close theirs after a minute or more, and a request that
/// meets the close is lost.
const IDLE_MAX: Duration = Duration::from_secs(30);

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
    idle: Mutex<Vec<(Box<Wire>, Instant)>>,
}

impl Http1 {
    /// A client for the host of `base`, whom `config` says to trust if it speaks TLS.
    pub(super) fn new(
        base: Base,
        config: Arc<ClientConfig>,
        connect_timeout: Duration,
        body_bytes_max: usize,
    ) -> Self {
        let tls = base.tls_name().map(|name| {
            let mut config = Arc::unwrap_or_clone(config);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            (TlsConnector::from(Arc::new(config)), name)
        });
        let pool = Pool {
            host: base.host_header(),
            base,
            tls,
            connect_timeout,
            body_bytes_max,
            idle: Mutex::default(),
        };
        Self {
            pool: Arc::new(pool),
        }
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
                // Boxed because it is rare, and large: every exchange would carry the room for it.
                None => (Box::pin(self.connect()).await?, true),
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
    fn idle(&self) -> Option<Box<Wire>> {
        let oldest = clock::now();
        loop {
            let (mut wire, since) = lock(&self.idle).pop()?;
            if oldest.since(since) <= IDLE_MAX && wire.is_open() {
                return Some(wire);
            }
        }
    }

    fn keep(&self, mut wire: Box<Wire>) {
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

    async fn connect(&self) -> Result<Box<Wire>, TransportError> {
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

    async fn open(&self) -> io::Result<Box<Wire>> {
        let tcp = TcpStream::connect(self.base.address()).await?;
        tcp.set_nodelay(true)?;
        let socket = match &self.tls {
            None => Socket::Plain(tcp),
            Some((connector, name)) => {
                Socket::Tls(Box::new(connector.connect(name.clone(), tcp).await?))
            }
        };
        Ok(Box::new(Wire::new(socket).await?))
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
