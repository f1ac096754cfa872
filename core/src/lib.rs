//! The sans-IO core of Shardkeep: every decision that keeps a Discord bot alive, and no socket, clock or thread.

#![no_std]

extern crate alloc;

pub mod cache;
pub mod fleet;
pub mod gateway;
pub mod id;
pub mod machine;
mod reasons;
pub mod record;
pub mod rest;
pub mod rng;
pub mod secret;
pub mod time;
mod timer;
pub mod wire;

pub use id::{ShardId, Snowflake};
pub use machine::{Machine, Timeout};
pub use rng::Rng;
pub use secret::{Token, TokenError};
pub use time::Instant;
