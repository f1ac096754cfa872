//! Users: who they are does not depend on the guild they are met in.

use super::{Catalog, mix, text};
use crate::wire::json::Json;

impl Catalog {
    /// The fields of the bot's own user, as READY and `/users/@me` have them.
    pub(crate) fn write_bot(&self, json: &mut Json) {
        self.write_bot_user(json);
        json.null("email");
        json.flag("verified", true);
        json.flag("mfa_enabled", true);
        json.number("flags", 0);
    }

    /// The fields of the bot's user as others see it.
    pub(crate) fn write_bot_user(&self, json: &mut Json) {
        json.id("id", self.bot_id().0);
        json.text("username", "sim-bot");
        json.text("discriminator", "0001");
        json.nulls(&["global_name", "avatar"]);
        json.flag("bot", true);
        json.number("public_flags", 1 << 16);
        json.nulls(&[
            "banner",
            "accent_color",
            "avatar_decoration_data",
            "collectibles",
            "primary_guild",
        ]);
    }

    /// The fields of a user.
    pub(crate) fn write_user(&self, json: &mut Json, user: u64) {
        let hash = mix(self.seed.rotate_left(17), user);
        json.id("id", self.user_id(user));
        json.text("username", &self.username(user));
        json.text("discriminator", "0");
        if hash >> 20 & 7 < 5 {
            json.text("global_name", &text::title(hash >> 3));
        } else {
            json.null("global_name");
        }
        if hash >> 24 & 7 < 6 {
            json.hash("avatar", hash);
        } else {
            json.null("avatar");
        }
        if self.is_bot(user) {
            json.flag("bot", true);
        }
        json.number(
            "public_flags",
            if hash >> 30 & 15 == 0 {
                1 << (6 + (hash >> 34) % 3)
            } else {
                0
            },
        );
        json.nulls(&["banner", "accent_color"]);
        if hash >> 38 & 15 == 0 {
            json.object("avatar_decoration_data", |json| {
                json.hash("asset", hash >> 1);
                json.id("sku_id", self.user_id((user + 1) % self.population));
            });
        } else {
            json.null("avatar_decoration_data");
        }
        json.nulls(&["collectibles", "primary_guild"]);
    }

    pub(crate) fn username(&self, user: u64) -> String {
        let hash = mix(self.seed.rotate_left(17), user);
        format!(
            "{}.{}{}",
            text::word(hash),
            text::word(hash >> 6),
            user % 1_000
        )
    }

    /// One user in a hundred is another bot.
    pub(crate) fn is_bot(&self, user: u64) -> bool {
        mix(self.seed.rotate_left(31), user).is_multiple_of(100)
    }
}
