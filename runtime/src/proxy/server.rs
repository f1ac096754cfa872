//! The proxy as a program embeds it: started, looked at, stopped.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::access::{Access, Guard};
use super::cache::Cache;
use super::changes::follow;
use super::counters::Counters;
use super::deposit::Deposit;
use super::forward::Forward;
use super::gate::Gate;
use super::identities::Identities;
use super::listener::Listener;
use super::settings::{ProxyError, Settings};
use super::status::{self, Waiting};
use super::target::split_base;
use super::tls;
use crate::clock;
use crate::rest::{Client, Http1};

/// How long the last answers may take to reach their clients once nothing is waited for any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// A proxy that runs. Dropping it closes every connection at once; [`Proxy::shutdown`] lets them finish.
///
/// ```no_run
/// use std::time::Duration;
///
/// use shardkeep::proxy::{Access, Key, Proxy, Settings};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let key = Key::new(&std::env::var("SHARDKEEP_PROXY_KEY")?)?;
/// let proxy = Proxy::start(Settings::new(Access::Key(key))).await?;
/// println!("use {} as the API's base", proxy.api());
/// tokio::signal::ctrl_c().await?;
/// proxy.shutdown(Duration::from_secs(30)).await;
/// # Ok(())
/// # }
/// ```
pub struct Proxy {
    address: SocketAddr,
    is_tls: bool,
    gate: Arc<Gate>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Hears what bots say has changed.
    follower: Option<JoinHandle<()>>,
}

/// How a proxy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Requests that were not answered in time: their clients were told 503.
    pub cut_off: usize,
}

impl Proxy {
    /// Listens and serves until dropped or shut down. Call it inside a tokio runtime with IO and timers.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if others could reach it without a key, if the address is taken, if certificate or key cannot be
    /// used, or if the client behind it cannot be started.
    pub async fn start(settings: Settings) -> Result<Self, ProxyError> {
        let listen = settings.listen;
        if matches!(settings.access, Access::Open) && !listen.ip().is_loopback() {
            return Err(ProxyError::OpenRemote(listen));
        }
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        if tls.is_none() && !listen.ip().is_loopback() {
            tracing::warn!(
                "tokens and the key travel in the clear: use TLS, or a network that nobody else is in"
            );
        }
        let failed = |error| ProxyError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let is_tls = tls.is_some();
        let (connections_max, idle_timeout, body_timeout) = (
            settings.connections_max,
            settings.idle_timeout,
            settings.body_timeout,
        );
        let bus = settings.bus.clone();
        let gate = Arc::new(gate(settings)?);
        let sockets = Listener {
            gate: Arc::clone(&gate),
            tls,
            connections_max,
            idle_timeout,
            body_timeout,
        };
        let (stop, stopped) = watch::channel(false);
        let follower = bus.map(|bus| tokio::spawn(follow(Arc::clone(&gate), bus)));
        let task = tokio::spawn(sockets.run(listener, stopped));
        Ok(Self {
            address,
            is_tls,
            gate,
            stop,
            task,
            follower,
        })
    }

    /// Where it listens: the real port where 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for clients, with the version of paths without one: `http://127.0.0.1:8080/api/v10`.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/api{}", self.origin(), self.gate.version)
    }

    /// Scheme, host and port: `http://127.0.0.1:8080`.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What `/status` shows, as JSON.
    #[must_use]
    pub fn status_json(&self) -> String {
        status::status(&self.gate).to_string()
    }

    /// The client behind it: what the scheduler knows, and its events.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.gate.client
    }

    /// Takes no new connections, finishes what is queued and in flight, at most for `limit`, and ends. Whoever still
    /// waits then is answered with 503.
    pub async fn shutdown(mut self, limit: Duration) -> Drained {
        self.gate.is_draining.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        if timeout(limit, &mut self.task).await.is_ok() {
            return Drained { cut_off: 0 };
        }
        let cut_off = self.gate.counters.active.load(Ordering::Relaxed);
        self.gate.client.shutdown(Duration::ZERO).await;
        if timeout(GOODBYE, &mut self.task).await.is_err() {
            tracing::debug!("connections were closed whose clients did not read or send any more");
        }
        Drained { cut_off }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(follower) = &self.follower {
            follower.abort();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Everything behind the sockets.
fn gate(settings: Settings) -> Result<Gate, ProxyError> {
    let mut rest = settings.rest;
    let (base, version) = split_base(&rest.base);
    let (base, version) = (base.to_owned(), version.to_owned());
    rest.base = base;
    let transport = Forward(Http1::for_settings(&rest)?);
    // What is still in flight for an abandoned request ends within this time.
    let rests = rest.timeout * 2;
    let client = Client::start_with(rest, Arc::new(transport))?;
    let own_token = settings.token.as_ref().map(|token| {
        let text = format!("Bot {}", token.expose());
        let mut value = HeaderValue::try_from(text).expect("a token is printable ASCII");
        value.set_sensitive(true);
        value
    });
    Ok(Gate {
        identities: Arc::new(Identities::new(
            client.clone(),
            settings.identities_max,
            rests,
        )),
        client,
        guard: Guard::new(&settings.access),
        own_token,
        version,
        cache: Cache::new(settings.cache_ttl, settings.cache_bytes_max),
        deposit: Deposit::new(
            settings.body_bytes_max,
            settings.body_timeout,
            settings.uploads_max,
        ),
        counters: Counters::default(),
        waiting: Waiting::default(),
        started: clock::now(),
        is_draining: AtomicBool::new(false),
    })
}
