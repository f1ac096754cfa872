//! Checks one value against what its option takes, and brings it into the form the [`Config`](super::Config) reads.

use std::net::SocketAddr;

use serde_json::{Map, Value};
use shardkeep_core::Token;
use shardkeep_core::fleet::Shards;
use shardkeep_core::wire::{EventKind, Intents, Presence};

use super::error::{ConfigError, Problem, nearest, quoted};
use super::option::{Kind, words_joined};
use super::rest::Headers;
use super::source::{Entry, type_name, with_article};

impl Entry {
    pub(super) fn fail(&self, problem: Problem) -> ConfigError {
        ConfigError::new(self.option.name, &self.origin, problem)
    }

    fn malformed(&self, reason: impl ToString) -> ConfigError {
        self.fail(Problem::Malformed {
            reason: reason.to_string(),
        })
    }

    pub(super) fn wrong_type(&self) -> ConfigError {
        let found = match &self.value {
            Value::String(text) if !matches!(self.option.kind, Kind::Secret | Kind::Headers) => {
                format!("`{}`", quoted(text))
            }
            other => with_article(type_name(other)),
        };
        self.fail(Problem::WrongType {
            expected: self.option.kind.expected(),
            found,
        })
    }

    /// The value in the one form the configuration reads.
    pub(super) fn checked(&self) -> Result<Value, ConfigError> {
        match self.option.kind {
            Kind::Text => self.text().map(Value::from),
            Kind::Secret => {
                let text = self.text()?;
                Token::new(text).map_err(|error| self.malformed(error))?;
                Ok(Value::from(text))
            }
            Kind::BaseUrl => base_url(self.text()?)
                .map(Value::from)
                .map_err(|why| self.malformed(why)),
            Kind::Integer { min, max } => self.integer(min, max),
            Kind::Flag => match self.value {
                Value::Bool(_) => Ok(self.value.clone()),
                _ => Err(self.wrong_type()),
            },
            Kind::Choice(words) => self.choice(words),
            Kind::Intents => self.intents(),
            Kind::Events => self.events(),
            Kind::Shards => self.shards(),
            Kind::ShardIndex => match &self.value {
                Value::Number(number) if number.is_u64() => Ok(Value::from(number.to_string())),
                _ => self.text().map(Value::from),
            },
            Kind::Address => match self.text()?.parse::<SocketAddr>() {
                Ok(_) => Ok(self.value.clone()),
                Err(_) => Err(self.wrong_type()),
            },
            Kind::Activities => self.activities(),
            Kind::Headers => self.headers(),
            Kind::RecordKinds => self.record_kinds(),
            Kind::RecordLimits => self.record_limits(),
            Kind::RecordFields => self.record_fields(),
        }
    }

    fn text(&self) -> Result<&str, ConfigError> {
        self.value.as_str().ok_or_else(|| self.wrong_type())
    }

    fn integer(&self, min: u64, max: u64) -> Result<Value, ConfigError> {
        let Value::Number(number) = &self.value else {
            return Err(self.wrong_type());
        };
        // JavaScript has one kind of number: a fraction without a fractional part is a whole number.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number in range"
        )]
        let whole = number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|f| f.fract() == 0.0 && (0.0..9.0e15).contains(f))
                .map(|f| f as u64)
        });
        match whole {
            Some(value) if (min..=max).contains(&value) => Ok(Value::from(value)),
            None if number.is_f64() => Err(self.wrong_type()),
            _ => Err(self.fail(Problem::OutOfRange {
                found: number.to_string(),
                min,
                max,
            })),
        }
    }

    fn choice(&self, words: &[&str]) -> Result<Value, ConfigError> {
        let text = self.text()?;
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => Ok(Value::from(*word)),
            None => Err(self.fail(Problem::UnknownName {
                what: "choice",
                found: quoted(text),
                suggestion: nearest(text, words.iter().copied()).map(str::to_owned),
                allowed: words_joined(words),
            })),
        }
    }

    /// The names in a list, or in a text separated by commas.
    pub(super) fn names(&self) -> Result<Vec<&str>, ConfigError> {
        match &self.value {
            Value::String(text) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect()),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(|| self.wrong_item(item)))
                .collect(),
            _ => Err(self.wrong_type()),
        }
    }

    fn wrong_item(&self, item: &Value) -> ConfigError {
        self.fail(Problem::WrongType {
            expected: self.option.kind.expected(),
            found: format!("a list with {} in it", with_article(type_name(item))),
        })
    }

    fn intents(&self) -> Result<Value, ConfigError> {
        if let Value::Number(number) = &self.value {
            let bits = number.as_u64().ok_or_else(|| self.wrong_type())?;
            let rest = Intents::from_bits(bits).without(Intents::ALL);
            return if rest.is_empty() {
                Ok(Value::from(bits))
            } else {
                Err(self.malformed(format!(
                    "the bits {:#x} are no documented intents: Discord would close the session with 4013",
                    rest.bits()
                )))
            };
        }
        let mut set = Intents::NONE;
        for name in self.names()? {
            set = set | Intents::from_name(name).ok_or_else(|| self.unknown_intent(name))?;
        }
        Ok(Value::from(set.bits()))
    }

    fn unknown_intent(&self, name: &str) -> ConfigError {
        let known = Intents::NAMED
            .iter()
            .map(|&(name, _)| name)
            .chain(["ALL", "NON_PRIVILEGED"]);
        let known: Vec<String> = known.map(str::to_ascii_lowercase).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.fail(Problem::UnknownName {
            what: "intent",
            found: quoted(name),
            suggestion: nearest(name, known.iter().copied()).map(str::to_owned),
            allowed: words_joined(&known),
        })
    }

    fn events(&self) -> Result<Value, ConfigError> {
        let find = |name: &str| {
            let upper = name.to_ascii_uppercase();
            match EventKind::from_name(upper.as_bytes()) {
                EventKind::Unknown => Err(self.unknown_event(name)),
                kind => Ok(Value::from(kind.number())),
            }
        };
        self.names()?.into_iter().map(find).collect()
    }

    fn unknown_event(&self, name: &str) -> ConfigError {
        self.fail(Problem::UnknownName {
            what: "event",
            found: quoted(name),
            suggestion: nearest(name, EventKind::ALL.iter().map(|kind| kind.name()))
                .map(str::to_owned),
            allowed: "the names of Discord's gateway events, such as `MESSAGE_CREATE`".to_owned(),
        })
    }

    fn shards(&self) -> Result<Value, ConfigError> {
        match &self.value {
            // Whatever holds a dot is no list of shards; it may be a token, which core's error would quote at length.
            Value::String(text) if text.contains('.') => return Err(self.wrong_type()),
            Value::String(text) => text
                .parse::<Shards>()
                .map_err(|error| self.malformed(error))?,
            Value::Number(_) | Value::Array(_) => {
                serde_json::from_value(self.value.clone()).map_err(|error| self.malformed(error))?
            }
            _ => return Err(self.wrong_type()),
        };
        Ok(self.value.clone())
    }

    fn headers(&self) -> Result<Value, ConfigError> {
        let headers = serde_json::from_value(self.value.clone()).map_err(|_| self.wrong_type())?;
        match Headers::read(&headers) {
            Ok(_) => Ok(self.value.clone()),
            Err(name) => Err(self.malformed(format_args!(
                "the header `{}` cannot be sent: a name is a word, a value one line of ASCII",
                quoted(name)
            ))),
        }
    }

    fn activities(&self) -> Result<Value, ConfigError> {
        const KEYS: [&str; 4] = ["name", "type", "state", "url"];
        let Value::Array(items) = &self.value else {
            return Err(self.wrong_type());
        };
        for item in items {
            let Value::Object(table) = item else {
                return Err(self.wrong_item(item));
            };
            if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
                return Err(self.fail(Problem::UnknownName {
                    what: "key",
                    found: quoted(key),
                    suggestion: nearest(key, KEYS).map(str::to_owned),
                    allowed: words_joined(&KEYS),
                }));
            }
        }
        let mut presence = Map::new();
        presence.insert("activities".to_owned(), self.value.clone());
        let presence: Presence = serde_json::from_value(Value::Object(presence))
            .map_err(|error| self.malformed(error))?;
        presence.check().map_err(|error| self.malformed(error))?;
        Ok(self.value.clone())
    }
}

/// A base address in the form the runtime appends paths to, without a slash at its end. It is not quoted in errors: it
/// may hold a password.
fn base_url(text: &str) -> Result<String, &'static str> {
    let (secure, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => match text.strip_prefix("http://") {
            Some(rest) => (false, rest),
            None => {
                return Err("an address begins with https://, or http:// for a proxy or simulator");
            }
        },
    };
    if rest
        .bytes()
        .any(|b| !b.is_ascii_graphic() || b"\\\"<>".contains(&b))
    {
        return Err("an address holds no white space, quotes or characters outside ASCII");
    }
    if rest.contains(['?', '#']) {
        return Err("a base address has no query and no fragment: paths are appended to it");
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("an address holds no user name or password");
    }
    let host = host_of(authority)
        .ok_or("an address names a host and, after a colon, a port from 1 to 65535")?;
    if !secure && is_discord(host) {
        return Err(
            "plain http:// to Discord would show the token to everyone on the way: write https://",
        );
    }
    let scheme = if secure { "https" } else { "http" };
    let path = match path.trim_end_matches('/') {
        "" => "/api/v10",
        "/api" => "/api/v10",
        path => path,
    };
    Ok(format!("{scheme}://{authority}{path}"))
}

/// The host of `host`, `host:port` or `[ipv6]:port`.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(ipv6) => {
            let (host, after) = ipv6.split_once(']')?;
            (
                host,
                if after.is_empty() {
                    None
                } else {
                    Some(after.strip_prefix(':')?)
                },
            )
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port_is_valid = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    (!host.is_empty() && port_is_valid).then_some(host)
}

fn is_discord(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    ["discord.com", "discordapp.com"].iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether a checked base address is Discord's own.
pub(super) fn is_discord_base(base: &str) -> bool {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    host_of(authority).is_some_and(is_discord)
}
