//! Headers: what clients wish, what goes on to Discord, and what comes back.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use http::HeaderValue;
use http::header::{self, HeaderMap, HeaderName};
use http::uri::Authority;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::Priority;

use super::answer::Refused;
use super::reason::Reason;

pub(super) const KEY: HeaderName = HeaderName::from_static("x-shardkeep-key");
pub(super) const REQUEST: HeaderName = HeaderName::from_static("x-shardkeep-request");
pub(super) const CACHE: HeaderName = HeaderName::from_static("x-shardkeep-cache");
const PRIORITY: &str = "x-shardkeep-priority";
const DEADLINE: &str = "x-shardkeep-deadline-ms";
const GUILD: &str = "x-shardkeep-guild";

/// The longest deadline that a client may set.
const DEADLINE_MAX_MS: u64 = 86_400_000;

/// What a client wishes of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) priority: Priority,
    pub(super) deadline: Option<Duration>,
    pub(super) guild: Option<Snowflake>,
    /// `Cache-Control: no-cache` or `no-store`.
    pub(super) wants_fresh: bool,
}

fn read<T>(
    headers: &HeaderMap,
    name: &'static str,
    allowed: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(|text| parse(text.trim()));
    match parsed {
        Some(parsed) if values.next().is_none() => Ok(Some(parsed)),
        _ => Err(Refused::new(
            Reason::BadHeader,
            format!("{name} is {allowed}"),
        )),
    }
}

impl Wishes {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        let priority = read(
            headers,
            PRIORITY,
            "one of interaction, user, normal, background",
            |text| match text {
                "interaction" => Some(Priority::Interaction),
                "user" => Some(Priority::UserFacing),
                "normal" => Some(Priority::Normal),
                "background" => Some(Priority::Background),
                _ => None,
            },
        )?;
        let deadline = read(headers, DEADLINE, "a number from 1 to 86400000", |text| {
            let ms = u64::from_str(text).ok()?;
            (1..=DEADLINE_MAX_MS)
                .contains(&ms)
                .then(|| Duration::from_millis(ms))
        })?;
        let guild = read(headers, GUILD, "the id of a guild, in digits", |text| {
            Snowflake::from_str(text).ok()
        })?;
        let wants_fresh = headers.get_all(header::CACHE_CONTROL).iter().any(|value| {
            let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
            text.contains("no-cache") || text.contains("no-store")
        });
        Ok(Self {
            priority: priority.unwrap_or(Priority::Normal),
            deadline,
            guild,
            wants_fresh,
        })
    }
}

/// Keys that a request shows: its own header, or the one for proxies. `Bearer` is that of the proxy's own paths.
pub(super) fn keys(headers: &HeaderMap, is_own: bool) -> impl Iterator<Item = &[u8]> {
    let bearers = headers.get_all(header::PROXY_AUTHORIZATION).iter().chain(
        headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .filter(move |_| is_own),
    );
    headers
        .get_all(KEY)
        .iter()
        .map(|value| value.as_bytes())
        .chain(bearers.filter_map(|value| value.as_bytes().strip_prefix(b"Bearer ")))
}

/// Whether a web page may have made a browser send this. An open proxy must not answer: any page that a user of the
/// machine looks at could ask it, with the proxy's own token. Pages tell their origin; one whose name was bound to a
/// loopback address afterwards is known by that name in `Host`.
pub(super) fn is_from_browser(headers: &HeaderMap) -> bool {
    let is_told = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    let is_foreign = |host: &HeaderValue| {
        let authority = host
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Authority>().ok());
        !authority.is_some_and(|authority| {
            let host = authority.host().trim_matches(['[', ']']);
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        })
    };
    is_told || headers.get(header::HOST).is_some_and(is_foreign)
}

/// Headers that belong to one connection, or to the way to the proxy, or that would tell Discord of the client's
/// network. `Accept-Encoding` is among them because the scheduler reads the bodies of 429s.
const NOT_FORWARDED: &[&str] = &[
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Beginnings of names that are not forwarded.
const NOT_FORWARDED_PREFIXES: &[&str] =
    &["x-shardkeep-", "x-forwarded-", "x-real-ip", "cf-", "sec-"];

/// Headers that do not change the answer to a `GET`: requests that differ in them alone may share one.
const WITHOUT_EFFECT: &[&str] = &[
    "accept",
    "content-type",
    "user-agent",
    "x-ratelimit-precision",
];

/// What of a client's headers goes on to Discord, and whether its answer may serve others who ask the same.
///
/// A `User-Agent` that is not of Discord's form is left out: the client of the proxy sends its own instead, because
/// Cloudflare refuses others.
pub(super) fn forwarded(from: &HeaderMap) -> (HeaderMap, bool) {
    let mut headers = HeaderMap::with_capacity(8);
    let mut is_common = true;
    for (name, value) in from {
        let text = name.as_str();
        let is_ours = NOT_FORWARDED.contains(&text)
            || NOT_FORWARDED_PREFIXES
                .iter()
                .any(|prefix| text.starts_with(prefix))
            || is_named_by_connection(from, text);
        let is_foreign_agent =
            *name == header::USER_AGENT && !value.as_bytes().starts_with(b"DiscordBot ");
        // What Node's fetch sends when nobody asked for a language.
        let is_any_language = *name == header::ACCEPT_LANGUAGE && value == "*";
        if is_ours || is_foreign_agent || is_any_language {
            continue;
        }
        is_common &= WITHOUT_EFFECT.contains(&text);
        headers.append(name, value.clone());
    }
    (headers, is_common)
}

/// Whether `Connection` says that a header is for this connection only.
fn is_named_by_connection(headers: &HeaderMap, name: &str) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(name))
    })
}

/// Headers of Discord's answers that would mislead a client of the proxy: they speak of another connection, another
/// host name, or of limits that the proxy keeps.
const NOT_RETURNED: &[&str] = &[
    "alt-svc",
    "connection",
    "content-length",
    "keep-alive",
    "nel",
    "proxy-authenticate",
    "proxy-connection",
    "report-to",
    "reporting-endpoints",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What of Discord's headers a client gets. Of those about limits, only a 429 keeps some: how long to wait, and whose
/// limit it was. With the rest, a client would wait for limits that the proxy keeps for it.
pub(super) fn returned(from: &HeaderMap, status: u16) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(from.len());
    for (name, value) in from {
        let text = name.as_str();
        let is_limit = text.starts_with("x-ratelimit-") || *name == header::RETRY_AFTER;
        let is_kept = match text {
            "x-ratelimit-scope" | "x-ratelimit-global" | "retry-after" => status == 429,
            _ => !is_limit && !NOT_RETURNED.contains(&text),
        };
        if is_kept {
            headers.append(name, value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn wishes_are_read_or_refused_by_name() {
        let wishes = Wishes::read(&map(&[
            ("x-shardkeep-priority", "background"),
            ("x-shardkeep-deadline-ms", "1500"),
            ("x-shardkeep-guild", "41771983423143937"),
            ("cache-control", "No-Cache"),
        ]))
        .unwrap_or_else(|refused| panic!("{refused:?}"));
        assert_eq!(wishes.priority, Priority::Background);
        assert_eq!(wishes.deadline, Some(Duration::from_millis(1_500)));
        assert_eq!(wishes.guild, Some(Snowflake(41_771_983_423_143_937)));
        assert!(wishes.wants_fresh);
        for (name, value, said) in [
            (
                "x-shardkeep-priority",
                "urgent",
                "interaction, user, normal, background",
            ),
            ("x-shardkeep-deadline-ms", "0", "1 to 86400000"),
            ("x-shardkeep-deadline-ms", "soon", "1 to 86400000"),
            ("x-shardkeep-guild", "-1", "digits"),
        ] {
            let refused = Wishes::read(&map(&[(name, value)])).unwrap_err();
            assert_eq!(refused.reason, Reason::BadHeader);
            assert!(
                refused.message.contains(said) && refused.message.contains(name),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn discord_gets_what_is_meant_for_it() {
        let (headers, is_common) = forwarded(&map(&[
            ("host", "proxy"),
            ("authorization", "Bot x"),
            ("x-shardkeep-key", "secret"),
            ("proxy-authorization", "Bearer secret"),
            ("x-forwarded-for", "10.0.0.1"),
            ("accept-encoding", "gzip"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("user-agent", "DiscordBot (x, 1) y"),
            ("content-type", "application/json"),
        ]));
        assert_eq!(headers.len(), 2, "{headers:?}");
        assert_eq!(headers["user-agent"], "DiscordBot (x, 1) y");
        assert!(is_common);
        let (headers, is_common) = forwarded(&map(&[
            ("x-audit-log-reason", "spam"),
            ("user-agent", "curl/8"),
        ]));
        assert_eq!(headers["x-audit-log-reason"], "spam");
        assert!(!headers.contains_key("user-agent") && !is_common);
    }

    #[test]
    fn browsers_are_told_by_origin_and_host() {
        for host in ["127.0.0.1:8080", "localhost", "[::1]:8080"] {
            assert!(!is_from_browser(&map(&[("host", host)])), "{host}");
            assert!(is_from_browser(&map(&[
                ("host", host),
                ("origin", "https://evil.example")
            ])));
        }
        for host in [
            "evil.example:8080",
            "10.0.0.1",
            "127.0.0.1.evil.example",
            "",
        ] {
            assert!(is_from_browser(&map(&[("host", host)])), "{host}");
        }
        assert!(is_from_browser(&map(&[("sec-fetch-site", "cross-site")])));
        assert!(!is_from_browser(&map(&[("sec-fetch-mode", "cors")])));
    }

    #[test]
    fn limits_are_not_shown_but_on_a_429() {
        let from = map(&[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-scope", "user"),
            ("retry-after", "1"),
            ("set-cookie", "__cfruid=x"),
            ("via", "1.1 google"),
            ("content-type", "application/json"),
        ]);
        assert_eq!(returned(&from, 200).len(), 2);
        let limited = returned(&from, 429);
        assert_eq!(limited.len(), 4);
        assert_eq!(
            (&limited["retry-after"], &limited["x-ratelimit-scope"]),
            (&"1".parse().unwrap(), &"user".parse().unwrap())
        );
    }
}
