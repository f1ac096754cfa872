//! The scenarios of plans, and the words that they are told in.

mod budget;
mod overlays;
mod refusals;
mod resize;
mod time;

use serde_json::{Value, json};
use shardkeep_core::fleet::StepKind;

use super::Source;
use super::model::{PlanVector, no_settings};
use super::replay;

/// What the files say of themselves.
pub(crate) const NAME: &str = "plan";

/// A plan that was asked for; what is stated of it is checked at once.
struct Asked(PlanVector);

/// Asks for a plan from these shards.
fn plan(name: &str, rule: &str, topology: &str, target: Value) -> Asked {
    with(name, rule, topology, target, no_settings())
}

/// Asks for a plan, given what differs from the defaults.
fn with(name: &str, rule: &str, topology: &str, target: Value, facts: Value) -> Asked {
    let answer = replay::asked(topology, &target, &facts);
    Asked(PlanVector {
        name: name.into(),
        rule: rule.into(),
        topology: topology.into(),
        target,
        facts,
        answer,
    })
}

impl Asked {
    /// These are its steps: `kind start <- stop`, with `-` where there is nothing.
    fn takes(self, wanted: &[&str]) -> Self {
        let or_none = |text: &Value| match text.as_str() {
            Some("") | None => String::from("-"),
            Some(text) => String::from(text),
        };
        let steps = self.0.answer["steps"].as_array();
        let step = |step: &Value| {
            let kind = step["kind"].as_str().unwrap_or_default();
            format!(
                "{kind} {} <- {}",
                or_none(&step["start"]),
                or_none(&step["stop"])
            )
        };
        let found: Vec<_> = steps.into_iter().flatten().map(step).collect();
        assert_eq!(found, wanted, "{}: {}", self.0.name, self.0.answer);
        self
    }

    /// So many steps.
    fn counts(self, steps: usize) -> Self {
        let found = self.0.answer["steps"].as_array().map_or(0, Vec::len);
        assert_eq!(found, steps, "{}: {}", self.0.name, self.0.answer);
        self
    }

    /// This serves afterwards.
    fn leaves(self, after: &str) -> Self {
        assert_eq!(self.0.answer["after"], json!(after), "{}", self.0.name);
        self
    }

    /// These figures, among others.
    fn costs(self, figures: &[(&str, u64)]) -> Self {
        for &(name, wanted) in figures {
            let found = &self.0.answer["figures"][name];
            assert_eq!(*found, json!(wanted), "{}: {name}", self.0.name);
        }
        self
    }

    /// There is no plan, for this reason; the text holds these words.
    fn refused(self, why: &str, words: &str) -> Self {
        let refused = &self.0.answer["refused"];
        assert_eq!(
            refused["why"],
            json!(why),
            "{}: {}",
            self.0.name,
            self.0.answer
        );
        let text = refused["text"].as_str().unwrap_or_default();
        assert!(text.contains(words), "{}: {text}", self.0.name);
        self
    }

    fn end(self) -> PlanVector {
        self.0
    }
}

pub(crate) fn files() -> Vec<Source<PlanVector>> {
    vec![
        (
            "resize",
            "To another number of shards: splits, merges, a second generation.",
            resize::vectors(),
        ),
        (
            "overlays",
            "Hot guilds in sessions of their own, and shards that change under them.",
            overlays::vectors(),
        ),
        (
            "time",
            "How long a plan takes: one identify per key and 5 s, and overlaps (protocol 1.14).",
            time::vectors(),
        ),
        (
            "budget",
            "The daily allowance carries the plan, or it is refused (protocol 1.14).",
            budget::vectors(),
        ),
        (
            "refusals",
            "What is refused, with what is possible instead (protocol 1.11, 3).",
            refusals::vectors(),
        ),
    ]
}

/// The kinds of steps and the refusals that no vector shows.
pub(crate) fn missing(vectors: &[PlanVector]) -> Vec<String> {
    let kinds = StepKind::ALL.iter().filter(|kind| {
        let shows = |step: &Value| step["kind"] == json!(kind.name());
        let steps = |vector: &PlanVector| vector.answer["steps"].as_array().cloned();
        !vectors
            .iter()
            .filter_map(steps)
            .flatten()
            .any(|step| shows(&step))
    });
    // `unproven` is a mistake of ours: if there were a vector for it, it would be mended.
    let refusals = [
        "not_a_cover",
        "bad_total",
        "nothing_to_do",
        "unknown_shard",
        "odd_total",
        "partner_missing",
        "not_a_multiple",
        "too_many_guilds",
        "cannot_isolate",
        "already_isolated",
        "budget",
    ];
    let refusals = refusals.iter().filter(|why| {
        let shows = |vector: &PlanVector| vector.answer["refused"]["why"] == json!(why);
        !vectors.iter().any(shows)
    });
    let kinds = kinds.map(|kind| String::from(kind.name()));
    kinds
        .chain(refusals.map(|why| String::from(*why)))
        .collect()
}
