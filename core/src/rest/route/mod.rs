//! Routes: what of a request's method and path decides which limits it falls under.

mod age;
mod error;
mod hash;
mod major;
mod method;
mod segments;
mod table;
mod template;
mod trie;
mod unlisted;

use alloc::string::String;
use core::fmt;

use crate::id::Snowflake;

pub use age::MessageAge;
pub use error::RouteError;
pub use major::Major;
pub use method::{Method, MethodError};
pub use segments::PATH_MAX;
pub use template::Template;

use major::{Facts, Head};
use segments::Segments;

/// Where an interaction is answered for the first time.
const CALLBACK: u16 =
    table::position("/interactions/{interaction_id}/{interaction_token}/callback");

/// Where a message is deleted.
const MESSAGE: u16 = table::position("/channels/{channel_id}/messages/{message_id}");

/// What a request's method and path say about its limits. It holds no text of the path, so no token either.
///
/// Two routes are equal if everything that is read out of them is. Limits are counted by [`Route::key`], which leaves
/// out what is not major.
///
/// ```
/// use shardkeep_core::Snowflake;
/// use shardkeep_core::rest::route::{Major, Method, Route};
///
/// let route = Route::parse(Method::Put, "/api/v10/channels/7/messages/8/reactions/%F0%9F%94%A5/@me")?;
/// assert_eq!(route.major(), Major::Channel(Snowflake(7)));
/// assert_eq!(
///     route.to_string(),
///     "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me"
/// );
/// # Ok::<(), shardkeep_core::rest::route::RouteError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    key: RouteKey,
    access: Access,
    guild: Option<Snowflake>,
    message: Option<Snowflake>,
}

/// What limits are counted by until Discord's hash of the bucket is known: equal for all paths that differ in ids which
/// are not major, and different wherever method, template or major parameter differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey {
    /// The method.
    pub method: Method,
    /// The path without its ids.
    pub template: Template,
    /// The top-level resource.
    pub major: Major,
}

/// What a request shows to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Access {
    /// The bot's token, or none: not the path.
    Header,
    /// A token in the path: a webhook's, or an interaction's on a route that is no callback.
    Path,
    /// The token of an interaction, under `/webhooks/`.
    FollowUp,
    /// The token of an interaction, to answer it for the first time.
    Callback,
}

impl Route {
    /// Reads a request's path.
    ///
    /// The path starts with a slash and holds no host. `/api`, `/v10` and `/api/v10` before it, query and fragment,
    /// doubled and trailing slashes do not matter, nor does what is percent-encoded. A path that Discord does not
    /// document is a route too, by rule: the first segment decides the major parameter; ids, tokens and emoji are told
    /// from literals by their form.
    ///
    /// # Errors
    ///
    /// [`RouteError`] if the text is no path, or one that servers would read otherwise than it is written.
    pub fn parse(method: Method, path: &str) -> Result<Self, RouteError> {
        let segments = Segments::of(path)?;
        let mut facts = Facts::default();
        let mut node = Some(trie::ROOT);
        let mut last = None;
        for segment in segments.clone() {
            facts.read(&segment);
            node = node.and_then(|node| node.step(&segment));
            last = Some(segment);
        }
        let position = node.and_then(trie::Node::template);
        let template = match position {
            Some(position) => Template::listed(position),
            None => Template::other(unlisted::hash(segments)),
        };
        let access = match (facts.head, facts.token) {
            (_, None) => Access::Header,
            _ if position == Some(CALLBACK) && method == Method::Post => Access::Callback,
            (Head::Webhooks, _) if facts.is_interaction => Access::FollowUp,
            _ => Access::Path,
        };
        let message = match last {
            Some(segment) if position == Some(MESSAGE) && method == Method::Delete => {
                segment.number().map(Snowflake)
            }
            _ => None,
        };
        Ok(Self {
            key: RouteKey {
                method,
                template,
                major: facts.major(),
            },
            access,
            guild: facts.guild,
            message,
        })
    }

    /// Method, template and major parameter.
    #[must_use]
    pub const fn key(&self) -> RouteKey {
        self.key
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.key.method
    }

    /// The path without its ids.
    #[must_use]
    pub const fn template(&self) -> Template {
        self.key.template
    }

    /// The top-level resource.
    #[must_use]
    pub const fn major(&self) -> Major {
        self.key.major
    }

    /// Whether Discord documents the method for the path.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.key.template.allows(self.key.method)
    }

    /// Whether the global limit does not count the request: an interaction's callback and follow-ups are exempt.
    #[must_use]
    pub const fn is_global_exempt(&self) -> bool {
        self.is_interaction()
    }

    /// Whether this is the first answer to an interaction: `POST` to its callback. No limit applies to it, and it can
    /// be sent once.
    #[must_use]
    pub const fn is_callback(&self) -> bool {
        matches!(self.access, Access::Callback)
    }

    /// Whether this is the first answer to an interaction or a follow-up. A follow-up looks like a request to a webhook
    /// but for the start of its token.
    #[must_use]
    pub const fn is_interaction(&self) -> bool {
        matches!(self.access, Access::Callback | Access::FollowUp)
    }

    /// Whether a token in the path lets the request in. A 401 then says that this token is wrong, and nothing about
    /// the bot's.
    #[must_use]
    pub const fn authenticates_by_path(&self) -> bool {
        !matches!(self.access, Access::Header)
    }

    /// The message that the request deletes, one by one: its age decides the bucket, see [`MessageAge`].
    #[must_use]
    pub const fn message(&self) -> Option<Snowflake> {
        self.message
    }

    /// The webhook, and the hash of its token if the path has it. `None` for follow-ups: what stands in their path is
    /// the application.
    #[must_use]
    pub const fn webhook(&self) -> Option<(Snowflake, Option<u64>)> {
        match self.key.major {
            Major::Webhook { id, token } => Some((id, token)),
            _ => None,
        }
    }

    /// The guild that the path names, wherever it does: for fairness between guilds and to say where errors come from.
    /// `None` for channels too, whose guild no path tells.
    #[must_use]
    pub const fn guild(&self) -> Option<Snowflake> {
        self.guild
    }
}

impl fmt::Display for Route {
    /// Method and template, such as `GET /channels/{channel_id}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key.method, self.key.template)
    }
}

/// The template of `path` as text, for logs and explanations: the table's, or for a path that it does not have, the
/// path with ids, tokens and emoji replaced.
///
/// # Errors
///
/// [`RouteError`] as in [`Route::parse`].
///
/// ```
/// use shardkeep_core::rest::route::normalised;
///
/// assert_eq!(normalised("/channels/123/new-thing?x=1").unwrap(), "/channels/{id}/new-thing");
/// ```
pub fn normalised(path: &str) -> Result<String, RouteError> {
    let route = Route::parse(Method::Get, path)?;
    if let Some(text) = route.template().text() {
        return Ok(String::from(text));
    }
    let mut text = String::new();
    unlisted::normalise(Segments::of(path)?, |piece| {
        text.extend(piece.iter().copied().map(char::from));
    });
    Ok(text)
}
