//! The command as a user runs it: its processes, its output, its exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod bench;
mod demo;
mod fleet;
mod plan;
mod pool;
mod proxy;
#[path = "../../../runtime/tests/redis_support/mod.rs"]
mod redis_support;
mod run;
mod support;
