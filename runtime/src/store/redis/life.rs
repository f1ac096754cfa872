//! Whether Redis is still what it was: a server that was started again, or a cluster that has failed over, may have
//! lost writes that it had acknowledged.

use std::time::Duration;

use super::super::memory::millis;
use super::super::remote::LOCKS;
use super::super::{Life, StoreError};
use super::RedisStore;
use crate::clock;
use crate::redis::{Command, Reply};

/// By how much an epoch lies beyond the clock of whoever names it: other clocks may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

/// How long an epoch is remembered.
const KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl RedisStore {
    /// The server's own name for its present life; of a cluster, how many failovers it has seen. The first process that
    /// meets it names an epoch, and all others find that.
    pub(super) async fn present_life(&self) -> Result<Option<Life>, StoreError> {
        let (command, field) = if self.redis.is_cluster() {
            let command = Command::new("CLUSTER").arg("INFO");
            (command, "cluster_current_epoch:")
        } else {
            (Command::new("INFO").arg("server"), "run_id:")
        };
        let reply = self.redis.run(&command.repeatable()).await;
        let text = reply.and_then(Reply::into_text);
        let text = text.map_err(|error| self.failed(error))?;
        let name = text.lines().find_map(|line| line.strip_prefix(field));
        let Some(name) = name else { return Ok(None) };
        let epoch = self.epoch_of(name).await?;
        Ok(Some(Life {
            name: name.to_owned(),
            epoch,
        }))
    }

    async fn epoch_of(&self, name: &str) -> Result<u64, StoreError> {
        let key = self.keys.value(LOCKS, &format!("life-{name}"));
        let mine = clock::unix_ms() + millis(AHEAD);
        let set = Command::new("SET")
            .key(&key)
            .arg(mine.to_string())
            .arg("NX")
            .arg("PX")
            .arg(millis(KEPT).to_string());
        let set = self.redis.run(&set).await;
        set.map_err(|error| self.failed(error))?;
        let get = Command::new("GET").key(&key).repeatable();
        let held = self.redis.run(&get).await.and_then(Reply::into_maybe_bytes);
        let held = held.map_err(|error| self.failed(error))?;
        let epoch = held.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        epoch.ok_or_else(|| StoreError::Wrong {
            reason: format!("`{key}` holds no epoch: remove it"),
        })
    }
}
