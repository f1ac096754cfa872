//! Users, application commands, and every other route that looks like one of Discord's.

use serde_json::{Value, json};

use super::{Answer, Call, NOTHING, Unknown, array, error, merged, object, ok, unknown};
use crate::world::World;

/// First segments of Discord's paths.
const KNOWN: &[&str] = &[
    "applications",
    "auto-moderation",
    "bans",
    "channels",
    "commands",
    "guilds",
    "invites",
    "lobbies",
    "oauth2",
    "partner-sdk",
    "skus",
    "soundboard-default-sounds",
    "stage-instances",
    "sticker-packs",
    "stickers",
    "users",
    "voice",
    "webhooks",
];

impl World {
    /// Everything below `/users`.
    pub(super) fn user_route(&mut self, call: &Call<'_>, rest: &[&str]) -> Answer {
        match (call.method, rest) {
            ("GET", ["@me"]) => object(|json| self.catalog.write_bot(json)),
            ("PATCH", ["@me"]) => merged(object(|json| self.catalog.write_bot(json)), &call.body),
            ("GET", ["@me", "guilds"]) => self.own_guilds(call.query),
            ("DELETE", ["@me", "guilds", _]) => NOTHING,
            ("GET", ["@me", "guilds", guild, "member"]) => match self.known_guild(guild) {
                Some(index) => object(|json| self.catalog.write_member(json, index, 0)),
                None => unknown(Unknown::Guild),
            },
            ("POST", ["@me", "channels"]) => self.open_direct(call),
            ("GET", [id]) => self.user(id),
            _ => self.anything(call, rest),
        }
    }

    fn open_direct(&self, call: &Call<'_>) -> Answer {
        let recipient = call.body.get("recipient_id");
        let id = match recipient {
            Some(Value::String(id)) => id.parse().ok(),
            Some(Value::Number(id)) => id.as_u64(),
            _ => None,
        };
        match id.and_then(|id| Some((id, self.catalog.user_index(id)?))) {
            Some((id, user)) => object(|json| {
                json.id("id", id + 1);
                json.number("type", 1);
                json.null("last_message_id");
                json.number("flags", 0);
                json.array("recipients", |json| {
                    json.item_object(|json| self.catalog.write_user(json, user));
                });
            }),
            None => error(400, 50_033, "Invalid Recipient(s)"),
        }
    }

    /// Everything below `/applications/{id}`: commands, global and of guilds.
    pub(super) fn command_route(&mut self, call: &Call<'_>, rest: &[&str]) -> Answer {
        let (guild, below) = match rest {
            ["commands", below @ ..] => (0, below),
            ["guilds", guild, "commands", below @ ..] => (guild.parse().unwrap_or(0), below),
            _ => return self.anything(call, rest),
        };
        match (call.method, below) {
            ("GET", []) => {
                let all = self
                    .rest
                    .book
                    .commands
                    .range((guild, 0)..=(guild, u64::MAX));
                ok(&all.map(|(_, command)| command.clone()).collect())
            }
            ("POST", []) => {
                let (_, command) = self.make_command(guild, &call.body);
                (201, command.to_string().into_bytes())
            }
            ("PUT", []) => {
                self.rest
                    .book
                    .commands
                    .retain(|(there, _), _| *there != guild);
                let wanted = call.body.as_array().cloned().unwrap_or_default();
                let made: Vec<Value> = wanted
                    .iter()
                    .map(|body| self.make_command(guild, body).1)
                    .collect();
                ok(&made.into())
            }
            ("GET" | "PATCH" | "DELETE", [id]) => {
                self.one_command(call, guild, id.parse().unwrap_or(0))
            }
            ("GET", [id, "permissions"]) => ok(
                &json!({ "id": id, "application_id": self.catalog.bot_id(), "guild_id": guild.to_string(),
                            "permissions": [] }),
            ),
            _ => self.anything(call, rest),
        }
    }

    fn one_command(&mut self, call: &Call<'_>, guild: u64, id: u64) -> Answer {
        let Some(command) = self.rest.book.commands.get(&(guild, id)).cloned() else {
            return unknown(Unknown::Command);
        };
        match call.method {
            "DELETE" => {
                self.rest.book.commands.remove(&(guild, id));
                NOTHING
            }
            "PATCH" => {
                let (status, body) = merged(ok(&command), &call.body);
                if let Ok(command) = serde_json::from_slice(&body) {
                    self.rest.book.command(guild, id, command);
                }
                (status, body)
            }
            _ => ok(&command),
        }
    }

    fn make_command(&mut self, guild: u64, body: &Value) -> (u64, Value) {
        let id = self.fresh_id();
        let mut command = json!({
            "id": id.to_string(),
            "application_id": self.catalog.bot_id(),
            "version": id.to_string(),
            "type": 1,
            "name": "",
            "description": "",
            "default_member_permissions": null,
            "nsfw": false,
        });
        if guild != 0 {
            command["guild_id"] = guild.to_string().into();
        }
        if let (Value::Object(fields), Some(wanted)) = (&mut command, body.as_object()) {
            fields.extend(
                wanted
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        self.rest.book.command(guild, id, command.clone());
        (id, command)
    }

    /// Any other route: an answer of the likely kind. Unknown resources are 404.
    pub(super) fn anything(&mut self, call: &Call<'_>, segments: &[&str]) -> Answer {
        let first = call
            .path
            .split('/')
            .find(|segment| !segment.is_empty())
            .unwrap_or_default();
        if !KNOWN.contains(&first) {
            return error(404, 0, "404: Not Found");
        }
        let last = segments.last().copied().unwrap_or(first);
        let is_one = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with('@');
        match call.method {
            "GET" if is_one => ok(&json!({ "id": last })),
            "GET" => array(|_| ()),
            "PUT" | "DELETE" => NOTHING,
            "PATCH" => merged(ok(&json!({ "id": last })), &call.body),
            "POST" => merged(
                ok(&json!({ "id": self.fresh_id().to_string() })),
                &call.body,
            ),
            _ => error(405, 0, "405: Method Not Allowed"),
        }
    }
}
