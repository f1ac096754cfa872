//! Messages and what is about them.

use serde_json::{Value, json};
use shardkeep_core::wire::EventKind;

use super::{World, flake, guild_id};

impl World {
    fn emoji_used(&mut self) -> Value {
        match self.below(5) {
            0 => json!({"id": null, "name": "🔥"}),
            1 => json!({"name": "🔥"}),
            2 => json!({"id": null, "name": "a"}),
            _ => json!({"id": self.id(5, 2), "name": "lul"}),
        }
    }

    fn reaction(&mut self) -> Value {
        let (burst, normal) = (self.below(2), self.below(3));
        json!({
            "emoji": self.emoji_used(), "count": burst + normal, "count_details": {"burst": burst, "normal": normal},
            "me": self.one_in(3), "me_burst": false, "burst_colors": [],
        })
    }

    fn message_id(&mut self) -> Value {
        let latest = self.messages;
        let back = self.below(6);
        flake(10, latest.saturating_sub(back)).to_string().into()
    }

    fn message(&mut self, guild: Option<u64>) -> Value {
        let channel = guild.map_or_else(
            || flake(1, 39).to_string().into(),
            |guild| self.place_of(guild),
        );
        let mut message = json!({
            "id": self.message_id(), "channel_id": channel, "author": self.user(), "content": self.text(),
            "tts": self.one_in(2), "mentions": self.list(2, Self::user), "type": 0,
        });
        if let Some(guild) = guild {
            message["guild_id"] = guild_id(guild).to_string().into();
            if !self.one_in(4) {
                message["member"] = self.part_of_member();
            }
        }
        if self.one_in(6) {
            message["webhook_id"] = self.id(11, 2);
            message.as_object_mut().unwrap().remove("member");
        }
        if self.one_in(3) {
            message["reactions"] = self.list(3, Self::reaction);
        }
        if self.one_in(4) {
            let count = |world: &mut Self| {
                let id = 1 + world.below(2);
                json!({"id": id, "count": world.below(3), "me_voted": world.one_in(2)})
            };
            message["poll"] = json!({"question": {"text": self.text()}});
            if !self.one_in(3) {
                message["poll"]["results"] =
                    json!({"is_finalized": false, "answer_counts": self.list(2, count)});
            }
        }
        self.with(
            message,
            &[
                "embeds",
                "nonce",
                "channel_type",
                "flags",
                "edited_timestamp",
            ],
        )
    }

    /// A guild, or none for a direct message.
    fn somewhere(&mut self) -> Option<u64> {
        if self.one_in(10) {
            None
        } else {
            Some(self.guild())
        }
    }

    /// `{channel_id, message_id, guild_id?}` and what `more` has.
    fn about_message(&mut self, more: Value) -> Value {
        let guild = self.guild();
        let mut about = json!({
            "channel_id": self.place_of(guild), "message_id": self.message_id(),
            "guild_id": guild_id(guild).to_string(),
        });
        about
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        about
    }

    pub(super) fn of_message(&mut self, event: EventKind) -> Value {
        use EventKind as E;
        match event {
            E::MessageCreate => {
                self.messages += self.below(2);
                let at = self.somewhere();
                self.message(at)
            }
            E::MessageUpdate => {
                let at = self.somewhere();
                let mut message = self.message(at);
                if self.one_in(2) {
                    for name in ["author", "content", "mentions"] {
                        message.as_object_mut().unwrap().remove(name);
                    }
                }
                message
            }
            E::MessageDelete => {
                let guild = self.guild();
                json!({"id": self.message_id(), "channel_id": self.place_of(guild)})
            }
            E::MessageDeleteBulk => {
                let guild = self.guild();
                json!({"ids": self.list(4, Self::message_id), "channel_id": self.place_of(guild)})
            }
            E::MessageReactionAdd => {
                let member = self.member();
                let more = json!({
                    "user_id": member["user"]["id"], "member": member, "emoji": self.emoji_used(),
                    "burst": self.one_in(3), "burst_colors": ["#fff"],
                });
                self.about_message(more)
            }
            E::MessageReactionRemove => {
                let more = json!({
                    "user_id": self.user_id(), "emoji": self.emoji_used(), "burst": self.one_in(3),
                });
                self.about_message(more)
            }
            E::MessageReactionRemoveAll => self.about_message(json!({})),
            E::MessageReactionRemoveEmoji => {
                let more = json!({"emoji": self.emoji_used()});
                self.about_message(more)
            }
            _ => {
                let more = json!({"user_id": self.user_id(), "answer_id": 1 + self.below(3)});
                self.about_message(more)
            }
        }
    }
}
