//! Roles.

use super::{Catalog, Kind, pick, text};
use crate::wire::json::Json;

/// What everyone may do: view channels, send and read messages, react, embed, attach, connect, speak, change the own
/// nickname, use commands and threads.
const EVERYONE: u64 = 1
    | 1 << 6
    | 0b11 << 10
    | 0b111 << 14
    | 1 << 18
    | 0b11 << 20
    | 0b11 << 25
    | 1 << 31
    | 1 << 35
    | 1 << 38;

/// What the bot's own role adds: kicking, banning, managing channels, guild, messages, roles and threads, the audit
/// log. It is no administrator: some channels stay hidden from it.
pub(crate) const BOT_PERMISSIONS: u64 = EVERYONE | 0b11_0110 | 1 << 7 | 1 << 13 | 1 << 28 | 1 << 34;

impl Catalog {
    /// How many roles a guild has: `@everyone` at 0, the bot's at 1.
    pub(crate) fn role_count(&self, index: u32) -> u32 {
        4 + pick(self.hash(index, 20), 10) + self.member_count(index).min(4_000) / 160
    }

    pub(crate) fn write_roles(&self, json: &mut Json, index: u32) {
        for position in 0..self.role_count(index) {
            json.item_object(|json| self.write_role(json, index, position));
        }
    }

    pub(crate) fn write_role(&self, json: &mut Json, index: u32, position: u32) {
        let hash = self.hash(index, 1_000 + u64::from(position));
        let color = if position > 1 && hash & 1 == 1 {
            hash >> 8 & 0xff_ffff
        } else {
            0
        };
        json.id("id", self.id(index, Kind::Role, position));
        match position {
            0 => json.text("name", "@everyone"),
            1 => json.text("name", "sim-bot"),
            _ => json.text("name", &text::title(hash >> 3)),
        }
        json.null("description");
        json.number("color", color);
        json.object("colors", |json| {
            json.number("primary_color", color);
            json.nulls(&["secondary_color", "tertiary_color"]);
        });
        json.flag("hoist", position > 1 && hash >> 33 & 3 == 0);
        json.nulls(&["icon", "unicode_emoji"]);
        json.number("position", position.into());
        json.id(
            "permissions",
            if position == 1 {
                BOT_PERMISSIONS
            } else {
                EVERYONE | hash & 0x22_0000
            },
        );
        json.flag("managed", position == 1);
        json.flag("mentionable", hash >> 36 & 3 == 0);
        if position == 1 {
            json.object("tags", |json| json.id("bot_id", self.bot_id().0));
        }
        json.number("flags", 0);
    }
}
