//! Emojis, stickers, sounds, stages and scheduled events.

use super::{Catalog, Kind, pick, text, time};
use crate::wire::json::Json;

impl Catalog {
    pub(crate) fn emoji_count(&self, index: u32) -> u32 {
        pick(self.hash(index, 40), 20) + (self.member_count(index) / 100).min(30)
    }

    pub(crate) fn write_emojis(&self, json: &mut Json, index: u32) {
        for position in 0..self.emoji_count(index) {
            let hash = self.hash(index, 4_000 + u64::from(position));
            json.item_object(|json| {
                json.id("id", self.id(index, Kind::Emoji, position));
                json.text(
                    "name",
                    &format!("{}_{}", text::word(hash), text::word(hash >> 6)),
                );
                json.empty_array("roles");
                json.flag("require_colons", true);
                json.flag("managed", false);
                json.flag("animated", hash >> 20 & 3 == 0);
                json.flag("available", true);
            });
        }
    }

    pub(crate) fn write_stickers(&self, json: &mut Json, index: u32) {
        for position in 0..pick(self.hash(index, 41), 4) {
            let hash = self.hash(index, 5_000 + u64::from(position));
            json.item_object(|json| {
                json.id("id", self.id(index, Kind::Sticker, position));
                json.text("name", text::word(hash));
                json.text("description", &text::title(hash >> 4));
                json.text("tags", text::word(hash >> 8));
                json.number("type", 2);
                json.number("format_type", 1);
                json.flag("available", true);
                json.id("guild_id", self.guild_id(index).0);
            });
        }
    }

    pub(crate) fn write_sounds(&self, json: &mut Json, index: u32) {
        for position in 0..pick(self.hash(index, 42), 4) {
            let hash = self.hash(index, 6_000 + u64::from(position));
            json.item_object(|json| {
                json.text("name", text::word(hash));
                json.id("sound_id", self.id(index, Kind::Sound, position));
                json.raw("volume", if hash & 1 == 0 { b"1.0" } else { b"0.5" });
                json.null("emoji_id");
                json.text("emoji_name", "🔊");
                json.id("guild_id", self.guild_id(index).0);
                json.flag("available", true);
            });
        }
    }

    pub(crate) fn write_stage_instances(&self, json: &mut Json, index: u32) {
        if let Some(stage) = self.stage_channel(index) {
            json.item_object(|json| {
                json.id("id", self.id(index, Kind::Stage, 0));
                json.id("guild_id", self.guild_id(index).0);
                json.id("channel_id", self.id(index, Kind::Channel, stage));
                json.text("topic", &text::title(self.hash(index, 43)));
                json.number("privacy_level", 2);
                json.flag("discoverable_disabled", true);
                json.null("guild_scheduled_event_id");
            });
        }
    }

    pub(crate) fn write_scheduled_events(&self, json: &mut Json, index: u32) {
        for position in 0..pick(self.hash(index, 44), 3) {
            let hash = self.hash(index, 7_000 + u64::from(position));
            let start =
                super::FIRST_MS + super::SPAN_MS + time::DISCORD_EPOCH_MS + hash % 100_000_000_000;
            json.item_object(|json| {
                json.id("id", self.id(index, Kind::Scheduled, position));
                json.id("guild_id", self.guild_id(index).0);
                json.null("channel_id");
                json.id("creator_id", self.member_id(index, 1));
                json.text("name", &text::title(hash >> 3));
                json.text("description", &text::sentence(hash));
                json.text("scheduled_start_time", &time::iso8601(start));
                json.text("scheduled_end_time", &time::iso8601(start + 7_200_000));
                json.number("privacy_level", 2);
                json.number("status", 1);
                json.number("entity_type", 3);
                json.null("entity_id");
                json.object("entity_metadata", |json| {
                    json.text("location", text::word(hash >> 9))
                });
                json.number("user_count", hash >> 50);
                json.nulls(&["image", "recurrence_rule"]);
            });
        }
    }
}
