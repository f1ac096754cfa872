//! A request as it is: method, path, headers, body, and how urgent it is.

use std::fmt;

use http::HeaderMap;
use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{Auth, Priority, Sharing};
use shardkeep_core::{Instant, Snowflake};

use super::body::Body;
use super::error::masked;

/// A request as it is: what a proxy has, and what [`Rest`](super::Rest) makes.
///
/// ```
/// use shardkeep::core::rest::Auth;
/// use shardkeep::core::rest::route::Method;
/// use shardkeep::rest::{Body, RawRequest};
///
/// let mut request = RawRequest::new(Auth(1), Method::Post, "/channels/81384788765712384/messages");
/// request.body = Body::from(r#"{"content":"hello"}"#);
/// ```
#[non_exhaustive]
pub struct RawRequest {
    /// Whose credentials it carries: what [`Client::add_token`](super::Client::add_token) answered, or [`Auth::NONE`].
    pub auth: Auth,
    /// The method.
    pub method: Method,
    /// The path below the API's base, with its query: `/channels/1/messages?limit=50`.
    pub path: String,
    /// Headers beside those that the client sets: `Host`, `Authorization`, `User-Agent`, and the body's length.
    pub headers: HeaderMap,
    /// The body. Its `Content-Type` is among the headers.
    pub body: Body,
    /// How urgent it is.
    pub priority: Priority,
    /// The last moment at which sending it makes sense, on [`clock::now`](crate::clock::now)'s clock.
    pub deadline: Option<Instant>,
    /// The guild it is for, where the path does not say.
    pub guild: Option<Snowflake>,
    /// What tells apart requests of one route that Discord limits differently; told from path and body if `None`.
    pub class: Option<u8>,
    /// Which requests it may share an answer with.
    pub sharing: Sharing,
    /// Whether repeating it does no harm although it is a `POST`; told from path and body if `None`.
    pub is_repeatable: Option<bool>,
}

impl RawRequest {
    /// A request of normal priority, without body and deadline.
    #[must_use]
    pub fn new(auth: Auth, method: Method, path: impl Into<String>) -> Self {
        Self {
            auth,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            priority: Priority::Normal,
            deadline: None,
            guild: None,
            class: None,
            sharing: Sharing::Alone,
            is_repeatable: None,
        }
    }
}

impl fmt::Debug for RawRequest {
    /// Neither tokens in the path nor headers nor the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("auth", &self.auth)
            .field("method", &self.method)
            .field("path", &masked(&self.path))
            .field("body", &self.body)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}
