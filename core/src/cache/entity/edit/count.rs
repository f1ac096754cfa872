//! Counts within objects.

use alloc::vec::Vec;

use super::super::change::Step;
use super::object;
use crate::wire::json::{self, Malformed};

/// The object with its count one up or down. `None` if it has no such count.
pub(super) fn step(object: &[u8], field: &str, step: Step) -> Result<Option<Vec<u8>>, Malformed> {
    let [count] = json::fields(object, [field])?;
    match count.and_then(json::unsigned) {
        Some(count) => with(object, field, step.of(count)).map(Some),
        None => Ok(None),
    }
}

/// The object with `field` set to `count`.
pub(super) fn with(object: &[u8], field: &str, count: u64) -> Result<Vec<u8>, Malformed> {
    let mut text = Vec::new();
    json::write_unsigned(&mut text, count);
    object::with(object, field, Some(&text))
}
