//! What only body and clock tell of a request: which of a route's hidden limits counts it, and whether it may be sent
//! twice.

use serde::Deserialize;
use serde::de::IgnoredAny;
use shardkeep_core::rest::route::{MessageAge, Method, Route};

use super::error::RestError;
use super::raw::RawRequest;
use crate::clock;

/// The class of a `PATCH` of a channel that changes its name or topic: Discord allows two in ten minutes.
const NAME_OR_TOPIC: u8 = 1;

/// What the scheduler is told beside method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hints {
    pub(super) class: u8,
    pub(super) is_repeatable: bool,
}

/// The fields that matter, of all that a body may have.
#[derive(Default, Deserialize)]
struct Fields {
    name: Option<IgnoredAny>,
    topic: Option<IgnoredAny>,
    nonce: Option<IgnoredAny>,
    enforce_nonce: Option<bool>,
}

impl Fields {
    /// What is no JSON has no such fields, and Discord will say what it thinks of it.
    fn of(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }
}

impl RawRequest {
    /// Tells from the JSON of a form what [`Hints`] cannot see in it.
    pub(super) fn look_into(&mut self, json: &[u8]) {
        if self.is_repeatable.is_none() {
            self.is_repeatable = Some(is_repeatable(self.method, &self.path, json));
        }
    }
}

impl Hints {
    pub(super) fn of(request: &RawRequest) -> Result<Self, RestError> {
        let RawRequest { method, path, .. } = request;
        let route = Route::parse(*method, path).map_err(RestError::bad_request)?;
        let json: &[u8] = request.body.bytes().map_or(&[], |bytes| bytes);
        let class = request
            .class
            .unwrap_or_else(|| class(*method, path, &route, json));
        let is_repeatable = request
            .is_repeatable
            .unwrap_or_else(|| is_repeatable(*method, path, json));
        Ok(Self {
            class,
            is_repeatable,
        })
    }
}

fn class(method: Method, path: &str, route: &Route, json: &[u8]) -> u8 {
    match method {
        Method::Delete => {
            let age = route
                .message()
                .map(|message| MessageAge::of(message, clock::unix_ms()));
            age.map_or(0, MessageAge::number)
        }
        Method::Patch if is_channel(path) => {
            let fields = Fields::of(json);
            let is_limited = fields.name.is_some() || fields.topic.is_some();
            if is_limited { NAME_OR_TOPIC } else { 0 }
        }
        _ => 0,
    }
}

/// Discord creates one message for a nonce, however often it is told to.
fn is_repeatable(method: Method, path: &str, json: &[u8]) -> bool {
    let is_message = method == Method::Post && segments(path).any(|segment| segment == "messages");
    is_message && {
        let fields = Fields::of(json);
        fields.nonce.is_some() && fields.enforce_nonce == Some(true)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split(['?', '#'])
        .next()
        .unwrap_or_default()
        .split('/')
        .filter(|segment| !segment.is_empty())
}

/// Whether a path is that of a channel itself.
fn is_channel(path: &str) -> bool {
    let mut segments = segments(path);
    segments.next() == Some("channels") && segments.next().is_some() && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use shardkeep_core::rest::Auth;

    use super::super::body::Body;
    use super::*;

    fn hints(method: Method, path: &str, body: &'static str) -> (u8, bool) {
        let mut request = RawRequest::new(Auth(1), method, path);
        request.body = Body::from(body);
        let hints = Hints::of(&request).unwrap();
        (hints.class, hints.is_repeatable)
    }

    #[test]
    fn hidden_limits_are_told_from_what_a_request_does() {
        assert_eq!(
            hints(
                Method::Patch,
                "/channels/1",
                r#"{"topic":null,"nsfw":true}"#
            )
            .0,
            0
        );
        assert_eq!(
            hints(Method::Patch, "/channels/1?x=y", r#"{"name":"general"}"#).0,
            NAME_OR_TOPIC
        );
        assert_eq!(
            hints(
                Method::Patch,
                "/channels/1/messages/2",
                r#"{"name":"general"}"#
            )
            .0,
            0
        );
        assert_eq!(
            hints(Method::Patch, "/guilds/1", r#"{"name":"general"}"#).0,
            0
        );
        assert_eq!(hints(Method::Patch, "/channels/1", "no json").0, 0);
        assert_eq!(
            hints(
                Method::Delete,
                "/channels/1/messages/175928847299117063",
                ""
            )
            .0,
            MessageAge::Old.number()
        );
        assert_eq!(hints(Method::Delete, "/channels/1", "").0, 0);
    }

    #[test]
    fn only_a_nonce_that_is_enforced_makes_a_post_repeatable() {
        let path = "/channels/1/messages";
        assert!(
            hints(
                Method::Post,
                path,
                r#"{"content":"x","nonce":"1","enforce_nonce":true}"#
            )
            .1
        );
        assert!(!hints(Method::Post, path, r#"{"content":"x","nonce":"1"}"#).1);
        assert!(
            !hints(
                Method::Post,
                path,
                r#"{"content":"x","enforce_nonce":true}"#
            )
            .1
        );
        assert!(
            !hints(
                Method::Post,
                "/guilds/1/channels",
                r#"{"nonce":"1","enforce_nonce":true}"#
            )
            .1
        );
    }

    #[test]
    fn a_path_that_is_none_is_the_callers_mistake() {
        let request = RawRequest::new(Auth(1), Method::Get, "users/@me");
        assert!(matches!(
            Hints::of(&request),
            Err(RestError::BadRequest { .. })
        ));
    }
}
