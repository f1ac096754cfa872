//! Stored sessions: what opens from a line, stated by hand, or why it is refused.

mod opened;
mod refused;

use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_core::gateway::{Capsule, CapsuleError};

use super::Source;
use super::model::File;

/// One line.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapsuleVector {
    pub(crate) name: String,
    pub(crate) rule: String,
    /// The line, or its bytes where they are no text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) hex: Option<String>,
    /// What opens from it.
    #[serde(default)]
    pub(crate) opens: Option<Value>,
    /// Whether that is sealed as the same line again.
    #[serde(default)]
    pub(crate) same: Option<bool>,
    /// Why it does not open.
    #[serde(default)]
    pub(crate) refused: Option<Value>,
}

pub(crate) const NAME: &str = "capsule";

/// Every refusal that there is.
const REFUSALS: [&str; 6] = [
    "too_large",
    "malformed",
    "damaged",
    "version",
    "no_shard",
    "ahead_of_itself",
];

pub(crate) fn files() -> Vec<Source<CapsuleVector>> {
    vec![
        (
            "opened",
            "Stored sessions that open, and what opens from them.",
            opened::vectors(),
        ),
        (
            "refused",
            "Lines that are no stored session, or not any more, by the name of the refusal.",
            refused::vectors(),
        ),
    ]
}

/// The sum over a body, written here a second time: FNV-1a of 64 bits.
fn sum(body: &str) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in body.bytes() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    sum
}

/// A body without its last brace, sealed whatever it says.
fn sealed(body: &str) -> String {
    format!("{body},\"check\":\"{:016x}\"}}", sum(body))
}

fn vector(name: &str, rule: &str, line: &[u8]) -> CapsuleVector {
    let text = std::str::from_utf8(line).map(String::from);
    let hex = line.iter().map(|byte| format!("{byte:02x}")).collect();
    let found = Capsule::open(line);
    CapsuleVector {
        name: String::from(name),
        rule: String::from(rule),
        hex: text.is_err().then_some(hex),
        same: found.as_ref().ok().map(|capsule| is_same(capsule, line)),
        opens: found.as_ref().ok().map(fields),
        refused: found.as_ref().err().map(refusal),
        text: text.ok(),
    }
}

fn is_same(capsule: &Capsule, line: &[u8]) -> bool {
    capsule.seal().is_ok_and(|again| again.as_bytes() == line)
}

/// A capsule's fields. Sequences are texts: they take 64 bits, and not every language's JSON does.
fn fields(capsule: &Capsule) -> Value {
    json!({
        "shard": [capsule.shard_index, capsule.shard_total],
        "session_id": capsule.session_id,
        "received": capsule.received.to_string(),
        "acknowledged": capsule.acknowledged.to_string(),
        "resume_gateway_url": capsule.resume_gateway_url,
        "encoding": "json",
        "compression": capsule.compression,
        "guilds": capsule.guilds,
        "epoch": capsule.epoch,
        "fencing": capsule.fencing.to_string(),
        "saved_at_ms": capsule.saved_at_ms.to_string(),
    })
}

fn refusal(error: &CapsuleError) -> Value {
    match error {
        CapsuleError::TooLarge { bytes } => json!({"reason": "too_large", "bytes": bytes}),
        CapsuleError::Malformed => json!({"reason": "malformed"}),
        CapsuleError::Damaged => json!({"reason": "damaged"}),
        CapsuleError::Version { found } => json!({"reason": "version", "found": found}),
        CapsuleError::NoShard { index, total } => {
            json!({"reason": "no_shard", "index": index, "total": total})
        }
        CapsuleError::AheadOfItself {
            acknowledged,
            received,
        } => json!({
            "reason": "ahead_of_itself",
            "acknowledged": acknowledged.to_string(),
            "received": received.to_string(),
        }),
        other => panic!("a refusal without a name: {other:?}"),
    }
}

/// Plays a vector as every language does.
pub(crate) fn replay(played: &CapsuleVector) {
    let line: Vec<u8> = match (&played.text, &played.hex) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(hex)) => (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
            .collect(),
        _ => panic!("{}: a text or bytes", played.name),
    };
    assert_eq!(*played, vector(&played.name, &played.rule, &line));
    if let Some(opens) = &played.opens {
        // What opened is sealed, and opens as the same.
        let capsule = Capsule::open(&line).expect("it opened before");
        let again = capsule.seal().expect("what opens can be sealed");
        let again = Capsule::open(again.as_bytes()).expect("what was sealed opens");
        assert_eq!(fields(&again), *opens, "{}", played.name);
    }
}

/// Refusals that no vector shows.
pub(crate) fn missing(vectors: &[CapsuleVector]) -> Vec<&'static str> {
    let shows = |reason: &&&str| {
        let mut refusals = vectors.iter().filter_map(|it| it.refused.as_ref());
        refusals.any(|refusal| refusal["reason"] == **reason)
    };
    let missing = REFUSALS.iter().filter(|reason| !shows(reason));
    missing.copied().collect()
}

fn text(vector: &CapsuleVector) -> String {
    let (label, input) = match (&vector.text, &vector.hex) {
        (Some(text), _) => ("text", text),
        (None, Some(hex)) => ("hex", hex),
        (None, None) => panic!("{}: no input", vector.name),
    };
    let came = match (&vector.opens, vector.same, &vector.refused) {
        (Some(opens), Some(same), None) => format!("\"opens\": {opens},\n \"same\": {same}"),
        (None, None, Some(refused)) => format!("\"refused\": {refused}"),
        _ => panic!("{}: it opens, or is refused", vector.name),
    };
    format!(
        "{{\"name\": {}, \"rule\": {},\n \"{label}\": {},\n {came}}}",
        json!(vector.name),
        json!(vector.rule),
        json!(input)
    )
}

pub(crate) fn write(contents: &File<CapsuleVector>) -> String {
    super::write::file(contents, text)
}
