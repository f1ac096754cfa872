//! Which reading each event gets, and the events of roles, expressions, stages and calendars.

use serde_json::Value;

use super::tree::{each, id, id_or_zero, member, object, object_at, to_id, without};
use super::{Bad, Model, Object, Piece};

impl Model {
    pub(super) fn read(&mut self, event: &str, d: &Value) -> Piece {
        let d = object(d)?;
        match event {
            "READY" => self.ready(d),
            "GUILD_CREATE" => self.guild_create(d),
            "GUILD_UPDATE" => self.guild_update(d),
            "GUILD_DELETE" => self.guild_delete(d),
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" => self.channel(event, d),
            "CHANNEL_DELETE" => self.channel_delete(d),
            "CHANNEL_INFO" => self.channel_info(d),
            "CHANNEL_PINS_UPDATE" => self.pins(d),
            "VOICE_CHANNEL_STATUS_UPDATE" => self.channel_member(d, "status"),
            "VOICE_CHANNEL_START_TIME_UPDATE" => self.channel_member(d, "voice_start_time"),
            "THREAD_CREATE" => self.thread_create(d),
            "THREAD_UPDATE" => self.thread(id(d, "guild_id")?, d),
            "THREAD_DELETE" => self.thread_delete(d),
            "THREAD_LIST_SYNC" => self.thread_list_sync(d),
            "THREAD_MEMBER_UPDATE" => {
                let thread = id(d, "id");
                self.thread_member(id(d, "guild_id")?, thread?, d)
            }
            "THREAD_MEMBERS_UPDATE" => self.thread_members_update(d),
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => {
                self.role(id(d, "guild_id")?, object_at(d, "role")?)
            }
            "GUILD_ROLE_DELETE" => self.gone(d, "role", "role_id"),
            "GUILD_EMOJIS_UPDATE" => self.list(d, "emoji", "emojis", true),
            "GUILD_STICKERS_UPDATE" => self.list(d, "sticker", "stickers", true),
            "GUILD_SOUNDBOARD_SOUND_CREATE" | "GUILD_SOUNDBOARD_SOUND_UPDATE" => {
                self.expression("soundboard_sound", id(d, "guild_id")?, d)
            }
            "GUILD_SOUNDBOARD_SOUND_DELETE" => self.gone(d, "soundboard_sound", "sound_id"),
            "GUILD_SOUNDBOARD_SOUNDS_UPDATE" => {
                self.list(d, "soundboard_sound", "soundboard_sounds", false)
            }
            "SOUNDBOARD_SOUNDS" => self.list(d, "soundboard_sound", "soundboard_sounds", true),
            "GUILD_MEMBER_ADD" => self.member_add(d),
            "GUILD_MEMBER_UPDATE" => self.member_merge(id(d, "guild_id")?, d),
            "GUILD_MEMBER_REMOVE" => self.member_remove(d),
            "GUILD_MEMBERS_CHUNK" => self.chunk(d),
            "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => self.user_if_known(object_at(d, "user")?),
            "TYPING_START" => self.who_acts(d),
            "USER_UPDATE" => {
                let key = ("user", 0, id(d, "id")?);
                self.replace(key, 0, 0, d.clone());
                Ok(())
            }
            "PRESENCE_UPDATE" => self.presence(id(d, "guild_id")?, d),
            "VOICE_STATE_UPDATE" if member(d, "guild_id").is_none() => Ok(()),
            "VOICE_STATE_UPDATE" => self.voice_state(id(d, "guild_id")?, d),
            "STAGE_INSTANCE_CREATE" | "STAGE_INSTANCE_UPDATE" => self.stage(id(d, "guild_id")?, d),
            "STAGE_INSTANCE_DELETE" => self.gone(d, "stage_instance", "id"),
            "GUILD_SCHEDULED_EVENT_CREATE" => self.scheduled_event(id(d, "guild_id")?, d),
            "GUILD_SCHEDULED_EVENT_UPDATE" => self.scheduled_event_update(d),
            "GUILD_SCHEDULED_EVENT_DELETE" => self.gone(d, "scheduled_event", "id"),
            "GUILD_SCHEDULED_EVENT_USER_ADD" => self.interest(d, 1),
            "GUILD_SCHEDULED_EVENT_USER_REMOVE" => self.interest(d, -1),
            "INTERACTION_CREATE" => self.interaction(d),
            _ if event.starts_with("MESSAGE_") => self.read_message(event, d),
            _ => Ok(()),
        }
    }

    /// Something of a guild is deleted.
    pub(super) fn gone(&mut self, d: &Object, kind: &'static str, field: &str) -> Piece {
        let guild = id(d, "guild_id")?;
        self.remove((kind, guild, id(d, field)?));
        Ok(())
    }

    pub(super) fn role(&mut self, guild: u64, d: &Object) -> Piece {
        self.replace(("role", guild, id(d, "id")?), guild, 0, d.clone());
        Ok(())
    }

    pub(super) fn expression(&mut self, kind: &'static str, guild: u64, d: &Object) -> Piece {
        let own_id = if kind == "soundboard_sound" {
            "sound_id"
        } else {
            "id"
        };
        let key = (kind, guild, id(d, own_id)?);
        self.replace(key, guild, 0, without(d, &["guild_id"]));
        Ok(())
    }

    /// A list of a guild's expressions, which is all of them or not.
    fn list(&mut self, d: &Object, kind: &'static str, name: &str, is_all: bool) -> Piece {
        let guild = id(d, "guild_id")?;
        let list = member(d, name).ok_or(Bad)?;
        let whole = each(Some(list), |d| self.expression(kind, guild, object(d)?));
        if whole && is_all {
            self.only_fresh(kind, guild, |_| true);
        }
        Ok(())
    }

    pub(super) fn stage(&mut self, guild: u64, d: &Object) -> Piece {
        let key = ("stage_instance", guild, id(d, "id")?);
        let channel = id_or_zero(d, "channel_id")?;
        self.replace(key, guild, channel, without(d, &["guild_id"]));
        Ok(())
    }

    pub(super) fn scheduled_event(&mut self, guild: u64, d: &Object) -> Piece {
        let key = ("scheduled_event", guild, id(d, "id")?);
        let channel = id_or_zero(d, "channel_id")?;
        self.replace(key, guild, channel, without(d, &["guild_id"]));
        Ok(())
    }

    fn scheduled_event_update(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        let key = ("scheduled_event", guild, id(d, "id")?);
        let old = self.get(key).and_then(|old| old.get("user_count")).cloned();
        self.scheduled_event(guild, d)?;
        if let (Some(old), false) = (old, d.contains_key("user_count")) {
            self.set(key, "user_count", old);
        }
        Ok(())
    }

    fn interest(&mut self, d: &Object, by: i64) -> Piece {
        let guild = id(d, "guild_id")?;
        let event = id(d, "guild_scheduled_event_id")?;
        self.count(("scheduled_event", guild, event), "user_count", by);
        Ok(())
    }

    fn interaction(&mut self, d: &Object) -> Piece {
        let resolved = member(d, "data")
            .and_then(Value::as_object)
            .and_then(|data| member(data, "resolved"))
            .and_then(Value::as_object);
        let entries = |name: &str| {
            let entries = resolved.and_then(|all| member(all, name));
            entries
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        if let Some(user) = member(d, "user").and_then(Value::as_object) {
            let _ = self.user_if_known(user);
        }
        for user in entries("users").values().filter_map(Value::as_object) {
            let _ = self.user_if_known(user);
        }
        if member(d, "guild_id").is_none() {
            return Ok(());
        }
        let guild = id(d, "guild_id")?;
        let owners = object_at(d, "authorizing_integration_owners");
        let is_installed = owners.is_ok_and(|owners| id(owners, "0").is_ok_and(|id| id == guild));
        if let Some(who) = member(d, "member").and_then(Value::as_object) {
            let _ = if is_installed {
                self.member_merge(guild, who)
            } else {
                self.member_if_known(guild, who)
            };
        }
        for (user, part) in &entries("members") {
            let user = to_id(&Value::from(user.as_str()));
            if let (Ok(user), Some(part)) = (user, part.as_object()) {
                self.member_part_if_known(guild, user, part);
            }
        }
        for (role, value) in &entries("roles") {
            let role = to_id(&Value::from(role.as_str()));
            if let (Ok(role), Some(value)) = (role, value.as_object()) {
                self.merge_known(("role", guild, role), value.clone());
            }
        }
        Ok(())
    }
}
