//! Takes the change stream with nothing but a map of texts: what `Cache` must come to as well.

use std::collections::{BTreeMap, BTreeSet};

use shardkeep_core::Snowflake;
use shardkeep_core::cache::entity::{
    Change, Effect, Mode, Put, Remove, Sweep, changes, edit, effect,
};
use shardkeep_core::cache::{Key, Kind};
use shardkeep_core::wire::{EventKind, json};

/// One record, as text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) guild: Snowflake,
    pub(crate) under: Snowflake,
    pub(crate) json: Vec<u8>,
    /// The dispatch that put it.
    stamp: u64,
}

/// Records as the change stream makes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    pub(crate) records: BTreeMap<Key, Text>,
    pub(crate) own: Snowflake,
    pub(crate) messages_per_channel: usize,
    /// Pieces of dispatches, and of records, that were not what they should be.
    pub(crate) malformed: u32,
    /// What has been seen, in the words of the table.
    pub(crate) seen: BTreeSet<(EventKind, Kind, Effect)>,
    now: u64,
}

impl Plain {
    pub(crate) fn new(messages_per_channel: usize) -> Self {
        Self {
            messages_per_channel,
            ..Self::default()
        }
    }

    pub(crate) fn dispatch(&mut self, event: EventKind, d: &[u8]) {
        self.now += 1;
        let mut steps = Vec::new();
        self.malformed += changes(event, d, self.own, &mut |change| steps.push(change));
        for change in &steps {
            self.seen
                .extend(effect(change).map(|(kind, effect)| (event, kind, effect)));
            self.take(change);
        }
        self.drop_users();
    }

    fn take(&mut self, change: &Change<'_>) {
        match change {
            Change::Own(own) => self.own = *own,
            Change::Put(put) => self.put(put),
            Change::Set(set) => self.edit(set.key, |old| edit::set(old, set)),
            Change::Add(add) => {
                if !add
                    .unless
                    .is_some_and(|key| self.records.contains_key(&key))
                {
                    self.edit(add.key, |old| edit::add(old, add));
                }
            }
            Change::React(react) => self.edit(react.key, |old| edit::react(old, react)),
            Change::Vote(vote) => self.edit(vote.key, |old| edit::vote(old, vote)),
            Change::Remove(remove) => self.remove(remove),
            Change::Part { guild, user } => self.records.retain(|key, text| {
                !(key.kind == Kind::ThreadMember && key.id == *user && text.guild == *guild)
            }),
            Change::Sweep(sweep) => self.sweep(sweep),
            Change::SweepGuilds { index, total } => {
                let left =
                    |key: &Key| key.kind == Kind::Guild && (key.id.0 >> 22) % total == *index;
                for guild in self.stale(|key, _| left(key)) {
                    self.records.retain(|_, text| text.guild != guild.id);
                }
            }
            other => panic!("a change that this test does not know: {other:?}"),
        }
    }

    fn put(&mut self, put: &Put<'_>) {
        let old = self.records.get(&put.key);
        match edit::put(old.map(|old| &old.json[..]), put) {
            Ok(Some(json)) => {
                // What is merged into a record that is known leaves it where it is.
                let place = match (put.mode, old) {
                    (Mode::MergeKnown, Some(old)) => (old.guild, old.under),
                    _ => (put.guild, put.under),
                };
                let text = Text {
                    guild: place.0,
                    under: place.1,
                    json,
                    stamp: self.now,
                };
                self.records.insert(put.key, text);
            }
            Ok(None) => {}
            Err(_) => self.malformed += 1,
        }
        if put.key.kind == Kind::Message {
            let (first, last) = (Snowflake(0), Snowflake(u64::MAX));
            let all = Key::message(put.key.scope, first)..=Key::message(put.key.scope, last);
            while self.records.range(all.clone()).count() > self.messages_per_channel {
                let (&oldest, _) = self.records.range(all.clone()).next().unwrap();
                self.records.remove(&oldest);
            }
        }
    }

    fn edit<E>(&mut self, key: Key, edit: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, E>) {
        if let Some(text) = self.records.get_mut(&key) {
            match edit(&text.json) {
                Ok(Some(json)) => text.json = json,
                Ok(None) => {}
                Err(_) => self.malformed += 1,
            }
        }
    }

    fn remove(&mut self, remove: &Remove) {
        let key = remove.key;
        if !remove.types.is_any() {
            let known = self.records.get(&key);
            if !known.is_some_and(|text| remove.types.contains(edit::type_of(&text.json))) {
                return;
            }
        }
        self.records.remove(&key);
        match key.kind {
            Kind::Guild => self.records.retain(|_, text| text.guild != key.id),
            Kind::Channel | Kind::Thread => self.remove_under((key.scope, key.id), u64::MAX),
            _ => {}
        }
    }

    /// Removes what was put before `stamp` and is under a channel.
    fn remove_under(&mut self, (guild, channel): (Snowflake, Snowflake), stamp: u64) {
        let is_meant = |text: &Text| text.under == channel && text.stamp < stamp;
        let gone: Vec<Key> = self
            .records
            .iter()
            .filter(|(_, text)| is_meant(text))
            // Nothing is under a channel of another guild, whatever a payload says.
            .filter(|(key, text)| text.guild == guild || key.scope == channel)
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.records.remove(&key);
            if key.kind == Kind::Thread {
                self.remove_under((guild, key.id), stamp);
            }
        }
    }

    /// Records that this dispatch has not put.
    fn stale(&self, is_meant: impl Fn(&Key, &Text) -> bool) -> Vec<Key> {
        self.records
            .iter()
            .filter(|(key, text)| text.stamp < self.now && is_meant(key, text))
            .map(|(key, _)| *key)
            .collect()
    }

    fn sweep(&mut self, sweep: &Sweep<'_>) {
        let under: Option<Vec<Snowflake>> = sweep.under.map(|array| {
            json::elements(array)
                .map(|raw| json::snowflake(raw.unwrap()).unwrap())
                .collect()
        });
        let gone = self.stale(|key, text| {
            key.kind == sweep.kind
                && text.guild == sweep.guild
                && under
                    .as_ref()
                    .is_none_or(|under| under.contains(&text.under))
        });
        for key in gone {
            self.records.remove(&key);
            if matches!(key.kind, Kind::Channel | Kind::Thread) {
                self.remove_under((sweep.guild, key.id), self.now);
            }
        }
    }

    fn drop_users(&mut self) {
        let mut needed = BTreeSet::from([self.own]);
        for (key, text) in &self.records {
            match key.kind {
                Kind::Member => {
                    needed.insert(key.id);
                }
                Kind::Message => needed.extend(edit::author(&text.json)),
                _ => {}
            }
        }
        self.records
            .retain(|key, _| key.kind != Kind::User || needed.contains(&key.id));
    }
}
