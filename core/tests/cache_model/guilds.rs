//! Guilds and channels.

use serde_json::Value;

use super::tree::{each, id, is_true, member, object, object_at, without};
use super::{Bad, Model, Object, Piece};

/// What GUILD_CREATE has that is not the guild itself.
const LISTS: [&str; 11] = [
    "roles",
    "emojis",
    "stickers",
    "channels",
    "threads",
    "members",
    "presences",
    "voice_states",
    "stage_instances",
    "guild_scheduled_events",
    "soundboard_sounds",
];

impl Model {
    pub(super) fn ready(&mut self, d: &Object) -> Piece {
        if let Ok(user) = object_at(d, "user")
            && let Ok(own) = id(user, "id")
        {
            self.own = own;
            self.replace(("user", 0, own), 0, 0, user.clone());
        }
        let guilds = member(d, "guilds").ok_or(Bad)?;
        let whole = each(Some(guilds), |guild| self.mark_unavailable(object(guild)?));
        let (index, total) = match member(d, "shard") {
            None => (0, 1),
            Some(shard) => {
                let number = |at: usize| shard.get(at).and_then(Value::as_u64).ok_or(Bad);
                if !shard.is_array() {
                    return Err(Bad);
                }
                (number(0)?, number(1)?)
            }
        };
        if index >= total {
            return Err(Bad);
        }
        if whole {
            let of_shard = |id: u64| (id >> 22) % total == index;
            let left: Vec<_> = self
                .records
                .keys()
                .copied()
                .filter(|key| key.0 == "guild" && of_shard(key.2) && !self.fresh.contains(key))
                .collect();
            for key in left {
                self.remove(key);
            }
        }
        Ok(())
    }

    fn mark_unavailable(&mut self, d: &Object) -> Piece {
        let guild = id(d, "id")?;
        self.merge(("guild", 0, guild), guild, 0, without(d, &LISTS));
        Ok(())
    }

    pub(super) fn guild_create(&mut self, d: &Object) -> Piece {
        if is_true(d, "unavailable") {
            return self.mark_unavailable(d);
        }
        let guild = id(d, "id")?;
        self.replace(("guild", 0, guild), guild, 0, without(d, &LISTS));
        let list = |name: &str| member(d, name);
        let mut whole = vec!["thread_member"];
        let mut note = |kind, is_whole: bool| whole.extend(is_whole.then_some(kind));
        note(
            "role",
            each(list("roles"), |d| self.role(guild, object(d)?)),
        );
        for (kind, name) in [
            ("emoji", "emojis"),
            ("sticker", "stickers"),
            ("soundboard_sound", "soundboard_sounds"),
        ] {
            note(
                kind,
                each(list(name), |d| self.expression(kind, guild, object(d)?)),
            );
        }
        note(
            "channel",
            each(list("channels"), |d| self.whole_channel(guild, object(d)?)),
        );
        note(
            "thread",
            each(list("threads"), |d| self.thread(guild, object(d)?)),
        );
        note(
            "member",
            each(list("members"), |d| self.member_replace(guild, object(d)?)),
        );
        note(
            "presence",
            each(list("presences"), |d| self.presence(guild, object(d)?)),
        );
        note(
            "voice_state",
            each(list("voice_states"), |d| {
                self.voice_state(guild, object(d)?)
            }),
        );
        note(
            "stage_instance",
            each(list("stage_instances"), |d| self.stage(guild, object(d)?)),
        );
        let events = list("guild_scheduled_events");
        note(
            "scheduled_event",
            each(events, |d| self.scheduled_event(guild, object(d)?)),
        );
        for kind in whole {
            self.only_fresh(kind, guild, |_| true);
        }
        Ok(())
    }

    pub(super) fn guild_update(&mut self, d: &Object) -> Piece {
        let guild = id(d, "id")?;
        let key = ("guild", 0, guild);
        let mut value = without(d, &LISTS);
        for kept in ["member_count", "joined_at", "large", "unavailable"] {
            let old = self.get(key).and_then(|old| old.get(kept));
            if let (Some(old), false) = (old, value.contains_key(kept)) {
                value.insert(kept.to_owned(), old.clone());
            }
        }
        self.replace(key, guild, 0, value);
        if let Some(roles) = member(d, "roles")
            && each(Some(roles), |d| self.role(guild, object(d)?))
        {
            self.only_fresh("role", guild, |_| true);
        }
        for (kind, name) in [("emoji", "emojis"), ("sticker", "stickers")] {
            if let Some(list) = member(d, name)
                && each(Some(list), |d| self.expression(kind, guild, object(d)?))
            {
                self.only_fresh(kind, guild, |_| true);
            }
        }
        Ok(())
    }

    pub(super) fn guild_delete(&mut self, d: &Object) -> Piece {
        if is_true(d, "unavailable") {
            return self.mark_unavailable(d);
        }
        self.remove(("guild", 0, id(d, "id")?));
        Ok(())
    }

    fn whole_channel(&mut self, guild: u64, d: &Object) -> Piece {
        let key = ("channel", guild, id(d, "id")?);
        self.replace(key, guild, 0, without(d, &["guild_id"]));
        Ok(())
    }

    /// CHANNEL_CREATE and CHANNEL_UPDATE.
    pub(super) fn channel(&mut self, event: &str, d: &Object) -> Piece {
        if member(d, "guild_id").is_none() {
            return Ok(());
        }
        let guild = id(d, "guild_id")?;
        let old = self.get(("channel", guild, id(d, "id")?)).cloned();
        self.whole_channel(guild, d)?;
        let is_obfuscated = d.get("flags").and_then(Value::as_u64).unwrap_or(0) >> 17 & 1 == 1;
        if event == "CHANNEL_CREATE" || is_obfuscated {
            return Ok(());
        }
        for kept in ["status", "voice_start_time"] {
            let old = old.as_ref().and_then(|old| old.get(kept)).cloned();
            if let (Some(old), false) = (old, d.contains_key(kept)) {
                self.set(("channel", guild, id(d, "id")?), kept, old);
            }
        }
        Ok(())
    }

    pub(super) fn channel_delete(&mut self, d: &Object) -> Piece {
        if member(d, "guild_id").is_none() {
            return Ok(());
        }
        self.gone(d, "channel", "id")
    }

    pub(super) fn channel_info(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        each(member(d, "channels"), |channel| {
            let channel = object(channel)?;
            let key = ("channel", guild, id(channel, "id")?);
            for field in ["status", "voice_start_time"] {
                if let Some(value) = channel.get(field) {
                    self.set(key, field, value.clone());
                }
            }
            Ok(())
        });
        Ok(())
    }

    pub(super) fn channel_member(&mut self, d: &Object, field: &str) -> Piece {
        let key = ("channel", id(d, "guild_id")?, id(d, "id")?);
        let value = d.get(field).cloned().unwrap_or(Value::Null);
        self.set(key, field, value);
        Ok(())
    }

    pub(super) fn pins(&mut self, d: &Object) -> Piece {
        let channel = id(d, "channel_id")?;
        if member(d, "guild_id").is_none() {
            return Ok(());
        }
        let guild = id(d, "guild_id")?;
        let value = d.get("last_pin_timestamp").cloned().unwrap_or(Value::Null);
        self.set(
            ("channel", guild, channel),
            "last_pin_timestamp",
            value.clone(),
        );
        self.set(("thread", guild, channel), "last_pin_timestamp", value);
        Ok(())
    }
}
