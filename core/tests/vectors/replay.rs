//! Replays vectors as any binding would: JSON in, records through the machine, records compared.

use serde_json::{Value, json};
use shardkeep_core::record::PlanRequest;
use shardkeep_core::wire::scan;

use super::model::{EnvelopeVector, PlanVector, Scan, Step, Vector};
use super::under::Under;

/// Replays one vector. The edges that the machine took.
pub(crate) fn machine<U: Under>(vector: &Vector) -> u64 {
    let name = &vector.name;
    let started = U::start(&vector.config, vector.snapshot.as_ref());
    let mut machine = match (started, &vector.refused) {
        (Ok(machine), None) => machine,
        (Err(error), Some(refused)) => {
            assert_eq!(&error, refused, "{name}");
            return 0;
        }
        (started, _) => panic!("{name}: {:?}", started.err()),
    };
    for (index, step) in vector.steps.iter().enumerate() {
        let status = match &step.input {
            Some(input) => machine.input(step.at_us, input).name(),
            None => {
                machine.timeout(step.at_us);
                "ok"
            }
        };
        let outputs = std::iter::from_fn(|| machine.output()).collect();
        let found = Step {
            at_us: step.at_us,
            input: step.input.clone(),
            status: String::from(status),
            outputs,
            state: machine.state(),
            next: machine.next(),
        };
        assert_eq!(&found, step, "{name}, step {index}");
    }
    for (counter, &count) in &vector.stats {
        assert_eq!(machine.stat(counter), count, "{name}: {counter}");
    }
    if let Some(snapshot) = &vector.snapshot_after {
        assert_eq!(&machine.snapshot(), snapshot, "{name}: snapshot");
    }
    machine.edges_taken()
}

/// Asks for a plan, in JSON as any binding would.
pub(crate) fn asked(topology: &str, target: &Value, facts: &Value) -> Value {
    let request = json!({"topology": topology, "target": target, "facts": facts});
    let request: PlanRequest = serde_json::from_value(request).expect("a request for a plan");
    serde_json::to_value(request.answer()).expect("an answer is always JSON")
}

/// Replays one vector of plans.
pub(crate) fn plan(vector: &PlanVector) {
    let found = asked(&vector.topology, &vector.target, &vector.facts);
    assert_eq!(found, vector.answer, "{}", vector.name);
}

/// Scans every document in `bytes`, up to the end or the first error.
pub(crate) fn scans(bytes: &[u8]) -> Vec<Scan> {
    let mut scans = Vec::new();
    let mut at = 0;
    while scans.is_empty() || at < bytes.len() {
        let document = &bytes[at..];
        match scan(document) {
            Ok(envelope) => {
                let d = envelope.data(document);
                scans.push(Scan::Found {
                    op: envelope.op,
                    s: envelope.sequence,
                    t: envelope
                        .name_text(document)
                        .unwrap_or_default()
                        .into_owned(),
                    kind: envelope.kind(document).number(),
                    d: String::from_utf8_lossy(d).into_owned(),
                    end: at + envelope.end,
                });
                at += envelope.end;
            }
            Err(error) => {
                scans.push(Scan::Refused {
                    error: String::from(error.kind.name()),
                    at: at + error.at,
                });
                break;
            }
        }
    }
    scans
}

pub(crate) fn envelope(vector: &EnvelopeVector) {
    assert_eq!(scans(&vector.bytes()), vector.scans, "{}", vector.name);
}
