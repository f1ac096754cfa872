//! A value inside a record, read where it lies.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::elements::{Elements, Snowflakes};
use super::error::Unreadable;
use super::members::{Members, find};
use super::shapes::Shapes;
use super::{hex, tag, timestamp, write};
use crate::Snowflake;
use crate::wire::json;

/// What a [`Value`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`: [`Value::as_bool`].
    Bool,
    /// A whole number of 64 bits, or a negative one: [`Value::as_u64`], [`Value::as_i64`].
    Integer,
    /// Any other number: [`Value::number_text`].
    Number,
    /// A string of decimal digits, as ids are: [`Value::as_snowflake`].
    Snowflake,
    /// A string that is a timestamp: [`Value::as_unix_us`].
    Timestamp,
    /// A string that is a hash of 32 hexadecimal digits, or one with `a_` in front.
    Hash,
    /// Any other string: [`Value::text`].
    String,
    /// An array: [`Value::elements`].
    Array,
    /// An object: [`Value::get`], [`Value::members`].
    Object,
    /// What stood here is kept elsewhere: [`Plan::refer`](super::Plan::refer).
    Reference,
}

/// A value inside a record. Nothing is decoded before it is asked for, and nothing is allocated but by
/// [`Value::text`] and the writing of JSON.
///
/// Of bytes that were not packed with this table, any answer may be wrong or `None`; there is no panic.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

impl<'a> Value<'a> {
    /// What the value is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.tag {
            tag::FALSE | tag::TRUE => Kind::Bool,
            tag::ID => Kind::Snowflake,
            tag::NUMBER => Kind::Number,
            tag::TIME..tag::DIGITS => Kind::Timestamp,
            tag::DIGITS..=tag::UNSIGNED => Kind::Snowflake,
            0x21..tag::TEXT => Kind::Integer,
            tag::HASH | tag::ANIMATED_HASH => Kind::Hash,
            tag::LONG_TEXT | tag::ESCAPED | tag::TEXT..tag::IDS => Kind::String,
            tag::ARRAY | tag::MANY_IDS | tag::IDS..=tag::IDS_LAST => Kind::Array,
            tag::OBJECT | tag::EMPTY_OBJECT => Kind::Object,
            tag::REFERENCE | tag::REFERENCE_BY_ID => Kind::Reference,
            _ => Kind::Null,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.tag == tag::NULL
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.tag {
            tag::FALSE => Some(false),
            tag::TRUE => Some(true),
            _ => None,
        }
    }

    /// A whole number that is not negative and was written without a fraction or an exponent.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.tag {
            tag::SMALL..tag::TEXT => Some(u64::from(self.tag - tag::SMALL)),
            0x21..=tag::NEGATIVE => low_bytes(self.body),
            _ => None,
        }
    }

    /// A whole number that was written without a fraction or an exponent.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.tag {
            0x29..=0x30 => 0_i64.checked_sub_unsigned(low_bytes(self.body)?),
            _ => i64::try_from(self.as_u64()?).ok(),
        }
    }

    /// Any number, as near as a float comes.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self.tag {
            tag::NUMBER => self.number_text()?.parse().ok(),
            0x29..=0x30 => low_bytes(self.body).map(|magnitude| -(magnitude as f64)),
            _ => self.as_u64().map(|number| number as f64),
        }
    }

    /// A number of kind [`Kind::Number`], as it was written.
    #[must_use]
    pub fn number_text(&self) -> Option<&'a str> {
        if self.tag == tag::NUMBER {
            core::str::from_utf8(self.body).ok()
        } else {
            None
        }
    }

    /// A string of decimal digits without leading zeros that fits into 64 bits.
    #[must_use]
    pub fn as_snowflake(&self) -> Option<Snowflake> {
        match self.tag {
            tag::DIGITS..=tag::UNSIGNED => low_bytes(self.body).map(Snowflake),
            tag::ID => self.shapes.ids.read(self.body).map(|(id, _)| Snowflake(id)),
            _ => None,
        }
    }

    /// A timestamp as microseconds since 1970.
    #[must_use]
    pub fn as_unix_us(&self) -> Option<u64> {
        match self.tag {
            tag::TIME..tag::DIGITS => {
                timestamp::micros(self.tag - tag::TIME, low_bytes(self.body)?)
            }
            _ => None,
        }
    }

    /// The id of what is kept elsewhere, if the reference has one.
    #[must_use]
    pub fn reference_id(&self) -> Option<Snowflake> {
        match self.tag {
            tag::REFERENCE_BY_ID => low_bytes(self.body).map(Snowflake),
            _ => None,
        }
    }

    /// A string, whichever of the four kinds it is, escapes resolved. It is borrowed where it lies as text. `None` if
    /// it is no string, or holds half of a surrogate pair, which no Rust string can.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.tag {
            tag::LONG_TEXT | tag::TEXT..tag::IDS => {
                core::str::from_utf8(self.body).ok().map(Cow::Borrowed)
            }
            tag::ESCAPED => json::unescape(self.body),
            tag::HASH | tag::ANIMATED_HASH => {
                let digits = hex::write(self.body.first_chunk()?);
                let mut text = String::from(if self.tag == tag::HASH { "" } else { "a_" });
                text.push_str(core::str::from_utf8(&digits).ok()?);
                Some(Cow::Owned(text))
            }
            tag::TIME..=tag::UNSIGNED | tag::ID => {
                let mut text = Vec::new();
                self.write_json(&mut text).ok()?;
                let inner = text.get(1..text.len().checked_sub(1)?)?;
                String::from_utf8(inner.to_vec()).ok().map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// The member `key` of an object. If there are several, the first.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        if self.tag == tag::OBJECT {
            find(self.shapes, self.body, key)
        } else {
            None
        }
    }

    /// The members of an object in their order; of anything else, none.
    #[must_use]
    pub fn members(&self) -> Members<'a> {
        let body = if self.tag == tag::OBJECT {
            self.body
        } else {
            &[]
        };
        Members::new(self.shapes, body)
    }

    /// The elements of an array in their order; of anything else, none.
    #[must_use]
    pub fn elements(&self) -> Elements<'a> {
        Elements::new(self)
    }

    /// The snowflakes of an array that holds nothing else, such as roles; of anything else, none.
    #[must_use]
    pub fn snowflakes(&self) -> Snowflakes<'a> {
        Snowflakes::new(self)
    }

    /// Appends the JSON of the value: the text that was packed, without the white space between its parts. A
    /// reference becomes `null`.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the bytes were not packed with this table; `out` is as it was.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.write_json_with(out, &mut |_, out| out.extend_from_slice(b"null"))
    }

    /// Like [`Value::write_json`]. Where a reference stands, `resolve` appends the JSON of what it refers to.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the bytes were not packed with this table; `out` is as it was.
    pub fn write_json_with(
        &self,
        out: &mut Vec<u8>,
        resolve: &mut dyn FnMut(Reference<'_>, &mut Vec<u8>),
    ) -> Result<(), Unreadable> {
        let start = out.len();
        let written = write::value(self, out, resolve, "", 0);
        if written.is_none() {
            out.truncate(start);
        }
        written.ok_or(Unreadable)
    }
}

/// What stands where an object was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The name of the member, escapes as they came. In an array, that of the member which holds the array.
    pub key: &'a str,
    /// The id that [`Plan::refer_by_id`](super::Plan::refer_by_id) kept.
    pub id: Option<Snowflake>,
}

/// The number in up to eight bytes, the lowest first.
#[inline]
pub(super) fn low_bytes(body: &[u8]) -> Option<u64> {
    if let Some(eight) = body.first_chunk::<8>() {
        return (body.len() == 8).then_some(u64::from_le_bytes(*eight));
    }
    let mut bytes = [0; 8];
    bytes[..body.len()].copy_from_slice(body);
    Some(u64::from_le_bytes(bytes))
}
