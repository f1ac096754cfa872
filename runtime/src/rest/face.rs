//! REST as a bot uses it: one token, every route.

use std::fmt;
use std::time::Duration;

use shardkeep_core::Token;
use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{Auth, Explanation, RequestId, Stats};

use super::client::Client;
use super::events::Events;
use super::request::Request;
use super::settings::{Settings, StartError};

/// Discord's REST API for one bot. Cloning gives another handle to the same client.
///
/// Every request waits for its turn: [`Request::send`] returns when Discord has answered, and 429s, failures of
/// Discord's and lost connections are dealt with before that, as far as it is safe.
///
/// ```no_run
/// use serde_json::json;
/// use shardkeep::core::Token;
/// use shardkeep::core::rest::route::Method;
/// use shardkeep::rest::{Rest, Settings};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let rest = Rest::start(&Token::new("not.a.token")?, Settings::default())?;
/// let channel = "/channels/81384788765712384/messages";
/// let response = rest.request(Method::Post, channel).json(&json!({ "content": "hello" })).send().await?;
/// println!("{}", response.json::<serde_json::Value>()?["id"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Rest {
    client: Client,
    auth: Auth,
}

impl Rest {
    /// A client of its own for this token, on a thread of its own.
    ///
    /// # Errors
    ///
    /// As [`Client::start`].
    pub fn start(token: &Token, settings: Settings) -> Result<Self, StartError> {
        let client = Client::start(settings)?;
        let auth = client.add_token(token);
        Ok(Self::new(client, auth))
    }

    /// The face of a client for one of its identities.
    #[must_use]
    pub const fn new(client: Client, auth: Auth) -> Self {
        Self { client, auth }
    }

    /// What is beneath: requests as they are, other identities.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Whose requests these are.
    #[must_use]
    pub const fn auth(&self) -> Auth {
        self.auth
    }

    /// Begins a request to any route. `path` is what stands below the API's base: `/users/@me`.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        Request::new(self.client.clone(), self.auth, method, path.into())
    }

    /// As [`Client::explain`].
    #[must_use]
    pub fn explain(&self, id: RequestId) -> Option<Explanation> {
        self.client.explain(id)
    }

    /// As [`Client::stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.client.stats()
    }

    /// As [`Client::events`].
    #[must_use]
    pub fn events(&self) -> Events {
        self.client.events()
    }

    /// As [`Client::shutdown`].
    pub async fn shutdown(&self, limit: Duration) -> bool {
        self.client.shutdown(limit).await
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
