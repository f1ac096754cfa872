//! Answers: Discord's as clients get them, and the proxy's own in the form of Discord's errors.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use shardkeep_core::rest::{Failure, Refusal};

use super::headers;
use super::reason::Reason;
use crate::clock;
use crate::rest::{Answer, RestError};

pub(super) type Reply = Response<Full<Bytes>>;

/// What the proxy answers where Discord has not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) reason: Reason,
    /// What is wrong, and what to do.
    pub(super) message: String,
    /// After how long asking again makes sense.
    pub(super) wait: Option<Duration>,
}

impl Refused {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            wait: None,
        }
    }

    pub(super) fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    fn of_refusal(why: Refusal, wait: Option<Duration>) -> Self {
        let reason = match why {
            Refusal::QueueFull => Reason::QueueFull,
            Refusal::DeadlineTooSoon => Reason::DeadlineTooSoon,
            Refusal::DeadlinePassed => Reason::DeadlinePassed,
            Refusal::Cancelled => Reason::Cancelled,
            Refusal::TokenRejected => Reason::TokenRejected,
            Refusal::WebhookGone => Reason::WebhookGone,
            Refusal::Quarantined => Reason::Quarantined,
            Refusal::InvalidBudgetSpent => Reason::InvalidBudgetSpent,
            _ => Reason::Failed,
        };
        let message = match reason {
            // Discord's own words, which libraries may look for.
            Reason::TokenRejected => "401: Unauthorized".to_owned(),
            Reason::WebhookGone => "Unknown Webhook".to_owned(),
            _ => why.explain().to_owned(),
        };
        Self {
            reason,
            message,
            wait,
        }
    }

    /// The JSON of the answer.
    fn body(&self) -> Value {
        let until_ms = self.wait.map(|wait| {
            clock::unix_ms().saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
        });
        let mut body = json!({
            "message": self.message,
            "code": self.reason.code(),
            "shardkeep": { "reason": self.reason.name(), "until_ms": until_ms },
        });
        if let Some(wait) = self.wait {
            body["retry_after"] = json!(wait.as_millis() as f64 / 1_000.0);
        }
        if self.reason.status() == StatusCode::TOO_MANY_REQUESTS {
            body["global"] = json!(self.reason == Reason::InvalidBudgetSpent);
            let wait = self.wait.unwrap_or(Duration::from_secs(1));
            body["retry_after"] = json!(wait.as_millis() as f64 / 1_000.0);
        }
        body
    }

    pub(super) fn reply(&self) -> Reply {
        let mut reply = json_reply(self.reason.status(), &self.body());
        let headers = reply.headers_mut();
        if let Some(wait) = self.wait {
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let value = HeaderValue::from_str(&seconds.to_string()).expect("digits are a header");
            headers.insert(header::RETRY_AFTER, value);
        }
        if self.reason.status() == StatusCode::TOO_MANY_REQUESTS {
            // Libraries take a 429 without `Via` for Cloudflare's, and give up.
            let is_global = self.reason == Reason::InvalidBudgetSpent;
            let scope = if is_global { "global" } else { "user" };
            set(headers, "x-ratelimit-scope", scope);
            set(headers, "via", "1.1 shardkeep");
            if is_global {
                set(headers, "x-ratelimit-global", "true");
            }
        }
        reply
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    );
}

impl From<RestError> for Refused {
    fn from(error: RestError) -> Self {
        let text = error.to_string();
        match error {
            RestError::Refused { why, wait, .. } => Self::of_refusal(why, wait),
            RestError::Transport {
                failure: Failure::NotSent,
                ..
            } => Self::new(Reason::Unreachable, text),
            RestError::Transport { .. } => Self::new(Reason::Unanswered, text),
            RestError::Timeout { .. } => Self::new(Reason::Timeout, text),
            RestError::BadRequest { reason } => Self::new(Reason::BadRequest, reason),
            RestError::Stopped => Self::stopping(),
            RestError::Api(_) | RestError::Answer { .. } => Self::new(Reason::Failed, text),
        }
    }
}

impl Refused {
    pub(super) fn stopping() -> Self {
        let message = "the proxy is shutting down: ask again, of its successor";
        Self::new(Reason::Stopping, message).wait(Duration::from_secs(1))
    }
}

pub(super) fn json_reply(status: StatusCode, body: &Value) -> Reply {
    text_reply(status, "application/json", body.to_string())
}

pub(super) fn text_reply(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Discord's answer as a client gets it.
pub(super) fn from_discord(answer: &Answer) -> Reply {
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        let message = format!("Discord answered with the status {}", answer.status);
        return Refused::new(Reason::Failed, message).reply();
    };
    let mut reply = Response::new(Full::new(answer.body.clone()));
    *reply.status_mut() = status;
    *reply.headers_mut() = headers::returned(&answer.headers, answer.status);
    reply
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn read(reply: Reply) -> (u16, HeaderMap, Value) {
        let (parts, body) = reply.into_parts();
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        let mut collecting = std::pin::pin!(body.collect());
        let std::task::Poll::Ready(Ok(body)) =
            std::future::Future::poll(collecting.as_mut(), &mut context)
        else {
            panic!("a body in memory is there at once");
        };
        let json = serde_json::from_slice(&body.to_bytes()).expect("JSON");
        (parts.status.as_u16(), parts.headers, json)
    }

    fn refused(why: Refusal, wait_ms: Option<u64>) -> (u16, HeaderMap, Value) {
        let error = RestError::Refused {
            request: "GET /x".to_owned(),
            why,
            until: None,
            wait: wait_ms.map(Duration::from_millis),
        };
        read(Refused::from(error).reply())
    }

    #[test]
    fn every_refusal_has_a_status_and_a_name() {
        for &why in Refusal::ALL {
            let (status, _, body) = refused(why, None);
            assert!((400..600).contains(&status), "{why:?}");
            assert_ne!(body["shardkeep"]["reason"], "failed", "{why:?}");
        }
    }

    #[test]
    fn waiting_is_told_as_discord_tells_it() {
        let (status, headers, body) = refused(Refusal::QueueFull, Some(1_200));
        assert_eq!(
            (status, &headers["retry-after"]),
            (503, &HeaderValue::from_static("2"))
        );
        assert_eq!(body["retry_after"], 1.2);
        assert!(body["shardkeep"]["until_ms"].as_u64() > Some(1_700_000_000_000));
        let (status, headers, body) = refused(Refusal::Quarantined, Some(10_000));
        assert_eq!(
            (status, &headers["x-ratelimit-scope"]),
            (429, &HeaderValue::from_static("user"))
        );
        assert_eq!(
            (&body["global"], &body["retry_after"]),
            (&json!(false), &json!(10.0))
        );
        assert!(headers.contains_key("via"));
        let (_, headers, body) = refused(Refusal::InvalidBudgetSpent, Some(1));
        assert_eq!(body["global"], true);
        assert!(headers.contains_key("x-ratelimit-global"));
    }

    #[test]
    fn what_libraries_look_for_is_in_discords_words() {
        let (status, _, body) = refused(Refusal::WebhookGone, None);
        assert_eq!((status, &body["code"]), (404, &json!(10_015)));
        let (status, _, body) = refused(Refusal::TokenRejected, None);
        assert_eq!(
            (status, &body["message"]),
            (401, &json!("401: Unauthorized"))
        );
    }
}
