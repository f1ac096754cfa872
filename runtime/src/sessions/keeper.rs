//! Where sessions are kept: a file of this process's, or a store that processes share.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use shardkeep_core::gateway::Capsule;

use super::Changes;
use super::file::File;
use super::loaded::Loaded;
use super::part::PartChange;
use super::tracked::Change;
use crate::store::{RemoteStore, StoreError, Version, Write, Written};

/// How long a session is kept that nobody writes any more. Discord forgets it within minutes; an operator may want to
/// see it the next day.
pub(super) const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Under which name it is written what serves.
pub(super) const SHAPE: &str = "shape";

/// How the ids of sides in a change of shards begin.
const PART: &str = "part:";

/// Where sessions are kept.
#[derive(Debug)]
pub(super) enum Keeper {
    File(File),
    Store {
        store: Arc<dyn RemoteStore>,
        /// `sessions:` and the bot's id.
        namespace: String,
        /// The id under which this process keeps its identify account.
        account: String,
    },
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) saved: usize,
    pub(super) removed: usize,
    pub(super) superseded: usize,
}

impl Keeper {
    /// Everything that is there.
    pub(super) async fn load(&mut self) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        match self {
            Self::File(file) => file.load(&mut loaded)?,
            Self::Store {
                store, namespace, ..
            } => {
                let lines = store.get_all_entities(namespace).await?;
                lines.iter().for_each(|line| loaded.line(line));
            }
        }
        Ok(loaded)
    }

    /// Stores changes. All of them, or the error says why not: storing one twice does no harm.
    pub(super) async fn store(&mut self, changes: &Changes) -> Result<Kept, StoreError> {
        match self {
            Self::File(file) => file.store(changes),
            Self::Store {
                store,
                namespace,
                account: account_id,
            } => {
                let mut writes = Vec::with_capacity(changes.sessions.len() + 2);
                for change in &changes.sessions {
                    writes.extend(write(namespace, change));
                }
                writes.extend(changes.parts.iter().map(|part| write_part(namespace, part)));
                if let Some(account) = &changes.account {
                    let at_ms = account.saved_at_ms;
                    writes.extend(write_line(namespace, account_id, account, at_ms, Some(TTL)));
                }
                if let Some(shape) = &changes.shape {
                    let at_ms = shape.saved_at_ms;
                    writes.extend(write_line(namespace, SHAPE, shape, at_ms, None));
                }
                let mut kept = Kept::default();
                let outcomes = store.write(&writes).await;
                for (write, outcome) in writes.iter().zip(outcomes) {
                    match (outcome?, &write.value) {
                        (Written::Superseded { .. }, _) => kept.superseded += 1,
                        (Written::Done, Some(_))
                            if write.id == *account_id || write.id == SHAPE => {}
                        (Written::Done, _) if write.id.starts_with(PART) => {}
                        (Written::Done, Some(_)) => kept.saved += 1,
                        (Written::Done, None) => kept.removed += 1,
                    }
                }
                Ok(kept)
            }
        }
    }
}

/// The line of a session. One that fits in no capsule is not stored: its shard identifies after a restart.
pub(super) fn seal(capsule: &Capsule) -> Option<String> {
    let line = capsule.seal();
    line.inspect_err(|error| tracing::warn!(%error, "a session cannot be stored"))
        .ok()
}

/// Sessions of a shard are ordered by their leases, then by time: a process that was away must not write over its
/// successor.
fn write(namespace: &str, change: &Change) -> Option<Write> {
    let (shard, version, value) = match change {
        Change::Save(capsule) => {
            let version = Version::new(capsule.fencing, capsule.saved_at_ms);
            (capsule.shard()?, version, Some(seal(capsule)?))
        }
        Change::Remove {
            shard,
            fencing,
            at_ms,
        } => (*shard, Version::new(*fencing, *at_ms), None),
    };
    Some(Write {
        namespace: namespace.to_owned(),
        id: shard.to_string(),
        version,
        value,
        ttl: Some(TTL),
    })
}

/// Beside the session, and under the same lease.
fn write_part(namespace: &str, part: &PartChange) -> Write {
    Write {
        namespace: namespace.to_owned(),
        id: format!("{PART}{}", part.shard),
        version: Version::new(part.fencing, part.at_ms),
        value: part.line.clone(),
        ttl: Some(TTL),
    }
}

fn write_line(
    namespace: &str,
    id: &str,
    line: &impl Serialize,
    at_ms: u64,
    ttl: Option<Duration>,
) -> Option<Write> {
    Some(Write {
        namespace: namespace.to_owned(),
        id: id.to_owned(),
        version: Version::new(0, at_ms),
        value: Some(serde_json::to_string(line).ok()?),
        ttl,
    })
}
