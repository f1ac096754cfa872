//! Cache: what the bot knows of Discord, from what the gateway tells.
//!
//! [`entity`] says what each dispatch creates, changes and deletes; [`packed`] makes records small; [`hot_set`] keeps
//! what is asked for often in a bounded amount of memory.

pub mod entity;
pub mod hot_set;
mod key;
mod kind;
pub mod packed;

pub use key::Key;
pub use kind::Kind;
