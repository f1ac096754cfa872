//! Where the token may go: checks gateway URLs and adds the query.

use alloc::string::String;
use core::fmt;

use crate::wire::Compression;

/// Domains that belong to Discord. A host is trusted if it is one of them or ends in a dot and one of them.
const DISCORD_DOMAINS: [&str; 5] = [
    "discord.gg",
    "discord.com",
    "discordapp.com",
    "discordapp.net",
    "discord.media",
];

/// Why a URL is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not a WebSocket URL with a plain host.
    Malformed,
    /// It is `ws://`, which would send the token in the clear.
    NotSecure,
    /// Its host is not one of Discord's.
    ForeignHost,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "not a WebSocket URL: write wss://host, without user name or fragment"
            }
            Self::NotSecure => {
                "ws:// would send the token in the clear: it is for a configured base URL only"
            }
            Self::ForeignHost => {
                "the host is not Discord's: configure a base URL if the token may go there"
            }
        })
    }
}

impl core::error::Error for UrlError {}

struct Parts<'a> {
    secure: bool,
    host: &'a str,
}

fn parse(url: &str) -> Option<Parts<'_>> {
    let (secure, rest) = match url.strip_prefix("wss://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("ws://")?),
    };
    // A user name would let `wss://gateway.discord.gg@elsewhere` look like Discord's; browsers read a backslash as a
    // slash.
    let unsafe_byte =
        |b: u8| !b.is_ascii_graphic() || matches!(b, b'@' | b'\\' | b'#' | b'"' | b'<' | b'>');
    if rest.bytes().any(unsafe_byte) {
        return None;
    }
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let (host, port) = match authority.strip_prefix('[') {
        Some(ipv6) => {
            let (host, after) = ipv6.split_once(']')?;
            (
                host,
                after
                    .strip_prefix(':')
                    .or_else(|| after.is_empty().then_some("443"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "443")),
    };
    // A percent sign, for one, would be decoded by some readers and not by others.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    let valid = !host.is_empty()
        && host.bytes().all(plain)
        && port.parse::<u16>().is_ok_and(|port| port != 0);
    valid.then_some(Parts { secure, host })
}

/// Whether the token may go to `url`.
pub(super) fn check(url: &str, custom_base: bool) -> Result<(), UrlError> {
    let parts = parse(url).ok_or(UrlError::Malformed)?;
    if custom_base {
        return Ok(());
    }
    if !parts.secure {
        return Err(UrlError::NotSecure);
    }
    let host = parts.host.strip_suffix('.').unwrap_or(parts.host);
    let trusted = DISCORD_DOMAINS.iter().any(|domain| {
        host.len() >= domain.len()
            && host.is_char_boundary(host.len() - domain.len())
            && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
            && (host.len() == domain.len()
                || host.as_bytes()[host.len() - domain.len() - 1] == b'.')
    });
    if trusted {
        Ok(())
    } else {
        Err(UrlError::ForeignHost)
    }
}

/// Writes `base` with the query that every connection of a session must repeat: version, encoding, compression.
pub(super) fn write(out: &mut String, base: &str, compression: Compression) {
    out.clear();
    let (path, query) = base.split_once('?').unwrap_or((base, ""));
    out.push_str(path.trim_end_matches('/'));
    out.push_str("/?");
    if !query.is_empty() {
        out.push_str(query);
        out.push('&');
    }
    out.push_str("v=10&encoding=json");
    if let Some(compress) = compression.query() {
        out.push_str("&compress=");
        out.push_str(compress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discords_hosts_are_trusted() {
        for url in [
            "wss://gateway.discord.gg",
            "wss://gateway-us-east1-b.discord.gg/",
            "wss://GATEWAY.DISCORD.GG:443/?v=9",
            "wss://discord.gg.",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
        for (url, error) in [
            (
                "wss://gateway.discord.gg.example.com",
                UrlError::ForeignHost,
            ),
            ("wss://evildiscord.gg", UrlError::ForeignHost),
            ("wss://example.com/discord.gg", UrlError::ForeignHost),
            ("wss://example.com?discord.gg", UrlError::ForeignHost),
            ("ws://gateway.discord.gg", UrlError::NotSecure),
            ("wss://gateway.discord.gg@example.com", UrlError::Malformed),
            ("wss://example.com\\.discord.gg", UrlError::Malformed),
            ("wss://example.com#.discord.gg", UrlError::Malformed),
            ("https://gateway.discord.gg", UrlError::Malformed),
            ("wss://", UrlError::Malformed),
            ("wss://example.com%2f.discord.gg", UrlError::Malformed),
            ("wss://gateway.discord.gg:99999", UrlError::Malformed),
            ("wss://gateway.discord.gg /", UrlError::Malformed),
        ] {
            assert_eq!(check(url, false), Err(error), "{url}");
        }
    }

    #[test]
    fn a_configured_base_may_be_anywhere() {
        for url in [
            "ws://127.0.0.1:8080",
            "ws://[::1]:8080/gateway",
            "wss://proxy.internal",
        ] {
            assert_eq!(check(url, true), Ok(()), "{url}");
        }
        assert_eq!(check("ws://user@host", true), Err(UrlError::Malformed));
    }

    #[test]
    fn the_query_follows_exactly_one_slash() {
        let mut url = String::new();
        for base in [
            "wss://gateway.discord.gg",
            "wss://gateway.discord.gg/",
            "wss://gateway.discord.gg//",
        ] {
            write(&mut url, base, Compression::ZstdStream);
            assert_eq!(
                url,
                "wss://gateway.discord.gg/?v=10&encoding=json&compress=zstd-stream"
            );
        }
        write(&mut url, "ws://127.0.0.1:1/a?shard=1", Compression::None);
        assert_eq!(url, "ws://127.0.0.1:1/a/?shard=1&v=10&encoding=json");
    }
}
