//! Shardkeep for Rust: sharded gateway sessions over tokio.

pub mod bot;
pub mod clock;
pub mod config;
mod drive;
pub mod events;
pub mod http;
pub mod inflate;
pub mod log;
pub mod ops;
mod shard;
pub mod transport;

pub use bot::{Bot, BotBuilder, Error, Failure, Status};
pub use events::{Batch, Event, Lifecycle, Subscription, Topic};
pub use shard::CommandFailed;
pub use shardkeep_core as core;
