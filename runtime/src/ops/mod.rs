//! The endpoint for operators: `/health`, `/ready`, `/status` and `/metrics` over plain HTTP, for this machine only
//! unless told otherwise.

pub(crate) mod metrics;
mod observed;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub use observed::{Numbers, Observed, Pulse, ShardNumbers};
pub use server::{OpsError, OpsServer};
