//! Records as the JSON that they were packed from.

use alloc::vec::Vec;

use super::members::Members;
use super::value::{Reference, Value, low_bytes};
use super::{DEPTH_MAX, decimal, hex, tag, timestamp};

/// Appends what stands where something was left out.
pub(super) type Resolve<'r> = dyn FnMut(Reference<'_>, &mut Vec<u8>) + 'r;

/// Appends a value's JSON. `key` is that of the member which the value is, or is in. `None`, and anything may have been
/// appended, if the bytes make no sense.
pub(super) fn value(
    value: &Value<'_>,
    out: &mut Vec<u8>,
    resolve: &mut Resolve<'_>,
    key: &str,
    depth: usize,
) -> Option<()> {
    let body = value.body;
    match value.tag {
        tag::NULL => out.extend_from_slice(b"null"),
        tag::FALSE => out.extend_from_slice(b"false"),
        tag::TRUE => out.extend_from_slice(b"true"),
        tag::EMPTY_OBJECT => out.extend_from_slice(b"{}"),
        tag::NUMBER => out.extend_from_slice(body),
        tag::SMALL..tag::TEXT => decimal::write(out, u64::from(value.tag - tag::SMALL)),
        0x21..=tag::NEGATIVE => decimal::write(out, low_bytes(body)?),
        0x29..=0x30 => {
            out.push(b'-');
            decimal::write(out, low_bytes(body)?);
        }
        tag::LONG_TEXT | tag::ESCAPED | tag::TEXT..tag::IDS => {
            out.push(b'"');
            out.extend_from_slice(body);
            out.push(b'"');
        }
        tag::DIGITS..=tag::UNSIGNED | tag::ID => {
            out.push(b'"');
            decimal::write(out, value.as_snowflake()?.0);
            out.push(b'"');
        }
        tag::TIME..tag::DIGITS => {
            out.push(b'"');
            timestamp::write(out, value.tag - tag::TIME, low_bytes(body)?)?;
            out.push(b'"');
        }
        tag::HASH | tag::ANIMATED_HASH => {
            out.extend_from_slice(if value.tag == tag::HASH {
                b"\""
            } else {
                b"\"a_"
            });
            out.extend_from_slice(&hex::write(body.first_chunk()?));
            out.push(b'"');
        }
        tag::REFERENCE | tag::REFERENCE_BY_ID => {
            let id = value.reference_id();
            resolve(Reference { key, id }, out);
        }
        tag::OBJECT => object(value, out, resolve, depth + 1)?,
        tag::ARRAY | tag::MANY_IDS | tag::IDS..=tag::IDS_LAST => {
            array(value, out, resolve, key, depth + 1)?;
        }
        _ => return None,
    }
    Some(())
}

fn array(
    array: &Value<'_>,
    out: &mut Vec<u8>,
    resolve: &mut Resolve<'_>,
    key: &str,
    depth: usize,
) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut separator = b'[';
    let mut elements = array.elements();
    for element in &mut elements {
        out.push(separator);
        separator = b',';
        value(&element, out, resolve, key, depth)?;
    }
    if separator == b'[' {
        out.push(separator);
    }
    out.push(b']');
    elements.is_done().then_some(())
}

fn object(
    object: &Value<'_>,
    out: &mut Vec<u8>,
    resolve: &mut Resolve<'_>,
    depth: usize,
) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    let shapes = object.shapes;
    let mut members = Members::new(shapes, object.body);
    let start = out.len();
    while let Some(member) = members.step() {
        let key = members.key(&member)?;
        match member.node {
            Some(node) => out.extend_from_slice(shapes.spelling(node).as_bytes()),
            None => {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(b"\":");
            }
        }
        let member = Value {
            shapes,
            tag: member.tag,
            body: member.body,
        };
        value(&member, out, resolve, key, depth)?;
    }
    // The first member's comma is where the brace belongs.
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
    members.is_done().then_some(())
}
