//! Shardkeep's C interface: the machines of core and the bot of the runtime behind one header,
//! `include/shardkeep.h`. Nothing here decides anything: it reads pointers, calls, and writes what came out.
//!
//! The header is made from this crate by `cargo xtask gen`; what stands there as a comment stands here first.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(non_camel_case_types, reason = "types are named as in C")]
#![allow(
    private_interfaces,
    reason = "what a handle holds is nobody's business in C"
)]

extern crate alloc;

#[cfg(all(feature = "std", panic = "abort"))]
compile_error!("with `std`, a panic must be able to unwind: the barrier catches it");

#[cfg(feature = "bot")]
pub mod bot;
pub mod cache;
pub mod cutover;
pub mod envelope;
pub mod fleet;
mod handle;
#[cfg(all(feature = "freestanding", not(feature = "std")))]
mod host;
mod machine;
mod out;
pub mod packed;
pub mod plain;
mod read;
pub mod scheduler;
pub mod session;
pub mod types;
