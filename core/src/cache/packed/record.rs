//! A packed record, read where it lies.

use alloc::vec::Vec;

use super::NOT_AN_OBJECT;
use super::error::Unreadable;
use super::members::{Members, find};
use super::shapes::Shapes;
use super::tag;
use super::value::{Reference, Value};

/// The bytes of a record beside the table that they were packed with.
///
/// Of other bytes, any answer may be wrong or `None`; there is no panic.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    shapes: &'a Shapes,
    bytes: &'a [u8],
}

impl Shapes {
    /// The record in `bytes`, which were packed with this table or one that this is a clone of.
    #[must_use]
    #[inline]
    pub const fn record<'a>(&'a self, bytes: &'a [u8]) -> Record<'a> {
        Record {
            shapes: self,
            bytes,
        }
    }
}

impl<'a> Record<'a> {
    /// All of the record as a value.
    #[must_use]
    pub fn value(&self) -> Option<Value<'a>> {
        let (shape, rest) = self.bytes.split_first_chunk::<2>()?;
        let (tag, body) = if u16::from_le_bytes(*shape) == NOT_AN_OBJECT {
            let (&tag, rest) = rest.split_first()?;
            let (body, rest) = tag::split(tag, rest)?;
            if !rest.is_empty() {
                return None;
            }
            (tag, body)
        } else {
            (tag::OBJECT, self.bytes)
        };
        Some(Value {
            shapes: self.shapes,
            tag,
            body,
        })
    }

    /// The member `key` of a record that is an object. If there are several, the first.
    ///
    /// ```
    /// use shardkeep_core::cache::packed::{PlanId, Shapes};
    ///
    /// let mut shapes = Shapes::default();
    /// let mut bytes = Vec::new();
    /// shapes.pack(PlanId::EVERYTHING, br#"{"nick": null, "roles": ["7", "8"]}"#, &mut bytes).unwrap();
    /// let record = shapes.record(&bytes);
    /// assert!(record.get("nick").unwrap().is_null());
    /// assert_eq!(record.get("roles").unwrap().snowflakes().nth(1).unwrap().0, 8);
    /// assert!(record.get("deaf").is_none());
    /// ```
    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        // The shape of what is no object is nobody's.
        find(self.shapes, self.bytes, key)
    }

    /// The members of a record that is an object; of any other, none.
    #[must_use]
    pub fn members(&self) -> Members<'a> {
        Members::new(self.shapes, self.bytes)
    }

    /// Appends the JSON of the record: the text that was packed, without the white space between its parts. A
    /// reference becomes `null`.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the bytes were not packed with this table; `out` is as it was.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.value().ok_or(Unreadable)?.write_json(out)
    }

    /// Like [`Record::write_json`]. Where a reference stands, `resolve` appends the JSON of what it refers to.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the bytes were not packed with this table; `out` is as it was.
    pub fn write_json_with(
        &self,
        out: &mut Vec<u8>,
        resolve: &mut dyn FnMut(Reference<'_>, &mut Vec<u8>),
    ) -> Result<(), Unreadable> {
        let value = self.value().ok_or(Unreadable)?;
        value.write_json_with(out, resolve)
    }

    /// The JSON of the record: see [`Record::write_json`].
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the bytes were not packed with this table.
    pub fn to_json(&self) -> Result<Vec<u8>, Unreadable> {
        let mut json = Vec::new();
        self.write_json(&mut json)?;
        Ok(json)
    }
}
