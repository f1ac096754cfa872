//! Headers and bodies as Discord writes them.

use super::rule::Scope;
use super::window::{Room, Spec};

/// A status, headers and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// Header names and values.
pub type Headers = Vec<(&'static str, String)>;

impl Reply {
    /// A header's value; names are compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(there, _)| there.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What `Via` says on everything that Discord itself answered.
const VIA: &str = "1.1 sim";

/// Seconds with three decimals, rounded up.
pub(crate) fn seconds(us: u64) -> String {
    let ms = us.div_ceil(1_000);
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// What every answer of Discord's has.
pub(crate) fn origin() -> Headers {
    let mut headers = Headers::with_capacity(8);
    headers.push(("Content-Type", "application/json".to_owned()));
    headers.push(("Via", VIA.to_owned()));
    headers
}

/// A bucket as headers show it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) hash: std::sync::Arc<str>,
    pub(crate) spec: Spec,
    pub(crate) room: Room,
    /// Now, in microseconds since 1970.
    pub(crate) unix_us: u64,
}

impl Shown {
    pub(crate) fn write(&self, headers: &mut Headers) {
        let Room {
            remaining,
            reset_after_us,
            ..
        } = self.room;
        headers.push(("X-RateLimit-Limit", self.spec.limit.to_string()));
        headers.push(("X-RateLimit-Remaining", remaining.to_string()));
        headers.push((
            "X-RateLimit-Reset",
            seconds(self.unix_us.saturating_add(reset_after_us)),
        ));
        headers.push(("X-RateLimit-Reset-After", seconds(reset_after_us)));
        headers.push(("X-RateLimit-Bucket", self.hash.to_string()));
    }
}

fn too_many(mut headers: Headers, retry_us: u64, scope: &str, message: &str) -> Reply {
    let global = scope == "global";
    headers.push(("Retry-After", retry_us.div_ceil(1_000_000).to_string()));
    headers.push(("X-RateLimit-Scope", scope.to_owned()));
    if global {
        headers.push(("X-RateLimit-Global", "true".to_owned()));
    }
    let body = format!(
        r#"{{"message":"{message}","retry_after":{},"global":{global}}}"#,
        seconds(retry_us)
    );
    Reply {
        status: 429,
        headers,
        body: body.into_bytes(),
    }
}

/// The 429 of the global limit.
pub(crate) fn over_global(retry_us: u64) -> Reply {
    too_many(origin(), retry_us, "global", "You are being rate limited.")
}

/// The 429 of a bucket, or of a hidden limit behind it.
pub(crate) fn over_bucket(shown: &Shown, retry_us: u64, scope: Scope) -> Reply {
    let mut headers = origin();
    shown.write(&mut headers);
    match scope {
        Scope::User => too_many(headers, retry_us, "user", "You are being rate limited."),
        Scope::Shared => too_many(
            headers,
            retry_us,
            "shared",
            "The resource is being rate limited.",
        ),
    }
}

/// What Cloudflare answers for Discord.
pub(crate) fn banned(retry_us: u64) -> Reply {
    Reply {
        status: 429,
        headers: vec![
            ("Content-Type", "text/html; charset=UTF-8".to_owned()),
            ("Retry-After", retry_us.div_ceil(1_000_000).to_string()),
            ("Server", "cloudflare".to_owned()),
        ],
        body: b"error code: 1015".to_vec(),
    }
}

/// A 5xx without any header of Discord's.
pub(crate) fn failed(status: u16) -> Reply {
    Reply {
        status,
        headers: vec![
            ("Content-Type", "text/html; charset=UTF-8".to_owned()),
            ("Server", "cloudflare".to_owned()),
        ],
        body: format!("<html><body><h1>{status}</h1></body></html>").into_bytes(),
    }
}

/// One of Discord's JSON errors.
pub(crate) fn error_body(code: u32, message: &str) -> Vec<u8> {
    serde_json::json!({ "message": message, "code": code })
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up_to_milliseconds() {
        assert_eq!(
            [0, 1, 1_000, 1_001, 64_570_000].map(seconds),
            ["0.000", "0.001", "0.001", "0.002", "64.570"]
        );
    }

    #[test]
    fn refusals_say_what_they_are() {
        let reply = over_global(1_200_001);
        assert_eq!(reply.header("retry-after"), Some("2"));
        assert_eq!(reply.header("X-RateLimit-Global"), Some("true"));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["retry_after"], 1.201);
        assert_eq!(body["global"], true);
        assert_eq!(banned(1).header("Via"), None);
    }
}
