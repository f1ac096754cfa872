//! Reading a request's path: which rule it falls under, what its major parameter is, and the route's name.

use super::rule::Major;

/// Interaction tokens are base64 of `interaction:` and more.
const INTERACTION_TOKEN: &str = "aW50ZXJhY3Rpb246";

/// A path in segments, without version and query.
#[derive(Clone, Debug)]
pub(crate) struct Path<'a> {
    pub(crate) segments: Vec<&'a str>,
}

impl<'a> Path<'a> {
    /// Reads `/api/v10/...`, `/api/...` or the path below.
    pub(crate) fn parse(path_and_query: &'a str) -> Self {
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        let mut segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        if segments.first() == Some(&"api") {
            let versioned = segments.get(1).is_some_and(|second| is_version(second));
            segments.drain(..if versioned { 2 } else { 1 });
        }
        Self { segments }
    }

    /// Whether no global limit counts it: an interaction's callback and follow-ups.
    pub(crate) fn is_interaction(&self) -> bool {
        match self.segments.as_slice() {
            ["interactions", _, _, "callback"] => true,
            ["webhooks", _, token, ..] => token.starts_with(INTERACTION_TOKEN),
            _ => false,
        }
    }

    /// The route as clients know it, without ids: `channels/{id}/messages/{id}/reactions/{emoji}/@me`.
    pub(crate) fn write_route(&self, method: &str, out: &mut String) {
        out.push_str(method);
        out.push(' ');
        let mut before = "";
        for (at, &segment) in self.segments.iter().enumerate() {
            out.push('/');
            let token = at == 2 && matches!(self.segments[0], "webhooks" | "interactions");
            if token {
                out.push_str("{token}");
            } else if before == "reactions" {
                out.push_str("{emoji}");
            } else if matches!(before, "invites" | "templates") {
                out.push_str("{code}");
            } else if segment.bytes().all(|byte| byte.is_ascii_digit()) {
                out.push_str("{id}");
            } else {
                out.push_str(segment);
            }
            before = segment;
        }
    }

    /// The documented major parameter: the first resource of the path.
    pub(crate) fn documented_major(&self) -> u64 {
        match self.segments.as_slice() {
            ["channels" | "guilds", id, ..] => value(id),
            ["webhooks", id, token, ..] => pair(id, token),
            ["webhooks", id] => value(id),
            ["interactions", _, token, ..] => value(token),
            _ => 0,
        }
    }
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// An id as it is; anything else by its digest, so that no token is kept.
fn value(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| crate::digest(text.as_bytes()))
}

fn pair(id: &str, token: &str) -> u64 {
    value(id) ^ crate::digest(token.as_bytes()).rotate_left(1)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Placeholder(String),
}

/// A path with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    /// Whether it ends in `**`.
    open: bool,
}

impl Template {
    /// `None` for what does not begin with a slash or has `**` before its end.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let below = path.strip_prefix('/')?;
        let (below, open) = match below.strip_suffix("**") {
            Some(rest) => (rest, true),
            None => (below, false),
        };
        let mut pieces = Vec::new();
        for segment in below.split('/').filter(|segment| !segment.is_empty()) {
            let inner = segment
                .strip_prefix('{')
                .and_then(|segment| segment.strip_suffix('}'));
            pieces.push(match inner {
                Some(name) => Piece::Placeholder(name.to_owned()),
                None if segment == "**" => return None,
                None => Piece::Literal(segment.to_owned()),
            });
        }
        Some(Self { pieces, open })
    }

    /// Whether a path fits. A placeholder takes no `@me`: those are routes of their own.
    pub(crate) fn fits(&self, path: &Path<'_>) -> bool {
        let length = path.segments.len();
        if length < self.pieces.len() || (length > self.pieces.len() && !self.open) {
            return false;
        }
        self.pieces
            .iter()
            .zip(&path.segments)
            .all(|(piece, &segment)| match piece {
                Piece::Literal(literal) => literal == segment,
                Piece::Placeholder(_) => segment != "@me",
            })
    }

    /// What stands for a placeholder in a path that fits.
    pub(crate) fn find<'a>(&self, path: &Path<'a>, name: &str) -> Option<&'a str> {
        let at = self
            .pieces
            .iter()
            .position(|piece| matches!(piece, Piece::Placeholder(there) if there == name))?;
        path.segments.get(at).copied()
    }

    /// The value of a major parameter. `channel_of` knows which channel a webhook posts to.
    pub(crate) fn major(
        &self,
        path: &Path<'_>,
        major: Option<Major>,
        channel_of: impl Fn(u64) -> Option<u64>,
    ) -> u64 {
        let of = |name| self.find(path, name).map_or(0, value);
        let webhook = || {
            let (id, token) = (
                self.find(path, "webhook_id"),
                self.find(path, "webhook_token"),
            );
            match (id, token) {
                (Some(id), Some(token)) => pair(id, token),
                (Some(id), None) => value(id),
                _ => 0,
            }
        };
        match major {
            None => path.documented_major(),
            Some(Major::None) => 0,
            Some(Major::Guild) => of("guild_id"),
            Some(Major::Webhook) => of("webhook_id"),
            Some(Major::WebhookToken) => webhook(),
            Some(Major::Interaction) => of("interaction_token"),
            Some(Major::Channel) => match self.find(path, "channel_id") {
                Some(id) => value(id),
                None => channel_of(of("webhook_id")).unwrap_or_else(webhook),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> String {
        let mut out = String::new();
        Path::parse(path).write_route(method, &mut out);
        out
    }

    #[test]
    fn routes_have_no_ids_in_them() {
        for (path, name) in [
            (
                "/api/v10/channels/1/messages?limit=5",
                "GET /channels/{id}/messages",
            ),
            (
                "/channels/1/messages/2/reactions/a%3A5/@me",
                "GET /channels/{id}/messages/{id}/reactions/{emoji}/@me",
            ),
            (
                "/api/webhooks/1/secret/messages/@original",
                "GET /webhooks/{id}/{token}/messages/@original",
            ),
            (
                "/interactions/1/secret/callback",
                "GET /interactions/{id}/{token}/callback",
            ),
            ("/users/@me", "GET /users/@me"),
            ("/guilds/templates/abc", "GET /guilds/templates/{code}"),
        ] {
            assert_eq!(route("GET", path), name);
        }
    }

    #[test]
    fn templates_fit_paths() {
        let reactions =
            Template::parse("/channels/{channel_id}/messages/{message_id}/reactions/**").unwrap();
        assert!(reactions.fits(&Path::parse(
            "/api/v9/channels/1/messages/2/reactions/x/@me"
        )));
        assert!(reactions.fits(&Path::parse("/channels/1/messages/2/reactions")));
        assert!(!reactions.fits(&Path::parse("/channels/1/messages/2")));
        let user = Template::parse("/users/{user_id}").unwrap();
        assert!(user.fits(&Path::parse("/users/5")) && !user.fits(&Path::parse("/users/@me")));
        assert_eq!(user.find(&Path::parse("/users/5"), "user_id"), Some("5"));
        assert_eq!(Template::parse("users"), None);
    }

    #[test]
    fn majors_are_read_from_the_path() {
        let none = |_| None;
        let hook = Template::parse("/webhooks/{webhook_id}/{webhook_token}").unwrap();
        let (a, b) = (Path::parse("/webhooks/7/a"), Path::parse("/webhooks/7/b"));
        assert_ne!(hook.major(&a, None, none), hook.major(&b, None, none));
        assert_eq!(
            hook.major(&a, Some(Major::WebhookToken), none),
            hook.major(&a, None, none)
        );
        assert_eq!(hook.major(&a, Some(Major::Webhook), none), 7);
        assert_eq!(hook.major(&a, Some(Major::Channel), |id| Some(id + 1)), 8);
        let channel = Template::parse("/channels/{channel_id}/**").unwrap();
        let path = Path::parse("/channels/9/messages");
        assert_eq!(channel.major(&path, None, none), 9);
        assert_eq!(channel.major(&path, Some(Major::None), none), 0);
    }

    #[test]
    fn interactions_are_told_from_other_webhooks() {
        assert!(Path::parse("/api/v10/interactions/1/t/callback").is_interaction());
        assert!(Path::parse("/webhooks/1/aW50ZXJhY3Rpb246abc/messages/@original").is_interaction());
        assert!(!Path::parse("/webhooks/1/abc").is_interaction());
    }
}
