//! Records into the hot set, and what happens to those that it gives up for them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::behind::{Behind, What};
use super::entity::Fields;
use super::head::Head;
use super::packed::{Left, Plan, PlanId, Shapes};
use super::{Cache, Key, Kind, entity, hot_set};
use crate::id::Snowflake;
use crate::wire::json;

/// What is kept of every record, whatever the user asks for: what it is found by, and what the cache goes by.
const ALWAYS: [&str; 10] = [
    "id",
    "user",
    "user_id",
    "author",
    "guild_id",
    "channel_id",
    "parent_id",
    "unavailable",
    "type",
    "flags",
];

/// What a user that is referred to takes in the map of references: an entry, and its part of nodes that are not full.
const REFERENCE_BYTES: usize = 24;

/// In so many steps the hot set follows what is left of the budget.
const STEPS: usize = 512;

/// How records are packed: those that refer to a user hold its id.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    /// By kind.
    kinds: BTreeMap<Kind, PlanId>,
    /// Of messages that no user wrote.
    written_by_others: PlanId,
}

impl Plans {
    pub(super) fn new(shapes: &mut Shapes, fields: &BTreeMap<Kind, Vec<String>>) -> Self {
        let mut plan = |plan: &Plan| shapes.plan(plan).unwrap_or(PlanId::EVERYTHING);
        let kept = |kind: Kind| match fields.get(&kind) {
            Some(fields) => Plan::only(
                ALWAYS
                    .into_iter()
                    .chain(fields.iter().map(|name| &name[..])),
            ),
            None => Plan::everything(),
        };
        let of = |kind: Kind| {
            let plan = match kind {
                Kind::Member => kept(kind).refer_by_id("user"),
                Kind::Message => kept(kind).refer_by_id("author"),
                _ => kept(kind),
            };
            // Nothing but what is packed where it lies in a dispatch has such members.
            entity::omitted(kind)
                .iter()
                .fold(plan, |plan, name| plan.without(*name))
        };
        Self {
            kinds: Kind::ALL
                .iter()
                .map(|&kind| (kind, plan(&of(kind))))
                .collect(),
            written_by_others: plan(&kept(Kind::Message)),
        }
    }

    /// A webhook's author is no user and is kept as it is.
    fn of(&self, kind: Kind, json: &[u8]) -> PlanId {
        if kind == Kind::Message && entity::edit::author(json).is_none() {
            return self.written_by_others;
        }
        let plan = self.kinds.get(&kind).copied();
        plan.unwrap_or(PlanId::EVERYTHING)
    }
}

/// Whether a name in a text may be written otherwise than it reads: letters are escaped by their number alone.
fn has_unicode_escape(json: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', json).any(|at| json.get(at + 1) == Some(&b'u'))
}

/// What the hot set gave up.
#[derive(Debug)]
pub(super) struct Gone {
    key: Key,
    /// As it lay there, if it is still to be written.
    value: Option<Vec<u8>>,
    /// The user that it referred to.
    user: Option<Snowflake>,
}

impl Gone {
    fn of(evicted: &hot_set::Evicted<'_>, behind: &Behind, shapes: &Shapes) -> Option<Self> {
        let key = key_of(evicted.key)?;
        let is_pending = behind.get(key) == Some(&What::Hot);
        Some(Self {
            key,
            value: is_pending.then(|| evicted.value.to_vec()),
            user: user_of(shapes, key, evicted.value),
        })
    }
}

pub(super) fn hot_key(key: Key) -> hot_set::Key {
    hot_set::Key {
        kind: hot_kind(key.kind),
        scope: key.scope,
        id: key.id,
    }
}

pub(super) fn hot_kind(kind: Kind) -> hot_set::Kind {
    hot_set::Kind::new(kind.number()).unwrap_or_default()
}

fn key_of(hot: hot_set::Key) -> Option<Key> {
    Some(Key::new(
        Kind::from_number(hot.kind.number())?,
        hot.scope,
        hot.id,
    ))
}

/// Whether records of a kind may refer to a user.
const fn may_refer(kind: Kind) -> bool {
    matches!(kind, Kind::Member | Kind::Message)
}

/// The user that a record refers to.
pub(super) fn user_of(shapes: &Shapes, key: Key, value: &[u8]) -> Option<Snowflake> {
    match key.kind {
        Kind::Member => Some(key.id),
        Kind::Message => {
            let (_, record) = Head::read(key, value);
            shapes.record(record).get("author")?.reference_id()
        }
        _ => None,
    }
}

impl Cache {
    /// Packs a record. `None` if it is no JSON object.
    pub(super) fn pack(&mut self, key: Key, head: &Head, json: &[u8]) -> Option<Vec<u8>> {
        let mut value = core::mem::take(&mut self.scratch);
        value.clear();
        head.write(key.kind, &mut value);
        let plan = self.plans.of(key.kind, json);
        let packed = self.shapes.pack(plan, json, &mut value);
        if packed.is_err() {
            self.stats.malformed += 1;
            self.scratch = value;
            return None;
        }
        Some(value)
    }

    /// Packs a record where it lies in a dispatch. `None`, and nothing is counted, if that might come to anything else
    /// than [`pack`](Self::pack) makes of the record's own text: names that are written with escapes, a user that is
    /// not who it should be, and whatever is malformed.
    pub(super) fn pack_fields(
        &mut self,
        key: Key,
        head: &Head,
        fields: &Fields<'_>,
    ) -> Option<Vec<u8>> {
        let (json, user) = (fields.json(), fields.user());
        let plan = self.plans.kinds.get(&key.kind).copied()?;
        let is_plain = json.starts_with(b"{") && !has_unicode_escape(json);
        if !is_plain || !fields.omits_as(key.kind) || user.is_some() != (key.kind == Kind::Member) {
            return None;
        }
        let mut value = core::mem::take(&mut self.scratch);
        value.clear();
        head.write(key.kind, &mut value);
        let (mut referred, mut count) = (None, 0);
        let mut left = |left: Left<'_>| {
            count += 1;
            referred = json::field(left.json, "id").and_then(json::snowflake);
        };
        let packed = self
            .shapes
            .pack_counting(plan, json, 0, &mut value, &mut left);
        let is_whole = packed.is_ok_and(|(_, kept)| kept == 0);
        if is_whole && referred == user && count == u32::from(user.is_some()) {
            return Some(value);
        }
        self.scratch = value;
        None
    }

    /// A record is new or has changed: into the hot set with it, and to the store, unless it `is_same` as before.
    /// Whoever waits for it gets it.
    pub(super) fn store(&mut self, key: Key, head: &Head, json: &[u8], is_same: bool) {
        if let Some(value) = self.pack(key, head, json) {
            self.store_packed(key, value, is_same);
        }
    }

    /// The same of a record that is packed.
    pub(super) fn store_packed(&mut self, key: Key, value: Vec<u8>, is_same: bool) {
        let stamp = size_of::<u32>();
        let is_stored = self.config.stores(key.kind);
        let old = is_stored
            .then(|| self.hot.peek(self.now, hot_key(key)))
            .flatten();
        // While its shape is learned, the same record is packed in two ways; and the same value may be written with
        // white space.
        let is_same = is_same || old.is_some_and(|old| old.get(stamp..) == value.get(stamp..));
        let is_hot = self.insert(key, &value);
        if is_stored && !(is_same && is_hot) {
            let version = self.version_of(key.kind);
            let what = if is_hot {
                What::Hot
            } else {
                What::Value(value.clone())
            };
            self.behind.note(key, version, what);
        }
        self.scratch = value;
        self.negatives.remove(key);
        if self.flights.get(key).is_some() {
            self.arrived.push(key);
        }
    }

    /// A record as it lies in the hot set. Whether it is hot then.
    pub(super) fn insert(&mut self, key: Key, value: &[u8]) -> bool {
        let (hot, shapes, behind) = (&mut self.hot, &self.shapes, &self.behind);
        let old = if may_refer(key.kind) {
            hot.lies(hot_key(key)).map(|old| user_of(shapes, key, old))
        } else {
            Some(None)
        };
        let gone = &mut self.gone;
        let stored = hot.insert(self.now, hot_key(key), value, &mut |evicted| {
            gone.extend(Gone::of(&evicted, behind, shapes));
        });
        let is_hot = stored.is_ok();
        if is_hot {
            let new = user_of(&self.shapes, key, value);
            if old != Some(new) {
                self.refer(new);
                self.unrefer(old.flatten());
            }
            if new.is_some() && self.touched.last() == new.as_ref() {
                // It came just before, and is referred to: it stays.
                self.touched.pop();
            }
        } else {
            self.floors.give_up(key.kind, key.scope, self.stamp);
            if key.kind == Kind::User {
                self.ask_for_members_of(key.id);
            }
        }
        if key.kind == Kind::User {
            // Unless something that refers to it follows, it goes again.
            self.touched.push(key.id);
        }
        self.settle();
        is_hot
    }

    /// Who refers to which user takes memory as well: the hot set has what is left of the budget.
    pub(super) fn share_budget(&mut self) {
        let whole = self.config.hot.budget_bytes;
        let left = whole - self.beside_bytes().min(whole / 2);
        if left.abs_diff(self.hot.budget_bytes()) <= whole / STEPS {
            return;
        }
        let (shapes, behind) = (&self.shapes, &self.behind);
        let gone = &mut self.gone;
        self.hot.set_budget(self.now, left, &mut |evicted| {
            gone.extend(Gone::of(&evicted, behind, shapes));
        });
        self.settle();
        self.free_users();
    }

    /// Memory beside the hot set that grows with what is in it, about.
    pub(super) fn beside_bytes(&self) -> usize {
        self.references.len() * REFERENCE_BYTES
    }

    fn refer(&mut self, user: Option<Snowflake>) {
        if let Some(user) = user {
            *self.references.entry(user).or_default() += 1;
        }
    }

    pub(super) fn unrefer(&mut self, user: Option<Snowflake>) {
        let Some(user) = user else { return };
        if let Some(count) = self.references.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                self.references.remove(&user);
                self.touched.push(user);
            }
        }
    }

    /// Sees to what the hot set gave up.
    pub(super) fn settle(&mut self) {
        while let Some(gone) = self.gone.pop() {
            let key = gone.key;
            // What was given up to make room for a newer value of itself is not gone.
            if self.hot.lies(hot_key(key)).is_none() {
                self.lost(key, gone.value, gone.user);
            }
        }
    }

    /// A record is no longer hot, and is still what it was.
    fn lost(&mut self, key: Key, value: Option<Vec<u8>>, user: Option<Snowflake>) {
        self.floors.give_up(key.kind, key.scope, self.stamp);
        if let Some(value) = value {
            self.behind.replace(key, What::Value(value));
        }
        if key.kind == Kind::User {
            self.ask_for_members_of(key.id);
        }
        if user.is_some() {
            // Its user may go now, and is still known to whoever knows this.
            self.floors.give_up(Kind::User, Snowflake(0), self.stamp);
            self.unrefer(user);
        }
        // What is in a channel goes with it: nobody would know when the channel is deleted.
        if matches!(key.kind, Kind::Channel | Kind::Thread) {
            for kind in [Kind::Message, Kind::ThreadMember] {
                for id in self.hot_ids(kind, key.id) {
                    self.evict(Key::new(kind, key.id, id));
                }
            }
        }
    }

    /// Takes a record out of the hot set that is still what it was.
    pub(super) fn evict(&mut self, key: Key) {
        let Some(value) = self.hot.lies(hot_key(key)) else {
            return;
        };
        let user = user_of(&self.shapes, key, value);
        let is_pending = self.behind.get(key) == Some(&What::Hot);
        let value = is_pending.then(|| value.to_vec());
        self.hot.remove(hot_key(key));
        self.lost(key, value, user);
    }

    /// What lies in the hot set of a kind and scope.
    pub(super) fn hot_ids(&self, kind: Kind, scope: Snowflake) -> Vec<Snowflake> {
        let all = self.hot.lies_in(hot_kind(kind), scope);
        all.map(|(id, _)| id).collect()
    }

    /// Users that nobody refers to any more go, after all has been told.
    pub(super) fn free_users(&mut self) {
        while let Some(user) = self.touched.pop() {
            let key = Key::user(user);
            if user == self.own || self.references.contains_key(&user) {
                continue;
            }
            if self.behind.get(key) == Some(&What::Hot)
                && let Some(value) = self.hot.lies(hot_key(key))
            {
                self.behind.replace(key, What::Value(value.to_vec()));
            }
            self.hot.remove(hot_key(key));
            self.ask_for_members_of(user);
        }
    }
}
