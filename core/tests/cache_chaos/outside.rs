//! A store and a Discord that take their time, and fail.

use std::collections::BTreeMap;

use serde_json::Value;
use shardkeep_core::Rng;
use shardkeep_core::cache::{BatchId, FlightId, Key, Kind, Version, Write, Written};

use crate::cache_model::Model;

type Held = (Version, Option<Vec<u8>>);

/// A store that compares versions, as all of ours do.
#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) records: BTreeMap<Key, Held>,
    /// What a replica has, that may take its place.
    replica: BTreeMap<Key, Held>,
}

impl Store {
    pub(crate) fn write(&mut self, write: &Write) -> Written {
        if let Some((held, _)) = self.records.get(&write.key)
            && *held > write.version
        {
            return Written::Superseded(*held);
        }
        self.records
            .insert(write.key, (write.version, write.json.clone()));
        Written::Done
    }

    /// What is older in a scope goes.
    pub(crate) fn clear(&mut self, kind: Kind, scope: shardkeep_core::Snowflake, before: Version) {
        self.records.retain(|key, (version, _)| {
            (key.kind, key.scope) != (kind, scope) || *version >= before
        });
    }

    pub(crate) fn replicate(&mut self) {
        self.replica = self.records.clone();
    }

    /// The replica takes over: whatever was acknowledged since is lost.
    pub(crate) fn fail_over(&mut self) {
        self.records = self.replica.clone();
    }
}

/// What will be answered sometime.
pub(crate) enum Later {
    Write(BatchId, Vec<Write>),
    Read(Vec<(FlightId, Key)>),
    /// With what Discord had when it was asked.
    Ask(FlightId, Option<Vec<u8>>),
}

/// What Discord has: objects as its API sends them, users in full.
pub(crate) fn at_discord(model: &Model, key: Key) -> Option<Vec<u8>> {
    let named = (key.kind.name(), key.scope.0, key.id.0);
    if key.kind == Kind::User {
        return serde_json::to_vec(model.users_told.get(&named)?).ok();
    }
    let mut value = model.records.get(&named)?.value.clone();
    let field = match key.kind {
        Kind::Member => "user",
        Kind::Message => "author",
        _ => return serde_json::to_vec(&value).ok(),
    };
    let author = value.get(field).and_then(Value::as_object);
    if let Some(author) = author.filter(|author| author.len() == 1) {
        let id = author["id"].as_str()?.parse().ok()?;
        // A message may have been edited by somebody of whom nobody has told.
        if let Some(user) = model.users_told.get(&("user", 0, id)) {
            value.insert(field.to_owned(), Value::Object(user.clone()));
        }
    }
    serde_json::to_vec(&value).ok()
}

pub(crate) fn chance(rng: &mut Rng, of: u64) -> bool {
    rng.below(of) == 0
}
