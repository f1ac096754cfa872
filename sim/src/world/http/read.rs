//! Reading objects: they follow from the seed.

use serde_json::json;
use shardkeep_core::Snowflake;

use super::{Answer, Unknown, array, number, object, ok, unknown};
use crate::guild::Kind;
use crate::wire::json::Json;
use crate::world::World;

impl World {
    pub(super) fn gateway_bot(&mut self) -> Answer {
        self.count_budget();
        ok(&json!({
            "url": self.config.base_ws_url,
            "shards": self.config.shards(),
            "session_start_limit": {
                "total": self.config.identify_total,
                "remaining": self.budget.remaining,
                "reset_after": u64::try_from(self.budget.resets_at.since(self.now).as_millis()).unwrap_or(0),
                "max_concurrency": self.config.max_concurrency,
            },
        }))
    }

    pub(super) fn known_guild(&self, id: &str) -> Option<u32> {
        let index = self.catalog.guild_index(Snowflake(id.parse().ok()?))?;
        (!self.left.contains(&index)).then_some(index)
    }

    pub(super) fn own_guilds(&self, query: &str) -> Answer {
        let (limit, after) = (
            number(query, "limit").unwrap_or(200).min(200),
            number(query, "after").unwrap_or(0),
        );
        let indices = (0..self.catalog.guilds()).filter(|index| !self.left.contains(index));
        let later = indices.filter(|&index| self.catalog.guild_id(index).0 > after);
        array(|json| {
            for index in later.take(usize::try_from(limit).unwrap_or(0)) {
                json.item_object(|json| {
                    json.id("id", self.catalog.guild_id(index).0);
                    json.text("name", &self.catalog.guild_name(index));
                    json.null("icon");
                    json.flag("owner", false);
                    json.id("permissions", crate::guild::BOT_PERMISSIONS);
                    json.empty_array("features");
                });
            }
        })
    }

    pub(super) fn user(&self, id: &str) -> Answer {
        let Ok(id) = id.parse::<u64>() else {
            return unknown(Unknown::User);
        };
        if id == self.catalog.bot_id().0 {
            return object(|json| self.catalog.write_bot_user(json));
        }
        match self.catalog.user_index(id) {
            Some(user) => object(|json| self.catalog.write_user(json, user)),
            None => unknown(Unknown::User),
        }
    }

    pub(super) fn application(&self) -> Answer {
        object(|json| {
            json.id("id", self.catalog.bot_id().0);
            json.text("name", "sim-bot");
            json.null("icon");
            json.text("description", "A bot in a simulated Discord.");
            json.flag("bot_public", false);
            json.flag("bot_require_code_grant", false);
            json.object("bot", |json| self.catalog.write_bot_user(json));
            json.object("owner", |json| self.catalog.write_user(json, 0));
            json.text("summary", "");
            json.text("verify_key", &"0".repeat(64));
            json.null("team");
            json.number("flags", 565_248);
            json.number("approximate_guild_count", self.catalog.guilds().into());
            json.empty_array("tags");
            json.nulls(&[
                "interactions_endpoint_url",
                "role_connections_verification_url",
            ]);
        })
    }

    pub(super) fn read_guild(&self, index: u32, rest: &[&str], query: &str) -> Option<Answer> {
        Some(match rest {
            [] => object(|json| {
                self.catalog.write_guild(json, index);
                if query.contains("with_counts=true") {
                    let count = u64::from(self.catalog.member_count(index));
                    json.number("approximate_member_count", count);
                    json.number("approximate_presence_count", count * 9 / 20);
                }
            }),
            ["channels"] => array(|json| {
                // REST leaves out what the bot cannot view; only the gateway obfuscates.
                for position in 0..self.catalog.channel_count(index) {
                    if !self.catalog.is_hidden(index, position) {
                        json.item_object(|json| self.channel(json, index, position));
                    }
                }
            }),
            ["roles"] => array(|json| self.catalog.write_roles(json, index)),
            ["roles", id] => match id.parse().ok().and_then(|id| self.role(index, id)) {
                Some(position) => object(|json| self.catalog.write_role(json, index, position)),
                None => unknown(Unknown::Role),
            },
            ["emojis"] => array(|json| self.catalog.write_emojis(json, index)),
            ["members"] => self.members(index, query),
            ["members", id] => match id.parse().ok().and_then(|id| self.position(index, id)) {
                Some(position) => object(|json| self.catalog.write_member(json, index, position)),
                None => unknown(Unknown::Member),
            },
            _ => return None,
        })
    }

    pub(super) fn role(&self, index: u32, id: u64) -> Option<u32> {
        (0..self.catalog.role_count(index))
            .find(|&position| self.catalog.id(index, Kind::Role, position) == id)
    }

    /// Members by user id, after one, up to 1,000.
    fn members(&self, index: u32, query: &str) -> Answer {
        let limit =
            usize::try_from(number(query, "limit").unwrap_or(1).clamp(1, 1_000)).unwrap_or(1);
        let after = number(query, "after").unwrap_or(0);
        let mut members: Vec<(u64, u32)> = (0..self.catalog.member_count(index))
            .map(|position| (self.catalog.member_id(index, position), position))
            .filter(|&(id, _)| id > after)
            .collect();
        members.sort_unstable();
        array(|json| {
            for &(_, position) in members.iter().take(limit) {
                json.item_object(|json| self.catalog.write_member(json, index, position));
            }
        })
    }

    fn channel(&self, json: &mut Json, index: u32, position: u32) {
        self.catalog.write_channel(json, index, position);
        json.id("guild_id", self.catalog.guild_id(index).0);
    }

    pub(super) fn read_channel(&self, guild: Option<u32>, id: u64) -> Answer {
        let Some(index) = guild else {
            let user = self.direct_user(id).unwrap_or(0);
            return object(|json| {
                json.id("id", id);
                json.number("type", 1);
                json.null("last_message_id");
                json.number("flags", 0);
                json.array("recipients", |json| {
                    json.item_object(|json| self.catalog.write_user(json, user));
                });
            });
        };
        object(|json| match self.catalog.locate(Kind::Channel, id) {
            Some((index, position)) => self.channel(json, index, position),
            None => {
                let thread = self
                    .catalog
                    .locate(Kind::Thread, id)
                    .map_or(0, |(_, thread)| thread);
                self.catalog.write_thread(json, index, thread);
                json.id("guild_id", self.catalog.guild_id(index).0);
            }
        })
    }

    /// The guild of a channel or thread that the bot can view.
    pub(super) fn channel_guild(&self, id: u64) -> Option<u32> {
        if let Some((index, position)) = self.catalog.locate(Kind::Channel, id) {
            let there = self.catalog.channel_kind(index, position).is_some();
            let seen =
                there && !self.catalog.is_hidden(index, position) && !self.left.contains(&index);
            return seen.then_some(index);
        }
        let (index, thread) = self.catalog.locate(Kind::Thread, id)?;
        (thread < self.catalog.thread_count(index) && !self.left.contains(&index)).then_some(index)
    }
}
