//! Cache: what the bot knows of Discord, from what the gateway tells.
//!
//! [`entity`] says what each dispatch creates, changes and deletes; [`packed`] makes records small.

pub mod entity;
mod key;
mod kind;
pub mod packed;

pub use key::Key;
pub use kind::Kind;
