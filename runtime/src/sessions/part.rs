//! A session's side in a change of shards over several processes, as it is stored: whoever runs the session next goes
//! on with it.

use serde::{Deserialize, Serialize};
use shardkeep_core::fleet::cutover::{JoiningSnapshot, LeavingSnapshot};
use shardkeep_core::{ShardId, Snowflake};

/// What a side must not forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// It hands its guilds over.
    Leaving(LeavingSnapshot),
    /// It takes guilds over.
    Joining(JoiningSnapshot),
}

/// A side as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPart {
    /// The session.
    pub(crate) part_of: ShardId,
    /// The fencing token of the lease under which it was written.
    pub(crate) fencing: u64,
    pub(crate) saved_at_ms: u64,
    #[serde(flatten)]
    pub(crate) memory: Memory,
}

/// A side, and what it cannot do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The sessions on the other side.
    pub(crate) partners: Vec<ShardId>,
    /// Every guild that the side knows of.
    pub(crate) guilds: Vec<Snowflake>,
    pub(crate) side: Side,
}

/// What a side has given to be stored.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// What is to be stored; `None` if what is stored is to go.
    wanted: Option<Memory>,
    /// How often something was given.
    given: u64,
    /// What of that is being stored, and what is.
    under_way: u64,
    stored: u64,
}

/// One side's change.
#[derive(Clone, Debug)]
pub(super) struct PartChange {
    pub(super) shard: ShardId,
    pub(super) fencing: u64,
    pub(super) at_ms: u64,
    /// Which of those that were given it is.
    pub(super) number: u64,
    /// The line; `None` if it is to go.
    pub(super) line: Option<String>,
}

impl Keeping {
    /// The number under which [`Keeping::stored`] will tell of it.
    pub(super) fn give(&mut self, wanted: Option<Memory>) -> u64 {
        self.wanted = wanted;
        self.given += 1;
        self.given
    }

    pub(super) const fn stored(&self) -> u64 {
        self.stored
    }

    pub(super) fn change(
        &mut self,
        shard: ShardId,
        fencing: u64,
        at_ms: u64,
    ) -> Option<PartChange> {
        if self.given == self.under_way {
            return None;
        }
        self.under_way = self.given;
        let line = self.wanted.as_ref().map(|memory| {
            serde_json::to_string(&StoredPart {
                part_of: shard,
                fencing,
                saved_at_ms: at_ms,
                memory: memory.clone(),
            })
        });
        let line = line.transpose();
        Some(PartChange {
            shard,
            fencing,
            at_ms,
            number: self.given,
            line: line.ok()?,
        })
    }

    pub(super) fn done(&mut self, number: u64) {
        self.stored = self.stored.max(number);
    }

    pub(super) fn failed(&mut self) {
        self.under_way = self.stored;
    }
}
