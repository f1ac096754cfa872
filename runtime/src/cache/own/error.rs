//! Why a value could not be read, set, invalidated or loaded.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::bus::BusError;
use crate::store::StoreError;

/// Why something could not be read, set or invalidated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CacheError {
    /// The store said so.
    Store(StoreError),
    /// The bus said so: it is done, and other processes learn of it when their copies end.
    Bus(BusError),
    /// A value is not what it should be.
    Json(String),
}

/// Why a value could not be loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The loader said so.
    Loader(Arc<dyn Error + Send + Sync>),
    /// The loader took too long.
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// A value is not what it should be.
    Json(String),
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Bus(error) => write!(f, "done, but other processes were not told: {error}"),
            Self::Json(error) => write!(f, "a cached value is not what it should be: {error}"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loader(error) => error.fmt(f),
            Self::TimedOut { limit } => {
                write!(f, "the loader took longer than {} ms", limit.as_millis())
            }
            Self::Json(error) => write!(f, "a loaded value is not what it should be: {error}"),
        }
    }
}

impl Error for CacheError {}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Loader(error) => Some(&**error),
            _ => None,
        }
    }
}
