//! One configuration for every language: the program's own values over the environment over a TOML file over defaults.

mod builder;
mod cache;
mod check;
mod check_records;
mod error;
mod fleet;
#[cfg(test)]
mod mistakes;
mod option;
#[cfg(test)]
pub(crate) mod page;
mod rest;
mod sessions;
mod settings;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use builder::ConfigBuilder;
pub use cache::{CacheConfig, Lean, RecordLimits, RedisConfig, StoreConfig, StoreKind};
pub use error::{ConfigError, Origin, Problem};
pub use fleet::{AutoReshard, DryAction, DryConfig, FleetConfig, FleetKind};
pub use option::{ConfigOption, Kind, OPTIONS};
pub use rest::{Headers, RestConfig, RestPool, RestProxy};
pub use sessions::{Acknowledge, SessionStoreConfig, SessionStoreKind};
pub use settings::{
    Config, Gateway, Identify, LogFormat, LogLevel, OnShutdown, Ops, Queue, Roots, Tls,
};
