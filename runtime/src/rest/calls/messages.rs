//! Messages and reactions.

use serde::Serialize;
use serde_json::json;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::percent::{SEGMENT, encode};
use crate::rest::{Request, Rest};

impl Rest {
    /// Sends a message to a channel. With a `nonce` and `enforce_nonce: true` in it, it is sent again if a connection
    /// fails, and appears once all the same.
    ///
    /// ```no_run
    /// use serde_json::json;
    /// use shardkeep::core::Snowflake;
    ///
    /// # async fn f(rest: shardkeep::rest::Rest) -> Result<(), shardkeep::rest::RestError> {
    /// let channel = Snowflake(81384788765712384);
    /// let message = json!({ "content": "the chart", "embeds": [{ "image": { "url": "attachment://chart.png" } }] });
    /// rest.create_message(channel, &message).file("chart.png", vec![0; 16]).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_message<T: Serialize + ?Sized>(
        &self,
        channel: Snowflake,
        message: &T,
    ) -> Request {
        self.request(Method::Post, format!("/channels/{channel}/messages"))
            .json(message)
    }

    /// Reads messages of a channel, newest first. Query: `limit` (1 to 100), one of `around`, `before`, `after`.
    pub fn get_messages(&self, channel: Snowflake) -> Request {
        self.request(Method::Get, format!("/channels/{channel}/messages"))
    }

    /// Reads a message.
    pub fn get_message(&self, channel: Snowflake, message: Snowflake) -> Request {
        self.request(
            Method::Get,
            format!("/channels/{channel}/messages/{message}"),
        )
    }

    /// Edits a message of the bot's. Where edits come faster than Discord allows, [`Request::last_wins`] sends the
    /// newest only.
    pub fn edit_message<T>(&self, channel: Snowflake, message: Snowflake, edit: &T) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.request(
            Method::Patch,
            format!("/channels/{channel}/messages/{message}"),
        )
        .json(edit)
    }

    /// Deletes a message. Discord limits this by the message's age, which its id tells.
    pub fn delete_message(&self, channel: Snowflake, message: Snowflake) -> Request {
        self.request(
            Method::Delete,
            format!("/channels/{channel}/messages/{message}"),
        )
    }

    /// Deletes 2 to 100 messages at once, none of them older than two weeks.
    pub fn bulk_delete_messages(&self, channel: Snowflake, messages: &[Snowflake]) -> Request {
        let body = json!({ "messages": messages });
        self.request(
            Method::Post,
            format!("/channels/{channel}/messages/bulk-delete"),
        )
        .json(&body)
    }

    /// Adds the bot's reaction. `emoji` is the emoji itself, or `name:id` for one of a guild's.
    pub fn add_reaction(&self, channel: Snowflake, message: Snowflake, emoji: &str) -> Request {
        self.request(Method::Put, reaction(channel, message, emoji))
    }

    /// Takes the bot's reaction away.
    pub fn remove_reaction(&self, channel: Snowflake, message: Snowflake, emoji: &str) -> Request {
        self.request(Method::Delete, reaction(channel, message, emoji))
    }
}

fn reaction(channel: Snowflake, message: Snowflake, emoji: &str) -> String {
    let mut path = format!("/channels/{channel}/messages/{message}/reactions/");
    encode(&mut path, emoji, SEGMENT);
    path.push_str("/@me");
    path
}
