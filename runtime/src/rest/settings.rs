//! What a client is told: where the API is, how long to wait, and what the scheduler needs.

use std::time::Duration;

use http::HeaderMap;
use shardkeep_core::rest::{Config, Snapshot};

use super::base::Base;
use super::http1::Http1;
use super::pool::PoolSettings;
use crate::config::Roots;
use crate::transport::{TlsError, client_config};

/// How long opening a connection may take at most, within the time of the whole exchange.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read: a thousand members take half a megabyte.
const BODY_BYTES_MAX: usize = 64 << 20;

/// The settings of a [`Client`](super::Client).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The API's base, `https://discord.com/api/v10` unless changed. Tokens go there and nowhere else.
    pub base: String,
    /// Headers to send with every request. An `Authorization` among them replaces that of every identity.
    pub headers: HeaderMap,
    /// How long one exchange may take without progress, from the name to the last byte. Default 30 s.
    pub timeout: Duration,
    /// Whom to trust.
    pub roots: Roots,
    /// The largest answer that is read, in bytes. Default 64 MiB.
    pub body_bytes_max: usize,
    /// The scheduler's settings. `max_in_flight` is how many connections there may be.
    pub scheduler: Config,
    /// The processes that share the limits with this one, if there are any.
    pub pool: Option<PoolSettings>,
    /// What a predecessor learned of the limits, [`Client::snapshot`](super::Client::snapshot), and how long ago.
    pub snapshot: Option<(Snapshot, Duration)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new("https://discord.com/api/v10")
    }
}

impl Settings {
    /// The defaults, for an API elsewhere: `https://discord.com/api/v10` is Discord's own.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(30),
            roots: Roots::default(),
            body_bytes_max: BODY_BYTES_MAX,
            scheduler: Config::default(),
            pool: None,
            snapshot: None,
        }
    }
}

impl Http1 {
    /// The transport that `settings` describe.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the base address is none, or if the platform's roots are wanted and there are none.
    pub fn for_settings(settings: &Settings) -> Result<Self, StartError> {
        let base = Base::parse(&settings.base)?;
        let connect_timeout = CONNECT_TIMEOUT.min(settings.timeout);
        let tls = client_config(settings.roots)?;
        Ok(Self::new(
            base,
            tls,
            connect_timeout,
            settings.body_bytes_max,
        ))
    }
}

/// Why a client could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The base address cannot be used.
    #[error("the API's base address cannot be used: write it as https://discord.com/api/v10")]
    Base,
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The ledger of shared limits cannot be used.
    #[error("the ledger of shared limits cannot be used: {0}")]
    Pool(String),
    /// The thread for sockets cannot be started.
    #[error("the thread for REST cannot be started: {0}")]
    Thread(std::io::Error),
}
