//! What outlives a session's process.

use serde::{Deserialize, Serialize};

use super::resume::Resumption;
use crate::id::ShardId;

/// What a session needs in order to go on elsewhere: in another process, on another host, in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The shard's index.
    pub shard_index: u32,
    /// How many shards the topology has: a session belongs to its total.
    pub shard_total: u32,
    /// What resuming needs; `None` if there is no session to resume.
    pub resumption: Option<Resumption>,
    /// How many guilds the session carries. A resume does not list them again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guilds: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Snapshot {
    /// The shard that the session is of; `None` if the snapshot was tampered with.
    #[must_use]
    pub const fn shard(&self) -> Option<ShardId> {
        ShardId::new(self.shard_index, self.shard_total)
    }
}
