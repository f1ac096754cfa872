//! Whether Redis is still what it was: a server that was started again, or a cluster that has failed over, may have
//! lost writes that it had acknowledged.

use std::time::Duration;

use ring::digest::{SHA256, digest};

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
    /// The server's own name for its present life; of a cluster, those of the histories that its masters write. The
    /// first process that meets it names an epoch, and all others find that.
    pub(super) async fn present_life(&self) -> Result<Option<Life>, StoreError> {
        let name = if self.redis.is_cluster() {
            self.histories().await?
        } else {
            let command = Command::new("INFO").arg("server").repeatable();
            let reply = self.redis.run(&command).await;
            let text = reply.and_then(Reply::into_text);
            let text = text.map_err(|error| self.failed(error))?;
            field(&text, "run_id:").map(str::to_owned)
        };
        let Some(name) = name else { return Ok(None) };
        let epoch = self.epoch_of(&name).await?;
        Ok(Some(Life { name, epoch }))
    }

    /// A master that was started again, and a replica that took over, write a new history; one that slots move to goes
    /// on with its own. A master that does not answer may be one of the former: then nobody knows.
    async fn histories(&self) -> Result<Option<String>, StoreError> {
        let command = Command::new("INFO").arg("replication").repeatable();
        let replies = self.redis.run_on_masters(&command).await;
        let mut names = Vec::new();
        for reply in replies.map_err(|error| self.failed(error))? {
            let text = reply.into_text().map_err(|error| self.failed(error))?;
            match (field(&text, "role:"), field(&text, "master_replid:")) {
                (Some("master"), Some(name)) => names.push(name.to_owned()),
                (Some("slave"), _) => {
                    return Err(StoreError::Away {
                        reason: String::from("one of the cluster's masters is becoming a replica"),
                    });
                }
                _ => return Ok(None),
            }
        }
        names.sort_unstable();
        let digest = digest(&SHA256, names.join(" ").as_bytes());
        let bytes = digest.as_ref().iter().take(20);
        Ok(Some(bytes.map(|byte| format!("{byte:02x}")).collect()))
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

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let found = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(found.trim_end())
}
