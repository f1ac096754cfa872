//! Whether a configuration makes sense, and what to do if not.

use core::fmt;

use super::config::{RestConfig, RestFault};
use super::route::Template;
use super::rule::{Kind, Rule};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestConfigError {
    /// A limit of nothing, or over no time.
    Empty {
        /// The rule's path or the hidden limit's name.
        at: String,
    },
    /// A path that does not begin with a slash, or has `**` before its end.
    Path {
        /// The path.
        path: String,
    },
    /// Two rules share counters but not their limit, window or kind.
    Disagree {
        /// The hash, counter or name that they share.
        counter: String,
    },
    /// Hash changes that are not in order of time.
    Order {
        /// The rule's path.
        path: String,
    },
    /// A range whose first figure is above its second.
    Range {
        /// Which one.
        at: &'static str,
    },
    /// A failure whose status is not a 5xx.
    Status {
        /// The status.
        status: u16,
    },
}

impl fmt::Display for RestConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { at } => write!(f, "{at}: `limit` and `window_ms` must be above 0"),
            Self::Path { path } => write!(
                f,
                "{path:?} is no path: begin with `/`, and put `**` at the end only"
            ),
            Self::Disagree { counter } => write!(
                f,
                "rules that share {counter:?} need the same limit, window_ms and kind: make them equal, or name a \
                 `counter` for one of them"
            ),
            Self::Order { path } => {
                write!(
                    f,
                    "{path}: put `hash_changes` in ascending order of `at_ms`"
                )
            }
            Self::Range { at } => write!(f, "{at}: the first figure must not be above the second"),
            Self::Status { status } => {
                write!(f, "a failure has a status from 500 to 599, not {status}")
            }
        }
    }
}

impl core::error::Error for RestConfigError {}

impl RestConfig {
    /// Looks whether the configuration makes sense.
    ///
    /// # Errors
    ///
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), RestConfigError> {
        let mut counters: Vec<(String, (u32, u64, Kind))> = Vec::new();
        for rule in &self.rules {
            check_rule(rule)?;
            for counter in counters_of(rule) {
                agree(
                    &mut counters,
                    counter,
                    (rule.limit, rule.window_ms, rule.kind),
                )?;
            }
            for sub in &rule.sublimits {
                if sub.limit == 0 || sub.window_ms == 0 {
                    return Err(RestConfigError::Empty {
                        at: sub.name.clone(),
                    });
                }
                let name = format!("sublimit {}", sub.name);
                agree(&mut counters, name, (sub.limit, sub.window_ms, sub.kind))?;
            }
        }
        for (at, [low, high]) in [
            ("latency.there_ms", self.latency.there_ms),
            ("latency.back_ms", self.latency.back_ms),
        ] {
            if low > high {
                return Err(RestConfigError::Range { at });
            }
        }
        for rate in &self.faults {
            if let Some(path) = &rate.path {
                check_path(path)?;
            }
            if let RestFault::Fail { status, .. } = rate.fault
                && !(500..600).contains(&status)
            {
                return Err(RestConfigError::Status { status });
            }
        }
        self.denied
            .iter()
            .try_for_each(|denial| check_path(&denial.path))
    }
}

fn counters_of(rule: &Rule) -> Vec<String> {
    match &rule.counter {
        Some(counter) => vec![format!("counter {counter}")],
        None => core::iter::once(&rule.hash)
            .chain(rule.hash_changes.iter().map(|change| &change.hash))
            .map(|hash| format!("hash {hash}"))
            .collect(),
    }
}

type Figures = (u32, u64, Kind);

fn agree(
    known: &mut Vec<(String, Figures)>,
    counter: String,
    figures: Figures,
) -> Result<(), RestConfigError> {
    match known.iter().find(|(name, _)| *name == counter) {
        Some((_, there)) if *there != figures => Err(RestConfigError::Disagree { counter }),
        Some(_) => Ok(()),
        None => {
            known.push((counter, figures));
            Ok(())
        }
    }
}

fn check_rule(rule: &Rule) -> Result<(), RestConfigError> {
    check_path(&rule.path)?;
    if rule.limit == 0 || rule.window_ms == 0 || rule.hash.is_empty() {
        let at = rule.path.clone();
        return Err(RestConfigError::Empty { at });
    }
    if !rule.hash_changes.is_sorted_by_key(|change| change.at_ms) {
        let path = rule.path.clone();
        return Err(RestConfigError::Order { path });
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), RestConfigError> {
    Template::parse(path)
        .map(|_| ())
        .ok_or_else(|| RestConfigError::Path {
            path: path.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_make_sense() {
        assert_eq!(RestConfig::default().check(), Ok(()));
        assert_eq!(RestConfig::bench().check(), Ok(()));
        assert_eq!(RestConfig::unlimited().check(), Ok(()));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let with = |rule: Rule| RestConfig {
            rules: vec![Rule::new("GET", "/users/@me", "me", 5, 1_000), rule],
            ..RestConfig::unlimited()
        };
        for (rule, wrong) in [
            (Rule::new("GET", "/a", "a", 0, 1_000), "above 0"),
            (Rule::new("GET", "/a", "a", 1, 0), "above 0"),
            (Rule::new("GET", "/a", "", 1, 1), "above 0"),
            (Rule::new("GET", "a", "a", 1, 1), "begin with"),
            (Rule::new("GET", "/**/a", "a", 1, 1), "at the end only"),
            (Rule::new("GET", "/a", "me", 6, 1_000), "same limit"),
            (
                Rule::new("GET", "/a", "a", 6, 1_000)
                    .changes_to(5, "b")
                    .changes_to(4, "c"),
                "ascending",
            ),
        ] {
            let error = with(rule).check().unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
        let apart = Rule::new("GET", "/a", "me", 6, 1_000).counter("mine");
        assert_eq!(with(apart).check(), Ok(()));
    }
}
