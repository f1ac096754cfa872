//! Users, and where to connect.

use serde_json::json;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::{Request, Rest};

impl Rest {
    /// Reads a user.
    pub fn get_user(&self, user: Snowflake) -> Request {
        self.request(Method::Get, format!("/users/{user}"))
    }

    /// Reads the bot's own user.
    pub fn get_current_user(&self) -> Request {
        self.request(Method::Get, "/users/@me")
    }

    /// Opens a channel for direct messages with a user.
    pub fn create_dm(&self, recipient: Snowflake) -> Request {
        self.request(Method::Post, "/users/@me/channels")
            .json(&json!({ "recipient_id": recipient }))
    }

    /// Reads where to connect, how many shards Discord recommends, and how many sessions may be started.
    pub fn get_gateway_bot(&self) -> Request {
        self.request(Method::Get, "/gateway/bot")
    }
}
