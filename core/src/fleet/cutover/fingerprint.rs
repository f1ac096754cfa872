//! What two sessions recognise the same event by: 64 bits, from a key of Discord's own or from the whole payload.

use serde::{Deserialize, Serialize};

use super::natural::{Key, key};
use crate::wire::{EventKind, json};

/// Deeper objects count by their bytes as they stand. Discord's payloads are a few levels deep.
const DEPTH_MAX: u32 = 24;

/// What an event is recognised by on another session. Both sides must agree, so nothing is mixed in that only one of
/// them knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Whether Discord sends this event once and never again, because an id that it mints or retires is the key. Only
    /// such events can serve as a place that both sides agree on.
    #[must_use]
    pub const fn is_once(self) -> bool {
        self.0 & 1 == 1
    }

    /// All of it, as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    const fn new(hash: u64, is_once: bool) -> Self {
        Self(hash & !1 | is_once as u64)
    }
}

/// The fingerprint of a dispatch: of its key where Discord gives it one (see the table in `natural.rs`), else of the
/// whole payload. `name` counts only where the kind is not listed.
///
/// The order of members and white space between values do not matter, at any depth. How a string is escaped and how a
/// number is spelt do: Discord writes both sessions' payloads with the same encoder. What is not JSON counts by its
/// bytes. Nothing is allocated.
///
/// ```
/// use shardkeep_core::fleet::cutover::fingerprint;
/// use shardkeep_core::wire::EventKind;
///
/// let one = fingerprint(EventKind::MessageCreate, "", br#"{"id":"7","content":"a"}"#);
/// assert_eq!(one, fingerprint(EventKind::MessageCreate, "", br#"{ "content": "b", "id": "7" }"#));
/// assert!(one.is_once());
/// ```
#[must_use]
pub fn fingerprint(kind: EventKind, name: &str, data: &[u8]) -> Fingerprint {
    let start = if kind == EventKind::Unknown {
        text(name.as_bytes())
    } else {
        u64::from(kind.number())
    };
    let keyed = match key(kind) {
        Key::Once(names) => members_hash(data, names).map(|hash| (hash, true)),
        Key::Repeats(names) => members_hash(data, names).map(|hash| (hash, false)),
        Key::Whole => None,
    };
    let (hash, is_once) = keyed.unwrap_or_else(|| (value(data.trim_ascii(), 0), false));
    Fingerprint::new(fold(hash ^ start.rotate_left(32)), is_once)
}

/// The values of the named members, together. `None` if the first of them, which is the id, is missing: then the
/// payload is not what the table expects, and counts as a whole.
fn members_hash(data: &[u8], names: &[&str]) -> Option<u64> {
    let mut hash = 0_u64;
    let mut has_id = false;
    for member in json::members(data) {
        let member = member.ok()?;
        for (index, name) in names.iter().enumerate() {
            let (outer, inner) = name.split_once('.').unwrap_or((name, ""));
            if !member.is(outer) {
                continue;
            }
            let found = if inner.is_empty() {
                Some(member.value)
            } else {
                json::field(member.value, inner)
            };
            let Some(found) = found else { continue };
            has_id |= index == 0;
            hash = hash.wrapping_add(pair(index as u64 + 1, value(found, 0)));
        }
    }
    has_id.then_some(hash)
}

/// A JSON value. Members are summed up, so that their order does not matter; elements are chained.
fn value(raw: &[u8], depth: u32) -> u64 {
    let walked = match raw.first() {
        Some(b'{') if depth < DEPTH_MAX => object(raw, depth + 1),
        Some(b'[') if depth < DEPTH_MAX => array(raw, depth + 1),
        _ => None,
    };
    walked.unwrap_or_else(|| text(raw))
}

fn object(raw: &[u8], depth: u32) -> Option<u64> {
    let mut hash = 0x6f62_6a65_u64;
    for member in json::members(raw) {
        let member = member.ok()?;
        hash = hash.wrapping_add(pair(text(member.key), value(member.value, depth)));
    }
    Some(fold(hash))
}

fn array(raw: &[u8], depth: u32) -> Option<u64> {
    let mut hash = 0x6172_7279_u64;
    for element in json::elements(raw) {
        hash = pair(hash, value(element.ok()?, depth));
    }
    Some(hash)
}

/// Bytes as they stand, eight at a time.
fn text(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64 ^ 0x7465_7874;
    for word in words {
        hash = pair(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    pair(hash, u64::from_le_bytes(last))
}

/// Two hashes in one; which comes first matters.
const fn pair(one: u64, other: u64) -> u64 {
    fold(fold(one ^ 0x2d35_8dcc_aa6c_78a5).wrapping_add(other ^ 0x8bb8_4b93_962e_acc9))
}

/// Both halves of the product, over each other: every bit of the number reaches every bit of the result.
const fn fold(number: u64) -> u64 {
    let product = (number ^ 0xa076_1d64_78bd_642f) as u128 * 0xe703_7ed1_a0b4_28db_u128;
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    // The number itself over it: a product alone maps one number in 2^64 to nothing.
    low ^ high ^ number.rotate_left(23)
}
