//! What the processes of a fleet say to each other in a change of shards. Letters may be lost, delayed and repeated.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fleet::cutover::{Counts, MESSAGE_BYTES_MAX, Message};
use crate::id::{ShardId, Snowflake};

use super::course::Role;

/// How many guilds one letter names at most: more than Discord puts on a shard come in several.
pub(super) const GUILDS_MAX: usize = 4_096;

/// A longer letter is not read.
const LETTER_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 4_096;

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Letter {
    /// How far a part is: to everybody.
    Report(Report),
    /// A session that knows its guilds has these; to the one on the other side.
    Guilds {
        /// The cutover's number.
        cutover: u64,
        /// The session that knows them.
        from: ShardId,
        /// The session on the other side.
        to: ShardId,
        /// Guilds that both have.
        guilds: Vec<Snowflake>,
        /// Whether these are the last of them.
        is_last: bool,
    },
    /// From one side of a cutover to the other.
    Message {
        /// The session that it is for.
        to: ShardId,
        /// The message.
        message: Message,
    },
    /// The register has something new: ask it. To everybody.
    News {
        /// Its revision.
        revision: u64,
    },
    /// To the leader: pause, resume, abort.
    Steer(Steer),
}

/// What a process wants of whoever leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steer {
    /// Ask for no more guilds, and take no further step.
    Pause,
    /// Go on.
    Resume,
    /// End as soon as possible.
    Abort,
}

/// How far a session's part in a change is. All that is true of it, so that the newest is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The cutover's number.
    pub cutover: u64,
    /// The session.
    pub shard: ShardId,
    /// Which side it is.
    pub role: Role,
    /// The fencing token of its lease: of two reports the one with the greater counts.
    pub fencing: u64,
    /// The process that runs it: the instance of a member of the register.
    pub place: String,
    /// It knows its guilds.
    pub is_ready: bool,
    /// It was told the guilds of these, on the other side.
    pub included: BTreeSet<ShardId>,
    /// It leaves, and every guild is cut and taken.
    pub has_left: bool,
    /// It joins, and expects no duplicates any more.
    pub is_settled: bool,
    /// Discord refuses it for good.
    pub is_refused: bool,
    /// How many guilds it has, and how many of them have switched.
    pub guilds: usize,
    /// See [`guilds`](Self::guilds).
    pub switched: usize,
    /// What became of its events, over all guilds.
    pub counts: Counts,
}

impl Letter {
    /// Reads a letter, whoever wrote it; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LETTER_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    /// The letter as bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and lists are always JSON")
    }
}
