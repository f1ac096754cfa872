//! What clients change about guilds, channels and members. It is answered as Discord does and changes nothing here.

use serde_json::{Value, json};

use super::{Answer, Call, NOTHING, Unknown, error, merged, object, ok, unknown};
use crate::guild::{BOT_PERMISSIONS, Kind};
use crate::world::World;

impl World {
    /// Everything below `/guilds/{id}`.
    pub(super) fn guild_route(&mut self, call: &Call<'_>, index: u32, rest: &[&str]) -> Answer {
        if call.method == "GET" {
            return match (self.read_guild(index, rest, call.query), rest) {
                (Some(answer), _) => answer,
                (None, ["webhooks"]) => self.list_webhooks(|hook| hook.guild == index),
                (None, _) => self.anything(call, rest),
            };
        }
        let member = |id: &str| match id.parse() {
            Ok(id) => self.position(index, id),
            Err(_) if id == "@me" => Some(0),
            Err(_) => None,
        };
        match (call.method, rest) {
            ("PATCH", []) => merged(
                object(|json| self.catalog.write_guild(json, index)),
                &call.body,
            ),
            ("POST", ["channels"]) => self.make_channel(call, index),
            ("POST", ["roles"]) => self.make_role(call),
            ("PATCH", ["roles"]) => self.read_guild(index, rest, "").unwrap_or(NOTHING),
            ("PATCH", ["roles", id]) => match id.parse().ok().and_then(|id| self.role(index, id)) {
                Some(at) => merged(
                    object(|json| self.catalog.write_role(json, index, at)),
                    &call.body,
                ),
                None => unknown(Unknown::Role),
            },
            ("PATCH", ["members", id]) => match member(id) {
                Some(at) => {
                    let known = object(|json| self.catalog.write_member(json, index, at));
                    let is_role_list = call.body.get("roles").is_some_and(Value::is_array);
                    let fields: Value = ["nick", "roles", "communication_disabled_until"]
                        .into_iter()
                        .filter(|&key| key != "roles" || is_role_list)
                        .filter_map(|key| Some((key.to_owned(), call.body.get(key)?.clone())))
                        .collect::<serde_json::Map<_, _>>()
                        .into();
                    merged(known, &fields)
                }
                None => unknown(Unknown::Member),
            },
            ("PUT" | "DELETE", ["members", id, "roles", _]) | ("DELETE", ["members", id]) => {
                member(id).map_or_else(|| unknown(Unknown::Member), |_| NOTHING)
            }
            _ => self.anything(call, rest),
        }
    }

    fn make_role(&mut self, call: &Call<'_>) -> Answer {
        let role = json!({
            "id": self.fresh_id().to_string(),
            "name": "new role",
            "description": null,
            "color": 0,
            "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
            "hoist": false,
            "icon": null,
            "unicode_emoji": null,
            "position": 1,
            "permissions": BOT_PERMISSIONS.to_string(),
            "managed": false,
            "mentionable": false,
            "flags": 0,
        });
        merged(ok(&role), &call.body)
    }

    fn make_channel(&mut self, call: &Call<'_>, index: u32) -> Answer {
        let channel = json!({
            "id": self.fresh_id().to_string(),
            "type": 0,
            "guild_id": self.catalog.guild_id(index),
            "position": self.catalog.channel_count(index),
            "permission_overwrites": [],
            "name": "new-channel",
            "topic": null,
            "nsfw": false,
            "last_message_id": null,
            "rate_limit_per_user": 0,
            "parent_id": null,
            "flags": 0,
        });
        let (_, body) = merged(ok(&channel), &call.body);
        (201, body)
    }

    /// Everything below `/channels/{id}`.
    pub(super) fn channel_route(
        &mut self,
        call: &Call<'_>,
        channel: &str,
        rest: &[&str],
    ) -> Answer {
        let Ok(id) = channel.parse::<u64>() else {
            return unknown(Unknown::Channel);
        };
        let guild = self.channel_guild(id);
        if guild.is_none() && self.direct_user(id).is_none() {
            return unknown(Unknown::Channel);
        }
        match (call.method, rest) {
            (_, ["messages", below @ ..]) => self.message_route(call, id, guild, below),
            ("GET" | "DELETE", []) => self.read_channel(guild, id),
            ("PATCH", []) => merged(self.read_channel(guild, id), &call.body),
            ("POST", ["typing"]) => NOTHING,
            ("PUT" | "DELETE", ["pins" | "permissions" | "thread-members" | "recipients", ..]) => {
                NOTHING
            }
            ("POST", ["threads"]) => {
                let thread = self.fresh_id();
                self.make_thread(call, id, guild.unwrap_or(0), thread)
            }
            ("POST", ["webhooks"]) => match guild {
                Some(guild) => self.make_webhook(call, id, guild),
                None => error(400, 50_024, "Cannot execute action on this channel type"),
            },
            ("GET", ["webhooks"]) => self.list_webhooks(|hook| hook.channel == id),
            ("POST", ["invites"]) => self.make_invite(call, id, guild),
            _ => self.anything(call, rest),
        }
    }

    fn make_invite(&mut self, call: &Call<'_>, channel: u64, guild: Option<u32>) -> Answer {
        let code = format!("{:x}", self.fresh_id());
        let name = guild.map(|index| self.catalog.guild_name(index));
        let invite = json!({
            "type": 0,
            "code": code,
            "guild": guild.map(|index| json!({ "id": self.catalog.guild_id(index), "name": name })),
            "channel": { "id": channel.to_string(), "type": 0, "name": "channel" },
            "uses": 0,
            "max_uses": 0,
            "max_age": 86_400,
            "temporary": false,
            "created_at": crate::guild::time::iso8601(self.unix_ms()),
        });
        merged(ok(&invite), &call.body)
    }

    /// A thread with this id: that of its message, if it hangs at one.
    pub(super) fn make_thread(
        &mut self,
        call: &Call<'_>,
        channel: u64,
        guild: u32,
        id: u64,
    ) -> Answer {
        let name = call
            .body
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("thread");
        let now = crate::guild::time::iso8601(self.unix_ms());
        let bot = self.catalog.bot_id();
        let thread = json!({
            "id": id.to_string(),
            "type": 11,
            "guild_id": self.catalog.guild_id(guild),
            "parent_id": channel.to_string(),
            "owner_id": bot,
            "name": name,
            "last_message_id": null,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": false,
                "auto_archive_duration": 1_440,
                "archive_timestamp": now,
                "locked": false,
                "create_timestamp": now,
            },
            "member": { "id": id.to_string(), "user_id": bot, "join_timestamp": now, "flags": 0 },
        });
        let (_, body) = ok(&thread);
        (201, body)
    }

    /// The user behind a direct channel's id.
    pub(super) fn direct_user(&self, channel: u64) -> Option<u64> {
        self.catalog.user_index(channel.checked_sub(1)?)
    }

    /// The first text channel of a guild that the bot can view, and a member that is no bot's own: what benches need.
    pub(in crate::world) fn sample(&self, index: u32) -> (u64, u64) {
        let channel = self.catalog.open_text_channel(index, 0);
        let member = self.catalog.member_id(index, 1);
        (self.catalog.id(index, Kind::Channel, channel), member)
    }
}
