//! A bot changes its shards while events flow: each is handed on once.

mod account;
mod changes;
mod overlays;
#[path = "../support/mod.rs"]
mod support;
