//! Presences. Whoever is offline has none: most are, and there is nothing to say of them.

use super::change::{Mode, Why};
use super::emit::{Emit, NONE, Walk, id, id_of};
use super::fields::Fields;
use super::member;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// A presence. Of its user nothing but the id is sure to be there, so it changes a user and creates none.
pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    let [user, status] = json::present(d, ["user", "status"])?;
    let user = user.ok_or(Malformed)?;
    let of = id_of(user)?;
    if json::members(user).nth(1).is_some() {
        member::put_user(emit, of, user, Mode::MergeKnown);
    }
    let key = Key::new(Kind::Presence, guild, of);
    if status
        .and_then(json::string)
        .is_some_and(|status| status == "offline")
    {
        emit.remove(key, Why::Deleted);
    } else {
        let fields = Fields::of(Kind::Presence, d);
        emit.put(key, (guild, NONE), Mode::Replace, fields);
    }
    Ok(())
}

/// PRESENCE_UPDATE.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put(emit, id(guild)?, d)
}
