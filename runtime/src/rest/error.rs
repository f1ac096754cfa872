//! Why a request brought nothing, and what to do. No token is in any text, not even one that was part of a path.

use std::fmt;
use std::time::Duration;

use shardkeep_core::Instant;
use shardkeep_core::rest::{Failure, Refusal};

use super::api_error::ApiError;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RestError {
    /// Discord refused it.
    Api(Box<ApiError>),
    /// It was not sent.
    Refused {
        /// Method and path, without tokens.
        request: String,
        /// Why.
        why: Refusal,
        /// When it could have been sent, or when asking again makes sense, on [`clock::now`](crate::clock::now)'s
        /// clock, as far as can be told.
        until: Option<Instant>,
        /// How far `until` lay ahead when it was refused.
        wait: Option<Duration>,
    },
    /// No answer came, and sending it again was not safe, or did not help.
    Transport {
        /// Method and path, without tokens.
        request: String,
        /// How far it got.
        failure: Failure,
        /// What went wrong.
        reason: String,
    },
    /// No answer came in time. Discord may have executed the request all the same.
    Timeout {
        /// Method and path, without tokens.
        request: String,
        /// How long was waited.
        after: Duration,
    },
    /// The request cannot be sent as it is: the caller's mistake.
    BadRequest {
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// The answer is not of the form that was asked for.
    Answer {
        /// Method and path, without tokens.
        request: String,
        /// What does not fit.
        reason: String,
    },
    /// The client was shut down.
    Stopped,
}

impl RestError {
    pub(crate) fn bad_request(reason: impl fmt::Display) -> Self {
        Self::BadRequest {
            reason: reason.to_string(),
        }
    }

    /// What Discord said, if it was Discord that refused.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.api().map(|error| error.status)
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::Refused {
                request, why, wait, ..
            } => {
                write!(f, "{request} was not sent: {why}")?;
                match wait {
                    Some(wait) => write!(f, " (possible in {} ms)", wait.as_millis()),
                    None => Ok(()),
                }
            }
            Self::Transport {
                request,
                failure,
                reason,
            } => {
                write!(f, "{request} got no answer: {reason} ({failure})")
            }
            Self::Timeout { request, after } => write!(
                f,
                "{request} got no answer within {} ms: Discord may have executed it; raise rest.timeout_ms if this \
                 happens often",
                after.as_millis()
            ),
            Self::BadRequest { reason } => write!(f, "the request cannot be sent: {reason}"),
            Self::Answer { request, reason } => {
                write!(
                    f,
                    "{request} was answered with something else than was asked for: {reason}"
                )
            }
            Self::Stopped => f.write_str("the REST client was shut down: make a new one"),
        }
    }
}

impl std::error::Error for RestError {}

/// A path whose webhook and interaction tokens are hidden, without its query: it may be shown.
pub(crate) fn masked(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut shown = String::with_capacity(path.len());
    // How many segments ago a word stood behind which an id and a token follow.
    let mut since = 0;
    for (n, segment) in path.split('/').enumerate() {
        if n > 0 {
            shown.push('/');
        }
        since = match segment {
            "webhooks" | "interactions" => 1,
            _ if since > 0 => since + 1,
            _ => 0,
        };
        shown.push_str(if since == 3 { "[token]" } else { segment });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_paths_are_hidden() {
        for (path, shown) in [
            ("/channels/1/messages?limit=1", "/channels/1/messages"),
            ("/webhooks/1", "/webhooks/1"),
            (
                "/api/v10/webhooks/1/secret?wait=true",
                "/api/v10/webhooks/1/[token]",
            ),
            (
                "/webhooks/1/secret/messages/@original",
                "/webhooks/1/[token]/messages/@original",
            ),
            (
                "/interactions/1/secret/callback",
                "/interactions/1/[token]/callback",
            ),
            ("/guilds/1/webhooks", "/guilds/1/webhooks"),
        ] {
            assert_eq!(masked(path), shown);
        }
    }
}
