//! The sockets: bounded in number, in header size and in time; a drain closes each when its request is done.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::gate::Gate;
use super::patience::Patient;

/// Request line and headers together.
const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 100;

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before the next `accept` after one failed, as it does while file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every connection is given.
pub(super) struct Listener {
    pub(super) gate: Arc<Gate>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) connections_max: usize,
    pub(super) idle_timeout: Duration,
    pub(super) body_timeout: Duration,
}

impl Listener {
    /// Accepts until told to stop, then waits until every connection is done.
    pub(super) async fn run(self, listener: TcpListener, stopped: watch::Receiver<bool>) {
        let shared = Arc::new(self);
        let permits = shared.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        let mut connections = JoinSet::new();
        let mut stop = stopped.clone();
        loop {
            let permit = Arc::clone(&permits).acquire_owned();
            let next = async {
                let permit = permit.await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                _ = stop.wait_for(|&stop| stop) => break,
                next = next => next,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((socket, _)) => {
                    let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        shared.connection(socket, stopped).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the proxy cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    async fn connection(&self, socket: TcpStream, stopped: watch::Receiver<bool>) {
        let counters = &self.gate.counters;
        counters.connections.fetch_add(1, Ordering::Relaxed);
        counters.open.fetch_add(1, Ordering::Relaxed);
        let _open = Open(&self.gate);
        // Answers are small and come alone: waiting for more costs their readers 40 ms.
        let _best_effort = socket.set_nodelay(true);
        match &self.tls {
            None => self.serve(socket, stopped).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(socket)).await {
                Ok(Ok(socket)) => self.serve(socket, stopped).await,
                failed => {
                    counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                    let error = failed
                        .err()
                        .map_or("it was refused", |_| "it took too long");
                    tracing::debug!(error, "a TLS handshake failed");
                }
            },
        }
    }

    async fn serve<S>(&self, socket: S, mut stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let gate = &self.gate;
        let service = service_fn(|request: Request<Incoming>| async {
            Ok::<_, Infallible>(gate.answer(request).await)
        });
        let socket = Patient::new(socket, self.body_timeout);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .header_read_timeout(self.idle_timeout)
            .serve_connection(TokioIo::new(socket), service);
        let mut connection = pin!(connection);
        let stop = async { stopped.wait_for(|&stop| stop).await.is_ok() };
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = stop => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                // At rest it closes at once; else after the answer that is under way.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            if is_stalled(&error) {
                gate.counters.stalled.fetch_add(1, Ordering::Relaxed);
            }
            tracing::debug!(%error, "a connection of a client ended early");
        }
    }
}

/// Whether the client did not read its answer.
fn is_stalled(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
}

/// An open connection.
struct Open<'a>(&'a Gate);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.counters.open.fetch_sub(1, Ordering::Relaxed);
    }
}
