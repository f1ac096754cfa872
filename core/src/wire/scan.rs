//! Walks JSON text without a tree: members of an object, and the end of any value. No allocation, no recursion.

use core::ops::Range;

use fearless_simd::{Simd, dispatch};

use super::block::{BLOCK, Block, LANE, level, quotes_and_backslashes};

/// What stops a walk. Callers turn it into their own errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ended where more could have made it valid.
    Incomplete,
    /// A member does not start with a quoted name and a colon.
    BadKey,
    /// A value, or what separates it from the next, is not JSON.
    BadValue,
}

/// One member of an object, before its value is read.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The name between its quotes, escapes as they are.
    pub(crate) key: Range<usize>,
    /// Whether the name holds a backslash.
    pub(crate) key_escaped: bool,
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next byte, which stays unread.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes the white space that JSON permits.
    #[inline]
    pub(crate) fn skip_white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Reads from an object's brace, or from the end of a value in it, to the start of the next member's value.
    /// `None` past the closing brace.
    #[inline]
    pub(crate) fn next_member(&mut self, first: bool) -> Result<Option<Member>, Fault> {
        self.skip_white();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_white();
            }
            Some(_) if first => {}
            Some(_) => return Err(Fault::BadValue),
            None => return Err(Fault::Incomplete),
        }
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(Fault::BadKey),
            None => return Err(Fault::Incomplete),
        }
        let (key, key_escaped) = self.string()?;
        self.skip_white();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(Fault::BadKey),
            None => return Err(Fault::Incomplete),
        }
        self.skip_white();
        Ok(Some(Member { key, key_escaped }))
    }

    /// Reads from an array's bracket, or from the end of a value in it, to the start of the next value. `false` past
    /// the closing bracket.
    #[inline]
    pub(super) fn next_element(&mut self, first: bool) -> Result<bool, Fault> {
        self.skip_white();
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                return Ok(false);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_white();
            }
            Some(_) if first => {}
            Some(_) => return Err(Fault::BadValue),
            None => return Err(Fault::Incomplete),
        }
        Ok(true)
    }

    /// Reads a string from its opening quote. Answers the text between the quotes and whether it holds a backslash.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<(Range<usize>, bool), Fault> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        while let Some(lane) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<LANE>) {
            let found = quotes_and_backslashes(lane);
            if found == 0 {
                at += LANE;
                continue;
            }
            at += found.trailing_zeros() as usize;
            if self.bytes[at] == b'"' {
                self.at = at + 1;
                return Ok((start..at, escaped));
            }
            escaped = true;
            at += 2;
        }
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok((start..at, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => at += 1,
                None => return Err(Fault::Incomplete),
            }
        }
    }

    /// Passes one value and answers its span. Objects and arrays are delimited, not validated.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Range<usize>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') => self.container()?,
            Some(b'"') => {
                self.string()?;
            }
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return Err(Fault::BadValue),
            None => return Err(Fault::Incomplete),
        }
        Ok(start..self.at)
    }

    /// Passes `true`, `false` or `null`.
    pub(crate) fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(Fault::Incomplete)
        } else {
            Err(Fault::BadValue)
        }
    }

    /// Passes a number, by JSON's grammar.
    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
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
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            Some(_) => Err(Fault::BadValue),
            None => Err(Fault::Incomplete),
        }
    }

    /// Passes an object or array, from its opening bracket to the one that closes it, in blocks of 64 bytes. Quotes are
    /// told from escaped ones, brackets in strings are left out, and what remains is counted: a block that cannot hold
    /// the closing bracket is not looked at bit by bit.
    #[inline]
    fn container(&mut self) -> Result<(), Fault> {
        let (bytes, at) = (self.bytes, self.at);
        self.at = dispatch!(level(), simd => container_end(simd, bytes, at))?;
        Ok(())
    }
}

/// One past the bracket that closes the one at `at`.
#[inline(always)]
fn container_end<S: Simd>(simd: S, bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    let mut depth = 0;
    let mut strings = Strings::default();
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        if let Some(index) = closing_bracket(&Block::new(simd, chunk), &mut strings, &mut depth)? {
            return Ok(at + index + 1);
        }
        at += BLOCK;
    }
    let rest = Block::rest(simd, bytes, at);
    let index = closing_bracket(&rest, &mut strings, &mut depth)?.ok_or(Fault::Incomplete)?;
    Ok(at + index + 1)
}

/// What one block leaves for the next to know about strings.
#[derive(Default)]
struct Strings {
    /// All ones if the block ended inside a string.
    inside: u64,
    /// 1 if the block's last byte was a backslash that escapes the next block's first byte.
    escape: u64,
}

/// Where in the block the bracket is that brings `depth` back to zero; none if the block leaves it above.
/// Brackets are counted without regard to their kind.
#[inline(always)]
fn closing_bracket(
    block: &Block,
    strings: &mut Strings,
    depth: &mut usize,
) -> Result<Option<usize>, Fault> {
    let mut quotes = block.quotes;
    if block.backslashes | strings.escape != 0 {
        quotes &= !escaped(block.backslashes, &mut strings.escape);
    }
    let inside = prefix_xor(quotes) ^ strings.inside;
    strings.inside = (inside >> 63).wrapping_neg();
    let index = descend(block.opens & !inside, block.closes & !inside, depth);
    // A backslash outside strings is no JSON, and what it made of the quotes behind it means nothing.
    let stray = block.backslashes & !inside;
    if stray != 0 && index.is_none_or(|index| stray.trailing_zeros() < index) {
        return Err(Fault::BadValue);
    }
    Ok(index.map(|index| index as usize))
}

/// Follows `depth` through a block's brackets, to the one that brings it to zero.
#[inline(always)]
fn descend(opens: u64, closes: u64, depth: &mut usize) -> Option<u32> {
    // Without a popcnt instruction, counting is dear enough to ask first.
    if closes == 0 {
        *depth += opens.count_ones() as usize;
        return None;
    }
    let close_count = closes.count_ones() as usize;
    if *depth > close_count {
        *depth = *depth + opens.count_ones() as usize - close_count;
        return None;
    }
    let mut brackets = opens | closes;
    while brackets != 0 {
        let index = brackets.trailing_zeros();
        if opens >> index & 1 == 1 {
            *depth += 1;
        } else if *depth <= 1 {
            return Some(index);
        } else {
            *depth -= 1;
        }
        brackets &= brackets - 1;
    }
    None
}

/// The bytes that a backslash before them escapes. A run of backslashes escapes in pairs: of each run, every second
/// byte is escaped, and what follows it is if the run's length is odd.
#[inline(always)]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & !EVEN & !follows;
    let (even_sequences, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = u64::from(overflow);
    let inverted = even_sequences << 1;
    (EVEN ^ inverted) & follows
}

/// Bit `i` is the exclusive or of bits 0 to `i`: between an opening quote and its closing one, all ones.
#[inline(always)]
const fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(target_arch = "x86_64")]
#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use fearless_simd::Level;

    use super::*;
    use crate::Rng;

    #[test]
    fn every_processor_finds_the_same_end() {
        const BYTES: &[u8] = br#"{}[]{}[]""""\\,: abcxyz|~^_{}[]"#;
        let best = level();
        let levels = [
            best.as_sse2().map(Level::Sse2),
            best.as_sse4_2().map(Level::Sse4_2),
            best.as_avx2().map(Level::Avx2),
            best.as_avx512().map(Level::Avx512),
        ];
        let mut rng = Rng::new(11);
        for _ in 0..20_000 {
            let len = 1 + rng.below(200);
            let pick =
                |rng: &mut Rng| BYTES[usize::try_from(rng.below(BYTES.len() as u64)).unwrap()];
            let mut text: Vec<u8> = (0..len).map(|_| pick(&mut rng)).collect();
            text[0] = b'{';
            let end = |level| dispatch!(level, simd => container_end(simd, &text, 0));
            let ends: Vec<_> = levels.iter().flatten().map(|&level| end(level)).collect();
            assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?} {text:?}");
        }
    }
}
