//! Webhooks. The token in the path is what lets the request in: the bot's own is not sent along.

use serde::Serialize;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::Method;

use crate::rest::percent::{SEGMENT, encode};
use crate::rest::{Request, Rest};

impl Rest {
    /// Sends a message through a webhook. Query: `wait` to be answered with the message, `thread_id`.
    pub fn execute_webhook<T>(&self, webhook: Snowflake, token: &str, message: &T) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.request(Method::Post, path(webhook, token))
            .json(message)
    }

    /// Edits a message that the webhook sent.
    pub fn edit_webhook_message<T>(
        &self,
        webhook: Snowflake,
        token: &str,
        message: Snowflake,
        edit: &T,
    ) -> Request
    where
        T: Serialize + ?Sized,
    {
        let path = format!("{}/messages/{message}", path(webhook, token));
        self.request(Method::Patch, path).json(edit)
    }

    /// Changes a webhook of a channel that the bot manages: name, avatar, channel.
    pub fn edit_webhook<T: Serialize + ?Sized>(&self, webhook: Snowflake, changes: &T) -> Request {
        self.request(Method::Patch, format!("/webhooks/{webhook}"))
            .json(changes)
    }
}

fn path(webhook: Snowflake, token: &str) -> String {
    let mut path = format!("/webhooks/{webhook}/");
    encode(&mut path, token, SEGMENT);
    path
}
