//! Roles.
//!
//! A role that is deleted is not struck from its members: Discord says that ids may linger in `roles` and overwrites,
//! and tells of members one by one if it does. Readers pass over roles that are not there.

use super::change::{Mode, Why};
use super::emit::{Emit, NONE, Walk, id, id_of};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    let key = Key::new(Kind::Role, guild, id_of(d)?);
    emit.put(key, (guild, NONE), Mode::Replace, Fields::all(d));
    Ok(())
}

/// GUILD_ROLE_CREATE and GUILD_ROLE_UPDATE.
pub(super) fn event<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, role] = json::present(d, ["guild_id", "role"])?;
    put(emit, id(guild)?, role.ok_or(Malformed)?)
}

pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [guild, role] = json::present(d, ["guild_id", "role_id"])?;
    let key = Key::new(Kind::Role, id(guild)?, id(role)?);
    emit.remove(key, Why::Deleted);
    Ok(())
}
