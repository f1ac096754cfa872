//! Guilds, their members and roles.

use serde::Serialize;
use serde_json::json;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::{Request, Rest};

impl Rest {
    /// Reads a guild. Query: `with_counts`.
    pub fn get_guild(&self, guild: Snowflake) -> Request {
        self.request(Method::Get, format!("/guilds/{guild}"))
    }

    /// Reads a member.
    pub fn get_member(&self, guild: Snowflake, user: Snowflake) -> Request {
        self.request(Method::Get, format!("/guilds/{guild}/members/{user}"))
    }

    /// Changes a member: nickname, roles, voice channel, timeout.
    pub fn modify_member<T>(&self, guild: Snowflake, user: Snowflake, changes: &T) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.request(Method::Patch, format!("/guilds/{guild}/members/{user}"))
            .json(changes)
    }

    /// Gives a member a role.
    pub fn add_role(&self, guild: Snowflake, user: Snowflake, role: Snowflake) -> Request {
        self.request(
            Method::Put,
            format!("/guilds/{guild}/members/{user}/roles/{role}"),
        )
    }

    /// Takes a role from a member.
    pub fn remove_role(&self, guild: Snowflake, user: Snowflake, role: Snowflake) -> Request {
        self.request(
            Method::Delete,
            format!("/guilds/{guild}/members/{user}/roles/{role}"),
        )
    }

    /// Removes a member, who may come back.
    pub fn kick(&self, guild: Snowflake, user: Snowflake) -> Request {
        self.request(Method::Delete, format!("/guilds/{guild}/members/{user}"))
    }

    /// Bans a user, and deletes what they wrote in the last `delete_message_seconds` (up to 604,800, a week).
    pub fn ban(&self, guild: Snowflake, user: Snowflake, delete_message_seconds: u32) -> Request {
        let body = json!({ "delete_message_seconds": delete_message_seconds });
        self.request(Method::Put, format!("/guilds/{guild}/bans/{user}"))
            .json(&body)
    }

    /// Ends a ban.
    pub fn unban(&self, guild: Snowflake, user: Snowflake) -> Request {
        self.request(Method::Delete, format!("/guilds/{guild}/bans/{user}"))
    }

    /// Reads a guild's roles.
    pub fn get_roles(&self, guild: Snowflake) -> Request {
        self.request(Method::Get, format!("/guilds/{guild}/roles"))
    }

    /// Creates a role.
    pub fn create_role<T: Serialize + ?Sized>(&self, guild: Snowflake, role: &T) -> Request {
        self.request(Method::Post, format!("/guilds/{guild}/roles"))
            .json(role)
    }

    /// Creates a channel in a guild.
    pub fn create_channel<T: Serialize + ?Sized>(&self, guild: Snowflake, channel: &T) -> Request {
        self.request(Method::Post, format!("/guilds/{guild}/channels"))
            .json(channel)
    }
}
