//! Paths: which are Discord's, in which version, and which are the proxy's own.

/// What stands before the key where a client can set nothing but its base URL.
const KEY_PREFIX: &str = "/_shardkeep/key/";

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The proxy's key, if the path brings it.
    pub(super) key: Option<&'a str>,
    pub(super) place: Place<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// To Discord.
    Api(ApiPath),
    /// To the proxy itself: the path without `/_shardkeep`.
    Own(&'a str),
}

/// A path of Discord's: its version, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiPath {
    /// `/v10/channels/1?x=y`.
    whole: String,
    /// Where what is below the version begins.
    below: usize,
}

impl ApiPath {
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// The path below the version, with its query.
    pub(super) fn below(&self) -> &str {
        &self.whole[self.below..]
    }

    /// The first two segments of the path: `/channels/1`, which a write there may change.
    pub(super) fn resource(&self) -> &str {
        resource(self.below())
    }
}

/// The first two segments of a path below the version.
pub(super) fn resource(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let end = path
        .match_indices('/')
        .nth(2)
        .map_or(path.len(), |(at, _)| at);
    &path[..end]
}

/// Whether `path` is `prefix` or lies below it.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// Takes a leading `/v10` off a path.
fn version(path: &str) -> Option<(&str, &str)> {
    let digits = path.strip_prefix("/v")?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (version, rest) = path.split_at(end + 2);
    let is_version = (1..=3).contains(&end) && (rest.is_empty() || rest.starts_with(['/', '?']));
    is_version.then_some((version, rest))
}

impl<'a> Target<'a> {
    /// Reads path and query; `default` is the version of paths without one, such as `/v10`.
    pub(super) fn read(path: &'a str, default: &str) -> Self {
        let (key, path) = match path
            .strip_prefix(KEY_PREFIX)
            .map(|rest| rest.split_once('/'))
        {
            Some(Some((key, _))) => (Some(key), &path[KEY_PREFIX.len() + key.len()..]),
            _ => (None, path),
        };
        let place = match path.strip_prefix("/api") {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => {
                let (version, below) = version(rest).unwrap_or((default, rest));
                Place::Api(ApiPath::new(version, below))
            }
            _ => match version(path) {
                Some((version, below)) => Place::Api(ApiPath::new(version, below)),
                None => Place::Own(own(path)),
            },
        };
        Self { key, place }
    }
}

impl ApiPath {
    fn new(version: &str, below: &str) -> Self {
        Self {
            whole: format!("{version}{below}"),
            below: version.len(),
        }
    }
}

fn own(path: &str) -> &str {
    match path.strip_prefix("/_shardkeep") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Cuts the version off a base address: `https://discord.com/api/v10` is `https://discord.com/api` and `/v10`.
pub(super) fn split_base(base: &str) -> (&str, &str) {
    let base = base.trim_end_matches('/');
    match base.rfind('/').map(|at| base.split_at(at)) {
        Some((above, last)) if version(last).is_some_and(|(_, rest)| rest.is_empty()) => {
            (above, last)
        }
        _ => (base, "/v10"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(path: &str) -> Option<(String, String)> {
        match Target::read(path, "/v10").place {
            Place::Api(path) => Some((path.whole().to_owned(), path.below().to_owned())),
            Place::Own(_) => None,
        }
    }

    #[test]
    fn discords_paths_are_told_by_api_and_version() {
        for (path, whole, below) in [
            ("/api/v10/users/@me", "/v10/users/@me", "/users/@me"),
            (
                "/api/v9/users/@me?x=1",
                "/v9/users/@me?x=1",
                "/users/@me?x=1",
            ),
            ("/api/users/@me", "/v10/users/@me", "/users/@me"),
            ("/v10/users/@me", "/v10/users/@me", "/users/@me"),
            ("/api/voice/regions", "/v10/voice/regions", "/voice/regions"),
            ("/api/v10", "/v10", ""),
        ] {
            assert_eq!(
                api(path),
                Some((whole.to_owned(), below.to_owned())),
                "{path}"
            );
        }
        for path in [
            "/apis",
            "/voice",
            "/v",
            "/v10x/users",
            "/v1000/x",
            "/health",
            "/",
            "*",
        ] {
            assert_eq!(api(path), None, "{path}");
        }
    }

    #[test]
    fn the_proxys_own_paths_have_two_names() {
        let own = |path| match Target::read(path, "/v10").place {
            Place::Own(path) => path,
            Place::Api(_) => panic!("{path} is not Discord's"),
        };
        assert_eq!(own("/_shardkeep/health"), "/health");
        assert_eq!(own("/health?x"), "/health?x");
        assert_eq!(own("/_shardkeeping"), "/_shardkeeping");
    }

    #[test]
    fn a_key_may_stand_in_the_base_url() {
        let target = Target::read("/_shardkeep/key/secret/api/v10/users/@me", "/v10");
        assert_eq!(target.key, Some("secret"));
        assert!(matches!(target.place, Place::Api(path) if path.below() == "/users/@me"));
        let target = Target::read("/_shardkeep/key/secret", "/v10");
        assert_eq!(
            (target.key, target.place),
            (None, Place::Own("/key/secret"))
        );
    }

    #[test]
    fn resources_are_two_segments_and_prefixes_end_at_segments() {
        assert_eq!(resource("/channels/1/messages/2?x"), "/channels/1");
        assert_eq!(resource("/gateway?x=/a/b"), "/gateway");
        assert_eq!(resource("/guilds/1?x"), "/guilds/1");
        assert!(is_below("/guilds/1/roles", "/guilds/1"));
        assert!(is_below("/guilds/1?x", "/guilds/1/"));
        assert!(!is_below("/guilds/12", "/guilds/1"));
        assert!(is_below("/guilds/12", ""));
    }

    #[test]
    fn a_base_brings_the_version_of_paths_without_one() {
        assert_eq!(
            split_base("https://discord.com/api/v9/"),
            ("https://discord.com/api", "/v9")
        );
        assert_eq!(
            split_base("http://127.0.0.1:1"),
            ("http://127.0.0.1:1", "/v10")
        );
        assert_eq!(split_base("http://h/api"), ("http://h/api", "/v10"));
    }
}
