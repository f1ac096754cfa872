//! INTERACTION_CREATE: who interacts, and whom and what they chose.
//!
//! Channels and messages in it are parts, and may be ephemeral: nothing is learned from them.

use super::change::Mode;
use super::emit::{Emit, Walk, id, object};
use super::fields::Fields;
use super::member;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed, Member};

pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, as_member, user, data, owners] = json::present(
        d,
        [
            "guild_id",
            "member",
            "user",
            "data",
            "authorizing_integration_owners",
        ],
    )?;
    if let Some(user) = user {
        emit.piece(|emit| member::known_user(emit, user));
    }
    let resolved = data.and_then(|data| json::field(data, "resolved"));
    if let Some(resolved) = resolved.filter(|resolved| *resolved != b"null") {
        emit.piece(|emit| users(emit, resolved));
    }
    let Some(guild) = guild else { return Ok(()) };
    let guild = id(Some(guild))?;
    if let Some(as_member) = as_member {
        let mode = if is_installed(owners, guild) {
            Mode::Merge
        } else {
            Mode::MergeKnown
        };
        emit.piece(|emit| member::put(emit, guild, as_member, mode));
    }
    if let Some(resolved) = resolved.filter(|resolved| *resolved != b"null") {
        emit.piece(|emit| in_guild(emit, guild, resolved));
    }
    Ok(())
}

/// Whether the bot is in the guild: a command that a user brought along works in guilds that will never say goodbye.
fn is_installed(owners: Option<&[u8]>, guild: Snowflake) -> bool {
    const GUILD_INSTALL: &str = "0";
    let owner = owners.and_then(|owners| json::field(owners, GUILD_INSTALL));
    owner.and_then(json::snowflake) == Some(guild)
}

fn users<'a>(emit: &mut Emit<'_, 'a>, resolved: &'a [u8]) -> Walk {
    let [users] = json::present(resolved, ["users"])?;
    each(emit, users, |emit, entry| {
        member::known_user(emit, entry.value)
    })
}

fn in_guild<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, resolved: &'a [u8]) -> Walk {
    let [members, roles] = json::present(resolved, ["members", "roles"])?;
    each(emit, members, |emit, entry| {
        member::beside(emit, guild, entry.value, key(entry)?, Mode::MergeKnown)
    })?;
    each(emit, roles, |emit, entry| {
        let key = Key::new(Kind::Role, guild, key(entry)?);
        let fields = Fields::all(object(entry.value)?);
        emit.put(key, (guild, Snowflake(0)), Mode::MergeKnown, fields);
        Ok(())
    })
}

/// The id that an entry is filed under.
fn key(entry: Member<'_>) -> Result<Snowflake, Malformed> {
    let name = json::unescape(entry.key).ok_or(Malformed)?;
    id(Some(name.as_bytes()))
}

fn each<'a>(
    emit: &mut Emit<'_, 'a>,
    entries: Option<&'a [u8]>,
    mut walk: impl FnMut(&mut Emit<'_, 'a>, Member<'a>) -> Walk,
) -> Walk {
    for entry in entries.into_iter().flat_map(json::members) {
        emit.piece(|emit| walk(emit, entry?));
    }
    Ok(())
}
