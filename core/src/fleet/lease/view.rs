//! The whole fleet, as the register sees it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ShardId;

/// Everything the register knows, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct View {
    /// The shards to serve, as [`Topology`](crate::fleet::Topology) writes them; empty if nobody has proposed any.
    pub topology: String,
    /// Grows with each change of the topology; 0 if there is none.
    pub revision: u64,
    /// Milliseconds until a new register gives shards out; 0 if it does.
    pub opens_in_ms: u64,
    /// All processes whose term has not ended, in no particular order.
    pub members: Vec<MemberView>,
    /// All leases, in no particular order.
    pub leases: Vec<LeaseView>,
    /// The identifies of Discord's day; `None` while nobody has reported what `/gateway/bot` says.
    pub account: Option<AccountView>,
}

/// One process of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// Tells it from others of the same name.
    pub instance: String,
    /// Its label.
    pub label: String,
    /// How many shards it can run.
    pub capacity: u32,
    /// Takes only what others have no room for.
    #[serde(rename = "standby")]
    pub is_standby: bool,
    /// Gives back what it has and takes no more.
    #[serde(rename = "leaving")]
    pub is_leaving: bool,
    /// Milliseconds since its last exchange.
    pub seen_ms: u64,
    /// How many shards of the topology it holds.
    pub shards: u32,
    /// What it says of itself: nothing is decided by it.
    pub status: String,
}

/// One lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseView {
    /// The shard.
    #[serde(with = "super::words::shard")]
    pub shard: ShardId,
    /// Its fencing token, as text in JSON.
    #[serde(with = "super::words::token")]
    pub token: u64,
    /// The holder's [`MemberView::instance`].
    pub instance: String,
    /// The holder was asked to give it back.
    #[serde(rename = "giving")]
    pub is_giving: bool,
}

/// The identifies of Discord's day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountView {
    /// How many a day allows.
    pub total: u32,
    /// How many are left, the reserve included, by an estimate that errs on the low side.
    pub remaining: u32,
    /// Milliseconds until all are left again.
    pub resets_in_ms: u64,
    /// How many keys there are: shards with the same `index % max_concurrency` wait for each other.
    pub max_concurrency: u32,
}
