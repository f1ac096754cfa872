//! Answers of the store and of Discord.

use alloc::vec::Vec;

use super::behind::What;
use super::entity::{Change, Mode, edit, fetched};
use super::flights::{Flight, Patch, Stage};
use super::head::Head;
use super::{Cache, Failure, FlightId, Found, Key, Kind, Version, answer_after};
use crate::id::Snowflake;
use crate::wire::json;

/// The member of a record that says which channel it is under.
const fn under_field(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Thread => Some("parent_id"),
        Kind::VoiceState | Kind::StageInstance | Kind::ScheduledEvent => Some("channel_id"),
        _ => None,
    }
}

impl Cache {
    /// A question that is under way with somebody, by its number.
    fn key_at(&self, id: FlightId, stage: Stage) -> Option<Key> {
        let key = self.flights.key(id)?;
        (self.flights.get(key)?.stage == stage).then_some(key)
    }

    pub(super) fn held(&mut self, id: FlightId, json: Option<&[u8]>, version: Option<Version>) {
        let Some(key) = self.key_at(id, Stage::Store) else {
            return;
        };
        let required = self.floors.required(key);
        let is_new_enough = version.unwrap_or_default() >= required;
        let has_changed = self.behind.get(key).is_some();
        match json {
            Some(json) if is_new_enough && !has_changed && json.starts_with(b"{") => {
                self.stats.read += 1;
                if let Some(flight) = self.flights.end(key) {
                    self.land(key, json, flight);
                }
            }
            held => {
                self.stats.stale += u64::from(held.is_some());
                self.miss(key);
            }
        }
    }

    /// The store has nothing, or nothing to be believed, or does not answer.
    pub(super) fn miss(&mut self, key: Key) {
        let waits = self.flights.get(key);
        // What could not be changed is not true any more, should it turn up.
        if waits.is_some_and(|flight| !flight.patches.is_empty()) {
            self.forget(key);
        }
        self.ask_discord(key);
    }

    /// A record from the store.
    fn land(&mut self, key: Key, json: &[u8], flight: Flight) {
        let mut json = json.to_vec();
        let is_changed = !flight.patches.is_empty();
        self.patch_all(key, flight.patches, &mut json);
        let head = self.head_of(key, &json);
        let is_kept = self.owns(key) && self.config.keeps(key.kind);
        let mut is_hot = false;
        if (is_kept || is_changed)
            && let Some(value) = self.pack(key, &head, &json)
        {
            is_hot = is_kept && self.insert(key, &value);
            if is_changed {
                let what = if is_hot {
                    What::Hot
                } else {
                    What::Value(value.clone())
                };
                self.behind.note(key, self.version_of(key.kind), what);
            }
            self.scratch = value;
        }
        let found = if is_hot {
            self.json(self.now, key)
        } else {
            None
        };
        let found = Found::Record(found.unwrap_or(json));
        self.answer_all(flight.waiters, &found);
    }

    fn answer_all(
        &mut self,
        waiters: Vec<(super::RequestId, Option<crate::Instant>)>,
        found: &Found,
    ) {
        for (id, _) in waiters {
            let found = found.clone();
            self.outbox.push_back(super::Output::Deliver { id, found });
        }
    }

    /// Makes the changes that waited, and takes the newest one's version.
    fn patch_all(&mut self, key: Key, patches: Vec<Patch>, json: &mut Vec<u8>) {
        for patch in patches {
            self.apply_patch(key, &patch, json);
            match key.kind {
                Kind::User => self.user_version = self.user_version.max(patch.version),
                _ => self.version = patch.version,
            }
        }
    }

    fn head_of(&self, key: Key, json: &[u8]) -> Head {
        let id = |name| json::field(json, name).and_then(json::snowflake);
        Head {
            // Not put by any dispatch that is still being taken.
            stamp: self.stamp.wrapping_sub(1),
            guild: match key.kind {
                Kind::Guild => key.id,
                Kind::Message | Kind::ThreadMember => Snowflake(0),
                _ => key.scope,
            },
            under: under_field(key.kind).and_then(id).unwrap_or(Snowflake(0)),
        }
    }

    pub(super) fn answered(&mut self, id: FlightId, json: &[u8]) {
        let Some(key) = self.key_at(id, Stage::Discord) else {
            return;
        };
        if !json.trim_ascii_start().starts_with(b"{") {
            // No object is no answer: a proxy's page, perhaps.
            self.stats.malformed += 1;
            return self.ask_failed(id);
        }
        let Some(flight) = self.flights.end(key) else {
            return;
        };
        self.stats.fetched += 1;
        if self.owns(key) && self.config.keeps(key.kind) {
            let own = self.own;
            self.take_guild_version(key);
            let malformed = fetched(key, json, own, &mut |change| {
                if let Change::Put(put) = &change {
                    self.put_fetched(key, put);
                }
            });
            self.stats.malformed += u64::from(malformed);
            if let Some((head, mut record)) = self.hot_json(key)
                && !flight.patches.is_empty()
            {
                self.patch_all(key, flight.patches, &mut record);
                self.store(key, &head, &record, false);
            }
            self.free_users();
            self.deliver_arrived();
        }
        let found = self.json(self.now, key).unwrap_or_else(|| json.to_vec());
        self.answer_all(flight.waiters, &Found::Record(found));
    }

    /// What Discord answers is a little newer than what was last told of its guild.
    pub(super) fn take_guild_version(&mut self, key: Key) {
        let guild = match key.kind {
            Kind::Guild => key.id,
            _ => key.scope,
        };
        self.user_version = answer_after(self.user_version);
        let floor = self.present();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.version = answer_after(guild.version.max(floor));
            self.version = guild.version;
        }
    }

    fn put_fetched(&mut self, key: Key, put: &super::entity::Put<'_>) {
        let is_user = put.key.kind == Kind::User && put.key != key;
        let has_place = self.config.keeps(put.key.kind) && self.has_place(put.key, put.guild);
        if !has_place || is_user && self.hot_json(put.key).is_some() {
            // The user was told by dispatches since: it is no older.
            return;
        }
        let old = match put.mode {
            Mode::Replace => None,
            _ => self.hot_json(put.key),
        };
        match edit::put(old.as_ref().map(|(_, json)| &json[..]), put) {
            Ok(Some(json)) => {
                let head = Head {
                    stamp: self.stamp.wrapping_sub(1),
                    guild: put.guild,
                    under: put.under,
                };
                self.store(put.key, &head, &json, false);
            }
            Ok(None) => {}
            Err(json::Malformed) => self.stats.malformed += 1,
        }
    }

    pub(super) fn not_found(&mut self, id: FlightId) {
        if let Some(key) = self.key_at(id, Stage::Discord) {
            let until = self.now + self.config.negative_ttl;
            self.negatives.insert(key, until);
            self.deliver(key, &Found::Absent);
        }
    }

    pub(super) fn ask_failed(&mut self, id: FlightId) {
        if let Some(key) = self.key_at(id, Stage::Discord) {
            self.deliver(key, &Found::Failed(Failure::Unreachable));
        }
    }

    pub(super) fn read_failed(&mut self, id: FlightId) {
        if let Some(key) = self.key_at(id, Stage::Store) {
            self.miss(key);
        }
    }
}
