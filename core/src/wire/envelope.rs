//! The envelope around every gateway message: op, s, t and where d is, found in one pass without a tree.

use alloc::borrow::Cow;
use core::fmt;
use core::ops::Range;

use super::event_kind::EventKind;
use super::json;
use super::scan::{Cursor, Fault};

/// What a gateway message says before its content: `{op, s, t, d}`, as places in the scanned bytes.
///
/// ```
/// use shardkeep_core::wire::{EventKind, envelope};
///
/// let bytes = br#"{"t":"TYPING_START","s":7,"op":0,"d":{"user_id":"1"}}"#;
/// let envelope = envelope::scan(bytes).unwrap();
/// assert_eq!((envelope.op, envelope.sequence), (0, Some(7)));
/// assert_eq!(envelope.kind(bytes), EventKind::TypingStart);
/// assert_eq!(envelope.data(bytes), br#"{"user_id":"1"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The opcode. Any number is valid: Discord may add opcodes.
    pub op: u64,
    /// `s`; none if it is null or absent, as with every op but 0.
    pub sequence: Option<u64>,
    /// `t` between its quotes, escapes as they are; empty if it is null or absent.
    pub name: Range<usize>,
    /// Whether `t` holds a backslash, so that [`Envelope::name`] is not yet the event's name.
    pub name_escaped: bool,
    /// The JSON of `d`; empty if it is absent. Objects and arrays are delimited, not validated.
    pub data: Range<usize>,
    /// One past the closing brace and the white space after it. Another document may follow.
    pub end: usize,
}

impl Envelope {
    /// What the dispatch is about. `bytes` are those that were scanned.
    #[must_use]
    pub fn kind(&self, bytes: &[u8]) -> EventKind {
        let raw = bytes.get(self.name.clone()).unwrap_or_default();
        if self.name_escaped {
            // Never seen from Discord: a search by name is soon enough, and needs no memory.
            let spelt = |kind: &EventKind| json::unescapes_to(raw, kind.name().as_bytes());
            return EventKind::ALL
                .iter()
                .copied()
                .find(spelt)
                .unwrap_or(EventKind::Unknown);
        }
        EventKind::from_name(raw)
    }

    /// The event's name with its escapes resolved; none if it is not a valid string. `bytes` are those that were
    /// scanned.
    #[must_use]
    pub fn name_text<'a>(&self, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        json::unescape(bytes.get(self.name.clone())?)
    }

    /// The JSON of `d`. `bytes` are those that were scanned.
    #[must_use]
    pub fn data<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.data.clone()).unwrap_or_default()
    }
}

/// Finds a message's opcode, sequence, name and content.
///
/// One pass in any order of keys. Unknown keys are passed, a key that comes twice counts as it stands the last time.
/// What follows the document is left alone: see [`Envelope::end`].
///
/// # Errors
///
/// [`EnvelopeError`] if the bytes do not start with a JSON object, if one of the four members has a type that it cannot
/// have, or if `op` is missing. [`EnvelopeErrorKind::Incomplete`] if more bytes could make it valid.
#[inline]
pub fn scan(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    let mut cursor = Cursor::new(bytes, 0);
    match members(&mut cursor) {
        Ok((op, mut envelope)) => match op {
            Some(op) => {
                cursor.skip_white();
                envelope.op = op;
                envelope.end = cursor.at;
                Ok(envelope)
            }
            None => Err(EnvelopeErrorKind::MissingOpcode.at(cursor.at)),
        },
        Err(kind) => Err(kind.at(cursor.at)),
    }
}

#[inline]
fn members(cursor: &mut Cursor<'_>) -> Result<(Option<u64>, Envelope), EnvelopeErrorKind> {
    let mut op = None;
    let mut envelope = Envelope {
        op: 0,
        sequence: None,
        name: 0..0,
        name_escaped: false,
        data: 0..0,
        end: 0,
    };
    let mut first = true;
    if let Some((name, sequence)) = usual_head(cursor) {
        op = Some(0);
        (envelope.name, envelope.sequence) = (name, Some(sequence));
        envelope.data = cursor.value()?;
        first = false;
    } else {
        cursor.skip_white();
        match cursor.peek() {
            Some(b'{') => cursor.at += 1,
            Some(_) => return Err(EnvelopeErrorKind::NotAnObject),
            None => return Err(EnvelopeErrorKind::Empty),
        }
    }
    while let Some(member) = cursor.next_member(first)? {
        first = false;
        match key(&cursor.bytes[member.key], member.key_escaped) {
            Key::Op => op = Some(unsigned(cursor)?),
            Key::Sequence if cursor.peek() == Some(b'n') => {
                cursor.literal(b"null")?;
                envelope.sequence = None;
            }
            Key::Sequence => envelope.sequence = Some(unsigned(cursor)?),
            Key::Name => match cursor.peek() {
                Some(b'"') => (envelope.name, envelope.name_escaped) = cursor.string()?,
                Some(b'n') => {
                    cursor.literal(b"null")?;
                    (envelope.name, envelope.name_escaped) = (0..0, false);
                }
                Some(_) => return Err(EnvelopeErrorKind::BadValue),
                None => return Err(EnvelopeErrorKind::Incomplete),
            },
            Key::Data => envelope.data = cursor.value()?,
            Key::Other => {
                cursor.value()?;
            }
        }
    }
    Ok((op, envelope))
}

/// Passes `{"t":"NAME","s":N,"op":0,"d":` as Discord writes it on every dispatch, to the byte; answers where the name
/// is and the number. `None`, and nothing passed, where anything differs: then the members are read one by one.
#[inline]
fn usual_head(cursor: &mut Cursor<'_>) -> Option<(Range<usize>, u64)> {
    const NAME: &[u8] = br#"{"t":""#;
    const SEQUENCE: &[u8] = br#"","s":"#;
    const DATA: &[u8] = br#","op":0,"d":"#;
    let other = |byte: &u8| !matches!(byte, b'A'..=b'Z' | b'_');
    let len = cursor.bytes.strip_prefix(NAME)?.iter().position(other)?;
    let name = NAME.len()..NAME.len() + len;
    cursor.bytes[name.end..].strip_prefix(SEQUENCE)?;
    let mut ahead = Cursor::new(cursor.bytes, name.end + SEQUENCE.len());
    let sequence = unsigned(&mut ahead).ok()?;
    cursor.bytes[ahead.at..].strip_prefix(DATA)?;
    cursor.at = ahead.at + DATA.len();
    Some((name, sequence))
}

enum Key {
    Op,
    Sequence,
    Name,
    Data,
    Other,
}

#[inline]
fn key(raw: &[u8], escaped: bool) -> Key {
    match raw {
        b"op" => Key::Op,
        b"s" => Key::Sequence,
        b"t" => Key::Name,
        b"d" => Key::Data,
        _ if !escaped => Key::Other,
        _ if json::unescapes_to(raw, b"op") => Key::Op,
        _ if json::unescapes_to(raw, b"s") => Key::Sequence,
        _ if json::unescapes_to(raw, b"t") => Key::Name,
        _ if json::unescapes_to(raw, b"d") => Key::Data,
        _ => Key::Other,
    }
}

/// Reads a whole number that fits in 64 bits.
#[inline]
fn unsigned(cursor: &mut Cursor<'_>) -> Result<u64, EnvelopeErrorKind> {
    let start = cursor.at;
    let mut number: u64 = 0;
    while let Some(digit @ b'0'..=b'9') = cursor.peek() {
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(digit - b'0')))
            .ok_or(EnvelopeErrorKind::BadNumber)?;
        cursor.at += 1;
    }
    let leading_zero = cursor.at - start > 1 && cursor.bytes[start] == b'0';
    match cursor.peek() {
        _ if leading_zero => Err(EnvelopeErrorKind::BadNumber),
        None => Err(EnvelopeErrorKind::Incomplete),
        Some(b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t') if cursor.at > start => Ok(number),
        Some(_) => Err(EnvelopeErrorKind::BadNumber),
    }
}

/// Why bytes are no gateway message, and where that showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeError {
    /// What is wrong.
    pub kind: EnvelopeErrorKind,
    /// How many bytes were read before it showed.
    pub at: usize,
}

/// What is wrong with the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EnvelopeErrorKind {
    /// There is nothing but white space.
    Empty,
    /// The text ends early: more bytes could make it valid.
    Incomplete,
    /// The text does not start with `{`.
    NotAnObject,
    /// The object ended without `op`.
    MissingOpcode,
    /// A member does not start with a quoted name and a colon.
    BadKey,
    /// A value is no JSON, is not separated from the next one, or is a `t` that is neither string nor null.
    BadValue,
    /// `op` or `s` is not a whole number from 0 to 2^64 - 1.
    BadNumber,
}

impl EnvelopeErrorKind {
    /// Every kind, in order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::Empty,
        Self::Incomplete,
        Self::NotAnObject,
        Self::MissingOpcode,
        Self::BadKey,
        Self::BadValue,
        Self::BadNumber,
    ];

    /// The name in every language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Incomplete => "incomplete",
            Self::NotAnObject => "not_an_object",
            Self::MissingOpcode => "missing_opcode",
            Self::BadKey => "bad_key",
            Self::BadValue => "bad_value",
            Self::BadNumber => "bad_number",
        }
    }

    const fn at(self, at: usize) -> EnvelopeError {
        EnvelopeError { kind: self, at }
    }

    /// What is wrong, and what it suggests.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Empty => "the message is empty",
            Self::Incomplete => {
                "the message ends before its JSON does: bytes were lost or held back"
            }
            Self::NotAnObject => {
                "the message is no JSON object: was the right compression asked for?"
            }
            Self::MissingOpcode => "the message has no op",
            Self::BadKey => "a member of the message has no quoted name and colon",
            Self::BadValue => "a member of the message is not valid JSON",
            Self::BadNumber => "op or s is not a whole number of 64 bits",
        }
    }
}

impl From<Fault> for EnvelopeErrorKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Incomplete => Self::Incomplete,
            Fault::BadKey => Self::BadKey,
            Fault::BadValue => Self::BadValue,
        }
    }
}

impl EnvelopeError {
    /// What is wrong, and what it suggests.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        self.kind.explain()
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind.explain(), self.at)
    }
}

impl core::error::Error for EnvelopeError {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// White space in front keeps the usual head from being recognised.
    fn by_members(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
        let spaced: Vec<u8> = b" ".iter().chain(bytes).copied().collect();
        let back = |range: Range<usize>| match range.end {
            0 => range,
            _ => range.start - 1..range.end - 1,
        };
        match scan(&spaced) {
            Ok(found) => Ok(Envelope {
                name: back(found.name.clone()),
                data: back(found.data.clone()),
                end: found.end - 1,
                ..found
            }),
            Err(error) => Err(error.kind.at(error.at - 1)),
        }
    }

    #[test]
    fn the_usual_head_changes_nothing() {
        let texts: [&[u8]; 9] = [
            br#"{"t":"MESSAGE_CREATE","s":1234,"op":0,"d":{"content":"a \"b\" [","x":[{}]}}"#,
            br#"{"t":"RESUMED","s":18446744073709551615,"op":0,"d":null} {"op":11}"#,
            br#"{"t":"A","s":1,"op":0,"d":{},"t":"B","s":2,"d":[3],"extra":true}"#,
            br#"{"t":"A","s":1,"op":0,"d":{},"op":7}"#,
            br#"{"t":"A","s":1,"op":0,"d":}"#,
            br#"{"t":"A","s":01,"op":0,"d":{}}"#,
            br#"{"t":"A\u0042","s":1,"op":0,"d":{}}"#,
            br#"{"t":"","s":1,"op":0,"d":"text"}"#,
            br#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":1}}"#,
        ];
        for text in texts {
            for end in 1..=text.len() {
                assert_eq!(
                    scan(&text[..end]),
                    by_members(&text[..end]),
                    "{:?}",
                    &text[..end]
                );
            }
        }
    }
}
