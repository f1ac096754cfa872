//! What a path says, as JSON: the same for every language.

use alloc::string::{String, ToString};
use core::fmt::Write as _;

use serde_json::json;

use super::Status;
use crate::rest::route::{Major, Method, Route};

/// The route of a method and a path, such as `PUT /channels/1/pins/2`, as a JSON object: `method`, `template` (the path
/// without its ids), `listed` (whether Discord documents it), `major` (`none`, or a kind and its id) and `key`: paths
/// with equal keys share a bucket until Discord's hash of it is known.
///
/// # Errors
///
/// [`Status::BadRoute`] if the text is not a method, a space and a path.
///
/// ```
/// use shardkeep_core::record::route_text;
///
/// let route: serde_json::Value = serde_json::from_str(&route_text("PUT /channels/1/pins/2")?).unwrap();
/// assert_eq!(route["template"], "/channels/{channel_id}/pins/{message_id}");
/// assert_eq!(route["major"], "channel:1");
/// assert_eq!(route["key"], "PUT /channels/{channel_id}/pins/{message_id} channel:1");
/// # Ok::<(), shardkeep_core::record::Status>(())
/// ```
pub fn route_text(text: &str) -> Result<String, Status> {
    let (method, path) = text.split_once(' ').ok_or(Status::BadRoute)?;
    let method: Method = method.parse().map_err(|_| Status::BadRoute)?;
    let route = Route::parse(method, path).map_err(|_| Status::BadRoute)?;
    let template = route.template().to_string();
    let major = major_text(route.major());
    let mut key = String::new();
    write!(key, "{method} {template} {major}").expect("a String takes every text");
    let route = json!({
        "method": method.as_str(),
        "template": template,
        "listed": route.is_listed(),
        "major": major,
        "key": key,
    });
    Ok(route.to_string())
}

/// Tokens are hashes.
fn major_text(major: Major) -> String {
    let mut text = String::new();
    let written = match major {
        Major::None => write!(text, "none"),
        Major::Guild(id) => write!(text, "guild:{id}"),
        Major::Channel(id) => write!(text, "channel:{id}"),
        Major::Webhook { id, token: None } => write!(text, "webhook:{id}"),
        Major::Webhook {
            id,
            token: Some(hash),
        } => write!(text, "webhook:{id}:{hash:016x}"),
        Major::Interaction(hash) => write!(text, "interaction:{hash:016x}"),
    };
    written.expect("a String takes every text");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown_and_tell_apart() {
        let of = |text: &str| route_text(text).unwrap();
        let (one, other) = (
            of("POST /webhooks/1/secret"),
            of("POST /webhooks/1/another"),
        );
        assert!(!one.contains("secret"), "{one}");
        assert_ne!(one, other);
        assert_eq!(one, of("post /api/v10/webhooks/1/secret?wait=true"));
        assert!(of("GET /guilds/7/x-new").contains("\"listed\":false"));
        for bad in ["GET", "GET channels/1", "FETCH /channels/1", ""] {
            assert_eq!(route_text(bad), Err(Status::BadRoute), "{bad}");
        }
    }
}
