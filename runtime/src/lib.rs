//! Shardkeep for Rust: Discord gateway sessions on any number of shards, kept alive over tokio.
//!
//! A [`Bot`] takes a [`Config`](config::Config), owns the threads on which sockets and heartbeats live, and hands
//! events on in order: by [`Bot::next_batch`], by [`Bot::next_event`], or to handlers given to [`Bot::on`]. What it
//! decides is decided in [`core`], without sockets and clocks; what is here moves bytes.
//!
//! ```no_run
//! use shardkeep::Bot;
//! use shardkeep::config::Config;
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let bot = Bot::new(Config::builder().environment().set("intents", "guilds,guild_messages").build()?)?;
//! while let Some(event) = bot.next_event().await {
//!     println!("{} {} {}", event.shard(), event.name(), event.json());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Bot::rest`] is Discord's REST API for the same token; [`rest::Rest`] is it without a gateway.
//!
//! # What is promised, and what is not
//!
//! * Events of one session arrive in Discord's order, each once, also over a resume; what was replayed says so. Where
//!   Discord ends a session, the events in between are lost: `shard_error` says so, and [`Bot::status`] counts it.
//! * Nothing is dropped silently. A user who is slow makes the shards stop reading; they go on beating meanwhile.
//! * User code never runs on the threads that beat.
//!
//! # Features
//!
//! * `lmdb`, on by default: the embedded store that the processes of one machine share.
//! * `redis`, on by default: Redis and Redis Cluster, for stores and buses.
//! * `twilight-model`: `Event::twilight` decodes dispatches into twilight's models.

pub mod bot;
pub mod bus;
pub mod cache;
pub mod clock;
pub mod config;
mod drive;
pub mod events;
mod http;
pub mod inflate;
pub mod log;
pub mod ops;
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis;
pub mod rest;
mod sessions;
mod shard;
pub mod store;
mod transport;

pub use bot::{Bot, BotBuilder, Error, Failure, ReshardError, Resharding, Status};
pub use events::{Batch, Event, Lifecycle, Subscription, Topic};
pub use http::HttpError;
pub use sessions::SessionsStatus;
pub use shard::CommandFailed;
pub use shardkeep_core as core;
pub use transport::TlsError;

/// The programs of the README, so that they compile for whoever copies them.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
