//! The whole fleet, as the register sees it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ShardId;

use super::words::{Shard, Token};

/// Everything the register knows, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct View {
    /// The shards to serve, as [`Topology`](crate::fleet::Topology) writes them; empty if nobody has proposed any.
    pub topology: String,
    /// Grows with each change of the topology; 0 if there is none.
    pub revision: u64,
    /// The change of shards that is under way, or was the last: see
    /// [`Course::read`](crate::fleet::reshard::across::Course::read).
    pub course: Option<String>,
    /// Permits to identify that this register has given, those that were not used too. Only grows.
    pub permits: u64,
    /// Milliseconds until a new register gives shards out; 0 if it does.
    pub opens_in_ms: u64,
    /// All processes whose term has not ended, by name.
    pub members: Vec<MemberView>,
    /// All leases, by shard.
    pub leases: Vec<LeaseView>,
    /// The identifies of Discord's day; `None` while nobody has reported what `/gateway/bot` says.
    pub account: Option<AccountView>,
}

/// One process of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeaseView {
    /// The shard.
    #[serde(serialize_with = "write_shard")]
    pub shard: ShardId,
    /// Its fencing token: below 2^53, so exact in any JSON.
    pub token: u64,
    /// The holder's [`MemberView::name`].
    pub holder: String,
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

/// A view in the register's words.
#[derive(Debug, Deserialize)]
pub(super) struct ViewWords {
    topology: String,
    revision: u64,
    #[serde(default)]
    course: Option<String>,
    #[serde(default)]
    permits: u64,
    opens_in_ms: u64,
    members: Vec<MemberWords>,
    account: Option<AccountView>,
}

#[derive(Debug, Deserialize)]
struct MemberWords {
    name: String,
    instance: String,
    label: String,
    capacity: u32,
    standby: bool,
    leaving: bool,
    seen_ms: u64,
    shards: u32,
    status: String,
    leases: BTreeMap<Shard, Token>,
    giving: BTreeSet<Shard>,
}

impl From<ViewWords> for View {
    fn from(words: ViewWords) -> Self {
        let mut view = Self {
            topology: words.topology,
            revision: words.revision,
            course: words.course,
            permits: words.permits,
            opens_in_ms: words.opens_in_ms,
            members: Vec::with_capacity(words.members.len()),
            leases: Vec::new(),
            account: words.account,
        };
        for member in words.members {
            let leases = member.leases.iter().map(|(shard, token)| LeaseView {
                shard: shard.0,
                token: token.0,
                holder: member.name.clone(),
                instance: member.instance.clone(),
                is_giving: member.giving.contains(shard),
            });
            view.leases.extend(leases);
            view.members.push(MemberView {
                name: member.name,
                instance: member.instance,
                label: member.label,
                capacity: member.capacity,
                is_standby: member.standby,
                is_leaving: member.leaving,
                seen_ms: member.seen_ms,
                shards: member.shards,
                status: member.status,
            });
        }
        view.members
            .sort_by(|a, b| (&a.name, &a.instance).cmp(&(&b.name, &b.instance)));
        view.leases.sort_by_key(|lease| lease.shard);
        view
    }
}

fn write_shard<S: serde::Serializer>(shard: &ShardId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(shard)
}
