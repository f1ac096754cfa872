//! Voice states: kept while connected.

use super::change::{Mode, Why};
use super::emit::{Emit, Walk, id};
use super::fields::Fields;
use super::member;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// A voice state, under its channel; without one, whoever it is has left.
///
/// The member comes along. Of one who disconnects it changes what is known and creates nothing: a member who was kicked
/// is disconnected afterwards.
pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    let [user, channel, of] = json::fields(d, ["user_id", "channel_id", "member"])?;
    let user = id(user)?;
    let channel = match channel.ok_or(Malformed)? {
        b"null" => None,
        raw => Some(id(Some(raw))?),
    };
    let mode = channel.map_or(Mode::MergeKnown, |_| Mode::Merge);
    if let Some(of) = of.filter(|of| *of != b"null") {
        emit.piece(|emit| member::put(emit, guild, of, mode));
    }
    let key = Key::new(Kind::VoiceState, guild, user);
    match channel {
        Some(channel) => {
            let fields = Fields::of(Kind::VoiceState, d);
            emit.put(key, (guild, channel), Mode::Replace, fields);
        }
        None => emit.remove(key, Why::Deleted),
    }
    Ok(())
}

/// VOICE_STATE_UPDATE. Calls outside guilds are not kept.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    match json::present(d, ["guild_id"])? {
        [None] => Ok(()),
        [guild] => put(emit, id(guild)?, d),
    }
}
