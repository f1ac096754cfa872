//! Plays a scenario and records everything that comes out. What the protocol demands is stated by hand along the way.

use std::cell::RefCell;
use std::iter;

use serde_json::Value;
use shardkeep_core::record::shard_from_id;

use super::model::{Rec, Step, Vector, no_settings};
use super::under::Under;

thread_local! {
    static FAILURES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Asserts that every scenario played on this thread went as stated.
pub(crate) fn assert_as_stated() {
    let failures = FAILURES.take();
    assert!(
        failures.is_empty(),
        "{}\n{} failed",
        failures.join("\n"),
        failures.len()
    );
}

/// A scenario being played.
pub(crate) struct Play<U> {
    vector: Vector,
    machine: Option<U>,
    now_us: u64,
}

/// Starts a scenario. `rule` begins with the section and row of the protocol.
pub(crate) fn play<U: Under>(name: &str, rule: &str) -> Play<U> {
    Play {
        vector: Vector {
            name: String::from(name),
            rule: String::from(rule),
            config: no_settings(),
            snapshot: None,
            refused: None,
            steps: Vec::new(),
            stats: std::collections::BTreeMap::new(),
            snapshot_after: None,
        },
        machine: None,
        now_us: 0,
    }
}

impl<U: Under> Play<U> {
    /// Settings that differ from the defaults. Before the first step.
    pub(crate) fn config(mut self, settings: Value) -> Self {
        assert!(self.machine.is_none());
        self.vector.config = settings;
        self
    }

    /// What to go on from. Before the first step.
    pub(crate) fn restored(mut self, snapshot: Value) -> Self {
        assert!(self.machine.is_none());
        self.vector.snapshot = Some(snapshot);
        self
    }

    /// The configuration is refused, with a text that contains `part`.
    pub(crate) fn refuses(mut self, part: &str) -> Vector {
        let refused = U::start(&self.vector.config, self.vector.snapshot.as_ref());
        let text = refused.err().expect("a configuration that is refused");
        assert!(text.contains(part), "{}: {text}", self.vector.name);
        self.vector.refused = Some(text);
        self.vector
    }

    /// How many steps were made.
    pub(crate) fn count(&self) -> u64 {
        self.vector.steps.len() as u64
    }

    /// Milliseconds since the start.
    pub(crate) const fn now_ms(&self) -> u64 {
        self.now_us / 1_000
    }

    /// Notes that the machine did not do what was stated, and goes on: one run shows all there is.
    pub(crate) fn fail(self, what: &str) -> Self {
        let steps = &self.vector.steps;
        let (name, last) = (&self.vector.name, steps.last());
        FAILURES.with_borrow_mut(|failures| {
            failures.push(format!("{name}, step {}: {what}\n{last:#?}", steps.len()));
        });
        self
    }

    fn machine(&mut self) -> &mut U {
        let Vector {
            config, snapshot, ..
        } = &self.vector;
        self.machine.get_or_insert_with(|| {
            U::start(config, snapshot.as_ref()).expect("a configuration that is taken")
        })
    }

    fn step(mut self, input: Option<Rec>) -> Self {
        let at_us = self.now_us;
        let machine = self.machine();
        let status = match &input {
            Some(input) => machine.input(at_us, input).name(),
            None => {
                machine.timeout(at_us);
                "ok"
            }
        };
        let outputs = iter::from_fn(|| machine.output()).collect();
        let (state, next) = (machine.state(), machine.next());
        self.vector.steps.push(Step {
            at_us,
            input,
            status: String::from(status),
            outputs,
            state,
            next,
        });
        self
    }

    /// Feeds a record.
    pub(crate) fn feed(self, input: Rec) -> Self {
        self.step(Some(input))
    }

    /// Time passes; nothing is called.
    pub(crate) fn later_ms(mut self, ms: u64) -> Self {
        self.now_us += ms * 1_000;
        self
    }

    /// Time passes until so many milliseconds after the start; nothing is called.
    pub(crate) fn at_ms(mut self, ms: u64) -> Self {
        assert!(
            self.now_us <= ms * 1_000,
            "{}: back to {ms} ms",
            self.vector.name
        );
        self.now_us = ms * 1_000;
        self
    }

    /// The clock reaches this moment.
    pub(crate) fn tick(self) -> Self {
        self.step(None)
    }

    /// The clock reaches the next deadline, which is there for `reason`.
    pub(crate) fn due(mut self, reason: &str) -> Self {
        match self.machine().next() {
            Some(next) if next.reason == reason => {
                self.now_us = self.now_us.max(next.at_us);
                self.step(None)
            }
            other => {
                let failed = self.fail(&format!("waits for {other:?}, not for {reason}"));
                failed.step(None)
            }
        }
    }

    /// The last step.
    pub(crate) fn last(&self) -> &Step {
        self.vector.steps.last().expect("a step was made")
    }

    /// All outputs of the last step, in order: a kind, then `column=value` or `column~part`, separated by spaces.
    /// `shard=0/1` is the shard that `id` names.
    pub(crate) fn gives(self, outputs: &[&str]) -> Self {
        let found = &self.last().outputs;
        if found.len() != outputs.len() {
            return self.fail(&format!("does not give {outputs:?}"));
        }
        let differs = |(output, wanted): &(&Rec, &&str)| !matches(output, wanted);
        match found.iter().zip(outputs).find(differs) {
            Some((_, wanted)) => self.fail(&format!("does not give {wanted}")),
            None => self,
        }
    }

    /// One of the outputs of the last step is this.
    pub(crate) fn tells(self, wanted: &str) -> Self {
        if !self
            .last()
            .outputs
            .iter()
            .any(|output| matches(output, wanted))
        {
            return self.fail(&format!("does not give {wanted}"));
        }
        self
    }

    /// None of the outputs of the last step is of this kind.
    pub(crate) fn keeps_back(self, kind: &str) -> Self {
        if self.last().outputs.iter().any(|output| output.kind == kind) {
            return self.fail(&format!("gives {kind}"));
        }
        self
    }

    /// The machine is in this state.
    pub(crate) fn is(self, state: &str) -> Self {
        if self.last().state.as_deref() != Some(state) {
            return self.fail(&format!("is not {state}"));
        }
        self
    }

    /// The next deadline is there for `reason`, from `least_ms` to `most_ms` away.
    pub(crate) fn waits_for(self, reason: &str, least_ms: u64, most_ms: u64) -> Self {
        let span = self.now_us + least_ms * 1_000..=self.now_us + most_ms * 1_000;
        match &self.last().next {
            Some(next) if next.reason == reason && span.contains(&next.at_us) => self,
            _ => self.fail(&format!("does not wait for {reason} within {span:?}")),
        }
    }

    /// There is no deadline.
    pub(crate) fn waits_for_nothing(self) -> Self {
        match &self.last().next {
            None => self,
            Some(_) => self.fail("has a deadline"),
        }
    }

    /// The last call returned this.
    pub(crate) fn returns(self, status: &str) -> Self {
        if self.last().status != status {
            return self.fail(&format!("does not return {status}"));
        }
        self
    }

    /// These counters, which go into the vector. After the last step.
    pub(crate) fn counts(mut self, stats: &[(&str, u64)]) -> Self {
        for &(name, wanted) in stats {
            let found = self.machine().stat(name);
            if found != wanted {
                self = self.fail(&format!("{name} is {found}, not {wanted}"));
            }
            self.vector.stats.insert(String::from(name), found);
        }
        self
    }

    /// The snapshot, which goes into the vector.
    pub(crate) fn leaves(mut self, snapshot: Value) -> Self {
        let found = self.machine().snapshot();
        // How many guilds there are is recorded; scenarios state it where it matters.
        let mut stated = found.clone();
        if let (Some(stated), None) = (stated.as_object_mut(), snapshot.get("guilds")) {
            stated.remove("guilds");
        }
        if stated != snapshot {
            self = self.fail(&format!("leaves {found}, not {snapshot}"));
        }
        self.vector.snapshot_after = Some(found);
        self
    }

    pub(crate) fn end(mut self) -> Vector {
        for (name, count) in self.vector.stats.clone() {
            assert_eq!(
                self.machine().stat(&name),
                count,
                "count after the last step"
            );
        }
        self.vector
    }
}

fn matches(output: &Rec, wanted: &str) -> bool {
    let mut words = wanted.split(' ');
    words.next() == Some(&output.kind)
        && words.all(|word| {
            let at = word.find(['=', '~']).expect("column=value or column~part");
            let (column, wanted) = (&word[..at], &word[at + 1..]);
            let found = match column {
                "code" => output.code.to_string(),
                "id" => output.id.to_string(),
                "shard" => {
                    shard_from_id(output.id).map_or(String::new(), |shard| shard.to_string())
                }
                "value" => output.value.to_string(),
                "text" => output.text.clone(),
                "data" => String::from_utf8_lossy(&output.data).into_owned(),
                _ => panic!("{column} is no column"),
            };
            match word.as_bytes()[at] {
                b'=' => found == wanted,
                _ => found.contains(wanted),
            }
        })
}
