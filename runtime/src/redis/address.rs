//! Where Redis is and who asks: URLs taken apart. The password is in no text.

use std::fmt;

use super::RedisError;

/// Host and port of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

impl Login {
    /// `text` without the password, should a server or a library repeat it.
    pub(super) fn redact(&self, text: String) -> String {
        match &self.password {
            Some(password) if !password.is_empty() && text.contains(password.as_str()) => {
                text.replace(password.as_str(), "[redacted]")
            }
            _ => text,
        }
    }
}

/// A URL, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_cluster: bool,
    pub(super) is_tls: bool,
    pub(super) addresses: Vec<Address>,
    pub(super) login: Login,
    pub(super) database: i64,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, RedisError> {
        let wrong = |reason| RedisError::Url { reason };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("no scheme"))?;
        let (is_cluster, is_tls) = match scheme {
            "redis" => (false, false),
            "rediss" => (false, true),
            "redis+cluster" => (true, false),
            "rediss+cluster" => (true, true),
            _ => return Err(wrong("unknown scheme")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("no options are read behind `?` or `#`"));
        }
        // A password may hold a slash that was not encoded; a database cannot.
        let (userinfo, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let database = match path {
            "" => 0,
            path => path
                .parse::<u32>()
                .map_err(|_| wrong("the database is no number"))?
                .into(),
        };
        if is_cluster && database != 0 {
            return Err(wrong("a cluster has database 0 alone"));
        }
        let addresses = hosts
            .split(',')
            .map(address)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong("a host or a port is not one"))?;
        if addresses.len() > 1 && !is_cluster {
            return Err(wrong("several hosts are a cluster: redis+cluster://"));
        }
        let login = login(userinfo).ok_or_else(|| wrong("user or password are not UTF-8"))?;
        Ok(Self {
            is_cluster,
            is_tls,
            addresses,
            login,
            database,
        })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = if self.is_tls { "s" } else { "" };
        let cluster = if self.is_cluster { "+cluster" } else { "" };
        write!(f, "redis{tls}{cluster}://")?;
        if self.login != Login::default() {
            f.write_str("[redacted]@")?;
        }
        for (n, address) in self.addresses.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            write!(f, "{comma}{address}")?;
        }
        write!(f, "/{}", self.database)
    }
}

fn address(text: &str) -> Option<Address> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            match port {
                "" => (host, None),
                port => (host, Some(port.strip_prefix(':')?)),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(6_379), |port| port.parse().ok())?;
    let is_host = !host.is_empty() && !host.contains(char::is_whitespace);
    is_host.then(|| Address {
        host: host.to_owned(),
        port,
    })
}

fn login(userinfo: &str) -> Option<Login> {
    let (username, password) = match userinfo.split_once(':') {
        Some((username, password)) => (username, Some(decode(password)?)),
        None => (userinfo, None),
    };
    let username = decode(username)?;
    Some(Login {
        username: (!username.is_empty()).then_some(username),
        password,
    })
}

/// `%XX` become the bytes that they stand for; a `%` that begins nothing stays.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|code| str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let one = Target::parse("redis://localhost").unwrap();
        assert_eq!(format!("{one:?}"), "redis://localhost:6379/0");
        let all = Target::parse("rediss+cluster://me:p%40ss%3A@a:1,b:2,[::1]:3").unwrap();
        assert_eq!(all.login.username.as_deref(), Some("me"));
        assert_eq!(all.login.password.as_deref(), Some("p@ss:"));
        assert_eq!(
            format!("{all:?}"),
            "rediss+cluster://[redacted]@a:1,b:2,[::1]:3/0"
        );
        let slash = Target::parse("redis://:a/b@host:7/3").unwrap();
        assert_eq!(slash.login.password.as_deref(), Some("a/b"));
        assert_eq!((slash.database, slash.addresses[0].port), (3, 7));
        assert_eq!(
            slash.login.redact(String::from("x a/b y")),
            "x [redacted] y"
        );
    }

    #[test]
    fn what_is_no_url_says_why_and_never_repeats_it() {
        for url in [
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://a:b:c",
            "redis://a:99999",
            "redis://a,b",
            "redis://a/x",
            "redis://:secret@a/1?x",
            "redis+cluster://:secret@a:1/1",
            "redis://:%ff@a",
        ] {
            let error = Target::parse(url).unwrap_err();
            assert!(matches!(error, RedisError::Url { .. }), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
