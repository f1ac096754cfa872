//! Messages that clients post, edit, delete and react to; and what the gateway tells of it.

use serde_json::{Value, json};
use shardkeep_core::wire::EventKind;

use super::book::Posted;
use super::{Answer, Call, NOTHING, Unknown, error, merged, number, unknown};
use crate::guild::time::{created_at, iso8601};
use crate::guild::{mix, sentence};
use crate::wire::json::Json;
use crate::world::World;
use crate::world::compose::Message;
use crate::world::dispatch::Event;

/// The longest content of a message, in characters.
const LONGEST_CONTENT: usize = 2_000;

/// Who posts: the bot, or a webhook under a name.
pub(super) type Author = Option<(u64, String)>;

impl World {
    /// Everything below `/channels/{id}/messages`.
    pub(super) fn message_route(
        &mut self,
        call: &Call<'_>,
        channel: u64,
        guild: Option<u32>,
        rest: &[&str],
    ) -> Answer {
        match (call.method, rest) {
            ("POST", []) => self.post(call, channel, guild, None),
            ("GET", []) => self.list_messages(call, channel),
            ("POST", ["bulk-delete"]) => self.bulk_delete(call, channel, guild),
            ("GET", ["pins"]) => super::ok(&json!({ "items": [], "has_more": false })),
            ("PUT" | "DELETE", ["pins", _]) => NOTHING,
            (_, [id, rest @ ..]) => match id.parse() {
                Ok(id) if self.is_message(channel, guild, id) => {
                    self.one_message(call, channel, guild, id, rest)
                }
                _ => unknown(Unknown::Message),
            },
            _ => error(405, 0, "405: Method Not Allowed"),
        }
    }

    fn one_message(
        &mut self,
        call: &Call<'_>,
        channel: u64,
        guild: Option<u32>,
        id: u64,
        rest: &[&str],
    ) -> Answer {
        match (call.method, rest) {
            ("GET", []) | ("POST", ["crosspost"]) => self.read_message(channel, guild, id),
            ("PATCH", []) => self.edit(call, channel, guild, id),
            ("DELETE", []) => {
                self.unpost(channel, guild, id);
                NOTHING
            }
            ("GET", ["reactions", _]) => super::array(|_| ()),
            ("PUT" | "DELETE", ["reactions", ..]) => NOTHING,
            ("POST", ["threads"]) => self.make_thread(call, channel, guild.unwrap_or(0), id),
            _ => error(405, 0, "405: Method Not Allowed"),
        }
    }

    /// Any snowflake from the guild's creation on is a message: its author and text follow from the id, unless it was
    /// posted here.
    fn is_message(&self, channel: u64, guild: Option<u32>, id: u64) -> bool {
        let begin = guild.map_or(0, |index| self.catalog.guild_id(index).0);
        self.rest.book.message(channel, id).is_some()
            || (guild.is_some() && id > begin && id >> 22 <= self.snowflake_ms())
    }

    fn read_message(&self, channel: u64, guild: Option<u32>, id: u64) -> Answer {
        if let Some(posted) = self.rest.book.message(channel, id) {
            return super::object(|json| self.write_posted(json, posted, false));
        }
        let guild = guild.unwrap_or(0);
        let hash = mix(self.config.seed, id);
        let author = self.catalog.some_member(guild, hash);
        let message = Message {
            guild,
            channel,
            author,
            id,
        };
        (200, self.rest_message(message, &sentence(hash)))
    }

    fn list_messages(&self, call: &Call<'_>, channel: u64) -> Answer {
        let limit = number(call.query, "limit").unwrap_or(50).clamp(1, 100);
        let before = number(call.query, "before").unwrap_or(u64::MAX);
        let after = number(call.query, "after").unwrap_or(0);
        let newest = self.rest.book.newest(channel);
        let there = newest.filter(|posted| posted.id < before && posted.id > after);
        super::array(|json| {
            for posted in there.take(usize::try_from(limit).unwrap_or(50)) {
                json.item_object(|json| self.write_posted(json, posted, false));
            }
        })
    }

    /// A message is posted: it is answered, and the gateway tells of it. With `enforce_nonce` a nonce is posted once.
    pub(super) fn post(
        &mut self,
        call: &Call<'_>,
        channel: u64,
        guild: Option<u32>,
        author: Author,
    ) -> Answer {
        if let Some(refusal) = refuse(call) {
            return refusal;
        }
        let nonce = call.body.get("nonce").and_then(|nonce| match nonce {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let enforced = call.body.get("enforce_nonce") == Some(&Value::Bool(true));
        if let (true, Some(nonce)) = (enforced, &nonce)
            && let Some(posted) = self.rest.book.by_nonce(channel, nonce)
        {
            return super::object(|json| self.write_posted(json, posted, false));
        }
        let id = self.fresh_id();
        let attachments = call.files.iter().map(|file| {
            let id = self.fresh_id();
            let url = format!("http://cdn.sim.invalid/attachments/{channel}/{id}/{}", file.name);
            json!({ "id": id.to_string(), "filename": file.name, "size": file.bytes, "url": url, "proxy_url": url })
        });
        let posted = Posted {
            id,
            channel,
            guild,
            webhook: author,
            attachments: attachments.collect(),
            fields: call.body.clone(),
            edited_ms: None,
        };
        self.tell(EventKind::MessageCreate, &posted);
        let answer = super::object(|json| self.write_posted(json, &posted, false));
        self.rest.book.post(posted, nonce);
        answer
    }

    fn tell(&mut self, kind: EventKind, posted: &Posted) {
        let body = Json::build(1_200, |json| self.write_posted(json, posted, true));
        let event = Event::new(kind, posted.guild.is_some(), posted.id, body);
        match posted.guild {
            Some(index) => self.dispatch_guild(self.guild_of(index), event),
            None => self.dispatch_global(event),
        }
    }

    fn edit(&mut self, call: &Call<'_>, channel: u64, guild: Option<u32>, id: u64) -> Answer {
        let now = self.unix_ms();
        let Some(posted) = self.rest.book.message_mut(channel, id) else {
            return merged(self.read_message(channel, guild, id), &call.body);
        };
        posted.edited_ms = Some(now);
        if let (Value::Object(fields), Some(changes)) = (&mut posted.fields, call.body.as_object())
        {
            fields.extend(
                changes
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        let posted = posted.clone();
        self.tell(EventKind::MessageUpdate, &posted);
        super::object(|json| self.write_posted(json, &posted, false))
    }

    /// A message is deleted, and the gateway tells of it.
    pub(super) fn unpost(&mut self, channel: u64, guild: Option<u32>, id: u64) {
        self.rest.book.unpost(id);
        if let Some(guild) = guild {
            let event = self.message_delete(Message {
                guild,
                channel,
                author: 0,
                id,
            });
            self.dispatch_guild(self.guild_of(guild), event);
        }
    }

    fn bulk_delete(&mut self, call: &Call<'_>, channel: u64, guild: Option<u32>) -> Answer {
        let ids: Option<Vec<u64>> = call
            .body
            .get("messages")
            .and_then(Value::as_array)
            .and_then(|ids| ids.iter().map(|id| id.as_str()?.parse().ok()).collect());
        match ids {
            Some(ids) if (2..=100).contains(&ids.len()) => {
                for id in ids {
                    self.unpost(channel, guild, id);
                }
                NOTHING
            }
            _ => error(
                400,
                50_016,
                "Provided too few or too many messages to delete. Must provide at least 2 and \
                                     at most 100 messages to delete.",
            ),
        }
    }

    /// A message as REST answers with it, or as the gateway tells of it.
    pub(super) fn write_posted(&self, json: &mut Json, posted: &Posted, is_event: bool) {
        let fields = &posted.fields;
        let list = |json: &mut Json, key: &str| match fields.get(key) {
            Some(Value::Array(items)) => {
                json.raw(key, Value::from(items.clone()).to_string().as_bytes())
            }
            _ => json.empty_array(key),
        };
        json.number(
            "type",
            u64::from(fields.get("message_reference").is_some()) * 19,
        );
        json.flag("tts", fields.get("tts") == Some(&Value::Bool(true)));
        json.text("timestamp", &created_at(posted.id));
        json.flag("pinned", false);
        if let Some(nonce) = fields.get("nonce") {
            json.raw("nonce", nonce.to_string().as_bytes());
        }
        self.write_reference(json, posted);
        json.empty_array("mentions");
        json.empty_array("mention_roles");
        json.flag("mention_everyone", false);
        if let (true, Some(guild)) = (is_event, posted.guild) {
            if posted.webhook.is_none() {
                json.object("member", |json| {
                    self.catalog.write_partial_member(json, guild, 0)
                });
            }
            json.id("guild_id", self.catalog.guild_id(guild).0);
        }
        json.id("id", posted.id);
        json.number(
            "flags",
            fields.get("flags").and_then(Value::as_u64).unwrap_or(0),
        );
        list(json, "embeds");
        match posted.edited_ms {
            Some(at) => json.text("edited_timestamp", &iso8601(at)),
            None => json.null("edited_timestamp"),
        }
        json.text(
            "content",
            fields
                .get("content")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        );
        list(json, "components");
        json.id("channel_id", posted.channel);
        if is_event {
            json.number("channel_type", u64::from(posted.guild.is_none()));
        }
        self.write_author(json, posted);
        json.raw("attachments", posted.attachments.to_string().as_bytes());
    }

    /// The message that this one answers, if any.
    fn write_reference(&self, json: &mut Json, posted: &Posted) {
        if let Some(to) = posted
            .fields
            .get("message_reference")
            .and_then(|to| to.get("message_id"))
        {
            json.object("message_reference", |json| {
                json.number("type", 0);
                json.raw("message_id", to.to_string().as_bytes());
                json.id("channel_id", posted.channel);
                if let Some(guild) = posted.guild {
                    json.id("guild_id", self.catalog.guild_id(guild).0);
                }
            });
        }
    }

    fn write_author(&self, json: &mut Json, posted: &Posted) {
        match &posted.webhook {
            None => json.object("author", |json| self.catalog.write_bot_user(json)),
            Some((id, name)) => {
                json.id("webhook_id", *id);
                json.object("author", |json| {
                    json.id("id", *id);
                    json.text("username", name);
                    json.text("discriminator", "0000");
                    json.nulls(&["global_name", "avatar"]);
                    json.flag("bot", true);
                });
            }
        }
    }
}

/// What Discord would not post.
fn refuse(call: &Call<'_>) -> Option<Answer> {
    let content = call
        .body
        .get("content")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if content.chars().count() > LONGEST_CONTENT {
        let wrong = json!({ "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length." });
        let errors = json!({ "content": { "_errors": [wrong] } });
        let body = json!({ "message": "Invalid Form Body", "code": 50_035, "errors": errors });
        return Some((400, body.to_string().into_bytes()));
    }
    let has = |key: &str| match call.body.get(key) {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(_)) => true,
        _ => false,
    };
    let is_empty = content.is_empty()
        && call.files.is_empty()
        && ![
            "embeds",
            "components",
            "sticker_ids",
            "poll",
            "message_reference",
        ]
        .into_iter()
        .any(has);
    is_empty.then(|| error(400, 50_006, "Cannot send an empty message"))
}
