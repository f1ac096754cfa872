//! JSON text into records: one pass over the bytes, with a guess for every key.

use alloc::vec::Vec;
use core::ops::Range;

use super::error::{PackError, PackErrorKind};
use super::hash::hash;
use super::index::NONE;
use super::open::{Open, begin_counted, end_counted};
use super::plan::Rule;
use super::shapes::{PlanId, Shapes};
use super::{DEPTH_MAX, NOT_AN_OBJECT, tag};
use crate::wire::scan::{Cursor, Fault};

/// The longest text that any limit permits: lengths take five bytes, and no sum overflows.
const TEXT_BYTES_MAX: usize = 1 << 30;

/// What [`Plan::refer`](super::Plan::refer) left out of a record while it was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left<'a> {
    /// The name of the member, escapes as they came.
    pub key: &'a str,
    /// The JSON that stood there. It is delimited, not validated.
    pub json: &'a [u8],
    /// Where in the text it stood.
    pub span: Range<usize>,
}

impl Shapes {
    /// Packs a JSON text and appends the record to `out`. What the record holds is what `plan` keeps of it.
    ///
    /// What is left out is delimited, not validated.
    ///
    /// # Errors
    ///
    /// [`PackError`] if `json` is not one JSON value; `out` is as it was.
    pub fn pack(&mut self, plan: PlanId, json: &[u8], out: &mut Vec<u8>) -> Result<(), PackError> {
        self.pack_with(plan, json, out, &mut |_| {})
    }

    /// Like [`Shapes::pack`], and `left` is told what was replaced by references.
    ///
    /// # Errors
    ///
    /// [`PackError`] if `json` is not one JSON value; `out` is as it was.
    pub fn pack_with(
        &mut self,
        plan: PlanId,
        json: &[u8],
        out: &mut Vec<u8>,
        left: &mut dyn FnMut(Left<'_>),
    ) -> Result<(), PackError> {
        let start = out.len();
        let end = self.pack_at(plan, json, 0, out, left)?;
        let mut cursor = Cursor::new(json, end);
        cursor.skip_white();
        if cursor.at < json.len() {
            out.truncate(start);
            return Err(PackError {
                kind: PackErrorKind::Trailing,
                at: cursor.at,
            });
        }
        Ok(())
    }

    /// Packs the value that starts at `at` in a longer text, and answers where it ends: for the elements of an array,
    /// without looking for their ends first.
    ///
    /// # Errors
    ///
    /// [`PackError`] if there is no JSON value; `out` is as it was.
    pub fn pack_at(
        &mut self,
        plan: PlanId,
        text: &[u8],
        at: usize,
        out: &mut Vec<u8>,
        left: &mut dyn FnMut(Left<'_>),
    ) -> Result<usize, PackError> {
        self.pack_counting(plan, text, at, out, left)
            .map(|(end, _)| end)
    }

    /// Like [`Shapes::pack_at`]; answers as well how many values stood where references should, and were kept.
    pub(in crate::cache) fn pack_counting(
        &mut self,
        plan: PlanId,
        text: &[u8],
        at: usize,
        out: &mut Vec<u8>,
        left: &mut dyn FnMut(Left<'_>),
    ) -> Result<(usize, u32), PackError> {
        let start = out.len();
        let level = self.level_of(plan);
        let mut packer = Packer {
            shapes: self,
            text,
            at,
            out,
            left,
            kept: 0,
        };
        match packer.record(level) {
            Ok(()) => Ok((packer.at, packer.kept)),
            Err(kind) => {
                let at = packer.at;
                packer.out.truncate(start);
                Err(PackError { kind, at })
            }
        }
    }
}

pub(super) struct Packer<'a> {
    pub(super) shapes: &'a mut Shapes,
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) left: &'a mut dyn FnMut(Left<'_>),
    /// Values that stood where references should, and were kept.
    pub(super) kept: u32,
}

/// Where a value stands: what packs objects in it, and what guesses their first key.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) level: u16,
    /// A node, or none.
    pub(super) node: u16,
}

impl Packer<'_> {
    fn record(&mut self, level: u16) -> Result<(), PackErrorKind> {
        if self.text.len() > self.shapes.limits.text_bytes_max.min(TEXT_BYTES_MAX) {
            return Err(PackErrorKind::TooLong);
        }
        self.skip_white();
        let place = Place { level, node: NONE };
        if self.peek() == Some(b'{') {
            return self.members(place, 1);
        }
        self.out.extend_from_slice(&NOT_AN_OBJECT.to_le_bytes());
        self.value(tag::NONE, place, 0).map(|_| ())
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn skip_white(&mut self) {
        let mut cursor = Cursor::new(self.text, self.at);
        cursor.skip_white();
        self.at = cursor.at;
    }

    /// Writes a tag unless it is the expected one. Answers whether it was written.
    #[inline]
    pub(super) fn tag(&mut self, expected: u8, tag: u8) -> bool {
        if tag == expected {
            return false;
        }
        self.out.push(tag);
        true
    }

    /// Packs the value at the cursor. Answers whether it has a tag of its own.
    #[inline]
    pub(super) fn value(
        &mut self,
        expected: u8,
        place: Place,
        depth: usize,
    ) -> Result<bool, PackErrorKind> {
        match self.peek() {
            Some(b'"') => self.string(expected),
            Some(b'n') => self.word(b"null", expected, tag::NULL),
            Some(b'f') => self.word(b"false", expected, tag::FALSE),
            Some(b't') => self.word(b"true", expected, tag::TRUE),
            Some(b'-' | b'0'..=b'9') => self.number(expected),
            Some(b'{') => self.object(expected, place, depth + 1),
            Some(b'[') => self.array(expected, place, depth + 1),
            Some(b' ' | b'\n' | b'\r' | b'\t') => {
                self.skip_white();
                match self.peek() {
                    Some(b' ' | b'\n' | b'\r' | b'\t') => Err(PackErrorKind::Unexpected),
                    _ => self.value(expected, place, depth),
                }
            }
            Some(_) => Err(PackErrorKind::Unexpected),
            None => Err(PackErrorKind::Incomplete),
        }
    }

    #[inline]
    fn word(&mut self, word: &[u8], expected: u8, tag: u8) -> Result<bool, PackErrorKind> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(self.tag(expected, tag));
        }
        let mut cursor = Cursor::new(self.text, self.at);
        cursor.literal(word)?;
        Err(PackErrorKind::Unexpected)
    }

    fn object(&mut self, expected: u8, place: Place, depth: usize) -> Result<bool, PackErrorKind> {
        let mark = self.out.len();
        let has_tag = self.tag(expected, tag::OBJECT);
        let start = begin_counted(self.out);
        self.members(place, depth)?;
        // Only one without members takes two bytes.
        if self.out.len() == start + 2 {
            self.out.truncate(mark);
            return Ok(self.tag(expected, tag::EMPTY_OBJECT));
        }
        end_counted(self.out, start);
        Ok(has_tag)
    }

    /// Packs an object from its opening brace: its shape, and its members.
    fn members(&mut self, place: Place, depth: usize) -> Result<(), PackErrorKind> {
        if depth > DEPTH_MAX {
            return Err(PackErrorKind::TooDeep);
        }
        self.at += 1;
        let root = self.shapes.levels[usize::from(place.level)].root;
        let mut open = Open::new(self.out, place.level, root);
        let mut guess = self.first_guess(place, root);
        let mut is_first = true;
        loop {
            if self.peek() == Some(b'}') {
                self.at += 1;
                break;
            }
            if let Some((key_length, expected)) = self.guessed(guess, is_first) {
                open.step(self.out, guess);
                let hint = self.shapes.hints[usize::from(guess)];
                let key = self.at - 2 - key_length..self.at - 2;
                let has_tag = self.member(hint.rule, key, expected, guess, depth)?;
                open.stepped(self.out, has_tag);
                guess = hint.next;
                is_first = false;
                continue;
            }
            if !self.unguessed(&mut open, place, is_first, depth)? {
                break;
            }
            is_first = false;
            guess = if open.is_tail() {
                NONE
            } else {
                self.shapes.hints[usize::from(open.node)].next
            };
        }
        open.close(self.shapes, self.out);
        Ok(())
    }

    /// The first member of the last object at this place, or of the last one with this root.
    #[inline]
    fn first_guess(&self, place: Place, root: u16) -> u16 {
        let nested = self.shapes.hints.get(usize::from(place.node));
        match nested.map(|hint| hint.nested) {
            Some(first) if first != NONE => first,
            _ => self.shapes.hints[usize::from(root)].next,
        }
    }

    /// Passes the guessed key if it comes next. Answers its length, and the tag that is expected behind it.
    #[inline]
    fn guessed(&mut self, guess: u16, is_first: bool) -> Option<(usize, u8)> {
        let node = self.shapes.node(guess)?;
        let spelling = self.shapes.spelling(node).as_bytes();
        let length = spelling.len() - 4;
        let spelling = &spelling[usize::from(is_first)..];
        if !self.text[self.at..].starts_with(spelling) {
            return None;
        }
        let expected = node.expected;
        self.at += spelling.len();
        Some((length, expected))
    }

    /// Packs a member whose key was not guessed. `false` if the object ends instead.
    #[cold]
    fn unguessed(
        &mut self,
        open: &mut Open,
        place: Place,
        is_first: bool,
        depth: usize,
    ) -> Result<bool, PackErrorKind> {
        let text = self.text;
        let mut cursor = Cursor::new(text, self.at);
        let member = cursor.next_member(is_first);
        self.at = cursor.at;
        let Some(member) = member? else {
            return Ok(false);
        };
        self.check(member.key.clone())?;
        let span = member.key;
        let key = &text[span.clone()];
        let rule = self.shapes.levels[usize::from(place.level)].rule(key);
        if rule == Rule::Drop {
            self.pass()?;
            return Ok(true);
        }
        let hash = hash(key);
        let known = if open.is_tail() {
            None
        } else {
            self.shapes.child(open.node, hash, key)
        };
        let Some(node) = known else {
            open.begin_tail(self.out, key, hash);
            self.member(rule, span, tag::NONE, NONE, depth)?;
            return Ok(true);
        };
        let root = self.shapes.levels[usize::from(open.level)].root;
        if open.node == root && place.node != NONE {
            self.shapes.hints[usize::from(place.node)].nested = node;
        } else {
            self.shapes.hints[usize::from(open.node)].next = node;
        }
        open.step(self.out, node);
        let expected = self
            .shapes
            .node(node)
            .map_or(tag::NONE, |node| node.expected);
        let has_tag = self.member(rule, span, expected, node, depth)?;
        open.stepped(self.out, has_tag);
        Ok(true)
    }

    /// Packs a member's value by its rule. `key` is where the key stands.
    #[inline]
    fn member(
        &mut self,
        rule: Rule,
        key: Range<usize>,
        expected: u8,
        node: u16,
        depth: usize,
    ) -> Result<bool, PackErrorKind> {
        match rule {
            Rule::Keep(level) => self.value(expected, Place { level, node }, depth),
            _ => self.referred(rule == Rule::ReferById, key, expected, node, depth),
        }
    }

    /// Passes a value, delimiting it.
    pub(super) fn pass(&mut self) -> Result<Range<usize>, PackErrorKind> {
        let mut cursor = Cursor::new(self.text, self.at);
        let span = cursor.value();
        self.at = cursor.at;
        Ok(span?)
    }

    fn array(&mut self, expected: u8, place: Place, depth: usize) -> Result<bool, PackErrorKind> {
        if depth > DEPTH_MAX {
            return Err(PackErrorKind::TooDeep);
        }
        if let Some(has_tag) = self.ids(expected) {
            return Ok(has_tag);
        }
        let has_tag = self.tag(expected, tag::ARRAY);
        let start = begin_counted(self.out);
        self.at += 1;
        loop {
            self.value(tag::NONE, place, depth)?;
            self.skip_white();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(_) => return Err(PackErrorKind::Unexpected),
                None => return Err(PackErrorKind::Incomplete),
            }
        }
        self.at += 1;
        end_counted(self.out, start);
        Ok(has_tag)
    }
}

impl From<Fault> for PackErrorKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Incomplete => Self::Incomplete,
            Fault::BadKey | Fault::BadValue => Self::Unexpected,
        }
    }
}
