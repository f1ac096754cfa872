//! REST: requests as Discord's limits allow.
//!
//! | layer | what it is for |
//! |---|---|
//! | [`Rest`] | a bot: one token, every route, [`Request`]s that say what they carry and how urgent they are |
//! | [`Client`] | a proxy, or several tokens: [`RawRequest`]s in, [`Answer`]s out, whatever their status |
//! | [`Driver`] | the one task that feeds [`Scheduler`](crate::core::rest::Scheduler) and carries out what it says |
//! | [`Transport`] | one HTTP exchange; [`Http1`] unless a program brings its own |
//!
//! What may be sent, and when, is decided in core. Here are sockets, bodies, headers and the clock.

mod api_error;
mod base;
mod blocking;
mod body;
mod calls;
mod client;
mod driver;
mod error;
mod events;
mod face;
mod flight;
mod hints;
mod http1;
mod inbox;
mod multipart;
mod numbers;
mod pending;
mod percent;
mod pool;
mod raw;
mod request;
mod response;
mod settings;
mod shared;
mod socket;
#[cfg(test)]
mod tls_tests;
mod transport;
mod wire;

pub use api_error::{ApiError, FieldError};
pub use body::{Body, Progress};
pub use client::Client;
pub use driver::Driver;
pub use error::RestError;
pub use events::Events;
pub use face::Rest;
pub use http1::Http1;
pub use numbers::RestNumbers;
pub(crate) use numbers::priority;
pub use pending::Pending;
pub use pool::{Ledger, PoolSettings};
pub use raw::RawRequest;
pub use request::Request;
pub use response::Response;
pub use settings::{Settings, StartError};
pub use transport::{Answer, Exchange, Outgoing, Transport, TransportError};
