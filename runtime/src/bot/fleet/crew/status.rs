//! What a process says of itself to the others, and of its place among them to its user.

use serde::Serialize;
use serde_json::json;
use shardkeep_core::fleet;

use crate::bot::shared::Shared;

/// A process's place among those that share the bot's shards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FleetStatus {
    /// Its name among them.
    pub name: String,
    /// Whether the register has answered lately.
    pub in_touch: bool,
    /// The whole bot's shards; empty until they are known.
    pub shards: String,
    /// Grows with each change of those.
    pub revision: u64,
    /// How many of them are this process's.
    pub held: usize,
    /// Whether it gives everything back.
    pub leaving: bool,
    /// Leases taken.
    pub taken: u64,
    /// Leases that ended without having been given back.
    pub lost: u64,
    /// Identifies that the register permitted.
    pub permits: u64,
    /// Exchanges with the register that were answered.
    pub exchanges: u64,
    /// Exchanges that were not.
    pub exchanges_failed: u64,
}

/// One line for the others: far below the 1,024 bytes that the register keeps.
pub(super) fn line(status: &fleet::Status, shared: &Shared) -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "shards": status.shards,
        "ready": status.ready,
        "waiting": status.waiting,
        "guilds": shared.guilds_here(),
        "latency_ms": shared.latency_ms(),
    })
    .to_string()
}
