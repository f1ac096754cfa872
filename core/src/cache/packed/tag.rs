//! The byte that says what a value is, and how long what follows it is.

/// `null`, `false` and `true`.
pub(super) const NULL: u8 = 0x00;
pub(super) const FALSE: u8 = 0x01;
pub(super) const TRUE: u8 = 0x02;
/// `{}` inside something.
pub(super) const EMPTY_OBJECT: u8 = 0x03;
/// A length, and a number as it was written: fractions, exponents, `-0`, more than 64 bits.
pub(super) const NUMBER: u8 = 0x04;
/// A length, and a text without escapes, too long for [`TEXT`].
pub(super) const LONG_TEXT: u8 = 0x05;
/// A length, and a text with its escapes as they came.
pub(super) const ESCAPED: u8 = 0x06;
/// A length, and values with their tags.
pub(super) const ARRAY: u8 = 0x07;
/// A length, a shape and what [`open`](super::open) describes.
pub(super) const OBJECT: u8 = 0x08;
/// A count and as many ids, too many for [`IDS`].
pub(super) const MANY_IDS: u8 = 0x09;
/// Sixteen bytes, of which the text is their hexadecimal digits.
pub(super) const HASH: u8 = 0x0a;
/// The same with `a_` in front.
pub(super) const ANIMATED_HASH: u8 = 0x0b;
/// What stands here is kept elsewhere.
pub(super) const REFERENCE: u8 = 0x0c;
/// The same, with the id under which it is.
pub(super) const REFERENCE_BY_ID: u8 = 0x0d;
/// Timestamps: [`timestamp::Form`](super::timestamp) is added.
pub(super) const TIME: u8 = 0x10;
/// The number of bytes, 0 to 8, is added: a text of decimal digits.
pub(super) const DIGITS: u8 = 0x18;
/// The number of bytes, 1 to 8, is added: a whole number above [`SMALL_MAX`].
pub(super) const UNSIGNED: u8 = 0x20;
/// The number of bytes, 1 to 8, is added: a number below zero, without its sign.
pub(super) const NEGATIVE: u8 = 0x28;
/// An id as it is in an array: for reading alone, and never written.
pub(super) const ID: u8 = 0x3f;
/// The number is added.
pub(super) const SMALL: u8 = 0x40;
pub(super) const SMALL_MAX: u8 = 0x3f;
/// The length is added: a text without escapes.
pub(super) const TEXT: u8 = 0x80;
pub(super) const TEXT_MAX: usize = 0x3f;
/// The count is added: an array of ids.
pub(super) const IDS: u8 = 0xc0;
pub(super) const IDS_MAX: usize = 0x1f;
pub(super) const IDS_LAST: u8 = 0xdf;
/// No value has this tag.
pub(super) const NONE: u8 = 0xff;

/// How many bytes follow a tag, where the tag alone says so.
static LENGTHS: [u8; 256] = lengths();

/// The length follows the tag.
const COUNTED: u8 = 0xfe;
/// Ids follow, and each says how long it is.
const WALKED: u8 = 0xfd;
/// No value has this tag.
const INVALID: u8 = 0xff;

#[expect(clippy::cast_possible_truncation, reason = "tags are bytes")]
const fn lengths() -> [u8; 256] {
    let mut lengths = [INVALID; 256];
    let mut tag = 0;
    while tag < 256 {
        let byte = tag as u8;
        lengths[tag] = match byte {
            NULL | FALSE | TRUE | EMPTY_OBJECT | REFERENCE => 0,
            NUMBER | LONG_TEXT | ESCAPED | ARRAY | OBJECT => COUNTED,
            MANY_IDS => WALKED,
            HASH | ANIMATED_HASH => 16,
            REFERENCE_BY_ID => 8,
            TIME..=0x15 => super::timestamp::LENGTHS[(byte - TIME) as usize],
            DIGITS..=UNSIGNED => byte - DIGITS,
            0x21..=NEGATIVE => byte - UNSIGNED,
            0x29..=0x30 => byte - NEGATIVE,
            SMALL..TEXT => 0,
            TEXT..IDS => byte - TEXT,
            IDS => 0,
            0xc1..=IDS_LAST => WALKED,
            _ => INVALID,
        };
        tag += 1;
    }
    lengths
}

/// Splits what belongs to the value with this tag from the front of `bytes`, a length in front of it left out.
#[inline]
pub(super) fn split(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = LENGTHS[usize::from(tag)];
    if length < WALKED {
        return bytes.split_at_checked(usize::from(length));
    }
    split_long(tag, length, bytes)
}

#[cold]
fn split_walked(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = id_count(tag, bytes)?;
    let mut left = rest;
    for _ in 0..count {
        (_, left) = left.split_at_checked(super::ids::code_length(*left.first()?))?;
    }
    bytes.split_at_checked(bytes.len() - left.len())
}

fn split_long(tag: u8, length: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match length {
        COUNTED => {
            let (length, rest) = read_count(bytes)?;
            rest.split_at_checked(length)
        }
        WALKED => split_walked(tag, bytes),
        _ => None,
    }
}

/// How many ids an array of them has, and where they begin.
pub(super) fn id_count(tag: u8, bytes: &[u8]) -> Option<(usize, &[u8])> {
    if tag == MANY_IDS {
        read_count(bytes)
    } else {
        Some((usize::from(tag.checked_sub(IDS)?), bytes))
    }
}

/// Whether a length stands between the tag and what it measures.
pub(super) fn is_counted(tag: u8) -> bool {
    LENGTHS[usize::from(tag)] == COUNTED
}

/// Reads a count: seven bits a byte, the lowest first, the last byte below 128.
#[inline]
pub(super) fn read_count(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let mut count = usize::from(first & 0x7f);
    for (index, &byte) in rest.iter().enumerate().take(4) {
        count |= usize::from(byte & 0x7f) << (7 * (index + 1));
        if byte < 0x80 {
            return Some((count, &rest[index + 1..]));
        }
    }
    None
}

/// A count as [`read_count`] reads it, and how many of the bytes it takes. Five bytes hold 35 bits, and nothing is so
/// long: [`PackErrorKind::TooLong`](super::PackErrorKind).
pub(super) fn count_bytes(count: usize) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut rest = count;
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = low_seven(rest);
        rest >>= 7;
        if rest == 0 {
            return (bytes, index + 1);
        }
        *byte |= 0x80;
    }
    (bytes, 5)
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits are left")]
const fn low_seven(count: usize) -> u8 {
    (count & 0x7f) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_were_written() {
        for count in [0, 1, 127, 128, 16_383, 16_384, 1 << 20, u32::MAX as usize] {
            let (bytes, length) = count_bytes(count);
            assert_eq!(read_count(&bytes[..length]), Some((count, &[][..])));
            assert_eq!(read_count(&bytes[..length - 1]), None);
        }
        assert_eq!(read_count(&[0xff; 9]), None);
    }

    #[test]
    fn every_tag_is_split_without_a_panic() {
        for tag in 0..=u8::MAX {
            for fill in [0, 0x7f, 0x80, 0xff] {
                let bytes = [fill; 40];
                for length in 0..bytes.len() {
                    let Some((body, rest)) = split(tag, &bytes[..length]) else {
                        continue;
                    };
                    assert!(body.len() + rest.len() <= length);
                    assert_ne!(tag, NONE);
                }
            }
        }
    }
}
