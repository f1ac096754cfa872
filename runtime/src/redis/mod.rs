//! Redis and Redis Cluster: one connection for each server, shared by everybody, made and made again as needed.
//!
//! What stores, bus and limits have in common: where Redis is, how long a command may take, what happens when it is
//! away. Nothing here waits longer than the time limit, and nothing is queued for a server that is not there: a
//! command fails at once while the next attempt to connect is not due.
//!
//! The protocol and the sharing of connections are the `redis` crate's. Its way of TLS and its cluster client are not
//! used: they install a rustls provider for the whole process. So slots are followed here.

mod address;
mod cluster;
mod command;
mod counts;
mod error;
mod node;
mod reply;
mod slots;
mod subscriber;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

pub use command::{Command, Script};
pub use counts::RedisCounts;
pub use error::RedisError;
pub use reply::Reply;
pub(crate) use reply::wrong;
#[cfg(test)]
pub(crate) use slots::slot_of;
pub use subscriber::{Heard, Patterns, Subscriber};

use crate::config::Roots;
use crate::transport::client_config_trusting;
use address::Target;
use cluster::Cluster;
use node::{Common, Node};

/// Commands that are under way at once for one caller.
pub(crate) const AT_ONCE: usize = 1_000;

/// How to treat Redis. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisSettings {
    /// How long a command may take, connecting and all moves of its slot included.
    pub limit: Duration,
    /// How long connecting may take.
    pub connect_limit: Duration,
    /// Commands at once. What comes beyond waits, within its time limit.
    pub in_flight_max: usize,
    /// Whose certificates are trusted by `rediss://`.
    pub roots: Roots,
    /// A PEM file with certificates of authorities that are trusted besides.
    pub ca_file: Option<PathBuf>,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(2),
            connect_limit: Duration::from_secs(2),
            in_flight_max: 4_096,
            roots: Roots::default(),
            ca_file: None,
        }
    }
}

/// A Redis server, or a cluster of them. Clones share its connections.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    servers: Servers,
    common: Arc<Common>,
    limit: Duration,
    permits: Semaphore,
}

enum Servers {
    One(Arc<Node>),
    Cluster(Arc<Cluster>),
}

impl Servers {
    fn of(target: &Target, common: &Arc<Common>) -> Self {
        let common = Arc::clone(common);
        if target.is_cluster {
            Self::Cluster(Arc::new(Cluster::new(target.addresses.clone(), common)))
        } else {
            let address = target.addresses[0].clone();
            Self::One(Arc::new(Node::new(address, common)))
        }
    }
}

impl Redis {
    /// Takes the URL of a server, `redis://[user:password@]host[:port][/database]` or `rediss://…` with TLS, or that
    /// of some nodes of a cluster, `redis+cluster://[user:password@]host[:port][,host:port…]` or `rediss+cluster://…`.
    /// Connects when first asked for something.
    ///
    /// # Errors
    ///
    /// [`RedisError::Url`] if it is no such URL, [`RedisError::Tls`] or [`RedisError::CaFile`] if there is
    /// nobody to trust.
    pub fn connect(url: &str) -> Result<Self, RedisError> {
        Self::connect_with(url, &RedisSettings::default())
    }

    /// As [`connect`](Self::connect), with settings of one's own.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_with(url: &str, settings: &RedisSettings) -> Result<Self, RedisError> {
        let target = Target::parse(url)?;
        let tls = match target.is_tls {
            true => Some(client_config_trusting(
                settings.roots,
                &authorities(settings)?,
            )?),
            false => None,
        };
        let common = Arc::new(Common {
            login: target.login.clone(),
            database: target.database,
            tls,
            connect_limit: settings.connect_limit,
            counters: counts::Counters::default(),
        });
        let inner = Inner {
            servers: Servers::of(&target, &common),
            target,
            common,
            limit: settings.limit,
            permits: Semaphore::new(settings.in_flight_max.clamp(1, Semaphore::MAX_PERMITS)),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Runs a command.
    ///
    /// # Errors
    ///
    /// [`RedisError`], no later than the time limit.
    pub async fn run(&self, command: &Command) -> Result<Reply, RedisError> {
        let outcome = self.attempt(command).await;
        self.inner.common.counters.ended(&outcome);
        outcome
    }

    async fn attempt(&self, command: &Command) -> Result<Reply, RedisError> {
        let inner = &*self.inner;
        let (limit, deadline) = (inner.limit, Instant::now() + inner.limit);
        let Ok(Ok(_permit)) = timeout_at(deadline, inner.permits.acquire()).await else {
            return Err(RedisError::Unreachable {
                address: format!("{:?}", inner.target),
                reason: String::from("too many commands are under way"),
            });
        };
        match &inner.servers {
            Servers::Cluster(cluster) => cluster.send(command, limit, deadline).await,
            Servers::One(node) => match node.send(command, false, limit, deadline).await {
                Err(RedisError::Interrupted { .. }) if command.is_repeatable => {
                    inner.common.counters.repeated();
                    node.send(command, false, limit, deadline).await
                }
                outcome => outcome,
            },
        }
    }

    /// Runs commands, a thousand at once, over the shared connections. Outcomes in the order of the commands.
    pub async fn run_all(&self, commands: &[Command]) -> Vec<Result<Reply, RedisError>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        // The time of a command begins when it is sent: many at once must not use up each other's.
        for some in commands.chunks(AT_ONCE) {
            outcomes.extend(join_all(some.iter().map(|command| self.run(command))).await);
        }
        outcomes
    }

    /// Runs a command without keys on the server, or on every master of the cluster. All of them must answer.
    pub(crate) async fn run_on_masters(&self, command: &Command) -> Result<Vec<Reply>, RedisError> {
        match &self.inner.servers {
            Servers::One(_) => Ok(vec![self.run(command).await?]),
            Servers::Cluster(cluster) => cluster.on_masters(command, self.inner.limit).await,
        }
    }

    /// Runs a script by its hash, and with its text where the server does not know it yet.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); [`RedisError::CrossSlot`] if the keys are not all of one slot of the cluster.
    pub async fn run_script(
        &self,
        script: &Script,
        keys: &[&[u8]],
        args: &[&[u8]],
    ) -> Result<Reply, RedisError> {
        match self.run(&script.by_hash(keys, args)).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.run(&script.by_text(keys, args)).await
            }
            outcome => outcome,
        }
    }

    /// A subscription on a connection of its own. At most `buffer` messages wait for the reader; more are dropped and
    /// counted.
    #[must_use]
    pub fn subscriber(&self, buffer: usize) -> Subscriber {
        Subscriber::start(self.clone(), buffer)
    }

    /// The same servers over connections of their own: for commands that block theirs.
    pub(crate) fn apart(&self, limit: Duration) -> Self {
        let inner = &*self.inner;
        Self {
            inner: Arc::new(Inner {
                target: inner.target.clone(),
                servers: Servers::of(&inner.target, &inner.common),
                common: Arc::clone(&inner.common),
                limit,
                permits: Semaphore::new(64),
            }),
        }
    }

    /// Forgets every connection: for those who see that answers belong to other questions.
    pub fn reconnect(&self) {
        match &self.inner.servers {
            Servers::One(node) => node.reconnect(),
            Servers::Cluster(cluster) => cluster.reconnect(),
        }
    }

    /// Whether this is a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.inner.target.is_cluster
    }

    /// How long a command may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.inner.limit
    }

    /// What has been asked so far, and how it went.
    #[must_use]
    pub fn counts(&self) -> RedisCounts {
        self.inner.common.counters.read()
    }

    fn any_node(&self) -> Arc<Node> {
        match &self.inner.servers {
            Servers::One(node) => Arc::clone(node),
            Servers::Cluster(cluster) => cluster.any(),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.target.fmt(f)
    }
}

/// The certificates of the file of authorities.
fn authorities(settings: &RedisSettings) -> Result<Vec<CertificateDer<'static>>, RedisError> {
    let Some(path) = &settings.ca_file else {
        return Ok(Vec::new());
    };
    let wrong = |error: &dyn fmt::Display| RedisError::CaFile {
        reason: format!("{}: {error}", path.display()),
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let found: Result<Vec<_>, _> = found.collect();
    match found {
        Ok(found) if found.is_empty() => Err(wrong(&"it holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(&error)),
    }
}

/// Between three quarters of `wait` and all of it, so that processes that failed together do not come back together.
fn jitter(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 256;
    let part = u32::try_from(random).unwrap_or(0);
    wait * (768 + part) / 1_024
}
