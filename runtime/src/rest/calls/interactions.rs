//! Interactions: the first answer within three seconds, follow-ups within fifteen minutes.

use std::time::Duration;

use serde::Serialize;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::Priority;
use shardkeep_core::rest::route::Method;

use crate::rest::percent::{SEGMENT, encode};
use crate::rest::{Request, Rest};

/// How long Discord waits for the first answer.
const CALLBACK_WITHIN: Duration = Duration::from_secs(3);

/// How long an interaction's token is valid.
const TOKEN_VALID: Duration = Duration::from_secs(15 * 60);

impl Rest {
    /// Answers an interaction: `{"type": 4, "data": {..}}` and the like. It goes before everything else, and is
    /// refused if it cannot be sent within three seconds. If some of them are gone already, tell
    /// [`Request::deadline`] what is left.
    pub fn interaction_callback<T>(
        &self,
        interaction: Snowflake,
        token: &str,
        answer: &T,
    ) -> Request
    where
        T: Serialize + ?Sized,
    {
        let mut path = format!("/interactions/{interaction}/");
        encode(&mut path, token, SEGMENT);
        path.push_str("/callback");
        self.request(Method::Post, path)
            .json(answer)
            .priority(Priority::Interaction)
            .deadline(CALLBACK_WITHIN)
    }

    /// Sends another message to whoever used the interaction. `application` is the bot's own id.
    pub fn create_followup<T>(&self, application: Snowflake, token: &str, message: &T) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.followup(Method::Post, application, token, "")
            .json(message)
    }

    /// Edits a follow-up.
    pub fn edit_followup<T>(
        &self,
        application: Snowflake,
        token: &str,
        message: Snowflake,
        edit: &T,
    ) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.followup(
            Method::Patch,
            application,
            token,
            &format!("/messages/{message}"),
        )
        .json(edit)
    }

    /// Deletes a follow-up.
    pub fn delete_followup(
        &self,
        application: Snowflake,
        token: &str,
        message: Snowflake,
    ) -> Request {
        self.followup(
            Method::Delete,
            application,
            token,
            &format!("/messages/{message}"),
        )
    }

    /// Reads the first answer as it stands.
    pub fn get_original_response(&self, application: Snowflake, token: &str) -> Request {
        self.followup(Method::Get, application, token, "/messages/@original")
    }

    /// Edits the first answer: also what follows a deferred one.
    pub fn edit_original_response<T>(
        &self,
        application: Snowflake,
        token: &str,
        edit: &T,
    ) -> Request
    where
        T: Serialize + ?Sized,
    {
        self.followup(Method::Patch, application, token, "/messages/@original")
            .json(edit)
    }

    /// Deletes the first answer.
    pub fn delete_original_response(&self, application: Snowflake, token: &str) -> Request {
        self.followup(Method::Delete, application, token, "/messages/@original")
    }

    fn followup(&self, method: Method, application: Snowflake, token: &str, rest: &str) -> Request {
        let mut path = format!("/webhooks/{application}/");
        encode(&mut path, token, SEGMENT);
        path.push_str(rest);
        self.request(method, path)
            .priority(Priority::Interaction)
            .deadline(TOKEN_VALID)
    }
}
