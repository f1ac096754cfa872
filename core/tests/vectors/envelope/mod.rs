//! The scenarios of the envelope scanner: what each text says is stated by hand, positions are recorded.

mod found;
mod refused;

use super::Source;
use super::model::{EnvelopeVector, Scan};
use super::replay;

pub(crate) fn files() -> Vec<Source<EnvelopeVector>> {
    vec![
        (
            "found",
            "Envelopes in every shape that JSON allows (protocol 1.2).",
            found::vectors(),
        ),
        (
            "refused",
            "Bytes that are no gateway message, or not yet.",
            refused::vectors(),
        ),
    ]
}

/// What a document says, by hand: op, s, t, d.
type Says<'a> = (u64, Option<u64>, &'a str, &'a str);

fn vector(name: &str, rule: &str, bytes: &[u8]) -> EnvelopeVector {
    let text = std::str::from_utf8(bytes).map(String::from);
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    EnvelopeVector {
        name: String::from(name),
        rule: String::from(rule),
        hex: text.is_err().then_some(hex),
        text: text.ok(),
        scans: replay::scans(bytes),
    }
}

/// A text of documents, each of which says this.
fn says(name: &str, rule: &str, bytes: &[u8], documents: &[Says<'_>]) -> EnvelopeVector {
    let vector = vector(name, rule, bytes);
    let found: Vec<_> = vector
        .scans
        .iter()
        .map(|scan| match scan {
            Scan::Found { op, s, t, d, .. } => (*op, *s, t.as_str(), d.as_str()),
            Scan::Refused { .. } => panic!("{name}: {scan:?}"),
        })
        .collect();
    assert_eq!(found, documents, "{name}");
    vector
}

/// A text whose last scan is refused with this error.
fn refuses(name: &str, rule: &str, bytes: &[u8], error: &str) -> EnvelopeVector {
    let vector = vector(name, rule, bytes);
    let last = vector.scans.last();
    assert!(
        matches!(last, Some(Scan::Refused { error: found, .. }) if found == error),
        "{name}: {last:?}"
    );
    vector
}
