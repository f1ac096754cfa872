//! Threads and who is in them.

use super::change::{Change, Mode, Remove, Set, Sweep, Types, Why};
use super::emit::{Emit, Walk, id, id_or_none, is_true};
use super::fields::Fields;
use super::{member, presence};
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// A thread. An archived one is no longer kept up to date, so it goes: it may still exist.
pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    let [thread, parent, metadata, joined] =
        json::present(d, ["id", "parent_id", "thread_metadata", "member"])?;
    let (thread, parent) = (id(thread)?, id_or_none(parent)?);
    let key = Key::new(Kind::Thread, guild, thread);
    if is_true(metadata.and_then(|metadata| json::field(metadata, "archived"))) {
        emit.remove(key, Why::Forgotten);
        return Ok(());
    }
    let fields = Fields::without(d, &["guild_id", "member", "newly_created"]);
    emit.put(key, (guild, parent), Mode::Replace, fields);
    if let Some(joined) = joined {
        emit.piece(|emit| put_member(emit, guild, Some(thread), joined).map(drop));
    }
    Ok(())
}

/// Someone in a thread. The bot's own membership may leave out whose it is, and inside a thread, which thread's.
fn put_member<'a>(
    emit: &mut Emit<'_, 'a>,
    guild: Snowflake,
    thread: Option<Snowflake>,
    d: &'a [u8],
) -> Result<Snowflake, Malformed> {
    let [of, user] = json::present(d, ["id", "user_id"])?;
    let thread = thread.map_or_else(|| id(of), Ok)?;
    let user = id_or_none(user)?;
    let user = if user.0 == 0 { emit.own } else { user };
    if user.0 != 0 {
        let fields = Fields::without(d, &["guild_id", "member", "presence"]);
        let key = Key::new(Kind::ThreadMember, thread, user);
        emit.put(key, (guild, thread), Mode::Replace, fields);
    }
    Ok(user)
}

/// THREAD_CREATE is sent for old threads too, when the bot is added to them. A new one is its forum's last message.
pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, thread, parent, is_new] =
        json::present(d, ["guild_id", "id", "parent_id", "newly_created"])?;
    let guild = id(guild)?;
    put(emit, guild, d)?;
    if let (true, Some(json), Some(parent)) = (is_true(is_new), thread, parent) {
        emit.step(Change::Set(Set {
            key: Key::new(Kind::Channel, guild, id(Some(parent))?),
            field: "last_message_id",
            json,
            types: Types::POSTS,
        }));
    }
    Ok(())
}

pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put(emit, id(guild)?, d)
}

pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [guild, thread] = json::present(d, ["guild_id", "id"])?;
    let key = Key::new(Kind::Thread, id(guild)?, id(thread)?);
    emit.remove(key, Why::Deleted);
    Ok(())
}

/// THREAD_LIST_SYNC: all active threads of the listed channels, or of the whole guild if no channels are listed.
pub(super) fn list_sync<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, channels, threads, members] =
        json::present(d, ["guild_id", "channel_ids", "threads", "members"])?;
    let guild = id(guild)?;
    let mut whole = emit.each(Some(threads.ok_or(Malformed)?), |emit, d| {
        put(emit, guild, d)
    });
    emit.each(members, |emit, d| {
        put_member(emit, guild, None, d).map(drop)
    });
    whole &= emit.each(channels, |_, channel| id(Some(channel)).map(drop));
    if whole {
        emit.step(Change::Sweep(Sweep {
            kind: Kind::Thread,
            guild,
            under: channels,
            why: Why::Forgotten,
        }));
    }
    Ok(())
}

/// THREAD_MEMBER_UPDATE: the bot's own membership.
pub(super) fn member_update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put_member(emit, id(guild)?, None, d).map(drop)
}

/// THREAD_MEMBERS_UPDATE: who came and who went. A private thread that the bot is no longer in goes from its sight.
pub(super) fn members_update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [thread, guild, count, added, removed] = json::present(
        d,
        [
            "id",
            "guild_id",
            "member_count",
            "added_members",
            "removed_member_ids",
        ],
    )?;
    let (thread, guild) = (id(thread)?, id(guild)?);
    let key = Key::new(Kind::Thread, guild, thread);
    if let Some(count) = count {
        emit.set(key, "member_count", count);
    }
    emit.each(added, |emit, d| {
        put_member(emit, guild, Some(thread), d)?;
        let [user, online] = json::present(d, ["member", "presence"])?;
        if let Some(user) = user {
            emit.piece(|emit| member::put(emit, guild, user, Mode::Merge));
        }
        if let Some(online) = online {
            emit.piece(|emit| presence::put(emit, guild, online));
        }
        Ok(())
    });
    emit.each(removed, |emit, user| {
        let user = id(Some(user))?;
        emit.remove(Key::new(Kind::ThreadMember, thread, user), Why::Deleted);
        if user == emit.own {
            emit.step(Change::Remove(Remove {
                key,
                why: Why::Forgotten,
                types: Types::PRIVATE_THREAD,
            }));
        }
        Ok(())
    });
    Ok(())
}
