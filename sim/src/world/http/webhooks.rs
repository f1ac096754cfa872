//! Webhooks and interactions.

use serde_json::{Value, json};

use super::book::Hook;
use super::{Answer, Call, NOTHING, Unknown, error, ok, unknown};
use crate::guild::{Kind, mix};
use crate::world::World;

/// What a webhook is called that was given no name.
const NAMELESS: &str = "Webhook";

impl World {
    /// `POST /channels/{id}/webhooks`.
    pub(super) fn make_webhook(&mut self, call: &Call<'_>, channel: u64, guild: u32) -> Answer {
        let id = self.fresh_id();
        let name = call
            .body
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(NAMELESS);
        let bits = |turn: u64| mix(self.config.seed ^ id, turn);
        let token = format!(
            "sim{:016x}{:016x}{:016x}{:016x}",
            bits(1),
            bits(2),
            bits(3),
            bits(4)
        );
        let hook = Hook {
            id,
            guild,
            channel,
            name: name.to_owned(),
            token,
        };
        self.rest.limits.bind_webhook(id, channel);
        let answer = ok(&self.hook_json(&hook, true));
        self.rest.book.hang(hook);
        answer
    }

    /// The webhooks of a guild or a channel.
    pub(super) fn list_webhooks(&self, belongs: impl Fn(&Hook) -> bool) -> Answer {
        let hooks = self.rest.book.hooks().filter(|hook| belongs(hook));
        ok(&hooks.map(|hook| self.hook_json(hook, true)).collect())
    }

    fn hook_json(&self, hook: &Hook, with_token: bool) -> Value {
        let mut json = json!({
            "id": hook.id.to_string(),
            "type": 1,
            "guild_id": self.catalog.guild_id(hook.guild),
            "channel_id": hook.channel.to_string(),
            "name": hook.name,
            "avatar": null,
            "application_id": null,
        });
        if with_token {
            json["token"] = hook.token.clone().into();
        }
        json
    }

    /// Everything below `/webhooks/{id}`.
    pub(super) fn webhook_route(&mut self, call: &Call<'_>, id: &str, rest: &[&str]) -> Answer {
        let Ok(id) = id.parse::<u64>() else {
            return unknown(Unknown::Webhook);
        };
        if let [_, below @ ..] = rest
            && id == self.catalog.bot_id().0
        {
            // An interaction's follow-ups: any token is taken, and its channel is one that the bot can see.
            let position = self.catalog.open_text_channel(0, 0);
            let channel = self.catalog.id(0, Kind::Channel, position);
            return self.hook_messages(call, channel, 0, (id, "sim-bot".to_owned()), below, true);
        }
        let Some(hook) = self.rest.book.hook(id).cloned() else {
            return unknown(Unknown::Webhook);
        };
        let below = match rest {
            [] => &[][..],
            [token, below @ ..] if *token == hook.token => below,
            _ => return error(401, 50_027, "Invalid Webhook Token"),
        };
        match (call.method, below) {
            ("GET", []) => ok(&self.hook_json(&hook, rest.is_empty())),
            ("PATCH", []) => {
                let mut hook = hook;
                if let Some(name) = call.body.get("name").and_then(Value::as_str) {
                    name.clone_into(&mut hook.name);
                }
                let answer = ok(&self.hook_json(&hook, rest.is_empty()));
                self.rest.book.hang(hook);
                answer
            }
            ("DELETE", []) => {
                self.rest.book.unhang(id);
                NOTHING
            }
            _ => {
                let name = call.body.get("username").and_then(Value::as_str);
                let author = (id, name.unwrap_or(&hook.name).to_owned());
                self.hook_messages(
                    call,
                    hook.channel,
                    hook.guild,
                    author,
                    below,
                    call.says("wait"),
                )
            }
        }
    }

    /// What a webhook posts, edits and deletes.
    fn hook_messages(
        &mut self,
        call: &Call<'_>,
        channel: u64,
        guild: u32,
        author: (u64, String),
        below: &[&str],
        waits: bool,
    ) -> Answer {
        let guild = Some(guild);
        match (call.method, below) {
            ("POST", [] | ["slack" | "github"]) => {
                let answer = self.post(call, channel, guild, Some(author));
                if waits || answer.0 >= 400 {
                    answer
                } else {
                    NOTHING
                }
            }
            (_, ["messages", "@original"]) => {
                let newest = self.rest.book.newest(channel);
                let mine = newest
                    .filter(|posted| matches!(&posted.webhook, Some((id, _)) if *id == author.0));
                match mine.last().map(|posted| posted.id.to_string()) {
                    Some(id) => self.message_route(call, channel, guild, &[&id]),
                    None if call.method == "DELETE" => NOTHING,
                    None => {
                        let id = self.fresh_id().to_string();
                        self.message_route(call, channel, guild, &[&id])
                    }
                }
            }
            ("GET" | "PATCH" | "DELETE", ["messages", id]) => {
                self.message_route(call, channel, guild, &[id])
            }
            _ => error(405, 0, "405: Method Not Allowed"),
        }
    }

    /// `POST /interactions/{id}/{token}/callback`: once.
    pub(super) fn callback(&mut self, call: &Call<'_>, id: &str) -> Answer {
        let Ok(id) = id.parse::<u64>() else {
            return error(404, 10_062, "Unknown interaction");
        };
        if !self.rest.book.acknowledge(id) {
            return error(400, 40_060, "Interaction has already been acknowledged.");
        }
        if call.says("with_response") {
            let kind = call.body.get("type").cloned().unwrap_or_else(|| json!(4));
            return ok(
                &json!({ "interaction": { "id": id.to_string(), "type": 2 }, "resource": { "type": kind } }),
            );
        }
        NOTHING
    }
}
