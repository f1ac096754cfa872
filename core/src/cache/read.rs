//! Looks at what is hot: plain reads that change nothing.

use alloc::vec::Vec;

use super::head::Head;
use super::insert::hot_key;
use super::packed::{Record, Reference};
use super::{Cache, Key};
use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::json;

/// What stands for a user in a record's JSON.
pub(super) fn write_reference(reference: Reference<'_>, out: &mut Vec<u8>) {
    match reference.id {
        Some(id) => write_id(id, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_id(id: Snowflake, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    json::write_unsigned(out, id.0);
    out.extend_from_slice(b"\"}");
}

impl Cache {
    /// A record, if it is hot. It counts as asked for. A user that it refers to is a record of its own.
    #[must_use]
    pub fn get(&self, now: Instant, key: Key) -> Option<Record<'_>> {
        let value = self.hot.get(now, hot_key(key))?;
        Some(self.shapes.record(Head::read(key, value).1))
    }

    /// The JSON of a record, if it is hot, with the user that it refers to if that is hot too; otherwise the user's
    /// object has nothing but `id`.
    #[must_use]
    pub fn json(&self, now: Instant, key: Key) -> Option<Vec<u8>> {
        let record = self.get(now, key)?;
        let mut out = Vec::new();
        record
            .write_json_with(&mut out, &mut |reference, out| {
                let user = reference.id.and_then(|id| self.get(now, Key::user(id)));
                if user.is_none_or(|user| user.write_json(out).is_err()) {
                    write_reference(reference, out);
                }
            })
            .ok()?;
        Some(out)
    }

    /// Whether the bot is in a guild, as far as this cache was told.
    #[must_use]
    pub fn has_guild(&self, guild: Snowflake) -> bool {
        self.guilds.contains_key(&guild)
    }

    /// The guilds that the bot is in, as far as this cache was told.
    pub fn guilds(&self) -> impl Iterator<Item = Snowflake> + '_ {
        self.guilds.keys().copied()
    }

    /// The ids of what is hot of a kind in a scope: what has been given up is not among them.
    #[must_use]
    pub fn ids(&self, kind: super::Kind, scope: Snowflake) -> Vec<Snowflake> {
        self.hot_ids(kind, scope)
    }

    /// Everything that is hot, one after the other, with its JSON; users are references.
    pub fn visit(&self, visit: &mut dyn FnMut(Key, Vec<u8>)) {
        let mut cursor = Some(super::hot_set::Cursor::default());
        while let Some(from) = cursor {
            cursor = self.hot.visit(self.now, from, 1_024, &mut |hot, _| {
                let kind = super::Kind::from_number(hot.kind.number());
                let key = kind.map(|kind| Key::new(kind, hot.scope, hot.id));
                if let Some(key) = key
                    && let Some((_, json)) = self.hot_json(key)
                {
                    visit(key, json);
                }
            });
        }
    }

    /// The head and the JSON of a record that is hot; a user in it is a reference. Nothing is counted.
    pub(super) fn hot_json(&self, key: Key) -> Option<(Head, Vec<u8>)> {
        let value = self.hot.peek(self.now, hot_key(key))?;
        self.value_json(key, value)
    }

    /// The same of a value as it lies in the hot set.
    pub(super) fn value_json(&self, key: Key, value: &[u8]) -> Option<(Head, Vec<u8>)> {
        let (head, record) = Head::read(key, value);
        let mut out = Vec::with_capacity(record.len() * 4);
        let record = self.shapes.record(record);
        record
            .write_json_with(&mut out, &mut write_reference)
            .ok()?;
        Some((head, out))
    }
}
