//! Why a store did not do what it was asked, and whether trying again makes sense.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached: nothing was read or written.
    Away {
        /// What reaching it said.
        reason: String,
    },
    /// No answer came, or not in time: a write may have been done, or may still be.
    Uncertain {
        /// What was seen.
        reason: String,
    },
    /// There is no room left: nothing was written.
    Full {
        /// What is full, and what to do.
        reason: String,
    },
    /// The store refused it, and will refuse it again.
    Refused {
        /// What it said.
        reason: String,
    },
    /// What the store answered, or holds, is not what belongs there.
    Wrong {
        /// What was found.
        reason: String,
    },
    /// No store takes such a namespace or id.
    Key {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What a store of one's own says.
    Own(Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Wraps the error of a store of one's own.
    pub fn own(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Own(Arc::new(error))
    }

    /// Whether the same may succeed later without anybody changing anything. Errors of other stores count as such.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Uncertain { .. } | Self::Full { .. } | Self::Own(_) => true,
            Self::Refused { .. } | Self::Wrong { .. } | Self::Key { .. } => false,
        }
    }

    /// Whether a write may have been done although this came back.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        matches!(
            self,
            Self::Uncertain { .. } | Self::Wrong { .. } | Self::Own(_)
        )
    }

    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::Away { .. } => ErrorKind::Away,
            Self::Uncertain { .. } => ErrorKind::Uncertain,
            Self::Full { .. } => ErrorKind::Full,
            _ => ErrorKind::Other,
        }
    }
}

/// The kinds that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    Away,
    Uncertain,
    Full,
    Other,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away { reason } => write!(f, "the store cannot be reached: {reason}"),
            Self::Uncertain { reason } => {
                write!(f, "the store may or may not have done it: {reason}")
            }
            Self::Full { reason } => write!(f, "the store is full: {reason}"),
            Self::Refused { reason } => write!(f, "the store refused: {reason}"),
            Self::Wrong { reason } => {
                write!(f, "the store holds or answers what it should not: {reason}")
            }
            Self::Key { reason } => write!(f, "no store takes this namespace or id: {reason}"),
            Self::Own(error) => error.fmt(f),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Own(error) => Some(&**error),
            _ => None,
        }
    }
}

#[cfg(feature = "redis")]
impl From<crate::redis::RedisError> for StoreError {
    fn from(error: crate::redis::RedisError) -> Self {
        use crate::redis::RedisError;
        let reason = error.to_string();
        match error {
            RedisError::Unreachable { .. } | RedisError::ClusterDown { .. } => {
                Self::Away { reason }
            }
            RedisError::Interrupted { .. } | RedisError::TimedOut { .. } => {
                Self::Uncertain { reason }
            }
            RedisError::Refused { ref code, .. } => match code.as_str() {
                "OOM" => Self::Full { reason },
                "LOADING" | "MASTERDOWN" | "READONLY" | "TRYAGAIN" | "BUSY" | "MISCONF"
                | "NOREPLICAS" => Self::Away { reason },
                "WRONGTYPE" => Self::Wrong { reason },
                _ => Self::Refused { reason },
            },
            RedisError::WrongAnswer { .. } => Self::Wrong { reason },
            RedisError::Url { .. }
            | RedisError::Tls(_)
            | RedisError::CaFile { .. }
            | RedisError::CrossSlot => Self::Refused { reason },
        }
    }
}
