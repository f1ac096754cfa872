//! Channels.

use serde::Serialize;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::{Request, Rest};

impl Rest {
    /// Reads a channel.
    pub fn get_channel(&self, channel: Snowflake) -> Request {
        self.request(Method::Get, format!("/channels/{channel}"))
    }

    /// Changes a channel. Discord allows two changes of name or topic in ten minutes and says so in no header; other
    /// changes do not wait behind those.
    pub fn edit_channel<T: Serialize + ?Sized>(&self, channel: Snowflake, changes: &T) -> Request {
        self.request(Method::Patch, format!("/channels/{channel}"))
            .json(changes)
    }

    /// Deletes a channel, or closes a direct message.
    pub fn delete_channel(&self, channel: Snowflake) -> Request {
        self.request(Method::Delete, format!("/channels/{channel}"))
    }
}
