//! What goes: single records, what is under them, whole guilds, and what a list no longer has.

use alloc::vec::Vec;

use super::apply::Present;
use super::behind::What;
use super::entity::{Remove, Sweep, Why};
use super::head::Head;
use super::insert::{hot_key, hot_kind, user_of};
use super::{Cache, Found, Key, Kind, Output};
use crate::id::Snowflake;
use crate::wire::{EventKind, json};

/// Kinds whose scope is their guild.
pub(super) const OF_GUILD: [Kind; 11] = [
    Kind::Channel,
    Kind::Thread,
    Kind::Role,
    Kind::Emoji,
    Kind::Sticker,
    Kind::SoundboardSound,
    Kind::Member,
    Kind::Presence,
    Kind::VoiceState,
    Kind::StageInstance,
    Kind::ScheduledEvent,
];

/// Kinds of a guild that may be under one of its channels.
const UNDER_CHANNEL: [Kind; 4] = [
    Kind::Thread,
    Kind::VoiceState,
    Kind::StageInstance,
    Kind::ScheduledEvent,
];

/// Kinds whose scope is a channel or a thread.
const OF_CHANNEL: [Kind; 2] = [Kind::Message, Kind::ThreadMember];

impl Cache {
    pub(super) fn take_remove(&mut self, present: Present<'_>, remove: &Remove) {
        let key = remove.key;
        if key.kind == Kind::Guild {
            self.tell_gone(present.event, key);
            self.remove_guild(key.id);
            return;
        }
        if self.config.keeps(key.kind) {
            if !self.is_meant(key, remove.types) {
                return;
            }
            self.tell_gone(present.event, key);
            self.remove(key, remove.why);
        }
        if matches!(key.kind, Kind::Channel | Kind::Thread) {
            self.remove_under(key.scope, key.id, false, remove.why);
        }
    }

    fn tell_gone(&mut self, event: EventKind, key: Key) {
        if self.config.before.lets_through(event)
            && let Some((_, json)) = self.hot_json(key)
        {
            self.tell_before(event, key, json);
        }
    }

    /// A record goes, from the store too.
    fn remove(&mut self, key: Key, why: Why) {
        self.drop_hot(key);
        if self.config.stores(key.kind) {
            let version = self.version_of(key.kind);
            self.behind.note(key, version, What::Gone);
        }
        self.end_of(key, why);
    }

    /// Out of the hot set: it is no longer true.
    fn drop_hot(&mut self, key: Key) {
        let Some(value) = self.hot.lies(hot_key(key)) else {
            return;
        };
        let user = user_of(&self.shapes, key, value);
        self.hot.remove(hot_key(key));
        self.unrefer(user);
    }

    /// A record is something else now, which is not kept.
    pub(super) fn outdate(&mut self, key: Key) {
        self.ask_discord(key);
        let was_here = self.hot.lies(hot_key(key)).is_some() || self.behind.get(key).is_some();
        if was_here || self.may_be_elsewhere(key) {
            self.drop_hot(key);
            self.floors.give_up(key.kind, key.scope, self.stamp);
            self.forget(key);
        }
    }

    /// Tells those who wait, and remembers that there is no such thing.
    fn end_of(&mut self, key: Key, why: Why) {
        match why {
            Why::Deleted => {
                let until = self.now + self.config.negative_ttl;
                self.negatives.insert(key, until);
                self.deliver(key, &Found::Absent);
            }
            // What was asked for may be answered by what is from before.
            Why::Forgotten => self.ask_discord(key),
        }
    }

    /// What is under a channel goes with it; on request, not what the present dispatch has put.
    fn remove_under(&mut self, guild: Snowflake, channel: Snowflake, keep_fresh: bool, why: Why) {
        for kind in UNDER_CHANNEL {
            let all = self.hot.lies_in(hot_kind(kind), guild);
            let under: Vec<Key> = all
                .map(|(id, value)| (Key::new(kind, guild, id), value))
                .filter(|(key, value)| {
                    let (head, _) = Head::read(*key, value);
                    head.under == channel && !(keep_fresh && head.stamp == self.stamp)
                })
                .map(|(key, _)| key)
                .collect();
            for key in under {
                self.remove(key, why);
                if kind == Kind::Thread {
                    self.remove_under(guild, key.id, keep_fresh, why);
                }
            }
            for key in self.flights.in_scope(kind, guild) {
                self.ask_discord(key);
            }
            // Nobody knows which of those that were given up were under the channel.
            if self.config.stores(kind) && self.floors.is_given_up(kind, guild) {
                self.floors.raise(kind, guild, self.version);
                self.behind.drop_scope(kind, guild, self.version);
            }
        }
        for kind in OF_CHANNEL {
            for id in self.hot_ids(kind, channel) {
                let key = Key::new(kind, channel, id);
                let value = self.hot.lies(hot_key(key)).unwrap_or_default();
                if keep_fresh && Head::read(key, value).0.stamp == self.stamp {
                    // It is still true, but nobody would know when it ends.
                    self.evict(key);
                } else {
                    self.remove(key, why);
                }
            }
            self.clear(kind, channel, keep_fresh);
        }
    }

    /// What was given up in a scope, and not put by the present dispatch, is no longer true.
    fn clear(&mut self, kind: Kind, scope: Snowflake, keep_fresh: bool) {
        for key in self.flights.in_scope(kind, scope) {
            self.ask_discord(key);
        }
        if self.config.stores(kind) {
            let mut before = self.version;
            // What the present dispatch itself has put and given up goes too.
            before.seq += u64::from(!keep_fresh);
            self.behind.drop_scope(kind, scope, before);
            if self.floors.is_given_up(kind, scope) {
                self.floors.raise(kind, scope, before);
                self.outbox.push_back(Output::Clear {
                    kind,
                    scope,
                    before,
                });
            }
        }
    }

    /// The bot is no longer in a guild: everything goes, and with it users that nobody else refers to.
    fn remove_guild(&mut self, guild: Snowflake) {
        for kind in [Kind::Channel, Kind::Thread] {
            for channel in self.hot_ids(kind, guild) {
                for kind in OF_CHANNEL {
                    self.remove_scope(kind, channel);
                }
            }
        }
        for kind in OF_GUILD {
            self.remove_scope(kind, guild);
            if self.config.stores(kind) {
                self.outbox.push_back(Output::Clear {
                    kind,
                    scope: guild,
                    before: self.version,
                });
            }
            self.floors.complete(kind, guild, self.stamp);
        }
        self.floors.raise(Kind::Guild, guild, self.version);
        if self.config.keeps(Kind::Guild) {
            self.remove(Key::guild(guild), Why::Deleted);
        }
        self.guilds.remove(&guild);
    }

    /// What is known of a guild is not believed any more: it is fetched when somebody asks.
    pub(super) fn forget_guild(&mut self, guild: Snowflake) {
        let key = Key::guild(guild);
        if self.owns(key) {
            self.take_guild_version(key);
            for kind in OF_GUILD {
                for id in self.hot_ids(kind, guild) {
                    self.drop_hot(Key::new(kind, guild, id));
                }
                self.floors.give_up(kind, guild, self.stamp);
                self.behind.drop_scope(kind, guild, self.version);
                for key in self.flights.in_scope(kind, guild) {
                    self.ask_discord(key);
                }
            }
            self.floors.raise(Kind::Guild, guild, self.version);
        }
        self.forget_record(key);
        self.free_users();
    }

    fn remove_scope(&mut self, kind: Kind, scope: Snowflake) {
        for id in self.hot_ids(kind, scope) {
            self.drop_hot(Key::new(kind, scope, id));
        }
        self.behind.drop_scope(kind, scope, self.version);
        for key in self.flights.in_scope(kind, scope) {
            self.deliver(key, &Found::Absent);
        }
        if kind == Kind::Message && self.config.stores(kind) {
            self.clear(kind, scope, false);
        }
    }

    /// Of a kind, only what the present dispatch has put stays.
    pub(super) fn sweep(&mut self, present: Present<'_>, sweep: &Sweep<'_>) {
        let (kind, guild) = (sweep.kind, sweep.guild);
        if kind == Kind::Channel
            && (!self.config.keeps(kind) || self.floors.is_given_up(kind, guild))
        {
            self.doubt_under_channels(guild);
        }
        if !self.config.keeps(kind) {
            return;
        }
        let parents: Option<Vec<Snowflake>> = sweep.under.map(|array| {
            let ids = json::elements(array).filter_map(|raw| json::snowflake(raw.ok()?));
            ids.collect()
        });
        if kind == Kind::ThreadMember {
            return self.sweep_thread_members(guild);
        }
        let all = self.hot.lies_in(hot_kind(kind), guild);
        let stale: Vec<Key> = all
            .map(|(id, value)| (Key::new(kind, guild, id), value))
            .filter(|(key, value)| {
                let (head, _) = Head::read(*key, value);
                let is_meant = parents
                    .as_ref()
                    .is_none_or(|parents| parents.contains(&head.under));
                is_meant && head.stamp != self.stamp
            })
            .map(|(key, _)| key)
            .collect();
        for key in stale {
            self.tell_gone(present.event, key);
            self.remove(key, sweep.why);
            if matches!(kind, Kind::Channel | Kind::Thread) {
                self.remove_under(guild, key.id, true, sweep.why);
            }
        }
        if present.event != EventKind::GuildCreate || self.floors.is_given_up(kind, guild) {
            self.clear(kind, guild, true);
        }
        if parents.is_none() {
            self.floors.complete(kind, guild, self.stamp);
        }
    }

    /// Of channels that are not here, nobody knows which went, and what went with them.
    fn doubt_under_channels(&mut self, guild: Snowflake) {
        for kind in UNDER_CHANNEL {
            let all = self.hot.lies_in(hot_kind(kind), guild);
            let stale: Vec<Key> = all
                .map(|(id, value)| (Key::new(kind, guild, id), value))
                .filter(|(key, value)| Head::read(*key, value).0.stamp != self.stamp)
                .map(|(key, _)| key)
                .collect();
            for key in stale {
                self.evict(key);
                self.forget(key);
            }
        }
    }

    fn sweep_thread_members(&mut self, guild: Snowflake) {
        for thread in self.hot_ids(Kind::Thread, guild) {
            for id in self.hot_ids(Kind::ThreadMember, thread) {
                let key = Key::new(Kind::ThreadMember, thread, id);
                let value = self.hot.lies(hot_key(key)).unwrap_or_default();
                if Head::read(key, value).0.stamp != self.stamp {
                    self.remove(key, Why::Forgotten);
                }
            }
        }
    }

    /// A user leaves the threads of a guild.
    pub(super) fn part(&mut self, guild: Snowflake, user: Snowflake) {
        for thread in self.hot_ids(Kind::Thread, guild) {
            let key = Key::new(Kind::ThreadMember, thread, user);
            if self.hot.lies(hot_key(key)).is_some() {
                self.remove(key, Why::Deleted);
            }
        }
    }

    /// Guilds of a shard that READY does not list.
    pub(super) fn sweep_guilds(&mut self, index: u64, total: u64) {
        let left: Vec<Snowflake> = self
            .guilds
            .iter()
            .filter(|(id, guild)| (id.0 >> 22) % total.max(1) == index && guild.stamp != self.stamp)
            .map(|(id, _)| *id)
            .collect();
        for guild in left {
            self.remove_guild(guild);
        }
    }
}
