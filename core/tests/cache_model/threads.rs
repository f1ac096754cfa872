//! Threads.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tree::{each, id, id_or_zero, is_true, member, object, to_id, without};
use super::{Bad, Model, Object, Piece};

impl Model {
    pub(super) fn thread(&mut self, guild: u64, d: &Object) -> Piece {
        let thread = id(d, "id")?;
        let parent = id_or_zero(d, "parent_id")?;
        let key = ("thread", guild, thread);
        let metadata = member(d, "thread_metadata").and_then(Value::as_object);
        if metadata.is_some_and(|metadata| is_true(metadata, "archived")) {
            self.remove(key);
            return Ok(());
        }
        let value = without(d, &["guild_id", "member", "newly_created"]);
        self.replace(key, guild, parent, value);
        if let Some(own) = member(d, "member").and_then(Value::as_object) {
            let _ = self.thread_member(guild, thread, own);
        }
        Ok(())
    }

    pub(super) fn thread_member(&mut self, guild: u64, thread: u64, d: &Object) -> Piece {
        let user = match id_or_zero(d, "user_id")? {
            0 => self.own,
            user => user,
        };
        if user != 0 {
            let value = without(d, &["guild_id", "member", "presence"]);
            self.replace(("thread_member", thread, user), guild, thread, value);
        }
        Ok(())
    }

    pub(super) fn thread_create(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        self.thread(guild, d)?;
        if is_true(d, "newly_created") && member(d, "parent_id").is_some() {
            let parent = ("channel", guild, id(d, "parent_id")?);
            let kind = self.get(parent).and_then(|parent| parent.get("type"));
            if let Some(15 | 16) = kind.and_then(Value::as_u64) {
                self.set(parent, "last_message_id", d["id"].clone());
            }
        }
        Ok(())
    }

    pub(super) fn thread_delete(&mut self, d: &Object) -> Piece {
        self.gone(d, "thread", "id")
    }

    pub(super) fn thread_list_sync(&mut self, d: &Object) -> Piece {
        let guild = id(d, "guild_id")?;
        let threads = member(d, "threads").ok_or(Bad)?;
        let mut whole = each(Some(threads), |d| self.thread(guild, object(d)?));
        each(member(d, "members"), |d| {
            let d = object(d)?;
            self.thread_member(guild, id(d, "id")?, d)
        });
        let mut parents = BTreeSet::new();
        let listed = member(d, "channel_ids");
        whole &= each(listed, |parent| {
            parents.insert(to_id(parent)?);
            Ok(())
        });
        if whole {
            let is_meant = |under| listed.is_none() || parents.contains(&under);
            self.only_fresh("thread", guild, |record| is_meant(record.under));
        }
        Ok(())
    }

    pub(super) fn thread_members_update(&mut self, d: &Object) -> Piece {
        let (thread, guild) = (id(d, "id")?, id(d, "guild_id")?);
        let key = ("thread", guild, thread);
        if let Some(count) = member(d, "member_count") {
            self.set(key, "member_count", count.clone());
        }
        each(member(d, "added_members"), |d| {
            let d = object(d)?;
            self.thread_member(guild, thread, d)?;
            if let Some(who) = member(d, "member").and_then(Value::as_object) {
                let _ = self.member_merge(guild, who);
            }
            if let Some(presence) = member(d, "presence").and_then(Value::as_object) {
                let _ = self.presence(guild, presence);
            }
            Ok(())
        });
        each(member(d, "removed_member_ids"), |user| {
            let user = to_id(user)?;
            self.remove(("thread_member", thread, user));
            let kind = self.get(key).and_then(|thread| thread.get("type"));
            if user == self.own && kind.and_then(Value::as_u64) == Some(12) {
                self.remove(key);
            }
            Ok(())
        });
        Ok(())
    }
}
