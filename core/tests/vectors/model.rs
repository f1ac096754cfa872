//! What a vector file holds, as the replayers of every language read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// One file.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File<V> {
    pub(crate) about: String,
    pub(crate) machine: String,
    pub(crate) vectors: Vec<V>,
}

/// One vector of a machine: what goes in and all that comes out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    /// The row of the protocol that it shows, and what is to happen, in own words.
    pub(crate) rule: String,
    /// Settings that differ from the defaults in the README.
    #[serde(default = "no_settings")]
    pub(crate) config: Value,
    /// What the machine goes on from.
    #[serde(default)]
    pub(crate) snapshot: Option<Value>,
    /// The configuration is refused with this text. There are no steps then.
    #[serde(default)]
    pub(crate) refused: Option<String>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    /// Some counters after the last step.
    #[serde(default)]
    pub(crate) stats: BTreeMap<String, u64>,
    /// The snapshot after the last step.
    #[serde(default)]
    pub(crate) snapshot_after: Option<Value>,
}

pub(crate) fn no_settings() -> Value {
    Value::Object(serde_json::Map::new())
}

/// One call, and everything that follows from it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) at_us: u64,
    /// What goes in; absent where only the clock reaches `at_us`.
    #[serde(default)]
    pub(crate) input: Option<Rec>,
    /// The name of what the call returns; absent where that is `ok`.
    #[serde(default = "ok")]
    pub(crate) status: String,
    /// Every output until there is none.
    pub(crate) outputs: Vec<Rec>,
    /// The state afterwards, of machines that have one.
    #[serde(default)]
    pub(crate) state: Option<String>,
    /// The next deadline afterwards.
    pub(crate) next: Option<Next>,
}

fn ok() -> String {
    String::from("ok")
}

/// A deadline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Next {
    pub(crate) at_us: u64,
    pub(crate) reason: String,
}

/// A record, its kind by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Rec {
    pub(crate) kind: String,
    pub(crate) code: u32,
    pub(crate) id: u64,
    pub(crate) value: u64,
    pub(crate) text: String,
    pub(crate) data: Vec<u8>,
}

impl Rec {
    pub(crate) fn new(kind: &str) -> Self {
        Self {
            kind: String::from(kind),
            ..Self::default()
        }
    }
}

impl core::fmt::Debug for Rec {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&super::write::record(self))
    }
}

impl<'de> Deserialize<'de> for Rec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Columns {
            kind: String,
            #[serde(default)]
            code: u32,
            #[serde(default)]
            id: Option<String>,
            #[serde(default)]
            value: u64,
            #[serde(default)]
            text: String,
            #[serde(default)]
            data: Option<String>,
            #[serde(default)]
            hex: Option<String>,
        }
        let Columns {
            kind,
            code,
            id,
            value,
            text,
            data,
            hex,
        } = Columns::deserialize(deserializer)?;
        let id = id.map_or(Ok(0), |digits| digits.parse());
        let data = match (data, hex) {
            (Some(_), Some(_)) => return Err(de::Error::custom("both data and hex")),
            (Some(data), None) => data.into_bytes(),
            (None, hex) => unhex(hex.as_deref().unwrap_or_default()),
        };
        Ok(Self {
            kind,
            code,
            id: id.map_err(de::Error::custom)?,
            value,
            text,
            data,
        })
    }
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "an odd number of hex digits");
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// One vector of plans: what is asked, and what is answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanVector {
    pub(crate) name: String,
    /// What the plan rests on, in own words.
    pub(crate) rule: String,
    /// The shards that serve.
    pub(crate) topology: String,
    pub(crate) target: Value,
    /// What differs from the defaults in the README.
    #[serde(default = "no_settings")]
    pub(crate) facts: Value,
    /// The plan, or why there is none.
    pub(crate) answer: Value,
}

/// One vector of the envelope scanner.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvelopeVector {
    pub(crate) name: String,
    pub(crate) rule: String,
    /// The bytes as text, or as hex where they are none.
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) hex: Option<String>,
    /// What scanning gives, once for each document, up to the end or the first error.
    pub(crate) scans: Vec<Scan>,
}

impl EnvelopeVector {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (&self.text, &self.hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(hex)) => unhex(hex),
            _ => panic!("{}: one of text and hex", self.name),
        }
    }
}

/// What one scan gives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scan {
    /// An envelope.
    #[serde(rename_all = "snake_case")]
    Found {
        op: u64,
        s: Option<u64>,
        /// The event's name with its escapes resolved; empty if there is none.
        t: String,
        /// The number of the event's kind.
        kind: u8,
        /// The JSON of `d` as it stands, as hex if it is no text; empty if there is none.
        d: String,
        /// One past the document and the white space after it.
        end: usize,
    },
    /// An error.
    Refused { error: String, at: usize },
}
