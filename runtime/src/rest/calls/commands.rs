//! Application commands, global or of one guild.

use serde::Serialize;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::{Request, Rest};

impl Rest {
    /// Reads the application's global commands.
    pub fn get_global_commands(&self, application: Snowflake) -> Request {
        self.request(Method::Get, format!("/applications/{application}/commands"))
    }

    /// Puts these global commands in the place of all that there are.
    pub fn overwrite_global_commands<T>(&self, application: Snowflake, commands: &T) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.request(Method::Put, format!("/applications/{application}/commands"))
            .json(commands)
    }

    /// Reads the application's commands in a guild.
    pub fn get_guild_commands(&self, application: Snowflake, guild: Snowflake) -> Request {
        self.request(
            Method::Get,
            format!("/applications/{application}/guilds/{guild}/commands"),
        )
    }

    /// Puts these commands in the place of all that a guild has.
    pub fn overwrite_guild_commands<T>(
        &self,
        application: Snowflake,
        guild: Snowflake,
        commands: &T,
    ) -> Request
    where
        T: Serialize + ?Sized,
    {
        let path = format!("/applications/{application}/guilds/{guild}/commands");
        self.request(Method::Put, path).json(commands)
    }
}
