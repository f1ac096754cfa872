//! Messages, reactions and votes.

use serde_json::{Value, json};

use super::tree::{
    each, id, id_or_zero, is_true, member, object, object_at, reference, to_id, without,
};
use super::{Bad, Key, Model, Object, Piece};

/// The user that a kept message refers to.
pub(super) fn author(message: &Object) -> Option<u64> {
    let author = message.get("author")?.as_object()?;
    if author.len() == 1 {
        to_id(author.get("id")?).ok()
    } else {
        None
    }
}

/// What tells an emoji from others.
fn emoji_of(emoji: &Object) -> Option<Value> {
    let name = member(emoji, "name").filter(|name| name.is_string());
    match member(emoji, "id").map(to_id) {
        Some(Ok(id)) => Some(id.into()),
        _ => name.cloned(),
    }
}

/// An emoji in an event must have an id, or a name.
fn event_emoji(d: &Object) -> Piece<(&Object, Value)> {
    let emoji = object_at(d, "emoji")?;
    if let Some(id) = member(emoji, "id") {
        to_id(id)?;
    }
    Ok((emoji, emoji_of(emoji).ok_or(Bad)?))
}

fn of_message(d: &Object) -> Piece<Key> {
    Ok(("message", id(d, "channel_id")?, id(d, "message_id")?))
}

impl Model {
    pub(super) fn read_message(&mut self, event: &str, d: &Object) -> Piece {
        match event {
            "MESSAGE_CREATE" => self.message_create(d),
            "MESSAGE_UPDATE" => self.message_update(d),
            "MESSAGE_DELETE" => {
                self.remove(("message", id(d, "channel_id")?, id(d, "id")?));
                Ok(())
            }
            "MESSAGE_DELETE_BULK" => {
                let channel = id(d, "channel_id")?;
                each(member(d, "ids"), |message| {
                    self.remove(("message", channel, to_id(message)?));
                    Ok(())
                });
                Ok(())
            }
            "MESSAGE_REACTION_ADD" => self.reaction_add(d),
            "MESSAGE_REACTION_REMOVE" => self.reaction_remove(d),
            "MESSAGE_REACTION_REMOVE_ALL" => {
                let key = of_message(d)?;
                self.react(key, |list| {
                    list.clear();
                    Some(())
                });
                Ok(())
            }
            "MESSAGE_REACTION_REMOVE_EMOJI" => {
                let (_, wanted) = event_emoji(d)?;
                let key = of_message(d)?;
                self.react(key, |list| {
                    let at = find(list, &wanted)??;
                    list.remove(at);
                    Some(())
                });
                Ok(())
            }
            "MESSAGE_POLL_VOTE_ADD" => self.vote(d, true),
            "MESSAGE_POLL_VOTE_REMOVE" => self.vote(d, false),
            _ => Ok(()),
        }
    }

    fn message_create(&mut self, d: &Object) -> Piece {
        let key = ("message", id(d, "channel_id")?, id(d, "id")?);
        let guild = id_or_zero(d, "guild_id")?;
        let mut value = without(d, &["member", "channel_type"]);
        if let (Some(author), None) = (member(d, "author"), member(d, "webhook_id")) {
            let author = object(author)?;
            let user = id(author, "id")?;
            self.user(user, author);
            let part = member(d, "member").and_then(Value::as_object);
            if let (Some(part), true) = (part, guild != 0) {
                self.member_part(guild, user, part);
            }
            value.insert("author".to_owned(), reference(user));
        }
        self.replace(key, guild, key.1, value);
        if guild != 0 {
            for kind in ["channel", "thread"] {
                self.set((kind, guild, key.1), "last_message_id", d["id"].clone());
            }
        }
        Ok(())
    }

    fn message_update(&mut self, d: &Object) -> Piece {
        let key = ("message", id(d, "channel_id")?, id(d, "id")?);
        let guild = id_or_zero(d, "guild_id")?;
        let mut value = without(d, &["member", "channel_type", "tts"]);
        if let (Some(author), None) = (member(d, "author"), member(d, "webhook_id")) {
            let author = object(author)?;
            let user = id(author, "id")?;
            self.user_if_known(author)?;
            let part = member(d, "member").and_then(Value::as_object);
            if let (Some(part), true) = (part, guild != 0) {
                self.member_part_if_known(guild, user, part);
            }
            value.insert("author".to_owned(), reference(user));
        }
        self.merge_known(key, value);
        Ok(())
    }

    /// Changes the list of reactions, which is not there when it is empty. `None` leaves it as it was.
    fn react(&mut self, key: Key, change: impl FnOnce(&mut Vec<Value>) -> Option<()>) {
        let Some(record) = self.records.get_mut(&key) else {
            return;
        };
        let mut list = match member(&record.value, "reactions") {
            None => Vec::new(),
            Some(Value::Array(list)) => list.clone(),
            Some(_) => return,
        };
        let before = list.clone();
        if change(&mut list).is_none() || list == before {
            return;
        }
        if list.is_empty() {
            record.value.remove("reactions");
        } else {
            record.value.insert("reactions".to_owned(), list.into());
        }
    }

    fn reaction_add(&mut self, d: &Object) -> Piece {
        let key = of_message(d)?;
        let user = id(d, "user_id")?;
        let (emoji, wanted) = event_emoji(d)?;
        let _ = self.who_acts(d);
        let (is_own, is_burst) = (user == self.own, is_true(d, "burst"));
        let colors = member(d, "burst_colors")
            .cloned()
            .unwrap_or_else(|| json!([]));
        let (me, detail) = names(is_burst);
        self.react(key, |list| {
            let Some(at) = find(list, &wanted)? else {
                list.push(json!({
                    "emoji": emoji, "count": 1, "burst_colors": colors,
                    "count_details": {"burst": u8::from(is_burst), "normal": u8::from(!is_burst)},
                    "me": is_own && !is_burst, "me_burst": is_own && is_burst,
                }));
                return Some(());
            };
            let entry = list[at].as_object_mut()?;
            if is_own && is_true(entry, me) {
                return None;
            }
            bump(entry, detail, 1);
            if is_own {
                entry.insert(me.to_owned(), true.into());
            }
            Some(())
        });
        Ok(())
    }

    fn reaction_remove(&mut self, d: &Object) -> Piece {
        let key = of_message(d)?;
        let user = id(d, "user_id")?;
        let (_, wanted) = event_emoji(d)?;
        let is_own = user == self.own;
        let (me, detail) = names(is_true(d, "burst"));
        self.react(key, |list| {
            let at = find(list, &wanted)??;
            let entry = list[at].as_object_mut()?;
            if is_own && entry.get(me) == Some(&Value::Bool(false)) {
                return None;
            }
            bump(entry, detail, -1);
            if is_own {
                entry.insert(me.to_owned(), false.into());
            }
            if entry.get("count").and_then(Value::as_u64) == Some(0) {
                list.remove(at);
            }
            Some(())
        });
        Ok(())
    }

    fn vote(&mut self, d: &Object, given: bool) -> Piece {
        let key = of_message(d)?;
        let is_own = id(d, "user_id")? == self.own;
        let answer = member(d, "answer_id").and_then(Value::as_u64).ok_or(Bad)?;
        let Some(record) = self.records.get_mut(&key) else {
            return Ok(());
        };
        let results = record
            .value
            .get_mut("poll")
            .and_then(|poll| poll.get_mut("results"))
            .and_then(Value::as_object_mut)
            .ok_or(Bad)?;
        let mut counts = match member(results, "answer_counts") {
            None => Vec::new(),
            Some(counts) => counts.as_array().ok_or(Bad)?.clone(),
        };
        let is_meant = |entry: &Value| entry.get("id").and_then(Value::as_u64) == Some(answer);
        match counts.iter_mut().find(|entry| is_meant(entry)) {
            None if !given => return Ok(()),
            None => counts.push(json!({"id": answer, "count": 1, "me_voted": is_own})),
            Some(entry) => {
                let count = entry.get("count").and_then(Value::as_u64).ok_or(Bad)?;
                if is_own && entry.get("me_voted") == Some(&Value::Bool(given)) {
                    return Ok(());
                }
                entry["count"] = count
                    .saturating_add_signed(if given { 1 } else { -1 })
                    .into();
                if is_own {
                    entry["me_voted"] = given.into();
                }
            }
        }
        results.insert("answer_counts".to_owned(), counts.into());
        Ok(())
    }
}

const fn names(is_burst: bool) -> (&'static str, &'static str) {
    if is_burst {
        ("me_burst", "burst")
    } else {
        ("me", "normal")
    }
}

/// Where the entry of an emoji is; `None` if the list is not what it should be.
fn find(list: &[Value], wanted: &Value) -> Option<Option<usize>> {
    for (at, entry) in list.iter().enumerate() {
        let entry = entry.as_object()?;
        if let Some(emoji) = member(entry, "emoji")
            && emoji_of(emoji.as_object()?).as_ref() == Some(wanted)
        {
            return Some(Some(at));
        }
    }
    Some(None)
}

fn bump(entry: &mut Object, detail: &str, by: i64) {
    let add = |count: Option<&mut Value>| {
        if let Some(count) = count
            && let Some(number) = count.as_u64()
        {
            *count = number.saturating_add_signed(by).into();
        }
    };
    add(entry.get_mut("count"));
    add(entry
        .get_mut("count_details")
        .and_then(|details| details.get_mut(detail)));
}
