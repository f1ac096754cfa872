//! What a proxy is told, and why it cannot start.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::Token;

use super::access::Access;
use crate::bus::EventBus;
use crate::rest;

/// The settings of a [`Proxy`](super::Proxy).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen. Default 127.0.0.1:8080; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Who may use it.
    pub access: Access,
    /// What to send with requests that bring no `Authorization`.
    pub token: Option<Token>,
    /// The client's settings: Discord's address, the queue, the limits. Where the address ends in a version, such as
    /// `/api/v10`, that is the version of paths without one.
    pub rest: rest::Settings,
    /// A certificate and its key, to speak HTTPS.
    pub tls: Option<Tls>,
    /// How many clients may be connected at once. One more waits in the kernel's backlog. Default 1,000.
    pub connections_max: usize,
    /// The longest body that is taken, in bytes. Default 110 MiB.
    pub body_bytes_max: u64,
    /// How many bodies above 256 KiB may be under way at once. Each keeps at most 10 MiB in memory. Default 32.
    pub uploads_max: usize,
    /// How many tokens are told apart at once. Default 1,000.
    pub identities_max: usize,
    /// How long a connection may rest between requests, and how long a head may take. Default 65 s.
    pub idle_timeout: Duration,
    /// How long a client may pause while it sends a body or reads an answer. Default 30 s.
    pub body_timeout: Duration,
    /// How long the answer to a `GET` serves others. Zero, the default, for no cache.
    pub cache_ttl: Duration,
    /// Where bots tell what their events have changed, so that the cache does not keep it:
    /// [`publish_changes`](super::publish_changes).
    pub bus: Option<Arc<dyn EventBus>>,
    /// How many bytes of answers the cache holds. Default 64 MiB.
    pub cache_bytes_max: usize,
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            access,
            token: None,
            rest: rest::Settings::default(),
            tls: None,
            connections_max: 1_000,
            body_bytes_max: 110 << 20,
            uploads_max: 32,
            identities_max: 1_000,
            idle_timeout: Duration::from_secs(65),
            body_timeout: Duration::from_secs(30),
            cache_ttl: Duration::ZERO,
            bus: None,
            cache_bytes_max: 64 << 20,
        }
    }
}

/// A certificate chain and its private key, both PEM.
#[derive(Clone)]
pub struct Tls {
    /// The certificates, the server's own first.
    pub certificates: Vec<u8>,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Vec<u8>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls([redacted])")
    }
}

/// Why a proxy could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Other machines would reach an open proxy.
    #[error(
        "a proxy without a key would be open to other machines at {0}: set a key, or listen on 127.0.0.1"
    )]
    OpenRemote(SocketAddr),
    /// The address cannot be listened on.
    #[error("the proxy cannot listen on {0}: {1}; choose another address")]
    Listen(SocketAddr, std::io::Error),
    /// Certificate or key cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The client behind it cannot be started.
    #[error(transparent)]
    Client(#[from] rest::StartError),
}
