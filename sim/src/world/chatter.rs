//! Steady traffic: what people do in guilds, in the proportions that bots see.

use core::time::Duration;
use std::collections::VecDeque;

use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, ShardId, Snowflake};

use super::World;
use super::alarm::Alarm;
use super::compose::Message;
use crate::guild::{Kind, mix, pick, sentence};

/// How many recent messages can still be edited, deleted and reacted to.
const RECENT: usize = 256;

/// The pace of the traffic, and what was said lately.
#[derive(Debug, Default)]
pub(crate) struct Chatter {
    per_s: u32,
    next: Option<Instant>,
    /// How many events there were: their randomness depends on it, not on when clients connect.
    count: u64,
    recent: VecDeque<Message>,
}

impl World {
    /// Sets the pace; 0 stops the traffic.
    pub(super) fn set_chatter(&mut self, per_s: u32) {
        self.chatter.per_s = per_s;
        self.chatter.next = None;
        self.schedule_chatter(self.now);
    }

    fn schedule_chatter(&mut self, from: Instant) {
        if self.chatter.per_s > 0 && self.catalog.guilds() > 0 {
            // An alarm that does not move on would ring for ever.
            let gap = Duration::from_secs(1) / self.chatter.per_s;
            let at = from + gap.max(Duration::from_micros(1));
            self.chatter.next = Some(at);
            self.alarms.set(at, Alarm::Chatter);
        }
    }

    /// The next event of the traffic is due.
    pub(super) fn ring_chatter(&mut self) {
        let Some(at) = self.chatter.next.filter(|&at| at <= self.now) else {
            return;
        };
        self.chat();
        self.schedule_chatter(at);
    }

    /// One event of the traffic.
    fn chat(&mut self) {
        self.chatter.count += 1;
        let hash = mix(self.config.seed.rotate_left(7), self.chatter.count);
        let guild = pick(hash, self.catalog.guilds());
        if !self.is_up(guild) {
            return;
        }
        let hash = mix(hash, 1);
        let event = match pick(hash >> 40, 1_000) {
            0..300 => return self.chat_message(guild, hash),
            300..500 => self.typing(guild, hash),
            500..740 => self.presence(guild, hash),
            740..780 => return self.chat_about(EventKind::MessageUpdate, hash),
            780..800 => return self.chat_about(EventKind::MessageDelete, hash),
            800..870 => return self.chat_about(EventKind::MessageReactionAdd, hash),
            870..885 => return self.chat_about(EventKind::MessageReactionRemove, hash),
            885..925 => self.voice_state(guild, hash),
            925..960 => self.member_update(guild, hash),
            960..980 => self.interaction(guild, hash),
            980..990 => self.member_left_or_joined(guild, hash),
            990..997 => self.change(guild, hash),
            _ => {
                let event = self.direct_message(hash);
                return self.dispatch_global(event);
            }
        };
        self.dispatch_guild(self.guild_of(guild), event);
    }

    /// A new message somewhere in a guild.
    pub(super) fn chat_message(&mut self, guild: u32, hash: u64) {
        let channel = self.catalog.open_text_channel(guild, hash >> 32);
        let channel = self.catalog.id(guild, Kind::Channel, channel);
        self.say(guild, channel, hash, &sentence(hash));
    }

    /// A message with a given content.
    fn say(&mut self, guild: u32, channel: u64, hash: u64, content: &str) {
        let author = self.catalog.some_member(guild, hash);
        let message = Message {
            guild,
            channel,
            author,
            id: self.fresh_id(),
        };
        let event = self.message_event(EventKind::MessageCreate, message, content);
        self.dispatch_guild(self.guild_of(guild), event);
        self.chatter.recent.push_back(message);
        if self.chatter.recent.len() > RECENT {
            self.chatter.recent.pop_front();
        }
    }

    /// Something that happens to a recent message.
    fn chat_about(&mut self, kind: EventKind, hash: u64) {
        let recent = self.chatter.recent.len();
        if recent == 0 {
            return;
        }
        let at = usize::try_from(hash % recent as u64).unwrap_or(0);
        let message = self.chatter.recent[at];
        if !self.is_up(message.guild) {
            return;
        }
        let event = match kind {
            EventKind::MessageUpdate => self.message_event(kind, message, &sentence(hash)),
            EventKind::MessageDelete => {
                self.chatter.recent.remove(at);
                self.message_delete(message)
            }
            _ => self.reaction(kind, message, hash),
        };
        self.dispatch_guild(self.guild_of(message.guild), event);
    }

    /// Many messages at once, guild after guild; answers how many.
    pub(super) fn burst(&mut self, events: u32) -> u32 {
        let guilds = self.catalog.guilds();
        let mut sent = 0;
        for at in 0..events {
            if guilds == 0 {
                break;
            }
            let guild = at % guilds;
            if self.is_up(guild) {
                self.chatter.count += 1;
                self.chat_message(
                    guild,
                    mix(self.config.seed.rotate_left(9), self.chatter.count),
                );
                sent += 1;
            }
        }
        sent
    }

    /// Says something in one guild, or in one guild of every shard of every generation; answers in how many guilds.
    pub(super) fn say_everywhere(
        &mut self,
        guild: Option<Snowflake>,
        channel: Option<Snowflake>,
        content: &str,
    ) -> Result<usize, &'static str> {
        let guilds = match guild {
            Some(id) => vec![
                self.catalog
                    .guild_index(id)
                    .ok_or("the bot is in no such guild")?,
            ],
            None => self.one_guild_per_shard(),
        };
        for &guild in &guilds {
            self.chatter.count += 1;
            let hash = mix(self.config.seed.rotate_left(11), self.chatter.count);
            let default = self.catalog.open_text_channel(guild, hash);
            let channel =
                channel.map_or_else(|| self.catalog.id(guild, Kind::Channel, default), |id| id.0);
            self.say(guild, channel, hash, content);
        }
        Ok(guilds.len())
    }

    /// As few guilds as are needed to reach every shard that has sessions and guilds.
    fn one_guild_per_shard(&self) -> Vec<u32> {
        let mut missing: Vec<ShardId> = self.routes.keys().copied().collect();
        let mut chosen = Vec::new();
        for index in (0..self.catalog.guilds()).filter(|&index| self.is_up(index)) {
            let guild = self.guild_of(index);
            let before = missing.len();
            missing.retain(|&shard| ShardId::of_guild(guild, shard.total()) != Some(shard));
            if missing.len() < before {
                chosen.push(index);
            }
            if missing.is_empty() {
                break;
            }
        }
        chosen
    }
}
