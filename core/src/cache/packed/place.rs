//! What stands in the place of others: references for objects that are kept elsewhere, short codes for ids.

use core::ops::Range;

use super::error::PackErrorKind;
use super::open::insert_count;
use super::pack::{Left, Packer, Place};
use super::plan::EVERYTHING;
use super::{decimal, tag};
use crate::wire::json;
use crate::wire::scan::Cursor;

impl Packer<'_> {
    /// Puts a reference in the place of an object.
    pub(super) fn referred(
        &mut self,
        by_id: bool,
        key: Range<usize>,
        expected: u8,
        node: u16,
        depth: usize,
    ) -> Result<bool, PackErrorKind> {
        let level = EVERYTHING;
        self.skip_white();
        if self.peek() != Some(b'{') {
            self.kept += 1;
            return self.value(expected, Place { level, node }, depth);
        }
        let text = self.text;
        let start = self.at;
        let span = self.pass()?;
        let json = &text[span.clone()];
        let id = if by_id { id_of(json) } else { None };
        if by_id && id.is_none() {
            self.at = start;
            self.kept += 1;
            return self.value(expected, Place { level, node }, depth);
        }
        let key = core::str::from_utf8(&text[key]).map_err(|_| PackErrorKind::NotUtf8)?;
        (self.left)(Left { key, json, span });
        let Some(id) = id else {
            return Ok(self.tag(expected, tag::REFERENCE));
        };
        let has_tag = self.tag(expected, tag::REFERENCE_BY_ID);
        self.out.extend_from_slice(&id.to_le_bytes());
        Ok(has_tag)
    }

    /// Packs an array that is empty or holds ids alone. `None`, and nothing has happened, if it is another one.
    #[inline]
    pub(super) fn ids(&mut self, expected: u8) -> Option<bool> {
        let (text, mark) = (self.text, self.out.len());
        let mut cursor = Cursor::new(text, self.at + 1);
        cursor.skip_white();
        if cursor.peek() == Some(b']') {
            self.at = cursor.at + 1;
            return Some(self.tag(expected, tag::IDS));
        }
        self.out.push(tag::IDS);
        let mut count = 0;
        let is_ids = loop {
            if cursor.peek() != Some(b'"') {
                break false;
            }
            let Some((id, end)) = decimal::read(text, cursor.at + 1) else {
                break false;
            };
            if text.get(end) != Some(&b'"') || !self.shapes.ids.push(self.out, id) {
                break false;
            }
            count += 1;
            cursor.at = end + 1;
            cursor.skip_white();
            match cursor.peek() {
                Some(b',') => cursor.at += 1,
                found => break found == Some(b']'),
            }
            cursor.skip_white();
        };
        if !is_ids {
            self.out.truncate(mark);
            return None;
        }
        self.at = cursor.at + 1;
        match u8::try_from(count) {
            Ok(few) if count <= tag::IDS_MAX => self.out[mark] = tag::IDS + few,
            _ => {
                self.out[mark] = tag::MANY_IDS;
                self.out.insert(mark + 1, 0);
                insert_count(self.out, mark + 2, count);
            }
        }
        Some(true)
    }
}

/// The snowflake in a JSON object's `id`.
fn id_of(json: &[u8]) -> Option<u64> {
    let text = json::field(json, "id")?.strip_prefix(b"\"")?;
    let (id, end) = decimal::read(text, 0)?;
    (text.get(end..) == Some(b"\"")).then_some(id)
}
