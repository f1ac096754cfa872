//! Stage instances: each under its channel.

use super::change::{Mode, Why};
use super::emit::{Emit, Walk, id, id_or_none};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json;

pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    let [stage, channel] = json::present(d, ["id", "channel_id"])?;
    let key = Key::new(Kind::StageInstance, guild, id(stage)?);
    let fields = Fields::of(Kind::StageInstance, d);
    emit.put(key, (guild, id_or_none(channel)?), Mode::Replace, fields);
    Ok(())
}

/// STAGE_INSTANCE_CREATE and STAGE_INSTANCE_UPDATE.
pub(super) fn event<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put(emit, id(guild)?, d)
}

pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [guild, stage] = json::present(d, ["guild_id", "id"])?;
    let key = Key::new(Kind::StageInstance, id(guild)?, id(stage)?);
    emit.remove(key, Why::Deleted);
    Ok(())
}
