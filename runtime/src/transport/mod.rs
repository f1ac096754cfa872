//! Bytes to and from Discord: TCP, TLS and WebSocket, with next to no memory for a connection at rest.
//!
//! A connection at rest holds no read buffer. When its socket has something, the task borrows its thread's window
//! (128 KiB, up to 1 MiB while reads fill it, used again by every shard of the thread), reads into it, handles every
//! whole frame in place and keeps only the bytes of a frame that is not whole yet. So one system call brings a hundred
//! events and more, and a frame is never copied.

mod connect;
mod frame;
mod stream;
mod tls;
mod websocket;

pub(crate) use connect::{ConnectError, Connector};
pub(crate) use frame::{Opcode, write_close, write_frame};
pub use tls::TlsError;
pub(crate) use tls::client_config;
#[cfg(feature = "redis")]
pub(crate) use tls::client_config_trusting;
#[cfg(test)]
use tls::provider;
pub(crate) use websocket::{Gone, Message, WebSocket, Window, read_bytes_max};

#[cfg(test)]
pub(crate) mod tests;
