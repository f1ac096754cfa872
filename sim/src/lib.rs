//! A model of Discord: gateway, sessions, guilds, limits and faults, in virtual time and without sockets.
//!
//! [`World`] is a [`Machine`]: feed it what a server hears, do what it answers, and give it the time. The same
//! [`WorldConfig`] and the same inputs always give the same outputs, so an hour of a large bot's life runs in
//! milliseconds and a failure comes back with its seed.
//!
//! ```
//! use shardkeep_sim::{Input, Instant, Machine, Output, World, WorldConfig};
//!
//! let mut world = World::new(WorldConfig::default(), Instant::ZERO);
//! let path = "/?v=10&encoding=json";
//! world.handle_input(Instant::ZERO, Input::Open { connection: 1, path_and_query: path }).unwrap();
//! let Some(Output::Text { connection: 1, bytes }) = world.poll_output() else { panic!("no HELLO") };
//! assert!(bytes.starts_with(br#"{"t":null,"s":null,"op":10,"#));
//! ```

pub mod fleet;
mod guild;
pub mod hours;
pub mod rest;
pub mod rush;
#[cfg(feature = "server")]
pub mod server;
mod wire;
pub mod world;

pub use guild::WholeGuilds;
pub use shardkeep_core::{Instant, Machine, ShardId, Snowflake, Timeout};
pub use world::config::{DEFAULT_TOKEN, LedgerDetail, WorldConfig};
pub use world::control::{Control, Fault, RestPreset, RestSet, Target, WeightedFault};
pub use world::io::{Input, Misuse, Output, Wait};
pub use world::ledger::{
    Counters, Entry, SessionEnd, SessionLedger, Violation, ViolationKind, digest,
};
pub use world::{Snapshot, World};
