//! Where options come from: TOML text, environment variables, values of the program. All become one list of entries.

use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin, Problem, nearest};
use super::option::{ConfigOption, Kind, OPTIONS};

/// One option as somebody wrote it, unchecked.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) option: &'static ConfigOption,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Reads TOML text; `path` is for errors only.
pub(super) fn from_toml(text: &str, path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let origin = |offset: usize| Origin::File {
        path: path.to_owned(),
        line: 1 + text.as_bytes()[..offset.min(text.len())]
            .iter()
            .filter(|&&b| b == b'\n')
            .count(),
    };
    let table = DeTable::parse(text).map_err(|error| {
        let at = origin(error.span().map_or(0, |span| span.start));
        let reason = format!("not valid TOML: {}", error.message());
        ConfigError::new("", &at, Problem::File { reason })
    })?;
    let mut entries = Vec::new();
    walk_toml(table.get_ref(), "", &origin, &mut entries)?;
    Ok(entries)
}

fn walk_toml(
    table: &DeTable<'_>,
    section: &str,
    origin: &dyn Fn(usize) -> Origin,
    entries: &mut Vec<Entry>,
) -> Result<(), ConfigError> {
    for (key, value) in table {
        let at = origin(key.span().start);
        match place(section, key.get_ref(), &at)? {
            Place::Option(option) => {
                entries.push(Entry {
                    option,
                    value: json(value),
                    origin: at,
                });
            }
            Place::Section(name) => match value.get_ref() {
                DeValue::Table(inner) => walk_toml(inner, &name, origin, entries)?,
                other => return Err(not_a_section(&name, other.type_str(), &at)),
            },
        }
    }
    Ok(())
}

/// TOML as JSON: dates become text, which no option takes; numbers that JSON lacks become text as well.
fn json(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => number
                .as_str()
                .parse::<u64>()
                .map_or_else(|_| Value::from(number.as_str()), Value::from),
        },
        DeValue::Float(number) => number
            .as_str()
            .parse::<f64>()
            .map_or_else(|_| Value::from(number.as_str()), Value::from),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(items) => items.iter().map(json).collect(),
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), json(value)))
                .collect(),
        ),
    }
}

/// Reads values of the program: a JSON object as the bindings build it, nested by section.
pub(super) fn from_json(
    values: Map<String, Value>,
    section: &str,
    entries: &mut Vec<Entry>,
) -> Result<(), ConfigError> {
    for (key, value) in values {
        match place(section, &key, &Origin::Program)? {
            // A keyword argument of None, a property that is undefined: not given.
            _ if value.is_null() => {}
            Place::Option(option) => {
                entries.push(Entry {
                    option,
                    value,
                    origin: Origin::Program,
                });
            }
            Place::Section(name) => match value {
                Value::Object(inner) => from_json(inner, &name, entries)?,
                other => return Err(not_a_section(&name, type_name(&other), &Origin::Program)),
            },
        }
    }
    Ok(())
}

/// Reads environment variables: the well-known ones, then those with Shardkeep's prefix, which are more precise.
///
/// A prefixed variable that names no option is an error only if it resembles one that does: Kubernetes puts
/// `SHARDKEEP_PORT` and its like into every pod beside a Service of that name.
pub(super) fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Entry>, ConfigError> {
    let mut entries = Vec::new();
    for (variable, text) in variables {
        let prefixed = variable.starts_with("SHARDKEEP_");
        let known = OPTIONS.iter().find(|option| {
            option.variable == Some(variable.as_str())
                || prefixed && option.prefixed_variable() == variable
        });
        let origin = Origin::Environment { variable };
        match known {
            Some(_) if text.trim().is_empty() => {}
            Some(option) => entries.push(Entry {
                option,
                value: parse_text(option, &text),
                origin,
            }),
            None if prefixed => resembles_none(&origin)?,
            None => {}
        }
    }
    // The environment comes in no particular order; a prefixed variable is to win over the well-known one.
    entries.sort_by_key(|entry| {
        let Origin::Environment { variable } = &entry.origin else {
            return (false, "");
        };
        (variable.starts_with("SHARDKEEP_"), entry.option.name)
    });
    Ok(entries)
}

fn resembles_none(origin: &Origin) -> Result<(), ConfigError> {
    let Origin::Environment { variable } = origin else {
        return Ok(());
    };
    let near = OPTIONS
        .iter()
        .map(ConfigOption::prefixed_variable)
        .find(|known| {
            let distance = strsim::damerau_levenshtein(variable, known);
            distance <= 2 && known.len() > "SHARDKEEP_".len() + 3
        });
    match near {
        None => Ok(()),
        Some(suggestion) => Err(ConfigError::new(
            variable,
            origin,
            Problem::UnknownOption {
                suggestion: Some(suggestion),
            },
        )),
    }
}

/// Text of the environment or a command line as the value it stands for. What it cannot be is left as text: the check
/// that follows says what is wrong with it.
pub(super) fn parse_text(option: &ConfigOption, text: &str) -> Value {
    let text = text.trim();
    let as_json = || serde_json::from_str(text).ok();
    let parsed = match option.kind {
        Kind::Integer { .. } => text.parse::<u64>().ok().map(Value::from),
        Kind::Flag => match text {
            "true" | "1" => Some(Value::from(true)),
            "false" | "0" => Some(Value::from(false)),
            _ => None,
        },
        Kind::Intents | Kind::Shards if text.starts_with('[') => as_json(),
        Kind::Intents => text.parse::<u64>().ok().map(Value::from),
        Kind::Activities | Kind::Headers | Kind::RecordLimits | Kind::RecordFields => as_json(),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

enum Place {
    Option(&'static ConfigOption),
    Section(String),
}

/// What a key stands for within `section`.
fn place(section: &str, key: &str, origin: &Origin) -> Result<Place, ConfigError> {
    let name = if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    };
    if let Some(option) = ConfigOption::find(&name) {
        return Ok(Place::Option(option));
    }
    let is_section = |option: &ConfigOption| {
        option
            .name
            .strip_prefix(&name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    if OPTIONS.iter().any(is_section) {
        return Ok(Place::Section(name));
    }
    let suggestion = suggest(section, key, &name);
    Err(ConfigError::new(
        name,
        origin,
        Problem::UnknownOption { suggestion },
    ))
}

/// The nearest option: the same key in another section, then a near key in this section, then a near full name.
fn suggest(section: &str, key: &str, name: &str) -> Option<String> {
    let last = |full: &'static str| full.rsplit_once('.').map_or(full, |(_, last)| last);
    if let Some(option) = OPTIONS.iter().find(|option| last(option.name) == key) {
        return Some(option.name.to_owned());
    }
    let siblings = OPTIONS.iter().filter_map(|option| {
        let rest = match section {
            "" => option.name,
            _ => option.name.strip_prefix(section)?.strip_prefix('.')?,
        };
        Some(rest.split_once('.').map_or(rest, |(first, _)| first))
    });
    if let Some(sibling) = nearest(key, siblings) {
        let dot = if section.is_empty() { "" } else { "." };
        return Some(format!("{section}{dot}{sibling}"));
    }
    nearest(name, OPTIONS.iter().map(|option| option.name)).map(str::to_owned)
}

fn not_a_section(name: &str, found: &str, origin: &Origin) -> ConfigError {
    let inside = OPTIONS
        .iter()
        .filter_map(|option| option.name.strip_prefix(name)?.strip_prefix('.'));
    let expected = format!("a table with {}", inside.collect::<Vec<_>>().join(", "));
    let found = with_article(found);
    ConfigError::new(name, origin, Problem::WrongType { expected, found })
}

/// The type of a value, as errors name it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "fraction",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "table",
    }
}

/// `an integer`, `a string`.
pub(super) fn with_article(noun: &str) -> String {
    match noun.as_bytes().first() {
        _ if noun == "null" => "null".to_owned(),
        Some(b'a' | b'e' | b'i' | b'o' | b'u') => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}
