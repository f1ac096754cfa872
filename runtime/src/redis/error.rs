//! Why a command brought no answer. No password is in any text.

use std::time::Duration;

use crate::TlsError;

/// Why Redis did not do what it was asked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RedisError {
    /// The URL names no server.
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// TLS cannot be set up.
    Tls(TlsError),
    /// The file of authorities cannot be used.
    CaFile {
        /// Which file, and why.
        reason: String,
    },
    /// There is no connection: the command was not sent.
    Unreachable {
        /// Host and port.
        address: String,
        /// What connecting said.
        reason: String,
    },
    /// The connection ended before the answer came: the server may have run the command.
    Interrupted {
        /// Host and port.
        address: String,
        /// What was seen.
        reason: String,
    },
    /// No answer within the time limit: the server may have run the command, or may still do so.
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The server refused it.
    Refused {
        /// The first word of the server's error: `WRONGTYPE`, `OOM`, `NOAUTH`, `NOPERM`, `READONLY`, `ERR` …
        code: String,
        /// The rest of it.
        message: String,
    },
    /// The answer is of a kind that this command does not have.
    WrongAnswer {
        /// What belongs there.
        wanted: &'static str,
        /// What came.
        got: &'static str,
    },
    /// The cluster does not serve this key, and did not within the time limit: no master holds its slot.
    ClusterDown {
        /// What its nodes said last.
        reason: String,
    },
    /// The keys of one command or script lie in different slots of the cluster.
    CrossSlot,
}

impl RedisError {
    /// Whether the server may have run the command although there is no answer.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        matches!(
            self,
            Self::Interrupted { .. } | Self::TimedOut { .. } | Self::WrongAnswer { .. }
        )
    }

    /// Whether the same command may succeed later without anybody changing anything in program or configuration.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::TimedOut { .. }
            | Self::ClusterDown { .. } => true,
            Self::Refused { code, .. } => matches!(
                code.as_str(),
                "LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "READONLY" | "OOM" | "MISCONF"
            ),
            Self::Url { .. }
            | Self::Tls(_)
            | Self::CaFile { .. }
            | Self::WrongAnswer { .. }
            | Self::CrossSlot => false,
        }
    }

    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self::Refused {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The code of the server's error, if it is one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl std::fmt::Display for RedisError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url { reason } => write!(
                f,
                "not the URL of a Redis server ({reason}): redis://, rediss:// or redis+cluster://, then \
                 [user:password@]host[:port][,host:port…][/database]"
            ),
            Self::Tls(error) => error.fmt(f),
            Self::CaFile { reason } => write!(f, "no certificates to trust: {reason}"),
            Self::Unreachable { address, reason } => {
                write!(f, "no connection to Redis at {address}: {reason}")
            }
            Self::Interrupted { address, reason } => write!(
                f,
                "the connection to Redis at {address} ended before the answer ({reason}): the command may have run"
            ),
            Self::TimedOut { limit } => write!(
                f,
                "no answer of Redis within {} ms: the command may have run",
                limit.as_millis()
            ),
            Self::Refused { code, message } => write!(f, "Redis refused: {code} {message}"),
            Self::WrongAnswer { wanted, got } => {
                write!(f, "Redis answered {got} where {wanted} belongs")
            }
            Self::ClusterDown { reason } => {
                write!(f, "the Redis cluster does not serve this key now: {reason}")
            }
            Self::CrossSlot => f.write_str(
                "the keys lie in different slots of the cluster: give them one {hash tag}, or ask for each alone",
            ),
        }
    }
}

impl std::error::Error for RedisError {}

impl From<TlsError> for RedisError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}
