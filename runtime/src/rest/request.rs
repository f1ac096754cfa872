//! A request as a program writes it: what it carries, how urgent it is, and sending it.

use std::fmt::{self, Display};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::{Method, Route};
use shardkeep_core::rest::{Auth, Priority, Sharing};
use tokio::io::AsyncRead;
use tokio::sync::watch;

use super::blocking::block_on;
use super::body::{Body, Progress};
use super::client::Client;
use super::error::RestError;
use super::multipart::{Content, Form};
use super::pending::Pending;
use super::percent::{QUERY, REASON, encode};
use super::raw::RawRequest;
use super::response::Response;
use crate::clock;

/// What an audit log keeps of a reason, in characters.
const REASON_CHARS: usize = 512;

const AUDIT_LOG_REASON: HeaderName = HeaderName::from_static("x-audit-log-reason");

/// A request that is being written. [`Rest::request`](super::Rest::request) and the named calls begin one;
/// [`Request::send`] sends it. What cannot be sent is remembered, and is the error of sending.
#[must_use = "nothing happens until it is sent"]
pub struct Request {
    client: Client,
    raw: RawRequest,
    form: Form,
    deadline: Option<Duration>,
    error: Option<RestError>,
}

impl Request {
    pub(super) fn new(client: Client, auth: Auth, method: Method, path: String) -> Self {
        let mut raw = RawRequest::new(auth, method, path);
        if method == Method::Get {
            raw.sharing = Sharing::Same;
        }
        // Whoever has the token in the path needs no other.
        if Route::parse(method, &raw.path).is_ok_and(|route| route.authenticates_by_path()) {
            raw.auth = Auth::NONE;
        }
        Self {
            client,
            raw,
            form: Form::default(),
            deadline: None,
            error: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, RestError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    /// Carries a value as JSON. With files it becomes their `payload_json`.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let json = serde_json::to_vec(value)
            .map_err(|error| RestError::bad_request(format_args!("the body is no JSON: {error}")));
        self.form.json = self.keep(json).map(Bytes::from);
        self
    }

    /// Carries these bytes, of this `Content-Type`.
    pub fn body(mut self, body: impl Into<Body>, content_type: &str) -> Self {
        self.raw.body = body.into();
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Attaches a file whose bytes are in memory, as `files[n]`, with `filename` as its name.
    pub fn file(mut self, filename: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.form
            .add_file(None, filename.into(), Content::Bytes(bytes.into()));
        self
    }

    /// Attaches a file that is read while it is sent. `len` is how many bytes it has, if that is known. The first
    /// 10 MiB are kept for sending it again.
    pub fn file_reader<R>(
        mut self,
        filename: impl Into<String>,
        reader: R,
        len: Option<u64>,
    ) -> Self
    where
        R: AsyncRead + Send + 'static,
    {
        self.form
            .add_file(None, filename.into(), Content::reader(reader, len));
        self
    }

    /// Attaches a file under a field of its own, for the few routes that ask for it: a sticker's is `file`.
    pub fn form_file(
        mut self,
        field: impl Into<String>,
        filename: impl Into<String>,
        bytes: impl Into<Bytes>,
    ) -> Self {
        self.form.add_file(
            Some(field.into()),
            filename.into(),
            Content::Bytes(bytes.into()),
        );
        self
    }

    /// Adds a text field to the form, for the few routes that ask for it.
    pub fn form_field(mut self, field: impl Into<String>, text: impl Into<String>) -> Self {
        self.form.add_field(field.into(), text.into());
        self
    }

    /// Describes the file that was attached last, for those who cannot see it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        if !self.form.describe(text.into()) {
            let error =
                RestError::bad_request("a description belongs to a file: attach the file first");
            self.error.get_or_insert(error);
        }
        self
    }

    /// How far the upload has come, to be watched while the request is sent.
    ///
    /// ```no_run
    /// # async fn f(rest: shardkeep::rest::Rest) -> Result<(), shardkeep::rest::RestError> {
    /// use shardkeep::core::rest::route::Method;
    ///
    /// let mut request = rest.request(Method::Post, "/channels/81384788765712384/messages");
    /// request = request.file("a.bin", vec![0; 4096]);
    /// let mut progress = request.progress();
    /// tokio::spawn(async move {
    ///     while progress.changed().await.is_ok() {
    ///         let now = *progress.borrow();
    ///         println!("{} of {:?} bytes", now.sent, now.total);
    ///     }
    /// });
    /// request.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(&mut self) -> watch::Receiver<Progress> {
        self.form.progress.get_or_insert_default().subscribe()
    }

    /// Why, for the guild's audit log: 1 to 512 characters.
    pub fn reason(mut self, reason: &str) -> Self {
        if (1..=REASON_CHARS).contains(&reason.chars().count()) {
            let mut encoded = String::new();
            encode(&mut encoded, reason, REASON);
            let value = HeaderValue::try_from(encoded).expect("percent-encoded text is ASCII");
            self.raw.headers.insert(AUDIT_LOG_REASON, value);
        } else {
            let error = RestError::bad_request("an audit log's reason has 1 to 512 characters");
            self.error.get_or_insert(error);
        }
        self
    }

    /// Adds a parameter to the query; an array's name is repeated.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let path = &mut self.raw.path;
        path.push(if path.contains('?') { '&' } else { '?' });
        encode(path, name, QUERY);
        path.push('=');
        encode(path, &value.to_string(), QUERY);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let wrong = || {
            RestError::bad_request(format_args!(
                "the header {name:?} cannot be sent: its value is one line of ASCII"
            ))
        };
        let header = HeaderName::try_from(name)
            .map_err(|_| wrong())
            .and_then(|name| Ok((name, HeaderValue::try_from(value).map_err(|_| wrong())?)));
        if let Some((name, value)) = self.keep(header) {
            self.raw.headers.insert(name, value);
        }
        self
    }

    /// How urgent it is. Normal unless changed; what belongs to interactions is urgent by itself.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.raw.priority = priority;
        self
    }

    /// How long sending it makes sense from when it is submitted. If it cannot be sent by then it is refused at once,
    /// with the time it would take.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    /// The guild it is for, where the path does not say: guilds take turns, and one that causes invalid requests is
    /// told apart.
    pub fn guild(mut self, guild: Snowflake) -> Self {
        self.raw.guild = Some(guild);
        self
    }

    /// Replaces a waiting `PATCH` or `PUT` of the same path, whose caller gets the answer to this one: for a message
    /// that is edited faster than Discord allows.
    pub fn last_wins(mut self) -> Self {
        self.raw.sharing = Sharing::LastWins;
        self
    }

    /// Sends a `GET` even if an identical one waits or is under way. By default one answer serves both.
    pub fn no_coalesce(mut self) -> Self {
        self.raw.sharing = Sharing::Alone;
        self
    }

    /// Queues it: the number is known at once, and the answer, whatever its status, is what [`Pending`] waits for.
    ///
    /// # Errors
    ///
    /// [`RestError::BadRequest`] if it cannot be sent as it is; else as [`Client::submit`].
    pub fn submit(self) -> Result<Pending, RestError> {
        let Self {
            client,
            mut raw,
            form,
            deadline,
            error,
        } = self;
        if let Some(error) = error {
            return Err(error);
        }
        form.fill(&mut raw)?;
        raw.deadline = deadline.map(|within| clock::now() + within);
        client.submit(raw)
    }

    /// Sends it and waits for Discord's answer. Dropping the future cancels the request.
    ///
    /// # Errors
    ///
    /// [`RestError::Api`] if Discord refuses it; the others as they say.
    pub async fn send(self) -> Result<Response, RestError> {
        let pending = self.submit()?;
        let called = pending.called();
        Response::check(called, pending.await?)
    }

    /// As [`Request::send`], blocking the thread: for programs without a runtime. Not for tasks of one.
    ///
    /// # Errors
    ///
    /// As [`Request::send`].
    pub fn send_blocking(self) -> Result<Response, RestError> {
        block_on(self.send())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = super::error::masked(&self.raw.path);
        f.debug_struct("Request")
            .field("method", &self.raw.method)
            .field("path", &path)
            .finish_non_exhaustive()
    }
}
