//! Whole guilds: GUILD_CREATE and the REST object.

use super::{Catalog, ChannelKind, Kind, pick, text, time};
use crate::wire::json::Json;

/// From this many members on, GUILD_CREATE never lists everyone.
const HUGE: u32 = 75_000;

/// What a session sees of a guild's members in GUILD_CREATE.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberView {
    /// It has GUILD_PRESENCES.
    pub(crate) presences: bool,
    /// Its `large_threshold`.
    pub(crate) large_threshold: u64,
}

impl Catalog {
    /// The body of GUILD_CREATE. `unavailable` is left out when the bot has just joined.
    pub(crate) fn guild_create(
        &self,
        index: u32,
        view: MemberView,
        unavailable: Option<bool>,
    ) -> Vec<u8> {
        let is_large = u64::from(self.member_count(index)) > view.large_threshold;
        self.write_create(index, self.listed(index, view), is_large, unavailable)
    }

    /// GUILD_CREATE with every member in it, as if no guild were large; with everyone's presence, or with none.
    pub(super) fn whole_guild(&self, index: u32, presences: bool) -> Vec<u8> {
        let count = self.member_count(index);
        let online = if presences {
            self.online(index)
        } else {
            Vec::new()
        };
        self.write_create(index, ((0..count).collect(), online), false, Some(false))
    }

    fn write_create(
        &self,
        index: u32,
        (members, presences): (Vec<u32>, Vec<u32>),
        is_large: bool,
        unavailable: Option<bool>,
    ) -> Vec<u8> {
        let size = 6_000
            + members.len() * 700
            + presences.len() * 250
            + self.channel_count(index) as usize * 400;
        Json::build(size, |json| {
            self.write_guild(json, index);
            if let Some(unavailable) = unavailable {
                json.flag("unavailable", unavailable);
            }
            json.text("joined_at", &time::iso8601(self.bot_joined_ms(index)));
            json.flag("large", is_large);
            json.number("member_count", self.member_count(index).into());
            json.array("voice_states", |json| {
                for position in 1..=self.voice_count(index) {
                    let channel = self.voice_channel(index, self.member_hash(index, position));
                    let channel = self.id(index, Kind::Channel, channel);
                    json.item_object(|json| {
                        self.write_voice_state(json, index, position, Some(channel))
                    });
                }
            });
            json.array("members", |json| {
                for &position in &members {
                    json.item_object(|json| self.write_member(json, index, position));
                }
            });
            json.array("channels", |json| self.write_channels(json, index));
            json.array("threads", |json| {
                for thread in 0..self.thread_count(index) {
                    json.item_object(|json| self.write_thread(json, index, thread));
                }
            });
            json.array("presences", |json| {
                for &position in &presences {
                    let status = self.status(index, position);
                    json.item_object(|json| self.write_presence(json, index, position, status));
                }
            });
            json.array("stage_instances", |json| {
                self.write_stage_instances(json, index)
            });
            json.array("guild_scheduled_events", |json| {
                self.write_scheduled_events(json, index)
            });
            json.array("soundboard_sounds", |json| self.write_sounds(json, index));
        })
    }

    /// The positions of the members and presences that GUILD_CREATE lists.
    fn listed(&self, index: u32, view: MemberView) -> (Vec<u32>, Vec<u32>) {
        let (count, voice) = (self.member_count(index), self.voice_count(index));
        if !view.presences || count > HUGE {
            return ((0..=voice).collect(), Vec::new());
        }
        if u64::from(count) <= view.large_threshold {
            return ((0..count).collect(), (1..count).collect());
        }
        let listed = (0..count)
            .filter(|&position| {
                position <= voice
                    || self.status(index, position) != "offline"
                    || self.has_nick(index, position)
                    || !self.member_roles(index, position).is_empty()
            })
            .collect();
        (listed, self.online(index))
    }

    fn online(&self, index: u32) -> Vec<u32> {
        (1..self.member_count(index))
            .filter(|&position| self.status(index, position) != "offline")
            .collect()
    }

    fn bot_joined_ms(&self, index: u32) -> u64 {
        (self.guild_id(index).0 >> 22) + time::DISCORD_EPOCH_MS + self.hash(index, 50) % self.stride
    }

    /// The fields that GUILD_CREATE, GUILD_UPDATE and `GET /guilds/{id}` share.
    pub(crate) fn write_guild(&self, json: &mut Json, index: u32) {
        let hash = self.hash(index, 51);
        json.id("id", self.guild_id(index).0);
        json.text("name", &self.guild_name(index));
        if hash & 3 == 0 {
            json.null("icon");
        } else {
            json.hash("icon", hash);
        }
        json.nulls(&[
            "splash",
            "discovery_splash",
            "afk_channel_id",
            "application_id",
            "vanity_url_code",
        ]);
        json.nulls(&[
            "banner",
            "rules_channel_id",
            "public_updates_channel_id",
            "safety_alerts_channel_id",
        ]);
        json.nulls(&["max_presences", "incidents_data"]);
        json.id("owner_id", self.member_id(index, 1));
        json.text("region", "deprecated");
        json.number("afk_timeout", 300);
        json.flag("widget_enabled", false);
        json.null("widget_channel_id");
        json.number("verification_level", hash >> 4 & 3);
        json.number("default_message_notifications", hash >> 6 & 1);
        json.number("explicit_content_filter", hash >> 7 & 1);
        json.array("roles", |json| self.write_roles(json, index));
        json.array("emojis", |json| self.write_emojis(json, index));
        json.array("stickers", |json| self.write_stickers(json, index));
        json.array("features", |json| {
            json.item_text("COMMUNITY");
            if hash >> 8 & 3 == 0 {
                json.item_text("NEWS");
            }
        });
        json.number("mfa_level", hash >> 10 & 1);
        json.id(
            "system_channel_id",
            self.id(index, Kind::Channel, self.system_channel(index)),
        );
        json.number("system_channel_flags", hash >> 11 & 3);
        json.number("max_members", 500_000);
        if hash >> 13 & 1 == 0 {
            json.null("description");
        } else {
            json.text("description", &text::title(hash >> 14));
        }
        json.number("premium_tier", hash >> 20 & 3);
        json.number("premium_subscription_count", hash >> 22 & 15);
        json.text("preferred_locale", "en-US");
        json.number("max_video_channel_users", 25);
        json.number("max_stage_video_channel_users", 50);
        json.number("nsfw_level", 0);
        json.flag("premium_progress_bar_enabled", false);
    }

    fn system_channel(&self, index: u32) -> u32 {
        let first_text = (0..self.channel_count(index))
            .find(|&position| self.channel_kind(index, position) == Some(ChannelKind::Text));
        first_text.unwrap_or(0)
    }

    /// A random member position that is not the bot.
    pub(crate) fn some_member(&self, index: u32, hash: u64) -> u32 {
        1 + pick(hash, self.member_count(index) - 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parse(catalog: &Catalog, index: u32, presences: bool, large_threshold: u64) -> Value {
        let view = MemberView {
            presences,
            large_threshold,
        };
        serde_json::from_slice(&catalog.guild_create(index, view, Some(false))).unwrap()
    }

    #[test]
    fn members_are_listed_as_intents_and_threshold_say() {
        let catalog = Catalog::new(9, 60, 80);
        let len = |value: &Value| u32::try_from(value.as_array().unwrap().len()).unwrap();
        let (mut small, mut large) = (0, 0);
        for index in 0..60 {
            let count = catalog.member_count(index);
            let without = parse(&catalog, index, false, 50);
            assert_eq!(len(&without["members"]), 1 + catalog.voice_count(index));
            assert_eq!(len(&without["presences"]), 0);
            let with = parse(&catalog, index, true, 50);
            assert_eq!(with["large"], count > 50);
            if count <= 50 {
                small += 1;
                assert_eq!(len(&with["members"]), count);
            } else {
                large += 1;
                assert!(len(&with["presences"]) < count - 1);
                let offline = |presence: &Value| presence["status"] == "offline";
                assert!(!with["presences"].as_array().unwrap().iter().any(offline));
            }
        }
        assert!(small > 5 && large > 5);
    }

    #[test]
    fn hidden_channels_give_nothing_away() {
        let catalog = Catalog::new(9, 60, 2_000);
        let mut hidden = 0;
        for index in 0..60 {
            let guild = parse(&catalog, index, false, 50);
            for channel in guild["channels"].as_array().unwrap() {
                if channel["flags"] != 1 << 17 {
                    assert_ne!(channel["name"], "___hidden___");
                    continue;
                }
                hidden += 1;
                assert_eq!(channel["name"], "___hidden___");
                assert_eq!(channel["topic"], Value::Null);
                let overwrites = channel["permission_overwrites"].as_array().unwrap();
                assert_eq!(overwrites.len(), 1);
                assert_eq!(overwrites[0]["id"], guild["id"]);
                assert_eq!(overwrites[0]["deny"], "1024");
            }
        }
        assert!(hidden > 20);
    }
}
