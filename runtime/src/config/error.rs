//! What is wrong with a configuration, where it stands, and what to write instead.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nowhere: the built-in default.
    Default,
    /// A line of a TOML file, counted from 1; line 0 where the file as a whole is meant.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line of the key, or of the offending item.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The program: the Rust builder, keyword arguments in Python, the options object in Node.
    Program,
}

impl Origin {
    /// Which of two values counts: the higher rank wins.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Environment { .. } => 2,
            Self::Program => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("configuration"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Program => f.write_str("option"),
        }
    }
}

/// A configuration that cannot be used: which option, where it was written, what is allowed, and the nearest name to
/// a misspelt one. It never holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    option: String,
    origin: Origin,
    problem: Problem,
}

/// What is wrong with one option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such option.
    UnknownOption {
        /// The nearest one, by its full name.
        suggestion: Option<String>,
    },
    /// A value that is none of the names this option takes.
    UnknownName {
        /// What it should be the name of: `intent`, `event`, …
        what: &'static str,
        /// What was written, shortened.
        found: String,
        /// The nearest name.
        suggestion: Option<String>,
        /// What is allowed, as a phrase.
        allowed: String,
    },
    /// A value of another type.
    WrongType {
        /// What is allowed, as a phrase.
        expected: String,
        /// What was written, as a phrase; never the value of a secret.
        found: String,
    },
    /// A number outside its range.
    OutOfRange {
        /// The number as written.
        found: String,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A text that does not follow the option's form.
    Malformed {
        /// What to do about it.
        reason: String,
    },
    /// An option without which nothing can start.
    Missing {
        /// What to do about it.
        reason: String,
    },
    /// Two options that contradict each other.
    Conflict {
        /// The other option, and what to do about it.
        reason: String,
    },
    /// The file cannot be read, or is not TOML.
    File {
        /// What the file system or the parser says.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn new(option: impl Into<String>, origin: &Origin, problem: Problem) -> Self {
        Self(Box::new(Parts {
            option: option.into(),
            origin: origin.clone(),
            problem,
        }))
    }

    /// The option's full name, such as `gateway.hello_timeout_ms`; empty where a file as a whole is meant.
    #[must_use]
    pub fn option(&self) -> &str {
        &self.0.option
    }

    /// Where it was written.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The nearest allowed name to a misspelt one.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        match &self.0.problem {
            Problem::UnknownOption { suggestion } | Problem::UnknownName { suggestion, .. } => {
                suggestion.as_deref()
            }
            _ => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            option,
            origin,
            problem,
        } = &*self.0;
        if !matches!(origin, Origin::Default | Origin::Program) {
            write!(f, "{origin}: ")?;
        }
        match problem {
            Problem::UnknownOption { suggestion } => {
                write!(f, "there is no option `{option}`")?;
                match suggestion {
                    Some(name) => write!(f, "; did you mean `{name}`?"),
                    None => f.write_str("; docs/reference/configuration.md lists them all"),
                }
            }
            Problem::UnknownName {
                what,
                found,
                suggestion,
                allowed,
            } => {
                write!(f, "`{option}` has no {what} `{found}`")?;
                match suggestion {
                    Some(name) => write!(f, "; did you mean `{name}`?"),
                    None => write!(f, "; allowed: {allowed}"),
                }
            }
            Problem::WrongType { expected, found } => {
                write!(f, "`{option}` is {found}; it takes {expected}")
            }
            Problem::OutOfRange { found, min, max } => {
                write!(f, "`{option}` is {found}; it takes {min} to {max}")
            }
            Problem::Malformed { reason } => write!(f, "`{option}`: {reason}"),
            Problem::Missing { reason } => write!(f, "`{option}` is missing: {reason}"),
            Problem::Conflict { reason } => write!(f, "`{option}`: {reason}"),
            Problem::File { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A value as an error may show it: cut short, so that a token pasted into the wrong option never shows its secret part
/// (a token begins with the bot's public id).
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 24;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The name in `allowed` that is nearest to `written`, if one is near at all.
pub(super) fn nearest<'a>(
    written: &str,
    allowed: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    allowed
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&written, &name.to_ascii_lowercase()),
                name,
            )
        })
        .filter(|&(distance, name)| distance <= (name.len().max(written.len()) / 3).max(1))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("shrads", ["token", "shards"]), Some("shards"));
        assert_eq!(
            nearest("GUILD_MESAGES", ["guilds", "guild_messages"]),
            Some("guild_messages")
        );
        assert_eq!(nearest("colour", ["token", "shards"]), None);
    }

    #[test]
    fn long_values_are_cut_short() {
        assert_eq!(quoted("resume"), "resume");
        let shown = quoted("MTAwMDAwMDAwMDAwMDAwMDAwMA.Gabcde.not-a-real-token-at-all");
        assert!(shown.ends_with('…') && !shown.contains("Gabcde"), "{shown}");
    }
}
