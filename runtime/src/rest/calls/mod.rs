//! The calls that every bot makes, by name. Each begins a [`Request`](super::Request): add to it, then send it.
//!
//! Bodies are whatever serializes to what Discord documents, and answers are Discord's JSON: there are no models here
//! that could lag behind.

mod channels;
mod commands;
mod guilds;
mod interactions;
mod messages;
mod users;
mod webhooks;
