//! Writes objects member by member.

use alloc::vec::Vec;

use super::{Field, Value};
use crate::wire::json::{self, Malformed, Member};

pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity + 2);
        out.push(b'{');
        Self { out }
    }

    /// Appends a member; `key` is what stands between its quotes.
    pub(super) fn pair(&mut self, key: &[u8], value: Value<'_>) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key);
        self.out.extend_from_slice(b"\":");
        value.write(&mut self.out);
    }

    pub(super) fn field(&mut self, field: &Field<'_>) {
        self.pair(field.key, field.value);
    }

    pub(super) fn member(&mut self, member: &Member<'_>) {
        self.pair(member.key, Value::Json(member.value));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

/// Whether two members have the same name, however it is written.
pub(super) fn same_key(field: &Field<'_>, member: &Member<'_>) -> bool {
    if !field.key_escaped && !member.key_escaped {
        return field.key == member.key;
    }
    match (json::unescape(field.key), json::unescape(member.key)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// The object with `field` set to `value`, at the end if it has no such member; without it if there is no value.
pub(super) fn with(object: &[u8], field: &str, value: Option<&[u8]>) -> Result<Vec<u8>, Malformed> {
    let mut out = Writer::new(object.len() + field.len() + value.map_or(0, <[u8]>::len));
    let mut rest = value;
    for member in json::members(object) {
        let member = member?;
        if !member.is(field) {
            out.member(&member);
        } else if let Some(value) = rest.take() {
            out.pair(member.key, Value::Json(value));
        }
    }
    if let Some(value) = rest {
        out.pair(field.as_bytes(), Value::Json(value));
    }
    Ok(out.finish())
}

/// `elements` as an array.
pub(super) fn array<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    out.push(b'[');
    for element in elements {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(element);
    }
    out.push(b']');
    out
}
