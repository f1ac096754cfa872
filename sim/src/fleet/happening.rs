//! What happens at a moment.

use shardkeep_core::ShardId;
use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_core::fleet::reshard::across::Letter;

use super::cutover::Order;
use super::draw::Mishap;
use super::store::{Batch, Found};
use crate::Instant;
use crate::hours::network::Parcel;

/// What happens at a moment. The first number is that of a process.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// It looks at its fleet and its leases, if this is the wake-up that it waits for.
    Wake(usize, u64),
    /// A shard looks at its session, likewise.
    ShardWake(usize, ShardId, u64),
    /// What a connection brings.
    Arrives(usize, ShardId, u64, Parcel),
    /// An answer of the register's.
    Answered(usize, Option<String>),
    /// The store has answered what a shard's session is, if it has answered at all.
    Loaded(usize, ShardId, u64, Option<Found>),
    /// The store is asked again.
    Load(usize, ShardId, u64),
    /// It is time to store what has changed.
    Save(usize),
    /// The store has answered, or not; the shard is the one that ends with this.
    Saved(usize, Batch, bool, Option<ShardId>),
    /// A shard that has closed is stored once more.
    Ending(usize, ShardId, u64),
    /// A handler is through: the shard, the session and its number, the sequence.
    Finished(usize, ShardId, String, u32, u64),
    /// Discord has answered what was asked at that moment of the process's clock.
    Limits(usize, Instant, bool, Option<SessionStartLimit>),
    /// An order for a shard's part in a change of shards, and such a part's look at the clock.
    Order(usize, ShardId, Box<Order>),
    Tick(usize),
    /// A letter of another process.
    Letter(usize, Letter),
    /// An exchange arrives at the register.
    Asked(usize, String),
    /// The store is asked for a shard's session.
    StoreReads(usize, ShardId, u64),
    /// The store is given lines.
    StoreWrites(usize, Batch, Option<ShardId>, bool),
    /// Discord is asked `/gateway/bot`.
    Asks(usize, Instant, bool),
    /// Something befalls the fleet.
    Mishap(Mishap),
    /// A process starts, under this name and with this capacity.
    Start(String, u32),
    /// The calm begins, or somebody looks whether everything is well.
    Calm,
    Look,
}

impl Happening {
    /// The process that has to be awake for it.
    pub(super) const fn process(&self) -> Option<usize> {
        match self {
            Self::Wake(by, _)
            | Self::ShardWake(by, ..)
            | Self::Arrives(by, ..)
            | Self::Answered(by, _)
            | Self::Loaded(by, ..)
            | Self::Load(by, ..)
            | Self::Save(by)
            | Self::Saved(by, ..)
            | Self::Ending(by, ..)
            | Self::Finished(by, ..)
            | Self::Order(by, ..)
            | Self::Tick(by)
            | Self::Letter(by, _)
            | Self::Limits(by, ..) => Some(*by),
            _ => None,
        }
    }
}
