//! The REST side: what clients ask for before they connect, and the objects behind the ids.

use serde_json::{Value, json};
use shardkeep_core::Snowflake;

use super::World;
use super::compose::Message;
use super::ledger::ViolationKind;
use super::outbox::Out;
use crate::guild::Kind;
use crate::guild::{mix, sentence};
use crate::wire::json::Json;

/// A status and a body.
type Answer = (u16, Vec<u8>);

/// Discord's codes for what does not exist.
#[derive(Clone, Copy)]
enum Unknown {
    Channel = 10_003,
    Guild = 10_004,
    Member = 10_007,
    Message = 10_008,
    Role = 10_011,
    User = 10_013,
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    (
        status,
        json!({ "message": message, "code": code })
            .to_string()
            .into_bytes(),
    )
}

fn unknown(what: Unknown) -> Answer {
    let name = match what {
        Unknown::Channel => "Channel",
        Unknown::Guild => "Guild",
        Unknown::Member => "Member",
        Unknown::Message => "Message",
        Unknown::Role => "Role",
        Unknown::User => "User",
    };
    error(404, what as u32, &format!("Unknown {name}"))
}

fn ok(value: &Value) -> Answer {
    (200, value.to_string().into_bytes())
}

/// One object.
fn object(fill: impl FnOnce(&mut Json)) -> Answer {
    (200, Json::build(1_024, fill))
}

/// One array.
fn array(fill: impl FnOnce(&mut Json)) -> Answer {
    (200, Json::build_array(4_096, fill))
}

impl World {
    /// Answers a request.
    pub(super) fn http(
        &mut self,
        request: u64,
        method: &str,
        path: &str,
        authorization: Option<&str>,
    ) {
        self.ledger.counters.http_requests += 1;
        let (status, body) = self.answer(method, path, authorization);
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Via", "1.1 sim".to_owned()),
        ];
        self.outbox.push(Out::Respond {
            request,
            status,
            headers,
            body,
        });
    }

    fn answer(
        &mut self,
        method: &str,
        path_and_query: &str,
        authorization: Option<&str>,
    ) -> Answer {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let Some(path) = versioned(path) else {
            return error(404, 0, "404: Not Found");
        };
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        if segments.as_slice() == ["gateway"] {
            return ok(&json!({ "url": self.config.base_ws_url }));
        }
        let token = authorization.and_then(|value| value.strip_prefix("Bot "));
        if !token.is_some_and(|token| self.is_token(token)) {
            let detail = format!("{method} {path}");
            self.ledger
                .violation(self.now, ViolationKind::WrongToken, None, None, detail);
            return error(401, 0, "401: Unauthorized");
        }
        if method != "GET" {
            return error(405, 0, "405: Method Not Allowed");
        }
        match segments.as_slice() {
            ["gateway", "bot"] => self.gateway_bot(),
            ["users", "@me"] => object(|json| self.catalog.write_bot(json)),
            ["users", "@me", "guilds"] => self.own_guilds(query),
            ["users", id] => self.user(id),
            ["applications", "@me"] | ["oauth2", "applications", "@me"] => self.application(),
            ["guilds", guild, rest @ ..] => match self.known_guild(guild) {
                Some(index) => self.guild_route(index, rest, query),
                None => unknown(Unknown::Guild),
            },
            ["channels", channel, rest @ ..] => self.channel_route(channel, rest),
            _ => error(404, 0, "404: Not Found"),
        }
    }

    fn gateway_bot(&mut self) -> Answer {
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

    fn known_guild(&self, id: &str) -> Option<u32> {
        let index = self.catalog.guild_index(Snowflake(id.parse().ok()?))?;
        (!self.left.contains(&index)).then_some(index)
    }

    fn own_guilds(&self, query: &str) -> Answer {
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

    fn user(&self, id: &str) -> Answer {
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

    fn application(&self) -> Answer {
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

    fn guild_route(&self, index: u32, rest: &[&str], query: &str) -> Answer {
        match rest {
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
            _ => error(404, 0, "404: Not Found"),
        }
    }

    fn role(&self, index: u32, id: u64) -> Option<u32> {
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

    fn channel_route(&self, channel: &str, rest: &[&str]) -> Answer {
        let Ok(id) = channel.parse::<u64>() else {
            return unknown(Unknown::Channel);
        };
        let Some(index) = self.channel_guild(id) else {
            return unknown(Unknown::Channel);
        };
        match rest {
            [] => object(|json| match self.catalog.locate(Kind::Channel, id) {
                Some((index, position)) => self.channel(json, index, position),
                None => {
                    let thread = self
                        .catalog
                        .locate(Kind::Thread, id)
                        .map_or(0, |(_, thread)| thread);
                    self.catalog.write_thread(json, index, thread);
                    json.id("guild_id", self.catalog.guild_id(index).0);
                }
            }),
            ["messages", message] => match message.parse::<u64>() {
                // Any snowflake from the guild's creation on is a message: its author and text follow from the id.
                Ok(message)
                    if message > self.catalog.guild_id(index).0
                        && message >> 22 <= self.snowflake_ms() =>
                {
                    let hash = mix(self.config.seed, message);
                    let author = self.catalog.some_member(index, hash);
                    let message = Message {
                        guild: index,
                        channel: id,
                        author,
                        id: message,
                    };
                    (200, self.rest_message(message, &sentence(hash)))
                }
                _ => unknown(Unknown::Message),
            },
            _ => error(404, 0, "404: Not Found"),
        }
    }

    /// The guild of a channel or thread that the bot can view.
    fn channel_guild(&self, id: u64) -> Option<u32> {
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

/// The path below `/api/v9`, `/api/v10` or `/api`.
fn versioned(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/api")?;
    let below = below
        .strip_prefix("/v10")
        .or_else(|| below.strip_prefix("/v9"))
        .unwrap_or(below);
    below.starts_with('/').then_some(below)
}

/// A number in a query string.
fn number(query: &str, key: &str) -> Option<u64> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(k, _)| *k == key)?
        .1
        .parse()
        .ok()
}
