//! Checks options that speak of the cache's kinds of records.

use serde_json::{Map, Value};
use shardkeep_core::cache::Kind as RecordKind;

use super::cache::record_kind;
use super::error::{ConfigError, Problem, nearest, quoted};
use super::option::words_joined;
use super::source::{Entry, type_name, with_article};

/// What bounds a kind.
const BOUNDS: [&str; 4] = ["count", "bytes", "count_per_scope", "ttl_ms"];

impl Entry {
    /// A list of kinds.
    pub(super) fn record_kinds(&self) -> Result<Value, ConfigError> {
        let names = self.names()?;
        for name in &names {
            self.known_kind(name)?;
        }
        Ok(names.into_iter().map(Value::from).collect())
    }

    /// Bounds by kind. What keeps nothing becomes a count of 0.
    pub(super) fn record_limits(&self) -> Result<Value, ConfigError> {
        let mut checked = Map::new();
        for (name, bounds) in self.table()? {
            self.known_kind(name)?;
            let bounds = match bounds {
                Value::Null | Value::Bool(false) => off(),
                Value::String(word) if word == "off" => off(),
                Value::Object(bounds) => self.bounds(bounds)?,
                other => return Err(self.wrong_record(name, other)),
            };
            checked.insert(name.clone(), bounds);
        }
        Ok(Value::Object(checked))
    }

    fn bounds(&self, bounds: &Map<String, Value>) -> Result<Value, ConfigError> {
        for (bound, value) in bounds {
            if !BOUNDS.contains(&bound.as_str()) {
                return Err(self.unknown("bound", bound, &BOUNDS));
            }
            let max = match bound.as_str() {
                "count" | "count_per_scope" => u64::from(u32::MAX),
                _ => u64::MAX,
            };
            if value.as_u64().is_none_or(|value| value > max) {
                return Err(self.wrong_record(bound, value));
            }
        }
        Ok(Value::Object(bounds.clone()))
    }

    /// Names of members by kind.
    pub(super) fn record_fields(&self) -> Result<Value, ConfigError> {
        for (name, fields) in self.table()? {
            self.known_kind(name)?;
            let is_list = fields
                .as_array()
                .is_some_and(|fields| !fields.is_empty() && fields.iter().all(Value::is_string));
            if !is_list {
                return Err(self.wrong_record(name, fields));
            }
        }
        Ok(self.value.clone())
    }

    fn table(&self) -> Result<&Map<String, Value>, ConfigError> {
        self.value.as_object().ok_or_else(|| self.wrong_type())
    }

    fn known_kind(&self, name: &str) -> Result<(), ConfigError> {
        let known: Vec<&str> = RecordKind::ALL.iter().map(|kind| kind.name()).collect();
        match record_kind(name) {
            Some(_) => Ok(()),
            None => Err(self.unknown("kind of record", name, &known)),
        }
    }

    fn unknown(&self, what: &'static str, name: &str, known: &[&str]) -> ConfigError {
        self.fail(Problem::UnknownName {
            what,
            found: quoted(name),
            suggestion: nearest(name, known.iter().copied()).map(str::to_owned),
            allowed: words_joined(known),
        })
    }

    fn wrong_record(&self, name: &str, found: &Value) -> ConfigError {
        self.fail(Problem::WrongType {
            expected: self.option.kind.expected(),
            found: format!(
                "{} under `{}`",
                with_article(type_name(found)),
                quoted(name)
            ),
        })
    }
}

fn off() -> Value {
    Value::Object(Map::from_iter([("count".to_owned(), Value::from(0))]))
}
