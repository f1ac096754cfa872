//! The Bot.
