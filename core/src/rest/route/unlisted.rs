//! The template of a path that the table does not have, by rule.

use core::ops::RangeInclusive;

use super::hash::{FNV1A_START, fnv1a};
use super::major::Facts;
use super::segments::{SHORT, Segments, is_digits};

/// How many digits make a segment an id. Snowflakes of 2015 have 15; versions, page numbers and years have fewer. No
/// id has more than 20; what is longer than a decoded segment may be is a token, however it is spelt.
const ID_DIGITS: RangeInclusive<usize> = 15..=SHORT;

/// Bytes from which on a segment is a token. OAuth2 tokens have 30, and no literal of Discord's has more than 25.
const TOKEN_BYTES: usize = 30;

/// Hands the normalised path to `sink`, piece by piece: ids, tokens and emoji replaced by placeholders, and all else
/// as it is, in one spelling whatever was percent-encoded.
pub(super) fn normalise(segments: Segments<'_>, mut sink: impl FnMut(&[u8])) {
    let mut facts = Facts::default();
    let mut follows_reactions = false;
    for (position, segment) in segments.enumerate() {
        facts.read(&segment);
        let text = segment.text();
        sink(b"/");
        if position == 1 && facts.id.is_some() {
            sink(b"{id}");
        } else if position == 2 && facts.token.is_some() {
            sink(b"{token}");
        } else if follows_reactions {
            sink(b"{emoji}");
        } else if ID_DIGITS.contains(&text.len()) && is_digits(text) {
            sink(b"{id}");
        } else if text.len() >= TOKEN_BYTES {
            sink(b"{token}");
        } else {
            text.iter().for_each(|&byte| write_byte(byte, &mut sink));
        }
        follows_reactions = text == b"reactions";
    }
}

/// The hash of the normalised path.
pub(super) fn hash(segments: Segments<'_>) -> u64 {
    let mut state = FNV1A_START;
    normalise(segments, |piece| state = fnv1a(state, piece));
    state
}

fn write_byte(byte: u8, sink: &mut impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
        sink(&[byte]);
    } else {
        sink(&[
            b'%',
            HEX[usize::from(byte >> 4)],
            HEX[usize::from(byte & 15)],
        ]);
    }
}
