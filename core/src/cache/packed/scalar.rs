//! Strings and numbers of a JSON text, in the natural few bytes of what they say.

use core::ops::Range;

use super::error::PackErrorKind;
use super::pack::Packer;
use super::{decimal, hex, tag, timestamp};
use crate::wire::block::{LANE, text_ends};

/// A string up to its closing quote.
struct Text {
    span: Range<usize>,
    is_escaped: bool,
    is_ascii: bool,
}

impl Packer<'_> {
    /// Packs the string at the cursor. Answers whether it has a tag of its own.
    #[inline]
    pub(super) fn string(&mut self, expected: u8) -> Result<bool, PackErrorKind> {
        let start = self.at + 1;
        if let Some(has_tag) = self.natural(expected, start) {
            return Ok(has_tag);
        }
        let text = self.text_from(start)?;
        let length = text.span.len();
        if text.is_escaped || !text.is_ascii {
            self.check(text.span.clone())?;
        }
        self.at = text.span.end + 1;
        let bytes = &self.text[text.span];
        let has_tag = match u8::try_from(length) {
            Ok(short) if length <= tag::TEXT_MAX && !text.is_escaped => {
                self.tag(expected, tag::TEXT + short)
            }
            _ => {
                let kind = if text.is_escaped {
                    tag::ESCAPED
                } else {
                    tag::LONG_TEXT
                };
                let has_tag = self.tag(expected, kind);
                let (count, taken) = tag::count_bytes(length);
                self.out.extend_from_slice(&count[..taken]);
                has_tag
            }
        };
        self.out.extend_from_slice(bytes);
        Ok(has_tag)
    }

    /// Packs a string that is more than text: digits, a timestamp or a hash. `None`, and nothing has happened, if it
    /// is not.
    #[inline]
    fn natural(&mut self, expected: u8, start: usize) -> Option<bool> {
        let first = *self.text.get(start)?;
        match first {
            b'0'..=b'9' => {
                if let Some((number, end)) = decimal::read(self.text, start)
                    && self.text.get(end) == Some(&b'"')
                {
                    self.at = end + 1;
                    return Some(self.integer(expected, tag::DIGITS, number));
                }
                if let Some(found) = timestamp::read(self.text, start) {
                    self.at = found.end + 1;
                    let has_tag = self.tag(expected, tag::TIME + found.form);
                    let length = timestamp::LENGTHS[usize::from(found.form)];
                    self.low_bytes(found.units, usize::from(length));
                    return Some(has_tag);
                }
                self.hash(expected, start, tag::HASH)
            }
            b'a' if self.text.get(start + 1) == Some(&b'_') => {
                self.hash(expected, start + 2, tag::ANIMATED_HASH)
            }
            b'a'..=b'f' => self.hash(expected, start, tag::HASH),
            _ => None,
        }
    }

    #[inline]
    fn hash(&mut self, expected: u8, start: usize, kind: u8) -> Option<bool> {
        if self.text.get(start + hex::DIGITS) != Some(&b'"') {
            return None;
        }
        let bytes = hex::read(self.text[start..].first_chunk()?)?;
        self.at = start + hex::DIGITS + 1;
        let has_tag = self.tag(expected, kind);
        self.out.extend_from_slice(&bytes);
        Some(has_tag)
    }

    /// Writes a number in as many bytes as it needs, the tag telling how many.
    #[inline]
    fn integer(&mut self, expected: u8, kind: u8, number: u64) -> bool {
        let length = (71 - number.leading_zeros()) / 8;
        let has_tag = self.tag(expected, kind + length.to_le_bytes()[0]);
        self.low_bytes(number, length as usize);
        has_tag
    }

    #[inline]
    fn low_bytes(&mut self, number: u64, length: usize) {
        // Eight bytes are one store; how many there are is known too late for that.
        let end = self.out.len() + length;
        self.out.extend_from_slice(&number.to_le_bytes());
        self.out.truncate(end);
    }

    /// Packs the number at the cursor. Answers whether it has a tag of its own.
    #[inline]
    pub(super) fn number(&mut self, expected: u8) -> Result<bool, PackErrorKind> {
        let start = self.at;
        let is_negative = self.peek() == Some(b'-');
        let digits = start + usize::from(is_negative);
        let read = decimal::read(self.text, digits);
        if let Some((number, end)) = read
            && !matches!(self.text.get(end), Some(b'.' | b'e' | b'E'))
            && !(is_negative && number == 0)
        {
            self.at = end;
            return Ok(match u8::try_from(number) {
                Ok(small @ 0..=tag::SMALL_MAX) if !is_negative => {
                    self.tag(expected, tag::SMALL + small)
                }
                _ if is_negative => self.integer(expected, tag::NEGATIVE, number),
                _ => self.integer(expected, tag::UNSIGNED, number),
            });
        }
        self.long_number(digits)?;
        let has_tag = self.tag(expected, tag::NUMBER);
        let bytes = &self.text[start..self.at];
        let (count, taken) = tag::count_bytes(bytes.len());
        self.out.extend_from_slice(&count[..taken]);
        self.out.extend_from_slice(bytes);
        Ok(has_tag)
    }

    /// Passes a number whose text is kept, by JSON's grammar.
    #[cold]
    fn long_number(&mut self, digits: usize) -> Result<(), PackErrorKind> {
        self.at = digits;
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(PackErrorKind::BadNumber);
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes one digit or more.
    fn digits(&mut self) -> Result<(), PackErrorKind> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            Some(_) => Err(PackErrorKind::BadNumber),
            None => Err(PackErrorKind::Incomplete),
        }
    }

    /// Finds the end of the string that starts at `start`.
    #[inline]
    fn text_from(&mut self, start: usize) -> Result<Text, PackErrorKind> {
        let mut at = start;
        let mut high = 0;
        let (mut is_escaped, mut is_ascii) = (false, true);
        loop {
            let lane = self.text.get(at..).and_then(<[u8]>::first_chunk::<LANE>);
            let byte = if let Some(lane) = lane {
                let (ends, beyond) = text_ends(lane);
                if ends == 0 {
                    high |= beyond;
                    at += LANE;
                    continue;
                }
                let place = ends.trailing_zeros();
                high |= beyond & ((1 << place) - 1);
                at += place as usize;
                lane[place as usize]
            } else {
                match self.text.get(at) {
                    Some(&byte) => byte,
                    None => {
                        self.at = at;
                        return Err(PackErrorKind::Incomplete);
                    }
                }
            };
            match byte {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    at += 2;
                }
                0..0x20 => {
                    self.at = at;
                    return Err(PackErrorKind::Control);
                }
                _ => {
                    is_ascii &= byte < 0x80;
                    at += 1;
                }
            }
        }
        is_ascii &= high == 0;
        Ok(Text {
            span: start..at,
            is_escaped,
            is_ascii,
        })
    }

    /// Whether what stands between two quotes is what JSON permits there. Leaves the cursor at what is not, and where
    /// it was if all is well.
    pub(super) fn check(&mut self, span: Range<usize>) -> Result<(), PackErrorKind> {
        let before = self.at;
        let bytes = &self.text[span.clone()];
        if let Err(error) = core::str::from_utf8(bytes) {
            self.at = span.start + error.valid_up_to();
            return Err(PackErrorKind::NotUtf8);
        }
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            self.at = span.start + at;
            at += match byte {
                b'\\' => escape_length(&bytes[at + 1..]).ok_or(PackErrorKind::BadEscape)?,
                0..0x20 => return Err(PackErrorKind::Control),
                _ => 1,
            };
        }
        self.at = before;
        Ok(())
    }
}

/// How long an escape is, its backslash included; `rest` is what follows that.
fn escape_length(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = rest.get(1..5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}
