//! Reads ids and members out of trees. What is null counts as missing.

use serde_json::{Value, json};

use super::{Bad, Object, Piece};

pub(super) fn object(value: &Value) -> Piece<&Object> {
    value.as_object().ok_or(Bad)
}

pub(super) fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

pub(super) fn object_at<'a>(of: &'a Object, name: &str) -> Piece<&'a Object> {
    object(member(of, name).ok_or(Bad)?)
}

pub(super) fn to_id(value: &Value) -> Piece<u64> {
    let id = match value {
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| Bad)?
        }
        Value::Number(number) => number.as_u64().ok_or(Bad)?,
        _ => return Err(Bad),
    };
    if id == 0 { Err(Bad) } else { Ok(id) }
}

pub(super) fn id(object: &Object, name: &str) -> Piece<u64> {
    to_id(member(object, name).ok_or(Bad)?)
}

/// Zero if there is none.
pub(super) fn id_or_zero(object: &Object, name: &str) -> Piece<u64> {
    member(object, name).map_or(Ok(0), to_id)
}

pub(super) fn is_true(object: &Object, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}

pub(super) fn without(object: &Object, names: &[&str]) -> Object {
    let mut rest = object.clone();
    for name in names {
        rest.remove(*name);
    }
    rest
}

/// What stands in a record for a user.
pub(super) fn reference(user: u64) -> Value {
    json!({ "id": user.to_string() })
}

/// Reads each element that is as it should be; answers whether all were.
pub(super) fn each(list: Option<&Value>, mut read: impl FnMut(&Value) -> Piece) -> bool {
    match list {
        None => true,
        Some(Value::Array(elements)) => {
            let mut whole = true;
            for element in elements {
                whole &= read(element).is_ok();
            }
            whole
        }
        Some(_) => false,
    }
}
