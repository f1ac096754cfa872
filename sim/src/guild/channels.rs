//! Channels and threads, and which of them the bot cannot see.

use super::{Catalog, Kind, pick, text, time};
use crate::wire::json::Json;

/// What a guild channel is; the numbers are Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ChannelKind {
    Text = 0,
    Voice = 2,
    Category = 4,
    Announcement = 5,
    Stage = 13,
    Forum = 15,
}

/// `CHANNEL_OBFUSCATED`, and the name that goes with it.
const OBFUSCATED: u64 = 1 << 17;
const HIDDEN_NAME: &str = "___hidden___";
const VIEW_CHANNEL: u64 = 1 << 10;

impl Catalog {
    /// How many categories, texts, voices, forums, announcements and stages there are.
    fn shape(&self, index: u32) -> [u32; 6] {
        let (hash, size) = (self.hash(index, 30), self.member_count(index));
        [
            1 + pick(hash, 4) + size / 2_000,
            3 + pick(hash >> 8, 8) + (size / 100).min(30),
            1 + pick(hash >> 16, 3) + (size / 250).min(12),
            pick(hash >> 24, 3),
            pick(hash >> 28, 2),
            u32::from(hash >> 32 & 7 == 0),
        ]
    }

    pub(crate) fn channel_count(&self, index: u32) -> u32 {
        self.shape(index).iter().sum()
    }

    /// What the channel at a position is. Categories come first, then texts, voices, forums, announcements and stages.
    pub(crate) fn channel_kind(&self, index: u32, position: u32) -> Option<ChannelKind> {
        const KINDS: [ChannelKind; 6] = [
            ChannelKind::Category,
            ChannelKind::Text,
            ChannelKind::Voice,
            ChannelKind::Forum,
            ChannelKind::Announcement,
            ChannelKind::Stage,
        ];
        let mut left = position;
        for (kind, count) in KINDS.into_iter().zip(self.shape(index)) {
            if left < count {
                return Some(kind);
            }
            left -= count;
        }
        None
    }

    /// Whether the bot cannot view a channel: one text channel in eight, never the first.
    pub(crate) fn is_hidden(&self, index: u32, position: u32) -> bool {
        let first_text = self.shape(index)[0];
        position != first_text
            && self.channel_kind(index, position) == Some(ChannelKind::Text)
            && self.hash(index, 2_000 + u64::from(position)) >> 60 < 2
    }

    /// The position of a text channel that the bot can view.
    pub(crate) fn open_text_channel(&self, index: u32, hash: u64) -> u32 {
        let [categories, texts, ..] = self.shape(index);
        let chosen = categories + pick(hash, texts);
        if self.is_hidden(index, chosen) {
            categories
        } else {
            chosen
        }
    }

    /// The position of a voice channel.
    pub(crate) fn voice_channel(&self, index: u32, hash: u64) -> u32 {
        let [categories, texts, voices, ..] = self.shape(index);
        categories + texts + pick(hash, voices)
    }

    /// The position of the stage channel, if there is one.
    pub(crate) fn stage_channel(&self, index: u32) -> Option<u32> {
        (self.shape(index)[5] > 0).then(|| self.channel_count(index) - 1)
    }

    /// The position of the channel under which a thread hangs.
    fn thread_parent(&self, index: u32, thread: u32) -> u32 {
        self.open_text_channel(index, self.hash(index, 3_000 + u64::from(thread)))
    }

    pub(crate) fn thread_count(&self, index: u32) -> u32 {
        pick(self.hash(index, 31), 4) + (self.member_count(index) / 300).min(20)
    }

    /// The channels as the gateway shows them: those the bot cannot view are there, obfuscated.
    pub(crate) fn write_channels(&self, json: &mut Json, index: u32) {
        for position in 0..self.channel_count(index) {
            json.item_object(|json| self.write_seen_channel(json, index, position));
        }
    }

    /// A channel as the gateway shows it to the bot, without `guild_id`.
    pub(crate) fn write_seen_channel(&self, json: &mut Json, index: u32, position: u32) {
        if self.is_hidden(index, position) {
            self.write_hidden_channel(json, index, position);
        } else {
            self.write_channel(json, index, position);
        }
    }

    /// What remains of a channel that the bot cannot view.
    fn write_hidden_channel(&self, json: &mut Json, index: u32, position: u32) {
        json.id("id", self.id(index, Kind::Channel, position));
        json.number(
            "type",
            self.channel_kind(index, position)
                .map_or(0, |kind| kind as u64),
        );
        json.number("position", position.into());
        json.id_or_null("parent_id", self.category_of(index, position));
        json.text("name", HIDDEN_NAME);
        json.nulls(&["topic", "last_message_id"]);
        json.flag("nsfw", false);
        json.number("rate_limit_per_user", 0);
        json.number("flags", OBFUSCATED);
        self.write_denial(json, index);
    }

    fn write_denial(&self, json: &mut Json, index: u32) {
        json.array("permission_overwrites", |json| {
            json.item_object(|json| {
                json.id("id", self.guild_id(index).0);
                json.number("type", 0);
                json.id("allow", 0);
                json.id("deny", VIEW_CHANNEL);
            });
        });
    }

    fn category_of(&self, index: u32, position: u32) -> Option<u64> {
        let categories = self.shape(index)[0];
        (position >= categories).then(|| self.id(index, Kind::Channel, position % categories))
    }

    /// The fields of a channel the bot can view, without `guild_id`.
    pub(crate) fn write_channel(&self, json: &mut Json, index: u32, position: u32) {
        let Some(kind) = self.channel_kind(index, position) else {
            return;
        };
        let hash = self.hash(index, 2_000 + u64::from(position));
        json.id("id", self.id(index, Kind::Channel, position));
        json.number("type", kind as u64);
        json.text("name", &text::slug(hash));
        json.number("position", position.into());
        json.number("flags", 0);
        json.id_or_null("parent_id", self.category_of(index, position));
        self.write_overwrites(json, index, hash);
        match kind {
            ChannelKind::Category => return,
            ChannelKind::Voice | ChannelKind::Stage => {
                json.number("bitrate", 64_000);
                json.number("user_limit", if hash & 7 == 0 { 10 } else { 0 });
                json.null("rtc_region");
                json.number("video_quality_mode", 1);
            }
            ChannelKind::Text | ChannelKind::Announcement => self.write_topic(json, index, hash),
            ChannelKind::Forum => {
                self.write_topic(json, index, hash);
                self.write_forum(json, index, hash);
            }
        }
        json.id_or_null("last_message_id", self.last_message(index, position));
        json.flag("nsfw", false);
        json.number(
            "rate_limit_per_user",
            if hash >> 12 & 7 == 0 { 5 } else { 0 },
        );
    }

    fn last_message(&self, index: u32, position: u32) -> Option<u64> {
        (self.hash(index, 2_500 + u64::from(position)) & 7 != 0)
            .then(|| self.id(index, Kind::Message, position))
    }

    fn write_topic(&self, json: &mut Json, index: u32, hash: u64) {
        if hash >> 16 & 1 == 0 {
            json.text("topic", &text::title(hash >> 9));
        } else {
            json.null("topic");
        }
        json.number("default_auto_archive_duration", 1_440);
        if hash >> 17 & 3 == 0 {
            json.text(
                "last_pin_timestamp",
                &time::created_at(self.id(index, Kind::Message, 0)),
            );
        }
    }

    fn write_forum(&self, json: &mut Json, index: u32, hash: u64) {
        json.array("available_tags", |json| {
            for tag in 0..pick(hash >> 20, 5) {
                json.item_object(|json| {
                    json.id("id", self.id(index, Kind::Tag, tag));
                    json.text("name", text::word(hash >> tag));
                    json.flag("moderated", false);
                    json.null("emoji_id");
                    json.text("emoji_name", "📌");
                });
            }
        });
        json.object("default_reaction_emoji", |json| {
            json.null("emoji_id");
            json.text("emoji_name", "👍");
        });
        json.null("default_sort_order");
        json.number("default_forum_layout", 0);
        json.number("default_thread_rate_limit_per_user", 0);
    }

    fn write_overwrites(&self, json: &mut Json, index: u32, hash: u64) {
        json.array("permission_overwrites", |json| {
            for at in 0..pick(hash >> 24, 3) {
                json.item_object(|json| {
                    let role = 2 + pick(hash >> at, self.role_count(index).saturating_sub(2));
                    json.id("id", self.id(index, Kind::Role, role));
                    json.number("type", 0);
                    json.id("allow", 1 << 13);
                    json.id("deny", 1 << 17);
                });
            }
        });
    }

    /// The fields of a thread, without `guild_id`.
    pub(crate) fn write_thread(&self, json: &mut Json, index: u32, thread: u32) {
        let hash = self.hash(index, 3_000 + u64::from(thread));
        let id = self.id(index, Kind::Thread, thread);
        let parent = self.thread_parent(index, thread);
        json.id("id", id);
        json.number("type", 11);
        json.text("name", &text::title(hash >> 2));
        json.id("parent_id", self.id(index, Kind::Channel, parent));
        json.id(
            "owner_id",
            self.member_id(index, 1 + pick(hash, self.member_count(index) - 1)),
        );
        json.id(
            "last_message_id",
            self.id(index, Kind::Message, 1_000 + thread),
        );
        json.number("message_count", hash >> 40 & 255);
        json.number("total_message_sent", hash >> 40 & 255);
        json.number("member_count", 1 + (hash >> 30 & 31));
        json.number("rate_limit_per_user", 0);
        json.number("flags", 0);
        json.object("thread_metadata", |json| {
            json.flag("archived", false);
            json.number("auto_archive_duration", 1_440);
            json.text("archive_timestamp", &time::created_at(id));
            json.flag("locked", false);
            json.text("create_timestamp", &time::created_at(id));
        });
    }
}
