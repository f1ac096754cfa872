//! The sockets around the routes: bounded in connections, in header size and in time.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::observed::Observed;
use super::routes;
use crate::config::Ops;

/// Request line and headers together. Probes and Prometheus send a few hundred bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;

/// How long to wait before the next `accept` after one failed, as it does while file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the endpoint could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpsError {
    /// Other machines could reach it, and there are no access tokens yet.
    Remote(SocketAddr),
    /// The address cannot be listened on.
    Listen(SocketAddr, std::io::Error),
}

impl fmt::Display for OpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(address) => write!(
                f,
                "the ops endpoint would be open to other machines at {address}, and it asks for no access token yet: \
                 use 127.0.0.1, or set ops.allow_remote where a firewall or network policy guards it"
            ),
            Self::Listen(address, error) => {
                write!(
                    f,
                    "the ops endpoint cannot listen on {address}: {error}; choose another ops.listen"
                )
            }
        }
    }
}

impl std::error::Error for OpsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Remote(_) => None,
            Self::Listen(_, error) => Some(error),
        }
    }
}

/// The endpoint for operators. Dropping it closes it.
///
/// Connections beyond `ops.connections_max` wait in the kernel's backlog. Each connection carries one request and is
/// gone after `ops.request_timeout_ms`, whatever it does.
#[derive(Debug)]
pub struct OpsServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl OpsServer {
    /// Listens on `address` and serves until dropped or stopped. Call it inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`OpsError`] if other machines could reach `address` without `allow_remote`, or if it is taken.
    pub async fn start(
        address: SocketAddr,
        config: &Ops,
        observed: Arc<dyn Observed>,
    ) -> Result<Self, OpsError> {
        if !address.ip().is_loopback() && !config.allow_remote {
            return Err(OpsError::Remote(address));
        }
        let failed = |error| OpsError::Listen(address, error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let timeout = Duration::from_millis(config.request_timeout_ms);
        let permits = Arc::new(Semaphore::new(config.connections_max));
        let task = tokio::spawn(accept(listener, observed, permits, timeout, stopped));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens: the real port where 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and waits for the requests under way.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "the ops endpoint ended early");
        }
    }
}

impl Drop for OpsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    observed: Arc<dyn Observed>,
    permits: Arc<Semaphore>,
    timeout: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let permit = Arc::clone(&permits).acquire_owned();
        let next = async {
            let permit = permit.await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            _ = stopped.wait_for(|&stop| stop) => break,
            next = next => next,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let observed = Arc::clone(&observed);
                connections.spawn(async move {
                    let _permit = permit;
                    serve(stream, observed, timeout).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the ops endpoint cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, one request. The body, if there is one, is never read.
async fn serve(stream: TcpStream, observed: Arc<dyn Observed>, timeout: Duration) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = routes::answer(request.method(), request.uri().path(), &*observed);
        async move { Ok::<Response<String>, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .header_read_timeout(timeout)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(timeout, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request to the ops endpoint failed"),
        Err(_) => tracing::debug!("a request to the ops endpoint took too long"),
    }
}
