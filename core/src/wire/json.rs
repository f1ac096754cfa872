//! Single values out of JSON text, and strings into it, where a tree or a type would be too much.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::scan::{Cursor, Fault};
use crate::id::Snowflake;

pub use super::walk::{Elements, Malformed, Member, Members, elements, fields, members, present};

/// The JSON of the member called `key` in `object`, which starts with `{`. The first one counts; what follows it is not
/// read. `None` if there is no such member, or if the text up to it is not JSON.
///
/// ```
/// use shardkeep_core::wire::json;
///
/// assert_eq!(json::field(br#"{"v": 10, "user": {"id": "1"}}"#, "user"), Some(&br#"{"id": "1"}"#[..]));
/// ```
#[must_use]
pub fn field<'a>(object: &'a [u8], key: &str) -> Option<&'a [u8]> {
    find(object, key).ok().flatten()
}

fn find<'a>(object: &'a [u8], key: &str) -> Result<Option<&'a [u8]>, Fault> {
    let mut cursor = Cursor::new(object, 0);
    cursor.skip_white();
    if cursor.peek() != Some(b'{') {
        return Ok(None);
    }
    cursor.at += 1;
    let mut first = true;
    while let Some(member) = cursor.next_member(first)? {
        first = false;
        let raw = &object[member.key];
        let value = cursor.value()?;
        if is_spelt(raw, member.key_escaped, key.as_bytes()) {
            return Ok(Some(&object[value]));
        }
    }
    Ok(None)
}

/// Whether a name as it stands in JSON, with or without escapes, is `name`. Where it has escapes its own bytes say
/// nothing: two backslashes in JSON are one.
#[inline]
pub(crate) fn is_spelt(raw: &[u8], is_escaped: bool, name: &[u8]) -> bool {
    if is_escaped {
        unescapes_to(raw, name)
    } else {
        raw == name
    }
}

/// The text of a JSON string, quotes included in `raw`. Borrowed unless it holds escapes. `None` if `raw` is not
/// exactly one string.
#[must_use]
pub fn string(raw: &[u8]) -> Option<Cow<'_, str>> {
    let mut cursor = Cursor::new(raw, 0);
    if cursor.peek() != Some(b'"') {
        return None;
    }
    let (inner, _) = cursor.string().ok()?;
    if cursor.at == raw.len() {
        unescape(&raw[inner])
    } else {
        None
    }
}

/// The whole number in `raw`; `None` if it is anything else.
#[must_use]
pub fn unsigned(raw: &[u8]) -> Option<u64> {
    let plain =
        !raw.is_empty() && raw.iter().all(u8::is_ascii_digit) && (raw.len() == 1 || raw[0] != b'0');
    if plain {
        core::str::from_utf8(raw).ok()?.parse().ok()
    } else {
        None
    }
}

/// The snowflake in `raw`: a string of digits, or a whole number. `None` if it is anything else.
#[must_use]
pub fn snowflake(raw: &[u8]) -> Option<Snowflake> {
    let digits = raw
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(raw);
    if let Some(id) = few_digits(digits) {
        return Some(Snowflake(id));
    }
    if digits.iter().all(u8::is_ascii_digit) {
        return core::str::from_utf8(digits).ok()?.parse().ok();
    }
    let text = string(raw)?;
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// The number that digits stand for, if there are any, and so few that every such number has room in 64 bits.
#[inline]
fn few_digits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

/// Appends `text` as a JSON string, quotes included. Only what JSON demands is escaped.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends `number` in decimal.
pub fn write_unsigned(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).expect("a remainder by ten fits in a byte");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// The text that stands between a JSON string's quotes, escapes resolved. `None` if an escape is malformed or the bytes
/// are not UTF-8.
#[must_use]
pub fn unescape(raw: &[u8]) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', raw).is_none() {
        return core::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let mut text = Vec::with_capacity(raw.len());
    for piece in Pieces(raw) {
        match piece? {
            Piece::Raw(bytes) => text.extend_from_slice(bytes),
            Piece::Char(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    String::from_utf8(text).ok().map(Cow::Owned)
}

/// Whether the text between a JSON string's quotes stands for `text`. Allocates nothing.
pub(crate) fn unescapes_to(raw: &[u8], text: &[u8]) -> bool {
    let mut rest = text;
    for piece in Pieces(raw) {
        let mut encoded = [0; 4];
        let bytes = match piece {
            Some(Piece::Raw(bytes)) => bytes,
            Some(Piece::Char(char)) => char.encode_utf8(&mut encoded).as_bytes(),
            None => return false,
        };
        match rest.strip_prefix(bytes) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

enum Piece<'a> {
    /// A stretch without backslashes.
    Raw(&'a [u8]),
    /// What one escape, or one pair of surrogates, stands for.
    Char(char),
}

/// The pieces of a string between its quotes. `Some(None)` is a malformed escape; nothing follows it.
struct Pieces<'a>(&'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = Option<Piece<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.0;
        match raw {
            [] => None,
            [b'\\', escape @ ..] => {
                let Some((char, rest)) = read_escape(escape) else {
                    self.0 = &[];
                    return Some(None);
                };
                self.0 = rest;
                Some(Some(Piece::Char(char)))
            }
            _ => {
                let (plain, rest) = raw.split_at(memchr::memchr(b'\\', raw).unwrap_or(raw.len()));
                self.0 = rest;
                Some(Some(Piece::Raw(plain)))
            }
        }
    }
}

/// Reads what follows a backslash, and a second escape where the first is half of a surrogate pair.
fn read_escape(escape: &[u8]) -> Option<(char, &[u8])> {
    let (&letter, rest) = escape.split_first()?;
    let char = match letter {
        b'"' | b'\\' | b'/' => char::from(letter),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_unicode(rest),
        _ => return None,
    };
    Some((char, rest))
}

fn read_unicode(digits: &[u8]) -> Option<(char, &[u8])> {
    let (high, rest) = read_hex(digits)?;
    if let Some(char) = char::from_u32(high) {
        return Some((char, rest));
    }
    let (low, rest) = read_hex(rest.strip_prefix(b"\\u")?)?;
    if !(0xd800..0xdc00).contains(&high) || !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    Some((
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?,
        rest,
    ))
}

fn read_hex(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = digits.split_at_checked(4)?;
    let number = four.iter().try_fold(0, |number, &digit| {
        Some(number << 4 | char::from(digit).to_digit(16)?)
    })?;
    Some((number, rest))
}
