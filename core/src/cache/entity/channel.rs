//! Channels: whole, deleted, and the few members that have events of their own.

use super::change::{Mode, Why};
use super::emit::{Emit, NONE, Walk, id, id_of};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json;

/// What a voice channel has that its object does not: other events tell it.
const EPHEMERAL: &[&str] = &["status", "voice_start_time"];
/// CHANNEL_OBFUSCATED: the bot cannot see the channel, and nothing that it once saw is true any more.
const OBFUSCATED: u64 = 1 << 17;
const NULL: &[u8] = b"null";

pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put_as(emit, guild, d, Mode::Replace)
}

fn put_as<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8], mode: Mode) -> Walk {
    let key = Key::new(Kind::Channel, guild, id_of(d)?);
    emit.put(key, (guild, NONE), mode, Fields::of(Kind::Channel, d));
    Ok(())
}

/// A channel that was asked for lacks what other events tell.
pub(super) fn fetched<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put_as(emit, guild, d, Mode::ReplaceKeeping(EPHEMERAL))
}

/// CHANNEL_CREATE. Channels outside guilds have not been sent since version 8 of the API.
pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    match json::present(d, ["guild_id"])? {
        [None] => Ok(()),
        [guild] => put(emit, id(guild)?, d),
    }
}

/// CHANNEL_UPDATE is the whole object, and replaces it. What other events told of it stays, unless the channel is
/// obfuscated.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, flags] = json::present(d, ["guild_id", "flags"])?;
    let flags = flags.and_then(json::unsigned).unwrap_or(0);
    let mode = if flags & OBFUSCATED == 0 {
        Mode::ReplaceKeeping(EPHEMERAL)
    } else {
        Mode::Replace
    };
    match guild {
        None => Ok(()),
        guild => put_as(emit, id(guild)?, d, mode),
    }
}

/// CHANNEL_DELETE. The children of a category stay, and each gets an update.
pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [channel, guild] = json::present(d, ["id", "guild_id"])?;
    if guild.is_some() {
        let key = Key::new(Kind::Channel, id(guild)?, id(channel)?);
        emit.remove(key, Why::Deleted);
    }
    Ok(())
}

/// CHANNEL_INFO: an answer, with those members that were asked for.
pub(super) fn info<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, channels] = json::present(d, ["guild_id", "channels"])?;
    let guild = id(guild)?;
    emit.each(channels, |emit, d| {
        let [channel, status, start] = json::fields(d, ["id", "status", "voice_start_time"])?;
        let key = Key::new(Kind::Channel, guild, id(channel)?);
        for (&field, value) in EPHEMERAL.iter().zip([status, start]) {
            if let Some(value) = value {
                emit.set(key, field, value);
            }
        }
        Ok(())
    });
    Ok(())
}

/// VOICE_CHANNEL_STATUS_UPDATE and VOICE_CHANNEL_START_TIME_UPDATE: one member each, and none means null.
pub(super) fn voice<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8], field: &'static str) -> Walk {
    let [channel, guild, value] = json::fields(d, ["id", "guild_id", field])?;
    let key = Key::new(Kind::Channel, id(guild)?, id(channel)?);
    emit.set(key, field, value.unwrap_or(NULL));
    Ok(())
}

/// CHANNEL_PINS_UPDATE does not say whether the channel is a thread.
pub(super) fn pins<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [channel, guild, pinned] =
        json::present(d, ["channel_id", "guild_id", "last_pin_timestamp"])?;
    let channel = id(channel)?;
    if guild.is_some() {
        in_channel_or_thread(
            emit,
            id(guild)?,
            channel,
            "last_pin_timestamp",
            pinned.unwrap_or(NULL),
        );
    }
    Ok(())
}

/// Sets a member of a channel, or of the thread that has the id.
pub(super) fn in_channel_or_thread<'a>(
    emit: &mut Emit<'_, 'a>,
    guild: Snowflake,
    id: Snowflake,
    field: &'static str,
    json: &'a [u8],
) {
    for kind in [Kind::Channel, Kind::Thread] {
        emit.set(Key::new(kind, guild, id), field, json);
    }
}
