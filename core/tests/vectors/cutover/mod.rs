//! The scenarios of a cutover: both its sides, message by message. They are no machines, so a step is a call and what
//! it gives.

mod breaks;
mod cuts;
mod prints;
mod refusals;
mod scene;

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use super::model::{File, no_settings};
use super::{Source, file};
use shardkeep_core::record::Cutover;

/// One vector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CutoverVector {
    pub(crate) name: String,
    pub(crate) rule: String,
    /// Settings that differ from the defaults.
    #[serde(default = "no_settings")]
    pub(crate) config: Value,
    pub(crate) steps: Vec<CutoverStep>,
    /// The ledger after the last step, what is not 0.
    #[serde(default)]
    pub(crate) ledger: Value,
}

/// A call, and what it gives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CutoverStep {
    pub(crate) at_ms: u64,
    pub(crate) call: Value,
    pub(crate) gives: Value,
}

pub(crate) fn files() -> Vec<Source<CutoverVector>> {
    vec![
        (
            "fingerprints",
            "What two sessions recognise the same event by, and whose an event is.",
            prints::vectors(),
        ),
        (
            "cuts",
            "From watching to the cut: by a key, by silence, by a lone event, by nothing.",
            cuts::vectors(),
        ),
        (
            "breaks",
            "Sessions that are lost, processes that crash, messages that get lost.",
            breaks::vectors(),
        ),
        (
            "refusals",
            "What is refused, bounded or not read.",
            refusals::vectors(),
        ),
    ]
}

pub(crate) fn replay(vector: &CutoverVector) {
    let mut sides = Cutover::start(&vector.config.to_string()).expect("settings");
    for step in &vector.steps {
        let gives = sides.call(step.at_ms, &step.call).expect("a call");
        assert_eq!(gives, step.gives, "{}: {}", vector.name, step.call);
    }
    assert_eq!(sides.ledger(), vector.ledger, "{}", vector.name);
}

fn text(vector: &CutoverVector) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut out = format!("{{\"name\": {},\n ", quoted(&vector.name));
    let _ = write!(out, "\"rule\": {},\n ", quoted(&vector.rule));
    if vector.config != no_settings() {
        let _ = write!(out, "\"config\": {},\n ", vector.config);
    }
    let step = |step: &CutoverStep| {
        format!(
            "  {{\"at_ms\": {}, \"call\": {},\n   \"gives\": {}}}",
            step.at_ms, step.call, step.gives
        )
    };
    let steps: Vec<_> = vector.steps.iter().map(step).collect();
    let _ = write!(out, "\"steps\": [\n{}\n ]", steps.join(",\n"));
    if !vector.ledger.is_null() {
        let _ = write!(out, ",\n \"ledger\": {}", vector.ledger);
    }
    out + "}"
}

pub(crate) fn write(about: &str, vectors: Vec<CutoverVector>) -> String {
    let contents: File<CutoverVector> = file(about, "cutover", vectors);
    super::write::file(&contents, text)
}
