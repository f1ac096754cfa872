//! Walks the members of an object and the elements of an array, where they lie: no tree, no allocation.

use super::json::is_spelt;
use super::scan::{Cursor, Fault};

/// The values of the members called `names` in `object`, in the order of `names`, from one pass over it. The first
/// one of a name counts. What is missing is `None`, and so is what is null: see [`fields`] for telling them apart.
///
/// # Errors
///
/// [`Malformed`] if `object` is no JSON object.
pub fn present<'a, const N: usize>(
    object: &'a [u8],
    names: [&str; N],
) -> Result<[Option<&'a [u8]>; N], Malformed> {
    let found = fields(object, names)?;
    Ok(found.map(|value| value.filter(|value| *value != b"null")))
}

/// The values of the members called `names` in `object`, in the order of `names`, from one pass over it. The first
/// one of a name counts.
///
/// ```
/// use shardkeep_core::wire::json;
///
/// let found = json::fields(br#"{"b": [1], "c": null, "a": 2}"#, ["a", "b", "c", "d"]);
/// assert_eq!(found, Ok([Some(&b"2"[..]), Some(b"[1]"), Some(b"null"), None]));
/// assert_eq!(json::fields(b"[]", ["a"]), Err(json::Malformed));
/// ```
///
/// # Errors
///
/// [`Malformed`] if `object` is no JSON object.
pub fn fields<'a, const N: usize>(
    object: &'a [u8],
    names: [&str; N],
) -> Result<[Option<&'a [u8]>; N], Malformed> {
    let mut values = [None; N];
    for member in members(object) {
        let member = member?;
        for (name, value) in names.iter().zip(&mut values) {
            if value.is_none() && member.is(name) {
                *value = Some(member.value);
            }
        }
    }
    Ok(values)
}

/// A text is not the JSON that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl From<Fault> for Malformed {
    fn from(_: Fault) -> Self {
        Self
    }
}

/// One member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The name between its quotes, escapes as they are.
    pub key: &'a [u8],
    /// Whether the name holds escapes.
    pub key_escaped: bool,
    /// The value's JSON. Objects and arrays are delimited, not validated.
    pub value: &'a [u8],
}

impl Member<'_> {
    /// Whether the member is called `name`, however it is written.
    #[inline]
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        is_spelt(self.key, self.key_escaped, name.as_bytes())
    }
}

/// The members of `object` as they stand in it. What is malformed ends them with an error, and what follows the closing
/// brace is not read.
///
/// ```
/// use shardkeep_core::wire::json;
///
/// let values: Vec<_> = json::members(br#"{"a": [1, 2], "b": {}}"#).map(|member| member.unwrap().value).collect();
/// assert_eq!(values, [&b"[1, 2]"[..], b"{}"]);
/// ```
#[must_use]
pub const fn members(object: &[u8]) -> Members<'_> {
    Members {
        cursor: Cursor::new(object, 0),
        place: Place::Before,
    }
}

/// Walks an object. From [`members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    cursor: Cursor<'a>,
    place: Place,
}

/// The elements of `array` as they stand in it. What is malformed ends them with an error, and what follows the closing
/// bracket is not read.
///
/// ```
/// use shardkeep_core::wire::json;
///
/// let elements: Result<Vec<_>, _> = json::elements(b" [1, [2], \"]\"] ").collect();
/// assert_eq!(elements, Ok(vec![&b"1"[..], b"[2]", b"\"]\""]));
/// assert_eq!(json::elements(b"{}").next(), Some(Err(json::Malformed)));
/// ```
#[must_use]
pub const fn elements(array: &[u8]) -> Elements<'_> {
    Elements {
        cursor: Cursor::new(array, 0),
        place: Place::Before,
    }
}

/// Walks an array. From [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
    place: Place,
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    First,
    Later,
    Done,
}

impl<'a> Members<'a> {
    #[inline]
    fn step(&mut self) -> Result<Option<Member<'a>>, Fault> {
        let cursor = &mut self.cursor;
        if self.place == Place::Before {
            open(cursor, b'{')?;
            self.place = Place::First;
        }
        let first = core::mem::replace(&mut self.place, Place::Later) == Place::First;
        let Some(member) = cursor.next_member(first)? else {
            return Ok(None);
        };
        let value = cursor.value()?;
        Ok(Some(Member {
            key: &cursor.bytes[member.key],
            key_escaped: member.key_escaped,
            value: &cursor.bytes[value],
        }))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.place == Place::Done {
            return None;
        }
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.place = Place::Done;
        }
        step.map_err(Malformed::from).transpose()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a [u8], Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.place == Place::Done {
            return None;
        }
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.place = Place::Done;
        }
        step.map_err(Malformed::from).transpose()
    }
}

impl<'a> Elements<'a> {
    #[inline]
    fn step(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let cursor = &mut self.cursor;
        if self.place == Place::Before {
            open(cursor, b'[')?;
            self.place = Place::First;
        }
        let first = core::mem::replace(&mut self.place, Place::Later) == Place::First;
        if !cursor.next_element(first)? {
            return Ok(None);
        }
        let value = cursor.value()?;
        Ok(Some(&cursor.bytes[value]))
    }
}

/// Passes the white space before a bracket, and the bracket.
fn open(cursor: &mut Cursor<'_>, bracket: u8) -> Result<(), Fault> {
    cursor.skip_white();
    match cursor.peek() {
        Some(byte) if byte == bracket => cursor.at += 1,
        Some(_) => return Err(Fault::BadValue),
        None => return Err(Fault::Incomplete),
    }
    Ok(())
}
