//! Events of guilds that change: channels, threads, roles, pins, invites.

use shardkeep_core::wire::EventKind;

use super::World;
use super::dispatch::Event;
use crate::guild::time::iso8601;
use crate::guild::{Kind, pick};
use crate::wire::json::Json;

impl World {
    /// One of the rarer events of a guild. What it says is what the guild is like already: the model keeps no changes.
    pub(super) fn change(&mut self, guild: u32, hash: u64) -> Event {
        match hash % 5 {
            0 => self.channel_update(guild, hash >> 8),
            1 => self.thread_or_pins_update(guild, hash >> 8),
            2 => self.role_update(guild, hash >> 8),
            3 => self.invite_create(guild, hash >> 8),
            _ => self.webhooks_update(guild, hash >> 8),
        }
    }

    fn channel_update(&mut self, guild: u32, hash: u64) -> Event {
        let position = pick(hash, self.catalog.channel_count(guild));
        let body = Json::build(600, |json| {
            self.catalog.write_seen_channel(json, guild, position);
            json.id("guild_id", self.guild_of(guild).0);
        });
        let id = self.catalog.id(guild, Kind::Channel, position);
        Event::new(EventKind::ChannelUpdate, true, id, body)
    }

    /// THREAD_UPDATE where there is a thread, CHANNEL_PINS_UPDATE otherwise.
    fn thread_or_pins_update(&mut self, guild: u32, hash: u64) -> Event {
        let guild_id = self.guild_of(guild).0;
        let threads = self.catalog.thread_count(guild);
        if threads == 0 {
            let channel = self.catalog.open_text_channel(guild, hash);
            let id = self.catalog.id(guild, Kind::Channel, channel);
            let body = Json::build(160, |json| {
                json.text("last_pin_timestamp", &iso8601(self.unix_ms()));
                json.id("guild_id", guild_id);
                json.id("channel_id", id);
            });
            return Event::new(EventKind::ChannelPinsUpdate, true, id, body);
        }
        let thread = pick(hash, threads);
        let body = Json::build(600, |json| {
            self.catalog.write_thread(json, guild, thread);
            json.id("guild_id", guild_id);
        });
        let id = self.catalog.id(guild, Kind::Thread, thread);
        Event::new(EventKind::ThreadUpdate, true, id, body)
    }

    fn role_update(&mut self, guild: u32, hash: u64) -> Event {
        let role = pick(hash, self.catalog.role_count(guild));
        let body = Json::build(500, |json| {
            json.object("role", |json| self.catalog.write_role(json, guild, role));
            json.id("guild_id", self.guild_of(guild).0);
        });
        let id = self.catalog.id(guild, Kind::Role, role);
        Event::new(EventKind::GuildRoleUpdate, true, id, body)
    }

    fn invite_create(&mut self, guild: u32, hash: u64) -> Event {
        let id = self.fresh_id();
        let channel = self.catalog.open_text_channel(guild, hash);
        let inviter = self.catalog.some_member(guild, hash);
        let body = Json::build(700, |json| {
            json.number("uses", 0);
            json.flag("temporary", false);
            json.number("max_uses", 0);
            json.number("max_age", 604_800);
            json.object("inviter", |json| {
                self.catalog.write_member_user(json, guild, inviter)
            });
            json.id("guild_id", self.guild_of(guild).0);
            json.text("expires_at", &iso8601(self.unix_ms() + 604_800_000));
            json.text("created_at", &iso8601(self.unix_ms()));
            json.text("code", &format!("{id:x}"));
            json.id("channel_id", self.catalog.id(guild, Kind::Channel, channel));
            json.number("type", 0);
        });
        Event::new(EventKind::InviteCreate, true, id, body)
    }

    fn webhooks_update(&mut self, guild: u32, hash: u64) -> Event {
        let channel = self.catalog.open_text_channel(guild, hash);
        let id = self.catalog.id(guild, Kind::Channel, channel);
        let body = Json::build(96, |json| {
            json.id("guild_id", self.guild_of(guild).0);
            json.id("channel_id", id);
        });
        Event::new(EventKind::WebhooksUpdate, true, id, body)
    }
}
