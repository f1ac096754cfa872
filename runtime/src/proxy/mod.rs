//! The REST proxy: speaks Discord's REST to programs in any language, and keeps Discord's limits for all of them.
//!
//! A [`Proxy`] is a server around one [`rest::Client`](crate::rest::Client). Programs change their base URL and nothing
//! else; what waits, waits here, and nobody sees a 429 that waiting could have avoided. `shardkeep proxy` is this
//! module with a command line; docs/proxy.md is its guide.
//!
//! Discord's paths begin with `/api` or with a version (`/v10`). Everything else belongs to the proxy itself:
//! `/health`, `/metrics`, `/status`, `/explain` and `/cache`, each also below `/_shardkeep`.

mod access;
mod answer;
mod cache;
mod changes;
mod counters;
mod deposit;
mod forward;
mod gate;
mod headers;
mod identities;
mod listener;
mod metrics;
mod own;
mod patience;
mod reason;
mod server;
mod settings;
mod status;
mod target;
mod tls;

pub use access::{Access, Key, KeyError};
pub use changes::{CHANGES, Changes, publish_changes};
pub use reason::Reason;
pub use server::{Drained, Proxy};
pub use settings::{ProxyError, Settings, Tls};
