//! Six processes that are one bot, over a real Redis: they share its shards, restart one after the other, are killed,
//! lose Redis for a while, and nothing is lost.

#[path = "../restart/child.rs"]
mod child;
mod log;
#[path = "../redis_support/mod.rs"]
mod redis_support;
mod resharded;
mod shared;
#[path = "../support/mod.rs"]
mod support;
