//! The cache: what is kept of guilds, channels, members and users, and in how much memory.

pub mod hot_set;
