//! A store in Redis, Valkey or a cluster of either: plain JSON under plain keys, versions beside it.
//!
//! | key | what is there |
//! |---|---|
//! | `prefix namespace:id` | the value, as it was written |
//! | `{prefix namespace:id}version` | its version, or that of its removal: 32 hexadecimal digits |
//! | `{prefix namespace}index` | the ids of the namespace, a sorted set |
//! | `prefix #locks:name` | who has a lock |
//!
//! Values are written and read with `GET`, `SET` and `MGET`; a versioned write is one script over a value and its
//! version, which always lie in one slot.

mod index;
mod keys;
mod life;
mod operations;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;

use super::memory::millis;
use super::remote::check_key;
use super::{Held, StoreError, VERSION_GRACE, Version, Write, Written};
use crate::redis::{Command, Redis, RedisError, Reply, Script};
use keys::Keys;

/// How to use Redis as a store. Change what you need of the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisStoreSettings {
    /// What every key begins with. All processes that share records share it.
    pub prefix: String,
    /// How long what is written without a time of its own holds; `None` for ever.
    pub ttl: Option<Duration>,
    /// Whether reading a value makes it hold for `ttl` from then on.
    pub update_ttl_on_get: bool,
    /// How long a removal is remembered against older writes.
    pub removed_ttl: Duration,
}

impl Default for RedisStoreSettings {
    fn default() -> Self {
        Self {
            prefix: String::from("shardkeep:"),
            ttl: Some(super::TTL),
            update_ttl_on_get: false,
            removed_ttl: super::TTL,
        }
    }
}

/// A store in Redis.
pub struct RedisStore {
    redis: Redis,
    settings: RedisStoreSettings,
    keys: Keys,
    scripts: Scripts,
}

struct Scripts {
    write: Script,
    note: Script,
    doubt: Script,
    unlock: Script,
}

impl RedisStore {
    /// A store over this connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::Key`] if the prefix holds braces that are not one hash tag.
    pub fn new(redis: Redis, settings: RedisStoreSettings) -> Result<Self, StoreError> {
        Ok(Self {
            keys: Keys::new(&settings.prefix)?,
            redis,
            settings,
            scripts: Scripts {
                write: Script::new(include_str!("write.lua")).repeatable(),
                note: Script::new(include_str!("note.lua")).repeatable(),
                doubt: Script::new(include_str!("doubt.lua")).repeatable(),
                unlock: Script::new(include_str!("unlock.lua")).repeatable(),
            },
        })
    }

    /// The connection.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// What an error means for a store. After an answer that belongs to no question of ours, nothing on the
    /// connection can be trusted.
    fn failed(&self, error: RedisError) -> StoreError {
        if matches!(error, RedisError::WrongAnswer { .. }) {
            self.redis.reconnect();
        }
        error.into()
    }

    /// Strings of keys, each group in one slot of a cluster. On a single server all groups go in one command.
    async fn strings(&self, groups: &[Vec<String>]) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        let per_command = if self.redis.is_cluster() {
            1
        } else {
            index::PAGE
        };
        let commands: Vec<Command> = groups
            .chunks(per_command)
            .map(|groups| {
                let mget = Command::new("MGET").repeatable();
                groups.iter().flatten().fold(mget, Command::key)
            })
            .collect();
        let mut all = Vec::new();
        for (command, reply) in groups
            .chunks(per_command)
            .zip(self.redis.run_all(&commands).await)
        {
            let strings = reply?.into_list()?;
            if strings.len() != command.iter().map(Vec::len).sum::<usize>() {
                return Err(RedisError::WrongAnswer {
                    wanted: "a string for each key",
                    got: "another number of them",
                });
            }
            for string in strings {
                all.push(string.into_maybe_bytes()?);
            }
        }
        Ok(all)
    }

    async fn values(
        &self,
        namespace: &str,
        ids: &[&str],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let groups: Vec<_> = ids
            .iter()
            .map(|id| vec![self.keys.value(namespace, id)])
            .collect();
        let strings = self.strings(&groups).await;
        let strings = strings.map_err(|error| self.failed(error))?;
        strings.into_iter().map(as_text).collect()
    }

    async fn held(&self, namespace: &str, ids: &[&str]) -> Result<Vec<Held>, StoreError> {
        let groups: Vec<_> = ids
            .iter()
            .map(|id| {
                vec![
                    self.keys.value(namespace, id),
                    self.keys.version(namespace, id),
                ]
            })
            .collect();
        let strings = self.strings(&groups).await;
        let mut strings = strings.map_err(|error| self.failed(error))?.into_iter();
        let mut held = Vec::with_capacity(ids.len());
        while let (Some(value), Some(version)) = (strings.next(), strings.next()) {
            held.push(Held {
                value: as_text(value)?,
                version: version.and_then(|text| Version::from_text(&text)),
            });
        }
        Ok(held)
    }

    /// Makes what was read hold for longer, if that is wanted. Reading does not fail with it.
    async fn prolong<'a>(&self, namespace: &str, found: impl Iterator<Item = &'a str>) {
        let (true, Some(ttl)) = (self.settings.update_ttl_on_get, self.settings.ttl) else {
            return;
        };
        let found: Vec<&str> = found.collect();
        if found.is_empty() {
            return;
        }
        let expire = |key: String, ttl: Duration| {
            let command = Command::new("PEXPIRE").key(key);
            command.arg(millis(ttl).to_string()).repeatable()
        };
        let mut commands = Vec::with_capacity(2 * found.len());
        for id in &found {
            commands.push(expire(self.keys.value(namespace, id), ttl));
            let version = self.keys.version(namespace, id);
            commands.push(expire(version, ttl + VERSION_GRACE));
        }
        // The index last: if it is not reached, an id is forgotten too early, until it is written again.
        let _ = self.redis.run_all(&commands).await;
        let _ = self.note(namespace, &found, Some(ttl)).await;
    }

    async fn set(
        &self,
        namespace: &str,
        id: &str,
        value: &str,
        ttl: Option<Duration>,
    ) -> Result<(), RedisError> {
        let ttl = ttl.or(self.settings.ttl);
        self.note(namespace, &[id], ttl).await?;
        let mut command = Command::new("SET")
            .key(self.keys.value(namespace, id))
            .arg(value)
            .repeatable();
        if let Some(ttl) = ttl {
            command = command.arg("PX").arg(millis(ttl).max(1).to_string());
        }
        self.redis.run(&command).await?.into_bytes()?;
        Ok(())
    }

    async fn write_one(&self, write: &Write) -> Result<Written, RedisError> {
        let value_key = self.keys.value(&write.namespace, &write.id);
        let version_key = self.keys.version(&write.namespace, &write.id);
        let ttl = write.ttl.or(self.settings.ttl);
        let ttl = ttl.map(|ttl| millis(ttl).max(1));
        let grace = millis(VERSION_GRACE);
        let (value, is_removed, version_ttl) = match &write.value {
            Some(value) => (value.as_str(), "0", ttl.map_or(0, |ttl| ttl + grace)),
            None => ("", "1", millis(self.settings.removed_ttl) + grace),
        };
        let version = write.version.to_text();
        let (ttl, version_ttl) = (ttl.unwrap_or(0).to_string(), version_ttl.to_string());
        let keys = [value_key.as_bytes(), version_key.as_bytes()];
        let args = [&version, value, &ttl, &version_ttl, is_removed].map(str::as_bytes);
        let reply = self.redis.run_script(&self.scripts.write, &keys, &args);
        match reply.await? {
            Reply::Int(1) => Ok(Written::Done),
            Reply::Bytes(text) => match Version::from_text(&text) {
                Some(by) => Ok(Written::Superseded { by }),
                None => Err(wrong("another text")),
            },
            _ => Err(wrong("something else")),
        }
    }

    /// Notes what the batch will write, namespace by namespace. What could not be noted must not be written.
    async fn note_batch(&self, batch: &[Write]) -> BTreeMap<String, RedisError> {
        let mut ids: BTreeMap<(&str, Option<Duration>), Vec<&str>> = BTreeMap::new();
        let will_be = |write: &&Write| {
            write.value.is_some() && check_key(&write.namespace, &write.id).is_ok()
        };
        for write in batch.iter().filter(will_be) {
            let ttl = write.ttl.or(self.settings.ttl);
            let of = ids.entry((&write.namespace, ttl)).or_default();
            of.push(&write.id);
        }
        let noted = ids.iter().map(|((namespace, ttl), ids)| async {
            let noted = self.note(namespace, ids, *ttl).await;
            noted.err().map(|error| ((*namespace).to_owned(), error))
        });
        join_all(noted).await.into_iter().flatten().collect()
    }
}

fn wrong(got: &'static str) -> RedisError {
    RedisError::WrongAnswer {
        wanted: "1 or a version",
        got,
    }
}

fn as_text(bytes: Option<Vec<u8>>) -> Result<Option<String>, StoreError> {
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| StoreError::Wrong {
        reason: String::from("a value that is no UTF-8"),
    })
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("redis", &self.redis)
            .field("prefix", &self.settings.prefix)
            .finish()
    }
}
