//! Plays a scenario: states by hand what matters, and records the rest.

use serde_json::{Value, json};

use super::{CutoverStep, CutoverVector};
use crate::model::no_settings;
use shardkeep_core::record::Cutover;

pub(super) struct Scene {
    vector: CutoverVector,
    sides: Cutover,
    pub(super) now: u64,
    sequence: u64,
    /// What the sides said last and has not been carried over: by the old side, by the new one.
    said: [Vec<Value>; 2],
}

pub(super) fn scene(name: &str, rule: &str) -> Scene {
    scene_with(name, rule, no_settings())
}

pub(super) fn scene_with(name: &str, rule: &str, config: Value) -> Scene {
    Scene {
        sides: Cutover::start(&config.to_string()).expect("settings"),
        vector: CutoverVector {
            name: name.into(),
            rule: rule.into(),
            config,
            steps: Vec::new(),
            ledger: Value::Null,
        },
        now: 100_000,
        sequence: 1,
        said: [Vec::new(), Vec::new()],
    }
}

/// The events of the scenarios.
pub(super) fn message(id: u64) -> (&'static str, String) {
    (
        "MESSAGE_CREATE",
        format!(r#"{{"id":"{id}","guild_id":"41"}}"#),
    )
}

pub(super) fn reaction() -> (&'static str, String) {
    let data = r#"{"message_id":"5","user_id":"6","emoji":{"id":null,"name":"x"},"guild_id":"41"}"#;
    ("MESSAGE_REACTION_ADD", data.into())
}

pub(super) fn created() -> (&'static str, String) {
    (
        "GUILD_CREATE",
        r#"{"id":"41","name":"g","unavailable":false}"#.into(),
    )
}

/// What became of the events that a call has settled, in order.
pub(super) fn verdicts(gives: &Value) -> String {
    let settled = gives["settled"].as_array().map_or(&[][..], Vec::as_slice);
    let verdicts: Vec<_> = settled
        .iter()
        .filter_map(|event| event[2].as_str())
        .collect();
    verdicts.join(" ")
}

impl Scene {
    pub(super) fn call(&mut self, call: Value) -> Value {
        let gives = self.sides.call(self.now, &call).expect("a call");
        if let (Some(side), Some(messages)) = (call["side"].as_str(), gives["messages"].as_array())
        {
            self.said[usize::from(side == "new")].extend(messages.iter().cloned());
        }
        self.vector.steps.push(CutoverStep {
            at_ms: self.now,
            call,
            gives: gives.clone(),
        });
        gives
    }

    /// A call of a side that needs no more than its name.
    pub(super) fn does(&mut self, side: &str, what: &str) -> Value {
        self.call(json!({"side": side, "do": what}))
    }

    pub(super) fn says(&mut self, side: &str, what: &str, result: &str) -> &mut Self {
        let gives = self.does(side, what);
        assert_eq!(gives["result"], result, "{}: {what}", self.vector.name);
        self
    }

    fn event(&mut self, side: &str, (name, data): (&str, String), verdict: &str) -> &mut Self {
        self.sequence += 1;
        let call = json!({
            "side": side, "do": "event", "sequence": self.sequence, "name": name, "data": data,
        });
        let gives = self.call(call);
        assert_eq!(gives["result"], verdict, "{}: {name}", self.vector.name);
        self
    }

    pub(super) fn on_old(&mut self, event: (&str, String), verdict: &str) -> &mut Self {
        self.event("old", event, verdict)
    }

    pub(super) fn on_new(&mut self, event: (&str, String), verdict: &str) -> &mut Self {
        self.event("new", event, verdict)
    }

    /// The same event on both sides, the old one first.
    pub(super) fn both(&mut self, event: (&'static str, String), verdicts: [&str; 2]) -> &mut Self {
        self.on_old(event.clone(), verdicts[0]);
        self.on_new(event, verdicts[1])
    }

    pub(super) fn wait(&mut self, ms: u64) -> &mut Self {
        self.now += ms;
        self
    }

    pub(super) fn ask(&mut self, result: &str) -> &mut Self {
        let gives = self.call(json!({"side": "new", "do": "ask", "guild": 41}));
        let found = gives["result"].as_str().expect("a result");
        assert!(found.contains(result), "{}: {found}", self.vector.name);
        self
    }

    /// Carries everything that a side said to the other, and answers what came of the last.
    pub(super) fn carry(&mut self, from: &str) -> Value {
        let messages = core::mem::take(&mut self.said[usize::from(from == "new")]);
        assert!(
            !messages.is_empty(),
            "{}: {from} says nothing",
            self.vector.name
        );
        let to = if from == "new" { "old" } else { "new" };
        let mut last = Value::Null;
        for message in messages {
            last = self.call(json!({"side": to, "do": "message", "message": message}));
        }
        last
    }

    /// What a side said is lost.
    pub(super) fn lose(&mut self, from: &str) -> &mut Self {
        self.said[usize::from(from == "new")].clear();
        self
    }

    /// Stores, and tells what was said for that.
    pub(super) fn store(&mut self, side: &str) -> Value {
        self.does(side, "store")
    }

    /// Both see the guild, and a message in it; the new side asks. Nothing is carried yet.
    pub(super) fn asked(&mut self) -> &mut Self {
        self.on_new(created(), "overlap");
        self.both(message(7), ["dispatch", "watched"]);
        self.wait(10).ask("ok")
    }

    /// As far as the cut, which is stored, and carried over: what was settled.
    pub(super) fn cut(&mut self) -> String {
        self.carry("new");
        self.store("old");
        verdicts(&self.carry("old"))
    }

    pub(super) fn finish(&mut self) -> &mut Self {
        self.store("new");
        self.carry("new");
        self
    }

    /// The basis of the cut that the old side says.
    pub(super) fn basis(&self) -> String {
        let cut = &self.said[0].last().expect("a cut")["body"]["Cut"];
        cut["basis"].as_str().expect("a basis").into()
    }

    /// What is counted in the end, checked against a part that is stated.
    pub(super) fn ends(&mut self, side: &str, counts: &[(&str, u64)]) -> CutoverVector {
        let ledger = self.sides.ledger();
        for (name, count) in counts {
            let found = &ledger["41"][side][*name];
            let found = found.as_u64().unwrap_or(0);
            assert_eq!(found, *count, "{}: {name} in {ledger}", self.vector.name);
        }
        let mut vector = self.vector.clone();
        vector.ledger = ledger;
        vector
    }
}
