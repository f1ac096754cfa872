//! What can go wrong with a bot as a whole, and what to do.

use shardkeep_core::ShardId;
use shardkeep_core::wire::CloseCode;

use crate::http::HttpError;
use crate::ops::OpsError;
use crate::rest::StartError;
use crate::store::StoreError;
use crate::transport::TlsError;

/// Why a bot could not start, or has stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The REST client cannot be started.
    #[error(transparent)]
    Rest(StartError),
    /// The store of the cache, or that of sessions, cannot be opened.
    #[error("a store cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The threads for sockets cannot be started.
    #[error("the threads for sockets cannot be started: {0}")]
    Threads(std::io::Error),
    /// The endpoint for operators cannot be opened.
    #[error(transparent)]
    Ops(#[from] OpsError),
    /// The bot was shut down already. A bot starts once: make a new one from the snapshots.
    #[error("this bot was shut down: make a new one")]
    ShutDown,
    /// The bot has stopped, and starting it again would not help.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Tls(error) => Self::Tls(error),
            other => Self::Rest(other),
        }
    }
}

/// Why a bot stopped by itself. Connecting again would not help: the user must change something first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Discord refuses the token before any shard started.
    #[error(transparent)]
    Token(HttpError),
    /// Discord refuses the shards.
    #[error("Discord refuses shard {shard} with close code {code}: {}", code.explain())]
    Refused {
        /// The first shard that was refused.
        shard: ShardId,
        /// Why.
        code: CloseCode,
    },
    /// A setting that only shows once Discord has answered.
    #[error("shard {shard} cannot be set up: {reason}")]
    Setting {
        /// The shard.
        shard: ShardId,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The bot could not be started.
    #[error("the bot could not start: {0}")]
    Start(String),
}
