//! Messages, their reactions and the votes in their polls.

use super::change::{Change, Mode, React, Reaction, Step, Vote, Why};
use super::emit::{Emit, Walk, id, id_or_none, is_true, object};
use super::fields::Fields;
use super::{channel, member};
use crate::cache::Key;
use crate::wire::json::{self, Malformed};

/// MESSAGE_CREATE: the message, its author, the author as a member, and the channel's last message.
pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [message] = json::present(d, ["id"])?;
    let (guild, channel) = put(emit, d, Mode::Replace, Mode::Merge)?;
    if let (Some(message), true) = (message, guild.0 != 0) {
        channel::in_channel_or_thread(emit, guild, channel, "last_message_id", message);
    }
    Ok(())
}

/// MESSAGE_UPDATE may be a part of the message, and comes for messages of any age: it creates nothing. Its `tts` is
/// always false, whatever the message was.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    put(emit, d, Mode::MergeKnown, Mode::MergeKnown).map(drop)
}

type Place = (crate::id::Snowflake, crate::id::Snowflake);

/// A webhook's author is no user, and stays in the message.
fn put<'a>(
    emit: &mut Emit<'_, 'a>,
    d: &'a [u8],
    mode: Mode,
    author_mode: Mode,
) -> Result<Place, Malformed> {
    let [message, channel, guild, author, webhook, as_member] = json::present(
        d,
        [
            "id",
            "channel_id",
            "guild_id",
            "author",
            "webhook_id",
            "member",
        ],
    )?;
    let (message, channel, guild) = (id(message)?, id(channel)?, id_or_none(guild)?);
    let omit: &[&str] = match mode {
        Mode::MergeKnown => &["member", "channel_type", "tts"],
        _ => &["member", "channel_type"],
    };
    let mut fields = Fields::without(d, omit);
    if let (Some(author), None) = (author, webhook) {
        let user = member::user_id(author)?;
        member::put_user(emit, user, author, member::whole_or_known(author_mode));
        if let (Some(as_member), true) = (as_member, guild.0 != 0) {
            emit.piece(|emit| member::beside(emit, guild, as_member, user, author_mode));
        }
        fields = fields.referring("author", user);
    }
    emit.put(
        Key::message(channel, message),
        (guild, channel),
        mode,
        fields,
    );
    Ok((guild, channel))
}

pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [message, channel] = json::present(d, ["id", "channel_id"])?;
    emit.remove(Key::message(id(channel)?, id(message)?), Why::Deleted);
    Ok(())
}

pub(super) fn delete_bulk<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [messages, channel] = json::present(d, ["ids", "channel_id"])?;
    let channel = id(channel)?;
    emit.each(messages, |emit, message| {
        emit.remove(Key::message(channel, id(Some(message))?), Why::Deleted);
        Ok(())
    });
    Ok(())
}

fn key(d: &[u8]) -> Result<Key, Malformed> {
    let [message, channel] = json::present(d, ["message_id", "channel_id"])?;
    Ok(Key::message(id(channel)?, id(message)?))
}

/// An emoji must have an id or a name.
fn emoji(raw: Option<&[u8]>) -> Result<&[u8], Malformed> {
    let raw = object(raw.ok_or(Malformed)?)?;
    match json::present(raw, ["id", "name"])? {
        [None, None] => Err(Malformed),
        [None, Some(name)] => json::string(name).ok_or(Malformed).map(|_| raw),
        [found, _] => id(found).map(|_| raw),
    }
}

/// MESSAGE_REACTION_ADD brings along the member who reacts.
pub(super) fn reaction_add<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let key = key(d)?;
    let [user, raw, burst, colors, guild, as_member] = json::present(
        d,
        [
            "user_id",
            "emoji",
            "burst",
            "burst_colors",
            "guild_id",
            "member",
        ],
    )?;
    let (user, emoji) = (id(user)?, emoji(raw)?);
    emit.piece(|emit| member::acting(emit, guild, as_member));
    let reaction = Reaction::Add {
        emoji,
        own: user == emit.own,
        burst: is_true(burst),
        colors: colors.unwrap_or_default(),
    };
    emit.step(Change::React(React { key, reaction }));
    Ok(())
}

pub(super) fn reaction_remove<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let key = key(d)?;
    let [user, raw, burst] = json::present(d, ["user_id", "emoji", "burst"])?;
    let (user, emoji) = (id(user)?, emoji(raw)?);
    let reaction = Reaction::Remove {
        emoji,
        own: user == emit.own,
        burst: is_true(burst),
    };
    emit.step(Change::React(React { key, reaction }));
    Ok(())
}

pub(super) fn reaction_remove_all(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let reaction = Reaction::RemoveAll;
    emit.step(Change::React(React {
        key: key(d)?,
        reaction,
    }));
    Ok(())
}

pub(super) fn reaction_remove_emoji<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [raw] = json::present(d, ["emoji"])?;
    let reaction = Reaction::RemoveEmoji { emoji: emoji(raw)? };
    emit.step(Change::React(React {
        key: key(d)?,
        reaction,
    }));
    Ok(())
}

/// MESSAGE_POLL_VOTE_ADD and MESSAGE_POLL_VOTE_REMOVE: one for each answer.
pub(super) fn vote(emit: &mut Emit<'_, '_>, d: &[u8], step: Step) -> Walk {
    let [user, answer] = json::present(d, ["user_id", "answer_id"])?;
    let vote = Vote {
        key: key(d)?,
        answer: answer.and_then(json::unsigned).ok_or(Malformed)?,
        own: id(user)? == emit.own,
        step,
    };
    emit.step(Change::Vote(vote));
    Ok(())
}
