//! What a dispatch says of one record: an object where it lies, less what is kept elsewhere.

use alloc::vec::Vec;

use crate::cache::Kind;
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// What dispatches have of a record of this kind that is never kept with it: it stands in the key, or is a record of
/// its own. Of kinds that are not named here it depends on the dispatch.
#[must_use]
pub const fn omitted(kind: Kind) -> &'static [&'static str] {
    match kind {
        // What the member may do in the channel of one interaction is not a property of the member.
        Kind::Member => &["guild_id", "permissions"],
        Kind::Presence => &["user", "guild_id"],
        Kind::VoiceState => &["guild_id", "member"],
        Kind::Channel
        | Kind::Emoji
        | Kind::Sticker
        | Kind::SoundboardSound
        | Kind::StageInstance
        | Kind::ScheduledEvent => &["guild_id"],
        _ => &[],
    }
}

/// The members of an object, less those that are records of their own or stand in the key. A user in it is no more than
/// a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    pub(super) json: &'a [u8],
    pub(super) omit: &'static [&'static str],
    pub(super) user: Option<(&'static str, Snowflake)>,
}

/// One member of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name between its quotes, escapes as they are.
    pub key: &'a [u8],
    /// Whether the name holds escapes.
    pub key_escaped: bool,
    /// The value.
    pub value: Value<'a>,
}

/// The value of a record's member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// As it lies in the dispatch.
    Json(&'a [u8]),
    /// A user, by its id: written out, it is an object with nothing but `id`.
    User(Snowflake),
}

impl<'a> Fields<'a> {
    /// All of `json`.
    #[must_use]
    pub const fn all(json: &'a [u8]) -> Self {
        Self::without(json, &[])
    }

    pub(super) const fn without(json: &'a [u8], omit: &'static [&'static str]) -> Self {
        Self {
            json,
            omit,
            user: None,
        }
    }

    /// Less what no record of this kind has.
    pub(super) const fn of(kind: Kind, json: &'a [u8]) -> Self {
        Self::without(json, omitted(kind))
    }

    pub(super) const fn referring(mut self, field: &'static str, user: Snowflake) -> Self {
        self.user = Some((field, user));
        self
    }

    /// Whether it lacks nothing else than all records of this kind do.
    #[must_use]
    pub fn omits_as(&self, kind: Kind) -> bool {
        self.omit == omitted(kind)
    }

    /// The object as the dispatch has it, nothing left out.
    #[must_use]
    pub const fn json(&self) -> &'a [u8] {
        self.json
    }

    /// The user that the record refers to.
    #[must_use]
    pub fn user(&self) -> Option<Snowflake> {
        self.user.map(|(_, user)| user)
    }

    /// The record's members, in the order of the dispatch. A reference comes last if the dispatch has no such member.
    pub fn iter(&self) -> impl Iterator<Item = Result<Field<'a>, Malformed>> + use<'a> {
        let Self { json, omit, user } = *self;
        let mut missing = user;
        let mut members = json::members(json);
        core::iter::from_fn(move || {
            loop {
                let member = match members.next() {
                    Some(Ok(member)) => member,
                    Some(Err(malformed)) => {
                        missing = None;
                        return Some(Err(malformed));
                    }
                    None => {
                        return missing.take().map(|(name, user)| {
                            Ok(Field {
                                key: name.as_bytes(),
                                key_escaped: false,
                                value: Value::User(user),
                            })
                        });
                    }
                };
                if omit.iter().any(|name| member.is(name)) {
                    continue;
                }
                let value = match user {
                    Some((name, user)) if member.is(name) => {
                        missing = None;
                        Value::User(user)
                    }
                    _ => Value::Json(member.value),
                };
                return Some(Ok(Field {
                    key: member.key,
                    key_escaped: member.key_escaped,
                    value,
                }));
            }
        })
    }
}

impl Value<'_> {
    /// Appends the value's JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Json(json) => out.extend_from_slice(json),
            Self::User(user) => {
                out.extend_from_slice(b"{\"id\":\"");
                json::write_unsigned(out, user.0);
                out.extend_from_slice(b"\"}");
            }
        }
    }
}
