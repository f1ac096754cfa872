//! What a look into the cache brings, and why one brings nothing.

use std::fmt;

use serde::Deserialize;
use shardkeep_core::cache::{Failure, Key};
use shardkeep_core::wire::json;

/// A record of the cache: Discord's object as JSON, with the user that it refers to.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    key: Key,
    json: Vec<u8>,
}

impl Record {
    pub(super) const fn new(key: Key, json: Vec<u8>) -> Self {
        Self { key, json }
    }

    /// What it is found by.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.key
    }

    /// Its JSON, an object.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The JSON of one of its members; `None` if it has none of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        json::field(&self.json, name)
    }

    /// Decodes it.
    ///
    /// # Errors
    ///
    /// Where the JSON does not fit `T`. Members that `T` does not have are passed over.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.json)
    }

    /// Its JSON, to keep.
    #[must_use]
    pub fn into_json(self) -> Vec<u8> {
        self.json
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key", &self.key.to_string())
            .field("bytes", &self.json.len())
            .finish()
    }
}

/// Why a record could not be found out. That there is no such thing is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The cache says why.
    #[error("the record was not found out: {}", .0.explain())]
    Failed(Failure),
    /// The bot was not started, or was shut down: nobody asks stores and Discord for it.
    #[error("the record is not in memory, and the bot does not run: start it first")]
    NotRunning,
}
