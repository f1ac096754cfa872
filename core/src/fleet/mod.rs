//! The fleet: which shards exist, which may start, and which may identify now.

mod config;
mod identify;
mod io;
mod shards;
mod topology;

pub use config::{Config, Damping};
pub use identify::SessionStartLimit;
pub use io::{Event, Input, Misuse, Output, Phase, Reason, Wait};
pub use shards::{SHARDS_MAX, Shards, TopologyError};
pub use topology::Topology;
