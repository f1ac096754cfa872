//! Emojis, stickers and soundboard sounds: mostly lists that replace the list before.

use super::change::{Mode, Why};
use super::emit::{Emit, NONE, Walk, id};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

fn put<'a>(
    emit: &mut Emit<'_, 'a>,
    kind: Kind,
    guild: Snowflake,
    raw_id: Option<&'a [u8]>,
    d: &'a [u8],
) -> Walk {
    let key = Key::new(kind, guild, id(raw_id)?);
    let fields = Fields::of(kind, d);
    emit.put(key, (guild, NONE), Mode::Replace, fields);
    Ok(())
}

pub(super) fn emoji<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put(emit, Kind::Emoji, guild, json::field(d, "id"), d)
}

pub(super) fn sticker<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put(emit, Kind::Sticker, guild, json::field(d, "id"), d)
}

pub(super) fn sound<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put(
        emit,
        Kind::SoundboardSound,
        guild,
        json::field(d, "sound_id"),
        d,
    )
}

/// GUILD_EMOJIS_UPDATE: all of them.
pub(super) fn emojis_update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, emojis] = json::present(d, ["guild_id", "emojis"])?;
    let (guild, emojis) = (id(guild)?, emojis.ok_or(Malformed)?);
    if emit.each(Some(emojis), |emit, d| emoji(emit, guild, d)) {
        emit.sweep(Kind::Emoji, guild, Why::Deleted);
    }
    Ok(())
}

/// GUILD_STICKERS_UPDATE: all of them.
pub(super) fn stickers_update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, stickers] = json::present(d, ["guild_id", "stickers"])?;
    let (guild, stickers) = (id(guild)?, stickers.ok_or(Malformed)?);
    if emit.each(Some(stickers), |emit, d| sticker(emit, guild, d)) {
        emit.sweep(Kind::Sticker, guild, Why::Deleted);
    }
    Ok(())
}

/// GUILD_SOUNDBOARD_SOUND_CREATE and GUILD_SOUNDBOARD_SOUND_UPDATE.
pub(super) fn sound_event<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    sound(emit, id(guild)?, d)
}

pub(super) fn sound_delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [guild, sound] = json::present(d, ["guild_id", "sound_id"])?;
    let key = Key::new(Kind::SoundboardSound, id(guild)?, id(sound)?);
    emit.remove(key, Why::Deleted);
    Ok(())
}

/// SOUNDBOARD_SOUNDS answers with all of them. GUILD_SOUNDBOARD_SOUNDS_UPDATE has several, and nobody says that these
/// are all.
pub(super) fn sounds<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8], are_all: bool) -> Walk {
    let [guild, sounds] = json::present(d, ["guild_id", "soundboard_sounds"])?;
    let (guild, sounds) = (id(guild)?, sounds.ok_or(Malformed)?);
    if emit.each(Some(sounds), |emit, d| sound(emit, guild, d)) && are_all {
        emit.sweep(Kind::SoundboardSound, guild, Why::Deleted);
    }
    Ok(())
}
