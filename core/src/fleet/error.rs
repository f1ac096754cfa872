//! Why a text, pairs or a pod name are no topology.

use alloc::string::String;
use core::fmt;

use crate::id::ShardId;

use super::shards::SHARDS_MAX;

/// Why a text, pairs or a pod name are no topology, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyError {
    /// No shard is named.
    Empty,
    /// A total of 0.
    ZeroTotal,
    /// A total above [`SHARDS_MAX`].
    TotalTooLarge {
        /// The total.
        total: u64,
    },
    /// More than [`SHARDS_MAX`] shards in one topology.
    TooManyShards,
    /// A shard's index is not below its total.
    IndexNotBelowTotal {
        /// The index.
        index: u64,
        /// The total.
        total: u32,
    },
    /// A shard is named twice.
    Duplicate {
        /// The shard.
        shard: ShardId,
    },
    /// A range whose end lies before its start.
    Reversed {
        /// The start.
        first: u64,
        /// The end.
        last: u64,
    },
    /// Indices without a total, or a count beside ranges.
    TotalMissing {
        /// The part.
        text: String,
    },
    /// Something that should be a number.
    NotANumber {
        /// What stands in its place.
        text: String,
    },
    /// Text in brackets that is no list of pairs.
    BadPairs {
        /// The text.
        text: String,
    },
    /// `SHARD_ID` is set but empty.
    NoShardId,
    /// `SHARD_ID` without `TOTAL_SHARDS`.
    NoTotal,
    /// `SHARD_ID` is neither a number nor the name of a StatefulSet's pod.
    NotAnOrdinal {
        /// Its value.
        name: String,
    },
    /// The pod's first shard is not below the total: there are more pods than shards.
    NoShardForPod {
        /// The pod's ordinal.
        ordinal: u64,
        /// The total.
        total: u32,
        /// How many pods the total has work for.
        pods: u64,
    },
    /// Zero shards per pod.
    ZeroPerPod,
}

const ORDINALS: &str = "Only the pods of a StatefulSet are numbered (discord-bot-0, discord-bot-1, ...); those of a \
                        Deployment end in random characters. Use kind: StatefulSet, or set SHARD_ID to a number";

const REPLICAS: &str = "Pods are numbered from 0: lower the replicas, or raise TOTAL_SHARDS";

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "no shard is named: write auto, a count such as 16, or ranges such as 0-7/16",
            ),
            Self::ZeroTotal => {
                f.write_str("a total of 0 shards: the total is at least 1, shards count from 0")
            }
            Self::TotalTooLarge { total } => write!(
                f,
                "a total of {total} shards: the largest is {SHARDS_MAX}; auto takes what Discord recommends"
            ),
            Self::TooManyShards => write!(
                f,
                "more than {SHARDS_MAX} shards: spread them over several processes"
            ),
            Self::IndexNotBelowTotal { index, total } => write!(
                f,
                "there is no shard {index} of {total}: its shards are 0 to {}",
                total - 1
            ),
            Self::Duplicate { shard } => {
                write!(f, "shard {shard} is named twice: name each shard once")
            }
            Self::Reversed { first, last } => write!(
                f,
                "the range {first}-{last} runs backwards: write the smaller index first"
            ),
            Self::TotalMissing { text } => write!(
                f,
                "\"{text}\" names no total: write indices and total, such as 0-7/16 (a count stands alone)"
            ),
            Self::NotANumber { text } => write!(
                f,
                "\"{text}\" is not a number: write auto, a count such as 16, or ranges such as 0,3,5-7/16"
            ),
            Self::BadPairs { text } => write!(
                f,
                "{text} is not a list of pairs: write [[index, total], ...], such as [[2,4],[3,4]]"
            ),
            Self::NoShardId => f.write_str(
                "SHARD_ID is empty: set it to a number or to a StatefulSet's pod name, or unset it",
            ),
            Self::NoTotal => f.write_str(
                "SHARD_ID is set but TOTAL_SHARDS is not: set it to the total that all pods share",
            ),
            Self::NotAnOrdinal { name } => {
                write!(f, "SHARD_ID \"{name}\" holds no shard number. {ORDINALS}")
            }
            Self::NoShardForPod {
                ordinal,
                total,
                pods,
            } => write!(
                f,
                "pod {ordinal} has no shard: {total} shards keep {pods} pods busy. {REPLICAS}"
            ),
            Self::ZeroPerPod => f.write_str("0 shards per pod: each pod runs at least 1"),
        }
    }
}

impl core::error::Error for TopologyError {}
