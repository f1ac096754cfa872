//! Events as guilds produce them: bodies with the fields that Discord sends.

use shardkeep_core::Snowflake;
use shardkeep_core::wire::EventKind;

use super::World;
use super::dispatch::{Body, Event};
use crate::guild::time::{DISCORD_EPOCH_MS, iso8601};
use crate::guild::{BOT_PERMISSIONS, Kind, choose, sentence};
use crate::wire::json::Json;

/// A message that was sent, so that it can be edited, deleted and reacted to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) guild: u32,
    pub(crate) channel: u64,
    pub(crate) author: u32,
    pub(crate) id: u64,
}

impl World {
    /// Milliseconds of snowflake time.
    pub(super) fn snowflake_ms(&self) -> u64 {
        self.unix_ms().saturating_sub(DISCORD_EPOCH_MS)
    }

    /// A snowflake of this moment that was not given out before.
    pub(super) fn fresh_id(&mut self) -> u64 {
        let now = self.snowflake_ms() << 22;
        self.last_id = now.max(self.last_id + 1);
        self.last_id
    }

    /// MESSAGE_CREATE or MESSAGE_UPDATE.
    pub(super) fn message_event(
        &mut self,
        kind: EventKind,
        message: Message,
        content: &str,
    ) -> Event {
        let (full, range) = self.message_body(Some(kind), message, content);
        let mut event = Event::new(kind, true, message.id, full);
        // Who mentions the bot is read by it, whatever the intents.
        if self.blind_sessions > 0 && !content.is_empty() && !self.mentions_bot(content) {
            let mut blank = event.body.bytes.clone();
            blank.drain(range);
            event.blank = Some(Body::new(blank));
        }
        event
    }

    fn mentions_bot(&self, content: &str) -> bool {
        content.contains("<@") && content.contains(&format!("<@{}>", self.catalog.bot_id()))
    }

    /// A message as REST answers with it.
    pub(super) fn rest_message(&self, message: Message, content: &str) -> Vec<u8> {
        self.message_body(None, message, content).0
    }

    /// A message, and where its content stands between the quotes. What REST answers with has neither guild nor member.
    fn message_body(
        &self,
        kind: Option<EventKind>,
        message: Message,
        content: &str,
    ) -> (Vec<u8>, core::ops::Range<usize>) {
        let Message {
            guild,
            channel,
            author,
            id,
        } = message;
        let mut range = 0..0;
        let body = Json::build(1_200 + content.len(), |json| {
            json.number("type", 0);
            json.flag("tts", false);
            json.text("timestamp", &iso8601((id >> 22) + DISCORD_EPOCH_MS));
            json.flag("pinned", false);
            json.id("nonce", id ^ 0x5a5a);
            json.array("mentions", |json| {
                if self.mentions_bot(content) {
                    json.item_object(|json| {
                        self.catalog.write_bot_user(json);
                        json.object("member", |json| {
                            self.catalog.write_partial_member(json, guild, 0)
                        });
                    });
                }
            });
            json.empty_array("mention_roles");
            json.flag("mention_everyone", false);
            if kind.is_some() {
                json.object("member", |json| {
                    self.catalog.write_partial_member(json, guild, author)
                });
                json.id("guild_id", self.catalog.guild_id(guild).0);
                json.number("channel_type", 0);
            }
            json.id("id", id);
            json.number("flags", 0);
            json.empty_array("embeds");
            if kind == Some(EventKind::MessageUpdate) {
                json.text("edited_timestamp", &iso8601(self.unix_ms()));
            } else {
                json.null("edited_timestamp");
            }
            let before = json.len();
            json.text("content", content);
            range = before + "\"content\":\"".len()..json.len() - "\",".len();
            json.empty_array("components");
            json.id("channel_id", channel);
            json.object("author", |json| {
                self.catalog.write_member_user(json, guild, author)
            });
            json.empty_array("attachments");
        });
        (body, range)
    }

    /// A direct message to the bot: shard 0 hears of it.
    pub(super) fn direct_message(&mut self, hash: u64) -> Event {
        let (id, user) = (self.fresh_id(), hash % self.catalog.population());
        let body = Json::build(700, |json| {
            json.id("id", id);
            json.number("type", 0);
            json.id("channel_id", self.catalog.user_id(user) + 1);
            json.object("author", |json| self.catalog.write_user(json, user));
            json.text("content", &sentence(hash));
            json.text("timestamp", &iso8601(self.unix_ms()));
            json.null("edited_timestamp");
            json.flag("tts", false);
            json.flag("mention_everyone", false);
            for key in [
                "mentions",
                "mention_roles",
                "attachments",
                "embeds",
                "components",
            ] {
                json.empty_array(key);
            }
            json.flag("pinned", false);
            json.number("flags", 0);
            json.number("channel_type", 1);
        });
        Event::new(EventKind::MessageCreate, false, id, body)
    }

    pub(super) fn message_delete(&mut self, message: Message) -> Event {
        let body = Json::build(128, |json| {
            json.id("id", message.id);
            json.id("channel_id", message.channel);
            json.id("guild_id", self.catalog.guild_id(message.guild).0);
        });
        Event::new(EventKind::MessageDelete, true, message.id, body)
    }

    pub(super) fn reaction(&mut self, kind: EventKind, message: Message, hash: u64) -> Event {
        let reactor = self.catalog.some_member(message.guild, hash);
        let body = Json::build(900, |json| {
            json.id("user_id", self.catalog.member_id(message.guild, reactor));
            json.number("type", 0);
            json.id("message_id", message.id);
            if kind == EventKind::MessageReactionAdd {
                json.id(
                    "message_author_id",
                    self.catalog.member_id(message.guild, message.author),
                );
                json.object("member", |json| {
                    self.catalog.write_member(json, message.guild, reactor)
                });
            }
            json.object("emoji", |json| {
                json.null("id");
                json.text("name", choose(&["👍", "❤️", "🎉", "👀"], hash));
            });
            json.id("channel_id", message.channel);
            json.flag("burst", false);
            json.id("guild_id", self.catalog.guild_id(message.guild).0);
        });
        Event::new(kind, true, message.id, body)
    }

    pub(super) fn typing(&mut self, guild: u32, hash: u64) -> Event {
        let (id, author) = (self.fresh_id(), self.catalog.some_member(guild, hash));
        let channel = self.catalog.open_text_channel(guild, hash >> 32);
        let body = Json::build(900, |json| {
            json.id("user_id", self.catalog.member_id(guild, author));
            json.number("timestamp", self.unix_ms() / 1_000);
            json.object("member", |json| {
                self.catalog.write_member(json, guild, author)
            });
            json.id("channel_id", self.catalog.id(guild, Kind::Channel, channel));
            json.id("guild_id", self.catalog.guild_id(guild).0);
        });
        Event::new(EventKind::TypingStart, true, id, body)
    }

    pub(super) fn presence(&mut self, guild: u32, hash: u64) -> Event {
        let (id, member) = (self.fresh_id(), self.catalog.some_member(guild, hash));
        let status = choose(&["online", "idle", "dnd", "offline"], hash >> 40);
        let body = Json::build(500, |json| {
            self.catalog.write_presence(json, guild, member, status);
            json.id("guild_id", self.catalog.guild_id(guild).0);
        });
        Event::new(EventKind::PresenceUpdate, true, id, body)
    }

    pub(super) fn voice_state(&mut self, guild: u32, hash: u64) -> Event {
        let (id, member) = (self.fresh_id(), self.catalog.some_member(guild, hash));
        let channel = self.catalog.voice_channel(guild, hash >> 20);
        let channel = (hash >> 60 < 10).then(|| self.catalog.id(guild, Kind::Channel, channel));
        let body = Json::build(1_000, |json| {
            json.object("member", |json| {
                self.catalog.write_member(json, guild, member)
            });
            self.catalog.write_voice_state(json, guild, member, channel);
            json.id("guild_id", self.catalog.guild_id(guild).0);
        });
        Event::new(EventKind::VoiceStateUpdate, true, id, body)
    }

    /// GUILD_MEMBER_UPDATE, of the bot itself now and then: that one needs no intent.
    pub(super) fn member_update(&mut self, guild: u32, hash: u64) -> Event {
        let id = self.fresh_id();
        let member = if hash.is_multiple_of(32) {
            0
        } else {
            self.catalog.some_member(guild, hash)
        };
        let body = Json::build(800, |json| {
            json.id("guild_id", self.catalog.guild_id(guild).0);
            self.catalog.write_member(json, guild, member);
        });
        let event = Event::new(EventKind::GuildMemberUpdate, true, id, body);
        if member == 0 { event.ungated() } else { event }
    }

    pub(super) fn interaction(&mut self, guild: u32, hash: u64) -> Event {
        let (id, member) = (self.fresh_id(), self.catalog.some_member(guild, hash));
        let channel = self.catalog.open_text_channel(guild, hash >> 32);
        let channel_id = self.catalog.id(guild, Kind::Channel, channel);
        let guild_id = self.catalog.guild_id(guild).0;
        let body = Json::build(1_800, |json| {
            json.number("version", 1);
            json.number("type", 2);
            json.hash("token", id);
            json.object("member", |json| {
                self.catalog.write_member(json, guild, member);
                json.id("permissions", BOT_PERMISSIONS);
            });
            json.text("locale", "en-US");
            json.id("id", id);
            json.text("guild_locale", "en-US");
            json.id("guild_id", guild_id);
            json.object("guild", |json| {
                json.text("locale", "en-US");
                json.id("id", guild_id);
                json.array("features", |json| json.item_text("COMMUNITY"));
            });
            json.empty_array("entitlements");
            json.number("context", 0);
            json.object("data", |json| {
                json.number("type", 1);
                json.text("name", "ping");
                json.id("id", self.catalog.bot_id().0 + 1);
            });
            json.id("channel_id", channel_id);
            json.object("channel", |json| {
                self.catalog.write_channel(json, guild, channel);
                json.id("guild_id", guild_id);
                json.id("permissions", BOT_PERMISSIONS);
            });
            json.object("authorizing_integration_owners", |json| {
                json.id("0", guild_id)
            });
            json.id("application_id", self.catalog.bot_id().0);
            json.id("app_permissions", BOT_PERMISSIONS);
            json.number("attachment_size_limit", 10 << 20);
        });
        Event::new(EventKind::InteractionCreate, true, id, body)
    }

    /// GUILD_MEMBER_REMOVE and GUILD_MEMBER_ADD: members come back, so that the model's lists stay true.
    pub(super) fn member_left_or_joined(&mut self, guild: u32, hash: u64) -> Event {
        let (id, member) = (self.fresh_id(), self.catalog.some_member(guild, hash >> 1));
        let guild_id = self.catalog.guild_id(guild).0;
        let joined = hash & 1 == 1;
        let body = Json::build(800, |json| {
            json.id("guild_id", guild_id);
            if joined {
                self.catalog.write_member(json, guild, member);
            } else {
                json.object("user", |json| {
                    self.catalog.write_member_user(json, guild, member)
                });
            }
        });
        let kind = if joined {
            EventKind::GuildMemberAdd
        } else {
            EventKind::GuildMemberRemove
        };
        Event::new(kind, true, id, body)
    }

    /// The id of a guild, for sending.
    pub(super) fn guild_of(&self, guild: u32) -> Snowflake {
        self.catalog.guild_id(guild)
    }
}
