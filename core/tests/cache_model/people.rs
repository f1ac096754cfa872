//! Members, users, presences and voice states.

use serde_json::Value;

use super::tree::{each, id, member, object, object_at, reference, to_id, without};
use super::{Bad, Model, Object, Piece};

/// A member as it is kept: its user is a reference, its guild is in the key.
fn kept(d: &Object, user: u64) -> Object {
    let mut value = without(d, &["guild_id", "permissions"]);
    value.insert("user".to_owned(), reference(user));
    value
}

impl Model {
    /// The user in a member, or in something like it.
    fn user_of(d: &Object) -> Piece<(u64, &Object)> {
        let user = object_at(d, "user")?;
        Ok((id(user, "id")?, user))
    }

    /// A whole user; but of itself, the bot knows more than others are told.
    pub(super) fn user(&mut self, user: u64, d: &Object) {
        if user == self.own {
            self.merge(("user", 0, user), 0, 0, d.clone());
        } else {
            self.replace(("user", 0, user), 0, 0, d.clone());
        }
    }

    pub(super) fn user_if_known(&mut self, d: &Object) -> Piece {
        self.merge_known(("user", 0, id(d, "id")?), d.clone());
        Ok(())
    }

    pub(super) fn member_replace(&mut self, guild: u64, d: &Object) -> Piece {
        let (user, object) = Self::user_of(d)?;
        self.user(user, object);
        self.replace(("member", guild, user), guild, 0, kept(d, user));
        Ok(())
    }

    pub(super) fn member_merge(&mut self, guild: u64, d: &Object) -> Piece {
        let (user, object) = Self::user_of(d)?;
        self.user(user, object);
        self.member_part(guild, user, d);
        Ok(())
    }

    /// A member that came without its user.
    pub(super) fn member_part(&mut self, guild: u64, user: u64, d: &Object) {
        self.merge(("member", guild, user), guild, 0, kept(d, user));
    }

    pub(super) fn member_part_if_known(&mut self, guild: u64, user: u64, d: &Object) {
        self.merge_known(("member", guild, user), kept(d, user));
    }

    pub(super) fn member_if_known(&mut self, guild: u64, d: &Object) -> Piece {
        let (user, object) = Self::user_of(d)?;
        self.user_if_known(object)?;
        self.member_part_if_known(guild, user, d);
        Ok(())
    }

    pub(super) fn member_add(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        let (user, _) = Self::user_of(d)?;
        if !self.knows(("member", guild, user)) {
            self.count(("guild", 0, guild), "member_count", 1);
        }
        self.member_replace(guild, d)
    }

    pub(super) fn member_remove(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        let (user, object) = Self::user_of(d)?;
        self.user_if_known(object)?;
        self.count(("guild", 0, guild), "member_count", -1);
        for kind in ["member", "presence", "voice_state"] {
            self.records.remove(&(kind, guild, user));
        }
        self.records.retain(|key, record| {
            !(key.0 == "thread_member" && key.2 == user && record.guild == guild)
        });
        Ok(())
    }

    pub(super) fn chunk(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        each(member(d, "members"), |d| {
            self.member_replace(guild, object(d)?)
        });
        each(member(d, "presences"), |d| self.presence(guild, object(d)?));
        Ok(())
    }

    /// TYPING_START and MESSAGE_REACTION_ADD.
    pub(super) fn who_acts(&mut self, d: &Object) -> Piece {
        match (member(d, "guild_id"), member(d, "member")) {
            (Some(guild), Some(who)) => self.member_merge(to_id(guild)?, object(who)?),
            _ => Ok(()),
        }
    }

    pub(super) fn presence(&mut self, guild: u64, d: &Object) -> Piece {
        let (user, object) = Self::user_of(d)?;
        self.user_if_known(object)?;
        let key = ("presence", guild, user);
        if d.get("status") == Some(&Value::from("offline")) {
            self.remove(key);
        } else {
            self.replace(key, guild, 0, without(d, &["user", "guild_id"]));
        }
        Ok(())
    }

    pub(super) fn voice_state(&mut self, guild: u64, d: &Object) -> Piece {
        let user = id(d, "user_id")?;
        let key = ("voice_state", guild, user);
        let who = member(d, "member").and_then(Value::as_object);
        match d.get("channel_id").ok_or(Bad)? {
            Value::Null => {
                if let Some(who) = who {
                    let _ = self.member_if_known(guild, who);
                }
                self.remove(key);
            }
            channel => {
                let channel = to_id(channel)?;
                if let Some(who) = who {
                    let _ = self.member_merge(guild, who);
                }
                self.replace(key, guild, channel, without(d, &["guild_id", "member"]));
            }
        }
        Ok(())
    }
}
