//! Members: which user is at which position of a guild, and what the guild knows of them.

use super::{Catalog, Kind, choose, mix, pick, text, time};
use crate::wire::json::Json;

impl Catalog {
    /// The user at a position from 1 on; position 0 is the bot, position 1 the owner.
    ///
    /// `(a * position + b) mod population`: every position gives another user, and every user at most one position.
    pub(crate) fn member_user(&self, index: u32, position: u32) -> u64 {
        let (a, b) = self.affine(index);
        mul_mod(a, position.into(), self.population).wrapping_add(b) % self.population
    }

    /// Where a user stands in a guild's list; `None` if they are no member.
    pub(crate) fn position_of(&self, index: u32, user: u64) -> Option<u32> {
        let (a, b) = self.affine(index);
        let shifted = (user + self.population - b) % self.population;
        let position = mul_mod(
            shifted,
            pow_mod(a, self.population - 2, self.population),
            self.population,
        );
        let position = u32::try_from(position).ok()?;
        (position >= 1 && position < self.member_count(index)).then_some(position)
    }

    fn affine(&self, index: u32) -> (u64, u64) {
        let (a, b) = (self.hash(index, 10), self.hash(index, 11));
        (1 + a % (self.population - 1), b % self.population)
    }

    /// The user id of a member.
    pub(crate) fn member_id(&self, index: u32, position: u32) -> u64 {
        match position {
            0 => self.bot_id().0,
            _ => self.user_id(self.member_user(index, position)),
        }
    }

    pub(super) fn member_hash(&self, index: u32, position: u32) -> u64 {
        mix(self.hash(index, 12), position.into())
    }

    /// The user object of a member.
    pub(crate) fn write_member_user(&self, json: &mut Json, index: u32, position: u32) {
        match position {
            0 => self.write_bot_user(json),
            _ => self.write_user(json, self.member_user(index, position)),
        }
    }

    /// A member with its user.
    pub(crate) fn write_member(&self, json: &mut Json, index: u32, position: u32) {
        json.object("user", |json| self.write_member_user(json, index, position));
        self.write_partial_member(json, index, position);
    }

    /// A member without its user, as messages carry it.
    pub(crate) fn write_partial_member(&self, json: &mut Json, index: u32, position: u32) {
        let hash = self.member_hash(index, position);
        if self.has_nick(index, position) {
            json.text("nick", &text::title(hash >> 5));
        } else {
            json.null("nick");
        }
        json.nulls(&["avatar", "banner"]);
        json.array("roles", |json| {
            for role in self.member_roles(index, position) {
                json.item_id(self.id(index, Kind::Role, role));
            }
        });
        // Members joined between the guild's creation and the end of 2025.
        let born = self.guild_id(index).0 >> 22;
        let joined = born + hash % (super::FIRST_MS + super::SPAN_MS - born).max(1);
        json.text("joined_at", &time::iso8601(joined + time::DISCORD_EPOCH_MS));
        if hash >> 40 & 31 == 0 {
            json.text(
                "premium_since",
                &time::iso8601(joined + time::DISCORD_EPOCH_MS + 1_000),
            );
        } else {
            json.null("premium_since");
        }
        json.flag("deaf", false);
        json.flag("mute", hash >> 46 & 63 == 0);
        json.number("flags", u64::from(hash >> 50 & 7 == 0));
        json.flag("pending", false);
        json.nulls(&[
            "communication_disabled_until",
            "avatar_decoration_data",
            "collectibles",
        ]);
    }

    pub(crate) fn has_nick(&self, index: u32, position: u32) -> bool {
        self.member_hash(index, position) >> 56 & 7 == 0
    }

    /// The positions of a member's roles: the bot has its own, others up to four.
    pub(crate) fn member_roles(&self, index: u32, position: u32) -> Vec<u32> {
        if position == 0 {
            return vec![1];
        }
        let (hash, roles) = (self.member_hash(index, position), self.role_count(index));
        let free = roles.saturating_sub(2);
        let count = match hash >> 59 {
            0..16 => 0,
            16..24 => 1,
            24..28 => 2,
            _ => 4,
        };
        let mut chosen: Vec<u32> = (0..count.min(free))
            .map(|at| 2 + pick(mix(hash, at.into()), free))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// `online`, `idle`, `dnd` or `offline`.
    pub(crate) fn status(&self, index: u32, position: u32) -> &'static str {
        let user = if position == 0 {
            u64::MAX
        } else {
            self.member_user(index, position)
        };
        match mix(self.seed.rotate_left(41), user) % 20 {
            0..4 => "online",
            4..7 => "idle",
            7..9 => "dnd",
            _ => "offline",
        }
    }

    /// A presence, without `guild_id`.
    pub(crate) fn write_presence(&self, json: &mut Json, index: u32, position: u32, status: &str) {
        let hash = self.member_hash(index, position);
        json.object("user", |json| {
            json.id("id", self.member_id(index, position))
        });
        json.text("status", status);
        json.array("activities", |json| {
            if status != "offline" && hash >> 12 & 3 == 0 {
                json.item_object(|json| self.write_activity(json, hash));
            }
        });
        json.object("client_status", |json| {
            if status != "offline" {
                json.text(choose(&["desktop", "mobile", "web"], hash), status);
            }
        });
    }

    fn write_activity(&self, json: &mut Json, hash: u64) {
        let created = super::FIRST_MS + super::SPAN_MS + time::DISCORD_EPOCH_MS + hash % 10_000_000;
        json.text("id", &format!("{:x}", hash >> 16));
        json.text("name", &text::title(hash >> 7));
        match hash >> 20 & 3 {
            0 => {
                json.number("type", 4);
                json.text("state", &text::title(hash >> 11));
                json.object("emoji", |json| json.text("name", "☕"));
            }
            1 => {
                json.number("type", 2);
                json.text("details", &text::title(hash >> 13));
                json.text("state", text::word(hash >> 15));
                json.object("timestamps", |json| {
                    json.number("start", created);
                    json.number("end", created + 180_000);
                });
                json.object("assets", |json| {
                    json.text("large_text", &text::title(hash >> 17))
                });
                json.object("party", |json| {
                    json.text("id", &format!("party:{:x}", hash >> 20))
                });
            }
            _ => {
                json.number("type", 0);
                json.id("application_id", self.user_id(hash % self.population));
                json.object("timestamps", |json| json.number("start", created));
            }
        }
        json.number("created_at", created);
    }

    /// How many members are in voice channels: those at positions 1 to this.
    pub(crate) fn voice_count(&self, index: u32) -> u32 {
        let count = self.member_count(index);
        (count / 60 + pick(self.hash(index, 13), 4))
            .min(count - 1)
            .min(200)
    }

    /// The voice state of a member in voice, without `guild_id` and `member`.
    pub(crate) fn write_voice_state(
        &self,
        json: &mut Json,
        index: u32,
        position: u32,
        channel: Option<u64>,
    ) {
        let hash = self.member_hash(index, position);
        json.id_or_null("channel_id", channel);
        json.id("user_id", self.member_id(index, position));
        json.hash("session_id", hash);
        json.flag("deaf", false);
        json.flag("mute", false);
        json.flag("self_deaf", hash & 7 == 0);
        json.flag("self_mute", hash & 3 == 0);
        json.flag("self_video", hash & 31 == 0);
        json.flag("suppress", false);
        json.null("request_to_speak_timestamp");
    }
}

fn mul_mod(a: u64, b: u64, modulus: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(modulus)).unwrap_or(0)
}

fn pow_mod(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut power = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = mul_mod(power, base, modulus);
        }
        base = mul_mod(base, base, modulus);
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_member_is_one_user_and_found_again() {
        let catalog = Catalog::new(5, 40, 300);
        for index in 0..40 {
            let count = catalog.member_count(index);
            let users: BTreeSet<u64> = (1..count)
                .map(|position| catalog.member_user(index, position))
                .collect();
            assert_eq!(users.len(), count as usize - 1);
            for position in 1..count {
                let user = catalog.member_user(index, position);
                assert_eq!(catalog.position_of(index, user), Some(position));
            }
        }
        let strangers =
            (0..catalog.population).filter(|&user| catalog.position_of(0, user).is_none());
        assert!(strangers.count() > 0);
    }
}
