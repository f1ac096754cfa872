//! Cache: what the bot knows of Discord, from what the gateway tells.
//!
//! [`entity`] says what each dispatch creates, changes and deletes.

pub mod entity;
mod key;
mod kind;

pub use key::Key;
pub use kind::Kind;
