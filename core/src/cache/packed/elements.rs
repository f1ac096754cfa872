//! The elements of an array, one after the other.

use super::ids::code_length;
use super::shapes::Shapes;
use super::tag;
use super::value::Value;
use crate::Snowflake;

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    shapes: &'a Shapes,
    /// How many ids are left, in an array of them alone.
    ids_left: Option<usize>,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(super) fn new(array: &Value<'a>) -> Self {
        let (ids_left, rest) = match array.tag {
            tag::ARRAY => (None, array.body),
            tag::MANY_IDS | tag::IDS..=tag::IDS_LAST => {
                let (count, rest) = tag::id_count(array.tag, array.body).unwrap_or_default();
                (Some(count), rest)
            }
            _ => (None, &[][..]),
        };
        Self {
            shapes: array.shapes,
            ids_left,
            rest,
        }
    }

    /// Whether everything was read.
    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty() && self.ids_left.unwrap_or(0) == 0
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (tag, body, rest) = match &mut self.ids_left {
            None => {
                let (&tag, rest) = self.rest.split_first()?;
                let (body, rest) = tag::split(tag, rest)?;
                (tag, body, rest)
            }
            Some(left) => {
                *left = left.checked_sub(1)?;
                let length = code_length(*self.rest.first()?);
                let (body, rest) = self.rest.split_at_checked(length)?;
                (tag::ID, body, rest)
            }
        };
        self.rest = rest;
        Some(Value {
            shapes: self.shapes,
            tag,
            body,
        })
    }
}

/// The snowflakes of an array.
#[derive(Clone, Debug)]
pub struct Snowflakes<'a> {
    shapes: &'a Shapes,
    left: usize,
    rest: &'a [u8],
}

impl<'a> Snowflakes<'a> {
    pub(super) fn new(array: &Value<'a>) -> Self {
        let Elements {
            shapes,
            ids_left,
            rest,
        } = Elements::new(array);
        Self {
            shapes,
            left: ids_left.unwrap_or(0),
            rest,
        }
    }
}

impl Iterator for Snowflakes<'_> {
    type Item = Snowflake;

    #[inline]
    fn next(&mut self) -> Option<Snowflake> {
        self.left = self.left.checked_sub(1)?;
        let (id, rest) = self.shapes.ids.read(self.rest)?;
        self.rest = rest;
        Some(Snowflake(id))
    }
}
