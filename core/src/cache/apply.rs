//! Dispatches: each change is carried out on what is hot. What is not hot and may be known is read back first.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::behind::What;
use super::entity::{Change, Mode, Put, Types, changes, edit};
use super::flights::{Patch, Stage};
use super::head::Head;
use super::insert::hot_key;
use super::{Cache, Key, Kind, Output, Version};
use crate::id::Snowflake;
use crate::wire::EventKind;
use crate::wire::json::Malformed;

/// A dispatch that is being taken.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    pub(super) event: EventKind,
    pub(super) d: &'a [u8],
}

/// Where a record is that may have to be changed.
pub(super) enum Whereabouts {
    /// Here: its head and its JSON.
    Hot(Head, Vec<u8>),
    /// Nowhere: nobody has told of it.
    Unknown,
    /// It was given up. It may be in the store, or with Discord alone.
    Elsewhere,
}

/// What a change does that is made twice: what Discord answers may have it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twice {
    /// The same as once.
    Same,
    /// It counts twice.
    Counts,
}

type Edited = Result<Option<Vec<u8>>, Malformed>;

impl Cache {
    pub(super) fn dispatch(&mut self, present: Present<'_>, version: Version, wall_ms: u64) {
        self.stats.dispatches += 1;
        self.stamp = self.stamp.wrapping_add(1);
        self.floors.see(version.epoch.max(wall_ms));
        self.take_turn(wall_ms);
        self.version = self.floored(version);
        let epoch = wall_ms
            .max(self.user_version.epoch)
            .max(self.floors.epoch());
        self.user_version = Version::new(epoch, self.turn << super::ANSWER_BITS);
        self.source = None;
        self.present_guild = Snowflake(0);
        let malformed = changes(present.event, present.d, self.own, &mut |change| {
            self.take(present, &change);
        });
        self.stats.malformed += u64::from(malformed);
        self.source = None;
        if let Some(guild) = self.guilds.get_mut(&self.present_guild) {
            guild.version = self.version;
        }
        self.free_users();
        self.deliver_arrived();
    }

    fn take(&mut self, present: Present<'_>, change: &Change<'_>) {
        match change {
            Change::Own(own) => self.own = *own,
            Change::Put(put) => self.put(present, put),
            Change::Set(set) => self.edit(present, set.key, Twice::Same, |old| edit::set(old, set)),
            Change::Add(add) => {
                let is_counted = add
                    .unless
                    .is_some_and(|key| matches!(self.find(key), Whereabouts::Hot(..)));
                if !is_counted {
                    self.edit(present, add.key, Twice::Counts, |old| edit::add(old, add));
                }
            }
            Change::React(react) => self.edit(present, react.key, Twice::Counts, |old| {
                edit::react(old, react)
            }),
            Change::Vote(vote) => self.edit(present, vote.key, Twice::Counts, |old| {
                edit::vote(old, vote)
            }),
            Change::Remove(remove) => self.take_remove(present, remove),
            Change::Part { guild, user } => self.part(*guild, *user),
            Change::Sweep(sweep) => self.sweep(present, sweep),
            Change::SweepGuilds { index, total } => self.sweep_guilds(*index, *total),
        }
    }

    fn put(&mut self, present: Present<'_>, put: &Put<'_>) {
        let key = put.key;
        if put.guild != Snowflake(0) {
            self.present_guild = put.guild;
        }
        if key.kind == Kind::Guild {
            self.guilds.entry(key.id).or_default().stamp = self.stamp;
            if present.event == EventKind::GuildCreate && put.mode == Mode::Replace {
                // Whatever the store has of the guild is from before.
                self.floors.raise(Kind::Guild, key.id, self.version);
            }
        }
        // It exists, whether it is kept or not.
        self.negatives.remove(key);
        if !self.config.keeps(key.kind) {
            return;
        }
        if !self.has_place(key, put.guild) {
            return self.outdate(key);
        }
        if self.replace_as_it_lies(present, put) {
            return;
        }
        let old = self.find(key);
        let edited = match (&old, put.mode) {
            (Whereabouts::Hot(_, json), _) => edit::put(Some(json), put),
            (_, Mode::MergeKnown) if key.kind == Kind::User && !self.owns(key) => {
                return self.hear_of_user(key);
            }
            (_, Mode::Replace) | (Whereabouts::Unknown, _) => edit::put(None, put),
            (Whereabouts::Elsewhere, _) => return self.defer(present, key, Twice::Same),
        };
        let mut head = Head {
            stamp: self.stamp,
            guild: put.guild,
            under: put.under,
        };
        if let (Whereabouts::Hot(old, _), Mode::MergeKnown) = (&old, put.mode) {
            (head.guild, head.under) = (old.guild, old.under);
        }
        self.finish(present, key, old, head, edited);
    }

    /// Replaces a record with what lies in the dispatch, packed there. `false`, and nothing has happened, if somebody
    /// needs to know what it was.
    fn replace_as_it_lies(&mut self, present: Present<'_>, put: &Put<'_>) -> bool {
        let is_told = self.tells_before(present.event);
        let waits = || matches!(self.behind.get(put.key), Some(What::Value(_)));
        if put.mode != Mode::Replace || is_told || waits() {
            return false;
        }
        let head = Head {
            stamp: self.stamp,
            guild: put.guild,
            under: put.under,
        };
        let packed = self.pack_fields(put.key, &head, &put.fields);
        let is_packed = packed.is_some();
        if let Some(value) = packed {
            self.store_packed(put.key, value, false);
        }
        is_packed
    }

    /// News of a user that nobody here refers to: what the store has is known to be old, and that is all.
    fn hear_of_user(&mut self, key: Key) {
        self.behind.drop_entry(key);
        if self.config.stores(key.kind) {
            self.floors.mark(key, self.user_version);
        }
        self.ask_discord(key);
        self.ask_for_members_of(key.id);
    }

    /// Changes a record that is known.
    fn edit(
        &mut self,
        present: Present<'_>,
        key: Key,
        twice: Twice,
        edit: impl FnOnce(&[u8]) -> Edited,
    ) {
        if !self.config.keeps(key.kind) {
            return;
        }
        let old = self.find(key);
        match &old {
            Whereabouts::Hot(head, json) => {
                let (head, edited) = (*head, edit(json));
                self.finish(present, key, old, head, edited);
            }
            Whereabouts::Unknown => {}
            Whereabouts::Elsewhere => self.defer(present, key, twice),
        }
    }

    fn finish(
        &mut self,
        present: Present<'_>,
        key: Key,
        old: Whereabouts,
        head: Head,
        edited: Edited,
    ) {
        match edited {
            Ok(Some(json)) => {
                let is_same = matches!(&old, Whereabouts::Hot(was, text)
                    if *text == json && (was.guild, was.under) == (head.guild, head.under));
                if let Whereabouts::Hot(_, old) = old {
                    self.tell_before(present.event, key, old);
                }
                self.store(key, &head, &json, is_same);
            }
            Ok(None) => {}
            Err(Malformed) => self.stats.malformed += 1,
        }
    }

    /// Tells what a record was, if somebody wants to know.
    pub(super) fn tell_before(&mut self, event: EventKind, key: Key, json: Vec<u8>) {
        if self.tells_before(event) {
            self.outbox.push_back(Output::Before { key, json });
        }
    }

    fn tells_before(&self, event: EventKind) -> bool {
        self.config.before.lets_through(event) && event != EventKind::Unknown
    }

    /// Messages are kept in channels that are known, and thread members in threads, so that they go with them.
    pub(super) fn has_place(&self, key: Key, guild: Snowflake) -> bool {
        let is_hot = |kind| {
            let key = Key::new(kind, guild, key.scope);
            self.hot.peek(self.now, hot_key(key)).is_some()
        };
        match key.kind {
            Kind::Message if guild != Snowflake(0) => is_hot(Kind::Channel) || is_hot(Kind::Thread),
            Kind::ThreadMember => is_hot(Kind::Thread),
            _ => true,
        }
    }

    /// Where a record is. What waits to be written comes back into the hot set.
    pub(super) fn find(&mut self, key: Key) -> Whereabouts {
        if let Some((head, json)) = self.hot_json(key) {
            return Whereabouts::Hot(head, json);
        }
        // What waits of a user that nobody here refers to is for others.
        let is_owned = key.kind != Kind::User || self.owns(key);
        if is_owned && let Some(What::Value(value)) = self.behind.get(key) {
            let value = value.clone();
            let found = self.value_json(key, &value);
            if let Some((head, json)) = found {
                if self.has_place(key, head.guild) && self.insert(key, &value) {
                    self.behind.replace(key, What::Hot);
                }
                return Whereabouts::Hot(head, json);
            }
        }
        if self.may_be_elsewhere(key) {
            Whereabouts::Elsewhere
        } else {
            Whereabouts::Unknown
        }
    }

    /// Whether a record that is not hot may be known all the same.
    pub(super) fn may_be_elsewhere(&self, key: Key) -> bool {
        let expires = self.config.hot.limits[usize::from(key.kind.number())].ttl;
        expires.is_some() || self.floors.is_given_up(key.kind, key.scope)
    }

    /// A change to a record that is elsewhere waits for it to be read. If it cannot, the record is forgotten there.
    pub(super) fn defer(&mut self, present: Present<'_>, key: Key, twice: Twice) {
        self.stats.deferred += 1;
        if key.kind == Kind::User {
            self.ask_for_members_of(key.id);
        }
        // It is known by this dispatch, and not hot.
        self.floors.give_up(key.kind, key.scope, self.stamp);
        let flight = self.flights.get(key).map(|flight| flight.stage);
        let stores = self.config.stores(key.kind);
        let bytes = self.flights.patch_bytes() + present.d.len();
        let has_room = bytes <= self.config.patch_bytes_max;
        match flight {
            Some(Stage::Discord) if twice == Twice::Counts => return self.ask_discord(key),
            Some(_) if has_room => {}
            None if has_room && stores && self.can_read() && self.behind.get(key).is_none() => {
                let until = self.now + self.config.store_timeout;
                self.flights.begin(key, Stage::Store, Some(until));
            }
            _ => {
                // Whoever waits must not get an answer from before.
                if flight.is_some() {
                    self.ask_discord(key);
                }
                return self.forget(key);
            }
        }
        let source = self.source.get_or_insert_with(|| Arc::from(present.d));
        let patch = Patch {
            event: present.event,
            d: Arc::clone(source),
            version: self.version_of(key.kind),
        };
        self.flights.patch(key, patch);
    }

    /// What the store has of a record is no longer true, and nobody knows what is.
    pub(super) fn forget(&mut self, key: Key) {
        if self.config.stores(key.kind) {
            self.stats.forgotten += 1;
            let version = self.version_of(key.kind);
            self.floors.mark(key, version);
            self.behind.note(key, version, What::Gone);
        }
    }

    pub(super) fn can_read(&self) -> bool {
        self.is_store_up && self.flights.len() < self.config.flights_max
    }

    /// What a change that waited makes of a record.
    pub(super) fn apply_patch(&mut self, key: Key, patch: &Patch, json: &mut Vec<u8>) {
        let mut malformed = 0;
        changes(patch.event, &patch.d, self.own, &mut |change| {
            let edited = match &change {
                Change::Put(put) if put.key == key => edit::put(Some(json), put),
                Change::Set(set) if set.key == key => edit::set(json, set),
                Change::Add(add) if add.key == key => edit::add(json, add),
                Change::React(react) if react.key == key => edit::react(json, react),
                Change::Vote(vote) if vote.key == key => edit::vote(json, vote),
                _ => Ok(None),
            };
            match edited {
                Ok(Some(new)) => *json = new,
                Ok(None) => {}
                Err(Malformed) => malformed += 1,
            }
        });
        self.stats.malformed += malformed;
    }

    /// Whether a record is known and its type is meant. One that is elsewhere is meant: forgetting it is harmless.
    pub(super) fn is_meant(&mut self, key: Key, types: Types) -> bool {
        types.is_any()
            || match self.find(key) {
                Whereabouts::Hot(_, json) => types.contains(edit::type_of(&json)),
                Whereabouts::Unknown => false,
                Whereabouts::Elsewhere => true,
            }
    }
}
