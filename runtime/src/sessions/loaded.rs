//! What a predecessor left: its sessions, and what it had spent of the day's identifies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shardkeep_core::fleet::{Shards, Topology};
use shardkeep_core::gateway::Capsule;
use shardkeep_core::{ShardId, fleet};

use super::part::StoredPart;

/// The identify account as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(super) saved_at_ms: u64,
    pub(super) snapshot: fleet::Snapshot,
}

/// What serves, as it is stored once a change of shards has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    /// The shards that serve, as `shards` writes them.
    pub(super) serving: String,
    /// What `shards` said when that was written. Who sets something else since wants something else.
    pub(super) configured: String,
    /// How many there are to be in the end, if the change is not through.
    pub(super) target: Option<u32>,
    pub(super) saved_at_ms: u64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    /// The newest session of each shard.
    pub(crate) capsules: BTreeMap<ShardId, Capsule>,
    /// The newest side of each in a change of shards.
    pub(crate) parts: BTreeMap<ShardId, StoredPart>,
    account: Option<Account>,
    shape: Option<Shape>,
    /// Lines that could not be read.
    pub(super) refused: usize,
}

impl Loaded {
    /// Takes in a line of a store. What cannot be read is counted, and its shard identifies.
    pub(super) fn line(&mut self, line: &str) {
        if let Ok(account) = serde_json::from_str::<Account>(line) {
            let is_newer = self
                .account
                .as_ref()
                .is_none_or(|known| known.saved_at_ms < account.saved_at_ms);
            if is_newer {
                self.account = Some(account);
            }
            return;
        }
        if let Ok(shape) = serde_json::from_str::<Shape>(line) {
            let known = self.shape.as_ref();
            if known.is_none_or(|known| known.saved_at_ms < shape.saved_at_ms) {
                self.shape = Some(shape);
            }
            return;
        }
        if let Ok(part) = serde_json::from_str::<StoredPart>(line) {
            let known = self.parts.get(&part.part_of);
            let age = |part: &StoredPart| (part.fencing, part.saved_at_ms);
            if known.is_none_or(|known| age(known) < age(&part)) {
                self.parts.insert(part.part_of, part);
            }
            return;
        }
        let opened = Capsule::open(line.as_bytes());
        match opened.map(|capsule| (capsule.shard(), capsule)) {
            Ok((Some(shard), capsule)) => self.capsule(shard, capsule),
            Ok((None, _)) => self.refused += 1,
            Err(error) => {
                tracing::warn!(%error, "a stored session is passed by: its shard identifies");
                self.refused += 1;
            }
        }
    }

    fn capsule(&mut self, shard: ShardId, capsule: Capsule) {
        let age = |capsule: &Capsule| (capsule.fencing, capsule.epoch, capsule.saved_at_ms);
        match self.capsules.get(&shard) {
            Some(known) if age(known) >= age(&capsule) => {}
            _ => drop(self.capsules.insert(shard, capsule)),
        }
    }

    /// The shards that an earlier change led to, and the number that it was to lead to if it is not through; none if
    /// there was no change, or `shards` was set anew since.
    pub(crate) fn shape(&self, configured: &Shards) -> Option<(Topology, Option<u32>)> {
        let shape = self.shape.as_ref();
        let shape = shape.filter(|shape| shape.configured == configured.to_string())?;
        match shape.serving.parse() {
            Ok(Shards::Fixed(topology)) => Some((topology, shape.target)),
            _ => None,
        }
    }

    /// The identify account, and how long ago that was.
    pub(crate) fn account(&self, now_ms: u64) -> Option<(&fleet::Snapshot, Duration)> {
        let account = self.account.as_ref()?;
        let elapsed = Duration::from_millis(now_ms.saturating_sub(account.saved_at_ms));
        Some((&account.snapshot, elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_shard_counts_and_what_is_damaged_is_counted() {
        let line = |epoch, acknowledged| {
            let capsule = Capsule {
                shard_total: 1,
                session_id: "abc".to_owned(),
                received: 9,
                acknowledged,
                epoch,
                ..Capsule::default()
            };
            capsule.seal().unwrap()
        };
        let mut loaded = Loaded::default();
        for text in [&line(2, 5), &line(1, 8), "", "{\"version\":1}"] {
            loaded.line(text);
        }
        assert_eq!(loaded.capsules[&ShardId::SINGLE].acknowledged, 5);
        assert_eq!(loaded.refused, 2);
        let account = Account {
            saved_at_ms: 1_000,
            snapshot: fleet::Snapshot::default(),
        };
        loaded.line(&serde_json::to_string(&account).unwrap());
        let (_, elapsed) = loaded.account(3_500).unwrap();
        assert_eq!(elapsed, Duration::from_millis(2_500));
    }
}
