//! The cache's naive model: it keeps everything, as trees, and follows the protocol sheet (1.18 to 1.21) to the letter.
//!
//! Shares nothing with core but the names of kinds and events.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "what a test picks from is small"
)]

mod events;
mod guilds;
mod messages;
mod people;
pub(crate) mod plain;
mod text;
mod threads;
mod tree;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
pub(crate) use text::write;

/// Kind, scope and id.
pub(crate) type Key = (&'static str, u64, u64);

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) guild: u64,
    /// The channel or thread that it goes with.
    pub(crate) under: u64,
    pub(crate) value: Map<String, Value>,
}

/// All that the bot was told and that still holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) records: BTreeMap<Key, Record>,
    pub(crate) own: u64,
    pub(crate) messages_per_channel: usize,
    /// What was last told of every user, whether it is kept or not.
    pub(crate) users_told: BTreeMap<Key, Object>,
    /// What the present dispatch has put.
    fresh: BTreeSet<Key>,
}

/// What stops the reading of one piece of a dispatch: it is not what it should be.
struct Bad;

type Piece<T = ()> = Result<T, Bad>;
pub(crate) type Object = Map<String, Value>;

impl Model {
    pub(crate) fn new(messages_per_channel: usize) -> Self {
        Self {
            messages_per_channel,
            ..Self::default()
        }
    }

    /// Takes a dispatch.
    pub(crate) fn dispatch(&mut self, event: &str, d: &Value) {
        self.fresh.clear();
        // What could be read before something bad was met counts.
        let _ = self.read(event, d);
        self.drop_users();
    }

    fn get(&self, key: Key) -> Option<&Object> {
        self.records.get(&key).map(|record| &record.value)
    }

    fn knows(&self, key: Key) -> bool {
        self.records.contains_key(&key)
    }

    fn replace(&mut self, key: Key, guild: u64, under: u64, value: Object) {
        self.fresh.insert(key);
        self.records.insert(
            key,
            Record {
                guild,
                under,
                value,
            },
        );
        if key.0 == "message" {
            self.keep_newest(key.1);
        }
    }

    /// As `replace`, with what the record was and the news do not mention.
    fn merge(&mut self, key: Key, guild: u64, under: u64, news: Object) {
        let mut value = self.get(key).cloned().unwrap_or_default();
        value.extend(news);
        self.replace(key, guild, under, value);
    }

    fn merge_known(&mut self, key: Key, news: Object) {
        if let Some(user) = self.users_told.get_mut(&key) {
            user.extend(news.clone());
        }
        if let Some(record) = self.records.get_mut(&key) {
            record.value.extend(news);
            self.fresh.insert(key);
        }
    }

    fn set(&mut self, key: Key, field: &str, value: Value) {
        if let Some(record) = self.records.get_mut(&key) {
            record.value.insert(field.to_owned(), value);
        }
    }

    fn count(&mut self, key: Key, field: &str, by: i64) {
        let old = self
            .get(key)
            .and_then(|value| value.get(field))
            .and_then(Value::as_u64);
        if let Some(old) = old {
            self.set(key, field, old.saturating_add_signed(by).into());
        }
    }

    /// A record goes with what is under it.
    fn remove(&mut self, key: Key) {
        self.records.remove(&key);
        match key.0 {
            "guild" => self.records.retain(|_, record| record.guild != key.2),
            "channel" | "thread" => self.remove_under((key.1, key.2), &BTreeSet::new()),
            _ => {}
        }
    }

    fn remove_under(&mut self, (guild, channel): (u64, u64), but: &BTreeSet<Key>) {
        let under: Vec<Key> = self
            .records
            .iter()
            .filter(|(key, record)| record.under == channel && !but.contains(*key))
            // Nothing is under a channel of another guild, whatever a payload says.
            .filter(|(key, record)| record.guild == guild || key.1 == channel)
            .map(|(key, _)| *key)
            .collect();
        for key in under {
            self.records.remove(&key);
            if key.0 == "thread" {
                self.remove_under((guild, key.2), but);
            }
        }
    }

    /// Of a guild's records of a kind, only what this dispatch has put stays.
    fn only_fresh(&mut self, kind: &str, guild: u64, is_meant: impl Fn(&Record) -> bool) {
        let gone: Vec<Key> = self
            .records
            .iter()
            .filter(|(key, record)| key.0 == kind && record.guild == guild && is_meant(record))
            .map(|(key, _)| *key)
            .filter(|key| !self.fresh.contains(key))
            .collect();
        let fresh = self.fresh.clone();
        for key in gone {
            self.records.remove(&key);
            if matches!(kind, "channel" | "thread") {
                self.remove_under((guild, key.2), &fresh);
            }
        }
    }

    fn keep_newest(&mut self, channel: u64) {
        let of_channel = ("message", channel, 0)..=("message", channel, u64::MAX);
        while self.records.range(of_channel.clone()).count() > self.messages_per_channel {
            let (&oldest, _) = self.records.range(of_channel.clone()).next().unwrap();
            self.records.remove(&oldest);
        }
    }

    /// A user is kept while a member or a message refers to it.
    fn drop_users(&mut self) {
        for (key, record) in &self.records {
            if key.0 == "user" && self.users_told.get(key) != Some(&record.value) {
                self.users_told.insert(*key, record.value.clone());
            }
        }
        let mut needed: BTreeSet<u64> = BTreeSet::from([self.own]);
        for (key, record) in &self.records {
            match key.0 {
                "member" => {
                    needed.insert(key.2);
                }
                "message" => needed.extend(messages::author(&record.value)),
                _ => {}
            }
        }
        self.records
            .retain(|key, _| key.0 != "user" || needed.contains(&key.2));
    }
}
