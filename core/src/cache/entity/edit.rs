//! Carries a change out on the JSON of one record: members stay in order, and what is not touched stays to the byte.

mod count;
mod object;
mod reactions;
mod votes;

use alloc::vec::Vec;

use super::change::{Add, Mode, Put, React, Set, Vote};
use super::fields::{Field, Fields, Value};
use crate::wire::json::{self, Malformed};

/// What `put` makes of a record. `None` if it makes nothing: the record is not known, and a part does not make it so.
///
/// # Errors
///
/// [`Malformed`] if what the dispatch has, or the record, is no JSON object.
pub fn put(old: Option<&[u8]>, put: &Put<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    let fields = &put.fields;
    let text = match (put.mode, old) {
        (Mode::MergeKnown, None) => return Ok(None),
        (Mode::Merge | Mode::MergeKnown, Some(old)) => merge(old, fields)?,
        (Mode::ReplaceKeeping(names), Some(old)) => keeping(old, fields, names)?,
        (Mode::Replace | Mode::ReplaceKeeping(_) | Mode::Merge, _) => keeping(b"{}", fields, &[])?,
    };
    Ok(Some(text))
}

/// The fields, followed by those members of `old` called `names` that they lack.
fn keeping(old: &[u8], fields: &Fields<'_>, names: &[&str]) -> Result<Vec<u8>, Malformed> {
    let mut out = object::Writer::new(fields.json.len());
    for field in fields.iter() {
        out.field(&field?);
    }
    for member in json::members(old) {
        let member = member?;
        let kept = names.iter().find(|name| member.is(name));
        if kept.is_some_and(|name| json::field(fields.json, name).is_none()) {
            out.member(&member);
        }
    }
    Ok(out.finish())
}

/// The record with the fields' values where it has such members, and the others behind.
fn merge(old: &[u8], fields: &Fields<'_>) -> Result<Vec<u8>, Malformed> {
    let news: Vec<Field<'_>> = fields.iter().collect::<Result<_, _>>()?;
    let mut used: Vec<bool> = news.iter().map(|_| false).collect();
    let mut out = object::Writer::new(old.len() + fields.json.len());
    for member in json::members(old) {
        let member = member?;
        let new = news.iter().position(|new| object::same_key(new, &member));
        match new {
            Some(index) => {
                used[index] = true;
                out.pair(member.key, news[index].value);
            }
            None => out.member(&member),
        }
    }
    for (new, used) in news.iter().zip(used) {
        if !used {
            out.field(new);
        }
    }
    Ok(out.finish())
}

/// The record with one member set. `None` if its type is not meant.
///
/// # Errors
///
/// [`Malformed`] if the record is no JSON object.
pub fn set(old: &[u8], set: &Set<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    if !set.types.contains(type_of(old)) {
        return Ok(None);
    }
    object::with(old, set.field, Some(set.json)).map(Some)
}

/// A record's `type`, if it is a number.
#[must_use]
pub fn type_of(record: &[u8]) -> Option<u64> {
    json::field(record, "type").and_then(json::unsigned)
}

/// The record with one count changed. `None` if it has no such count.
///
/// # Errors
///
/// [`Malformed`] if the record is no JSON object.
pub fn add(old: &[u8], add: &Add) -> Result<Option<Vec<u8>>, Malformed> {
    count::step(old, add.field, add.step)
}

/// The message with its reactions changed. `None` if nothing changes.
///
/// # Errors
///
/// [`Malformed`] if the message is no JSON object, or its reactions are no array of objects.
pub fn react(old: &[u8], react: &React<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    reactions::change(old, &react.reaction)
}

/// The message with a vote given or taken back. `None` if nothing changes: a poll without results tells no counts.
///
/// # Errors
///
/// [`Malformed`] if the message or its poll is not what it should be.
pub fn vote(old: &[u8], vote: &Vote) -> Result<Option<Vec<u8>>, Malformed> {
    votes::change(old, vote)
}

/// The user that a message refers to as its author: one of which nothing but the id is in the message.
#[must_use]
pub fn author(message: &[u8]) -> Option<crate::id::Snowflake> {
    let author = json::field(message, "author")?;
    let mut members = json::members(author);
    let (only, rest) = (members.next()?.ok()?, members.next());
    if rest.is_none() && only.is("id") {
        json::snowflake(only.value)
    } else {
        None
    }
}
