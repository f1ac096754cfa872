//! Writes vector files: compact, one call to a few lines, so that a change is easy to read.

use std::fmt::Write;

use serde_json::Value;

use super::model::{EnvelopeVector, File, PlanVector, Rec, Scan, Step, Vector};

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A record without the columns that are 0 or empty.
pub(crate) fn record(record: &Rec) -> String {
    let Rec {
        kind,
        code,
        id,
        value,
        text,
        data,
    } = record;
    let mut out = format!("{{\"kind\": {}", quoted(kind));
    if *code != 0 {
        let _ = write!(out, ", \"code\": {code}");
    }
    if *id != 0 {
        // As a string: not every language has 64-bit integers in its JSON.
        let _ = write!(out, ", \"id\": \"{id}\"");
    }
    if *value != 0 {
        let _ = write!(out, ", \"value\": {value}");
    }
    if !text.is_empty() {
        let _ = write!(out, ", \"text\": {}", quoted(text));
    }
    match std::str::from_utf8(data) {
        Ok("") => {}
        Ok(data) if kind != "binary" => {
            let _ = write!(out, ", \"data\": {}", quoted(data));
        }
        _ => {
            let _ = write!(out, ", \"hex\": \"{}\"", hex(data));
        }
    }
    out + "}"
}

fn step(step: &Step) -> String {
    let mut out = format!("  {{\"at_us\": {}", step.at_us);
    if let Some(input) = &step.input {
        let _ = write!(out, ", \"input\": {}", record(input));
    }
    if step.status != "ok" {
        let _ = write!(out, ", \"status\": {}", quoted(&step.status));
    }
    let outputs: Vec<_> = step.outputs.iter().map(record).collect();
    match outputs.as_slice() {
        [] => out.push_str(", \"outputs\": []"),
        outputs => {
            let _ = write!(
                out,
                ",\n   \"outputs\": [\n    {}]",
                outputs.join(",\n    ")
            );
        }
    }
    if let Some(state) = &step.state {
        let _ = write!(out, ",\n   \"state\": {}", quoted(state));
    }
    match &step.next {
        Some(next) => {
            let (at_us, reason) = (next.at_us, quoted(&next.reason));
            let _ = write!(
                out,
                ", \"next\": {{\"at_us\": {at_us}, \"reason\": {reason}}}}}"
            );
        }
        None => out.push_str(", \"next\": null}"),
    }
    out
}

fn vector(vector: &Vector) -> String {
    let mut parts = vec![
        format!("\"name\": {}", quoted(&vector.name)),
        format!("\"rule\": {}", quoted(&vector.rule)),
    ];
    if vector.config != super::model::no_settings() {
        parts.push(format!("\"config\": {}", vector.config));
    }
    if let Some(snapshot) = &vector.snapshot {
        parts.push(format!("\"snapshot\": {snapshot}"));
    }
    if let Some(refused) = &vector.refused {
        parts.push(format!("\"refused\": {}", quoted(refused)));
    }
    if !vector.steps.is_empty() {
        let steps: Vec<_> = vector.steps.iter().map(step).collect();
        parts.push(format!("\"steps\": [\n{}\n ]", steps.join(",\n")));
    }
    if !vector.stats.is_empty() {
        let stats: Vec<_> = vector
            .stats
            .iter()
            .map(|(name, count)| format!("{}: {count}", quoted(name)))
            .collect();
        parts.push(format!("\"stats\": {{{}}}", stats.join(", ")));
    }
    if let Some(snapshot) = &vector.snapshot_after {
        parts.push(format!("\"snapshot_after\": {snapshot}"));
    }
    format!("{{{}}}", parts.join(",\n "))
}

fn envelope(vector: &EnvelopeVector) -> String {
    let (label, input) = match (&vector.text, &vector.hex) {
        (Some(text), _) => ("text", text),
        (None, Some(hex)) => ("hex", hex),
        (None, None) => panic!("{}: no input", vector.name),
    };
    let scans: Vec<_> = vector.scans.iter().map(scan).collect();
    format!(
        "{{\"name\": {}, \"rule\": {},\n \"{label}\": {},\n \"scans\": [{}]}}",
        quoted(&vector.name),
        quoted(&vector.rule),
        quoted(input),
        scans.join(",\n  ")
    )
}

fn plan(vector: &PlanVector) -> String {
    let mut parts = vec![
        format!("\"name\": {}", quoted(&vector.name)),
        format!("\"rule\": {}", quoted(&vector.rule)),
        format!(
            "\"topology\": {}, \"target\": {}",
            quoted(&vector.topology),
            vector.target
        ),
    ];
    if vector.facts != super::model::no_settings() {
        parts.push(format!("\"facts\": {}", vector.facts));
    }
    // Steps one a line: a plan is read from top to bottom.
    let entry = |(key, value): (&String, &Value)| match value {
        Value::Array(items) if key == "steps" => {
            let items: Vec<_> = items.iter().map(Value::to_string).collect();
            format!("\"steps\": [\n   {}]", items.join(",\n   "))
        }
        _ => format!("{}: {value}", quoted(key)),
    };
    let answer: Vec<_> = vector
        .answer
        .as_object()
        .expect("an object")
        .iter()
        .map(entry)
        .collect();
    parts.push(format!("\"answer\": {{{}}}", answer.join(",\n  ")));
    format!("{{{}}}", parts.join(",\n "))
}

fn scan(scan: &Scan) -> String {
    match scan {
        Scan::Found {
            op,
            s,
            t,
            kind,
            d,
            end,
        } => {
            let s = s.map_or(String::from("null"), |s| s.to_string());
            format!(
                "{{\"op\": {op}, \"s\": {s}, \"t\": {}, \"kind\": {kind}, \"d\": {}, \"end\": {end}}}",
                quoted(t),
                quoted(d)
            )
        }
        Scan::Refused { error, at } => format!("{{\"error\": {}, \"at\": {at}}}", quoted(error)),
    }
}

pub(crate) fn file<V>(file: &File<V>, vector: impl Fn(&V) -> String) -> String {
    let vectors: Vec<_> = file.vectors.iter().map(vector).collect();
    format!(
        "{{\"about\": {},\n\"machine\": {},\n\"vectors\": [\n\n{}\n]}}\n",
        quoted(&file.about),
        quoted(&file.machine),
        vectors.join(",\n\n")
    )
}

/// The text of a file with vectors of a machine.
pub(crate) fn machine_file(contents: &File<Vector>) -> String {
    file(contents, vector)
}

/// The text of a file with vectors of plans.
pub(crate) fn plan_file(contents: &File<PlanVector>) -> String {
    file(contents, plan)
}

/// The text of a file with vectors of the envelope scanner.
pub(crate) fn envelope_file(contents: &File<EnvelopeVector>) -> String {
    file(contents, envelope)
}
