//! Members and users: a member refers to its user, which is kept once however many guilds it is in.

use super::change::{Add, Change, Mode, Step, Why};
use super::emit::{Emit, NONE, Walk, id, id_of, object};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

pub(super) fn user_id(user: &[u8]) -> Result<Snowflake, Malformed> {
    id_of(user)
}

/// A member with its user, which comes whole.
pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8], mode: Mode) -> Walk {
    let user = json::field(d, "user").ok_or(Malformed)?;
    let of = user_id(user)?;
    put_user(emit, of, user, whole_or_known(mode));
    refer(emit, guild, d, of, mode);
    Ok(())
}

/// A member as it is now.
pub(super) fn put_whole<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put(emit, guild, d, Mode::Replace)
}

/// A user object with an event about something else is whole, and whether the user is kept depends on whether what
/// refers to it is.
pub(super) const fn whole_or_known(mode: Mode) -> Mode {
    match mode {
        Mode::MergeKnown => Mode::MergeKnown,
        _ => Mode::Replace,
    }
}

/// A member whose user is told elsewhere.
fn refer<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8], user: Snowflake, mode: Mode) {
    let fields = Fields::of(Kind::Member, d).referring("user", user);
    emit.put(Key::member(guild, user), (guild, NONE), mode, fields);
}

/// A member that stands beside its user, as with messages.
pub(super) fn beside<'a>(
    emit: &mut Emit<'_, 'a>,
    guild: Snowflake,
    d: &'a [u8],
    user: Snowflake,
    mode: Mode,
) -> Walk {
    refer(emit, guild, object(d)?, user, mode);
    Ok(())
}

/// Of the bot's own user, READY and USER_UPDATE alone tell everything.
pub(super) fn put_user<'a>(emit: &mut Emit<'_, 'a>, of: Snowflake, user: &'a [u8], mode: Mode) {
    let mode = match mode {
        Mode::Replace if of == emit.own => Mode::Merge,
        mode => mode,
    };
    emit.put(Key::user(of), (NONE, NONE), mode, Fields::all(user));
}

/// A user that nothing refers to here: news of one that is known, and no more.
pub(super) fn known_user<'a>(emit: &mut Emit<'_, 'a>, user: &'a [u8]) -> Walk {
    let of = user_id(user)?;
    put_user(emit, of, user, Mode::MergeKnown);
    Ok(())
}

/// GUILD_MEMBER_ADD may come for a member that is known, who is not counted twice.
pub(super) fn add<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, user] = json::present(d, ["guild_id", "user"])?;
    let guild = id(guild)?;
    let user = user_id(user.ok_or(Malformed)?)?;
    count(emit, guild, Step::Up, Some(Key::member(guild, user)));
    put_whole(emit, guild, d)
}

/// GUILD_MEMBER_UPDATE may leave members out, and creates a member that is not known: large guilds tell of few.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put(emit, id(guild)?, d, Mode::Merge)
}

/// GUILD_MEMBER_REMOVE. Who was not known was counted all the same.
pub(super) fn remove<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, user] = json::present(d, ["guild_id", "user"])?;
    let (guild, user) = (id(guild)?, user.ok_or(Malformed)?);
    let of = user_id(user)?;
    count(emit, guild, Step::Down, None);
    put_user(emit, of, user, Mode::MergeKnown);
    for kind in [Kind::Member, Kind::Presence, Kind::VoiceState] {
        emit.remove(Key::new(kind, guild, of), Why::Deleted);
    }
    emit.step(Change::Part { guild, user: of });
    Ok(())
}

fn count(emit: &mut Emit<'_, '_>, guild: Snowflake, step: Step, unless: Option<Key>) {
    emit.step(Change::Add(Add {
        key: Key::guild(guild),
        field: "member_count",
        step,
        unless,
    }));
}

/// GUILD_MEMBERS_CHUNK.
pub(super) fn chunk<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, members, presences] = json::present(d, ["guild_id", "members", "presences"])?;
    let guild = id(guild)?;
    emit.each(members, |emit, d| put_whole(emit, guild, d));
    emit.each(presences, |emit, d| super::presence::put(emit, guild, d));
    Ok(())
}

/// GUILD_BAN_ADD and GUILD_BAN_REMOVE: the member's removal comes by itself.
pub(super) fn ban<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [user] = json::present(d, ["user"])?;
    known_user(emit, user.ok_or(Malformed)?)
}

/// USER_UPDATE: the bot's own user.
pub(super) fn own<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let of = user_id(d)?;
    emit.put(Key::user(of), (NONE, NONE), Mode::Replace, Fields::all(d));
    Ok(())
}

/// TYPING_START and MESSAGE_REACTION_ADD bring along the member who acts.
pub(super) fn acting<'a>(
    emit: &mut Emit<'_, 'a>,
    guild: Option<&'a [u8]>,
    d: Option<&'a [u8]>,
) -> Walk {
    if let (Some(guild), Some(d)) = (guild, d) {
        put(emit, id(Some(guild))?, d, Mode::Merge)?;
    }
    Ok(())
}

pub(super) fn typing<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, member] = json::present(d, ["guild_id", "member"])?;
    acting(emit, guild, member)
}
