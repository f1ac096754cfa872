//! What Discord answered.

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::api_error::ApiError;
use super::error::RestError;
use super::pending::Called;
use super::transport::Answer;

/// Discord's answer to a request that it accepted.
#[derive(Clone, Debug)]
pub struct Response {
    called: Called,
    answer: Answer,
}

impl Response {
    /// Tells acceptance from refusal.
    pub(super) fn check(called: Called, answer: Answer) -> Result<Self, RestError> {
        if matches!(answer.status, 200..=299 | 304) {
            return Ok(Self { called, answer });
        }
        let error = ApiError::read(called.to_string(), &answer);
        Err(RestError::Api(Box::new(error)))
    }

    /// The HTTP status: 200, 201, 202, 204 or 304.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.answer.status
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The body; empty for 204.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.answer.body
    }

    /// The body as a value.
    ///
    /// # Errors
    ///
    /// [`RestError::Answer`] if it is none of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        serde_json::from_slice(&self.answer.body).map_err(|error| RestError::Answer {
            request: self.called.to_string(),
            reason: error.to_string(),
        })
    }
}
