//! What a store must do: five operations, and versioned writes that have a way of their own over the five.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::version::TEXT_LEN;
use super::{StoreError, Version};

/// What a store's operation will answer.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is appended to a namespace to name that of its versions, in stores that know five operations alone.
pub const VERSIONS: &str = "#versions";

/// The namespace of locks.
pub const LOCKS: &str = "#locks";

/// A versioned write. It is done unless the store holds something newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The kind of thing, such as `user` or `member:41771983423143937`.
    pub namespace: String,
    /// Which of them.
    pub id: String,
    /// How new it is.
    pub version: Version,
    /// JSON text, or `None` to remove it. What was removed stays removed for writes that are older.
    pub value: Option<String>,
    /// How long it holds; `None` for the store's own choice.
    pub ttl: Option<Duration>,
}

/// What became of a versioned write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The store holds it now.
    Done,
    /// The store holds something newer, which stays.
    Superseded {
        /// How new that is.
        by: Version,
    },
}

/// What a store holds under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// JSON text as it was written, by whomever; `None` if there is nothing, or no longer.
    pub value: Option<String>,
    /// How new it is, or how new its removal is; `None` if nobody wrote it with a version.
    pub version: Option<Version>,
}

/// How long a store has been what it is, without losing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its name.
    pub name: String,
    /// An epoch of [`Version`]s that everybody who shares the store is told alike, and that nothing had which was
    /// written before.
    pub epoch: u64,
}

/// A store that many processes share. Namespaces and ids are texts without `{`, `}` and NUL.
///
/// An implementation answers the first five. Four more have a default over these five, which is right as long as one
/// process writes a key at a time; a store that many write to overrides them with something atomic.
pub trait RemoteStore: Send + Sync + fmt::Debug {
    /// The value of one id.
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>>;

    /// The values of several ids, in their order.
    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>>;

    /// All values of a namespace, in any order.
    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>>;

    /// Writes a value, whatever is there. Versioned readers see it under the version that was there before, if any.
    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>>;

    /// Removes a value, whatever is there.
    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>>;

    /// Does versioned writes; outcomes in their order. A write that fails does not fail the others.
    ///
    /// The default reads the versions that are there, compares, and writes values before versions, so that no value
    /// is ever found under a version newer than itself. Between reading and writing another process may write.
    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            let mut outcomes = Vec::with_capacity(batch.len());
            for write in batch {
                outcomes.push(write_over_five(self, write).await);
            }
            outcomes
        })
    }

    /// The values of several ids with their versions, in their order.
    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(async move {
            let versions = format!("{namespace}{VERSIONS}");
            // Versions first: a value that is written meanwhile is taken for older than it is, never for newer.
            let versions = self.get_entities(&versions, ids).await?;
            let values = self.get_entities(namespace, ids).await?;
            if versions.len() != ids.len() || values.len() != ids.len() {
                return Err(StoreError::Wrong {
                    reason: format!("{} values for {} ids", values.len(), ids.len()),
                });
            }
            let pairs = values.into_iter().zip(versions);
            Ok(pairs
                .map(|(value, version)| Held {
                    value,
                    version: version.as_deref().and_then(unquote),
                })
                .collect())
        })
    }

    /// The store's present life. Another one than before means that it may have lost what it had acknowledged, as after
    /// a failover or a restart from nothing: a cache then believes nothing that the store has from before. `None` from
    /// stores that lose nothing, or cannot tell. Answers with an error while the store is away.
    fn life<'a>(&'a self) -> Answer<'a, Result<Option<Life>, StoreError>> {
        Box::pin(async move { self.get_entity(LOCKS, "probe").await.map(|_| None) })
    }

    /// A number that becomes another one whenever the store may have entered another life: it was connected to anew, or
    /// somebody else answers for it. What is read is not believed before [`life`](Self::life) was asked since. The
    /// default is for stores that are always the same.
    fn doubts(&self) -> u64 {
        0
    }

    /// Removes what is older than `before` from a namespace. Nothing relies on it but the room that it takes: the
    /// default leaves it to its time to end.
    fn clear<'a>(
        &'a self,
        _namespace: &'a str,
        _before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// Takes a lock that ends by itself after `ttl`, in the name of `token`. Whether it was free.
    ///
    /// The default looks, writes and looks again: of two who try at the same moment both may be told that they have it.
    fn try_lock<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Answer<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            if self.get_entity(LOCKS, name).await?.is_some() {
                return Ok(false);
            }
            self.set_entity(LOCKS, name, token, Some(ttl)).await?;
            let holder = self.get_entity(LOCKS, name).await?;
            Ok(holder.as_deref() == Some(token))
        })
    }

    /// Gives a lock back, if `token` has it still.
    fn unlock<'a>(&'a self, name: &'a str, token: &'a str) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if self.get_entity(LOCKS, name).await?.as_deref() == Some(token) {
                self.remove_entity(LOCKS, name).await?;
            }
            Ok(())
        })
    }
}

async fn write_over_five<S>(store: &S, write: &Write) -> Result<Written, StoreError>
where
    S: RemoteStore + ?Sized,
{
    let versions = format!("{}{VERSIONS}", write.namespace);
    let there = store.get_entity(&versions, &write.id).await?;
    if let Some(by) = there.as_deref().and_then(unquote)
        && by > write.version
    {
        return Ok(Written::Superseded { by });
    }
    match &write.value {
        Some(value) => {
            let set = store.set_entity(&write.namespace, &write.id, value, write.ttl);
            set.await?;
        }
        None => store.remove_entity(&write.namespace, &write.id).await?,
    }
    let version = format!("\"{}\"", write.version.to_text());
    let ttl = write.ttl.map(|ttl| ttl + super::VERSION_GRACE);
    store
        .set_entity(&versions, &write.id, &version, ttl)
        .await?;
    Ok(Written::Done)
}

/// The removal of whatever is older than `before`.
pub(super) fn removal(namespace: &str, id: impl Into<String>, before: Version) -> Write {
    let version = match before.seq.checked_sub(1) {
        Some(seq) => Version::new(before.epoch, seq),
        None => Version::new(before.epoch.saturating_sub(1), u64::MAX),
    };
    Write {
        namespace: namespace.to_owned(),
        id: id.into(),
        version,
        value: None,
        ttl: None,
    }
}

/// A version as JSON text.
fn unquote(text: &str) -> Option<Version> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (inner.len() == TEXT_LEN).then(|| Version::from_text(inner.as_bytes()))?
}

/// Whether a namespace and an id can be told apart from everything else a store writes.
pub(super) fn check_key(namespace: &str, id: &str) -> Result<(), StoreError> {
    let is_plain = |text: &str| !text.contains(['{', '}', '\0']);
    if namespace.is_empty() || id.is_empty() {
        return Err(StoreError::Key {
            reason: "it is empty",
        });
    }
    if !is_plain(namespace) || !is_plain(id) {
        return Err(StoreError::Key {
            reason: "it holds a brace or NUL",
        });
    }
    Ok(())
}
