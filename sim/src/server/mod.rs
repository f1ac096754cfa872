//! A loopback server around the world, so that any client library can connect to it.

mod connection;
mod control_api;
mod flood;
mod frame;
mod listener;
mod outgoing;
mod traffic;
mod world_task;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use self::listener::Shared;
use self::traffic::Traffic;
use self::world_task::{Message, WorldTask};
use crate::{Control, Instant, World, WorldConfig};

pub use self::flood::FloodRequest;

/// How many messages from clients may wait for the world; readers of sockets wait when it is full.
const INBOX_MESSAGES: usize = 1_024;

/// How long [`Server::shutdown`] waits for the world to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The world behind it. `base_ws_url` is replaced by the server's own address unless `keep_ws_url` is set.
    pub world: WorldConfig,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Listen on an address that other machines can reach. Tokens travel in the clear; the control API stays on
    /// loopback.
    pub allow_remote: bool,
    /// Leave `base_ws_url` as configured: for a server behind a proxy that clients reach by another name.
    pub keep_ws_url: bool,
    /// How many bytes may wait for one connection before it is reset: a reader that slow would fill the memory.
    pub max_queued_bytes: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            world: WorldConfig::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            keep_ws_url: false,
            max_queued_bytes: 64 << 20,
        }
    }
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    #[error(
        "{listen} can be reached from other machines: listen on 127.0.0.1, or allow it with `allow_remote`"
    )]
    NotLoopback {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}; choose another port, or 0 for any free one")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A running server: REST under `/api`, gateway WebSockets, and the control API under `/sim`, all on one port.
///
/// Dropping it stops it at once; [`shutdown`](Self::shutdown) says goodbye to its connections first.
///
/// ```
/// use shardkeep_sim::Control;
/// use shardkeep_sim::server::{Server, ServerConfig};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let server = Server::start(ServerConfig::default()).await.unwrap();
/// assert!(server.api_base().starts_with("http://127.0.0.1:"));
/// let counters = server.control(Control::Counters).await;
/// assert_eq!(counters["identifies"], 0);
/// server.shutdown().await;
/// # });
/// ```
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    gateway_url: String,
    world: mpsc::Sender<Message>,
    accepting: JoinHandle<()>,
    running: JoinHandle<()>,
}

impl Server {
    /// Binds the address and starts serving on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError::NotLoopback`] for an address that others can reach, unless that was allowed;
    /// [`StartError::Listen`] if the operating system refuses the address.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let ServerConfig {
            mut world,
            listen,
            allow_remote,
            keep_ws_url,
            max_queued_bytes,
        } = config;
        if !allow_remote && !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback { listen });
        }
        let failed = |source| StartError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        if !keep_ws_url {
            world.base_ws_url = format!("ws://{addr}");
        }
        let gateway_url = world.base_ws_url.clone();

        let (sender, inbox) = mpsc::channel(INBOX_MESSAGES);
        let emptied = Arc::new(Notify::new());
        let traffic = Arc::new(Traffic::default());
        let shown = shown(&world);
        let world = World::new(world, Instant::ZERO);
        let task = WorldTask::new(world, Arc::clone(&emptied), Arc::clone(&traffic));
        let shared = Arc::new(Shared {
            world: sender.clone(),
            traffic,
            emptied,
            max_queued_bytes,
            config: shown,
            next_connection: AtomicU64::new(1),
        });
        Ok(Self {
            addr,
            gateway_url,
            world: sender,
            accepting: tokio::spawn(listener::accept(listener, shared)),
            running: tokio::spawn(task.run(inbox)),
        })
    }

    /// The address it listens on, with the port that was chosen.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What clients take for `https://discord.com/api/v10`.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}/api/v10", self.addr)
    }

    /// What clients take for `wss://gateway.discord.gg`.
    #[must_use]
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// The base of the control API.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}/sim", self.addr)
    }

    /// Where everything is, as one JSON object: the line that `shardkeep sim` prints first.
    #[must_use]
    pub fn addresses(&self) -> Value {
        serde_json::json!({
            "api": self.api_base(),
            "gateway": self.gateway_url(),
            "control": self.control_url(),
        })
    }

    /// Steers the world; the answer is what the control API would answer. A refusal has the key `error`.
    pub async fn control(&self, control: Control) -> Value {
        let (answer, answered) = oneshot::channel();
        let sent = self.world.send(Message::Control { control, answer }).await;
        self.answered(sent.is_ok(), answered).await
    }

    /// Sends every connected session events as fast as its socket takes them. Answers once the flood began.
    pub async fn flood(&self, flood: FloodRequest) -> Value {
        let (answer, answered) = oneshot::channel();
        let sent = self.world.send(Message::Flood { flood, answer }).await;
        self.answered(sent.is_ok(), answered).await
    }

    async fn answered(&self, sent: bool, answered: oneshot::Receiver<Value>) -> Value {
        if sent {
            answered.await.unwrap_or_else(|_| world_task::gone())
        } else {
            world_task::gone()
        }
    }

    /// Stops listening, closes every WebSocket with 1001 and ends.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        if self.world.send(Message::Shutdown).await.is_ok() {
            let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut self.running).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.running.abort();
    }
}

/// The configuration without the token.
fn shown(config: &WorldConfig) -> Value {
    let mut value = serde_json::to_value(config).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("token");
    }
    value
}
