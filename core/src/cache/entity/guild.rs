//! READY, GUILD_CREATE, GUILD_UPDATE, GUILD_DELETE: guilds, and all that they hold.

use super::change::{Change, Mode, Why};
use super::emit::{Emit, NONE, Walk, id, is_true};
use super::fields::Fields;
use super::{channel, expression, member, presence, role, scheduled_event, stage, thread, voice};
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// How one of a guild's lists is read.
type Read = for<'a> fn(&mut Emit<'_, 'a>, Snowflake, &'a [u8]) -> Walk;

/// What a guild's object holds that are records of their own, and whether what is not in the list any more may still
/// exist.
const LISTS: [(&str, Kind, Why, Read); 11] = [
    ("roles", Kind::Role, Why::Deleted, role::put),
    ("emojis", Kind::Emoji, Why::Deleted, expression::emoji),
    ("stickers", Kind::Sticker, Why::Deleted, expression::sticker),
    ("channels", Kind::Channel, Why::Deleted, channel::put),
    ("threads", Kind::Thread, Why::Forgotten, thread::put),
    ("members", Kind::Member, Why::Forgotten, member::put_whole),
    ("presences", Kind::Presence, Why::Deleted, presence::put),
    ("voice_states", Kind::VoiceState, Why::Deleted, voice::put),
    (
        "stage_instances",
        Kind::StageInstance,
        Why::Deleted,
        stage::put,
    ),
    (
        "guild_scheduled_events",
        Kind::ScheduledEvent,
        Why::Deleted,
        scheduled_event::put,
    ),
    (
        "soundboard_sounds",
        Kind::SoundboardSound,
        Why::Deleted,
        expression::sound,
    ),
];

/// The first three are in every guild object, GUILD_UPDATE's too.
const LISTS_IN_UPDATE: usize = 3;

const CHILDREN: [&str; LISTS.len()] = {
    let mut names = [""; LISTS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = LISTS[at].0;
        at += 1;
    }
    names
};

/// What GUILD_CREATE is looked through for.
const NAMES: [&str; 2 + LISTS.len()] = {
    let mut names = [""; 2 + LISTS.len()];
    (names[0], names[1]) = ("id", "unavailable");
    let mut at = 0;
    while at < CHILDREN.len() {
        names[2 + at] = CHILDREN[at];
        at += 1;
    }
    names
};

/// What GUILD_CREATE alone tells of a guild, and GUILD_DELETE.
const NOT_IN_UPDATE: &[&str] = &["member_count", "joined_at", "large", "unavailable"];

/// The bot's user; a placeholder for each of the shard's guilds; the shard's other guilds are no longer the bot's.
pub(super) fn ready<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [user, guilds, shard] = json::present(d, ["user", "guilds", "shard"])?;
    emit.piece(|emit| {
        let user = user.ok_or(Malformed)?;
        let own = member::user_id(user)?;
        emit.own = own;
        emit.step(Change::Own(own));
        emit.put(
            Key::user(own),
            (NONE, NONE),
            Mode::Replace,
            Fields::all(user),
        );
        Ok(())
    });
    let whole = emit.each(Some(guilds.ok_or(Malformed)?), unavailable);
    let (index, total) = shard.map_or(Ok((0, 1)), of_shard)?;
    if whole {
        emit.step(Change::SweepGuilds { index, total });
    }
    Ok(())
}

fn of_shard(shard: &[u8]) -> Result<(u64, u64), Malformed> {
    let mut numbers = json::elements(shard).map(|raw| json::unsigned(raw?).ok_or(Malformed));
    let mut next = || numbers.next().ok_or(Malformed)?;
    let (index, total) = (next()?, next()?);
    if index < total {
        Ok((index, total))
    } else {
        Err(Malformed)
    }
}

/// A guild in an outage: what is known of it stays, with the mark that the payload carries.
fn unavailable<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["id"])?;
    put(emit, id(guild)?, d, Mode::Merge);
    Ok(())
}

fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8], mode: Mode) {
    let fields = Fields::without(d, &CHILDREN);
    emit.put(Key::guild(guild), (guild, NONE), mode, fields);
}

/// A guild that was asked for lacks what GUILD_CREATE alone tells.
pub(super) fn fetched<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put(emit, guild, d, Mode::ReplaceKeeping(NOT_IN_UPDATE));
    Ok(())
}

/// A guild as it is now. Everything that was known of it and is not in the payload goes: after an outage, or between
/// two sessions, nobody told what was deleted. Members that a chunk had brought are asked for again.
pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    // The text is long: one walk finds all of it.
    let [guild, is_unavailable, lists @ ..] = json::present(d, NAMES)?;
    if is_true(is_unavailable) {
        return unavailable(emit, d);
    }
    let guild = id(guild)?;
    put(emit, guild, d, Mode::Replace);
    let mut whole = [true; LISTS.len()];
    for (at, (_, _, _, read)) in LISTS.iter().enumerate() {
        whole[at] = emit.each(lists[at], |emit, d| read(emit, guild, d));
    }
    // Last, so that what is in the payload is not taken for what went with its channel. A list that could not be read
    // says nothing of what is missing in it.
    for ((_, kind, why, _), whole) in LISTS.iter().zip(whole) {
        if whole {
            emit.sweep(*kind, guild, *why);
        }
    }
    emit.sweep(Kind::ThreadMember, guild, Why::Forgotten);
    Ok(())
}

/// The guild's own members, and the three lists that the object has everywhere. GUILD_CREATE's other lists stay.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["id"])?;
    let guild = id(guild)?;
    let lists = json::present(d, CHILDREN)?;
    put(emit, guild, d, Mode::ReplaceKeeping(NOT_IN_UPDATE));
    for ((_, kind, why, read), list) in LISTS.iter().zip(lists).take(LISTS_IN_UPDATE) {
        if list.is_some() && emit.each(list, |emit, d| read(emit, guild, d)) {
            emit.sweep(*kind, guild, *why);
        }
    }
    Ok(())
}

/// An outage keeps the guild, marked; otherwise the bot is no longer in it.
pub(super) fn delete<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild, is_unavailable] = json::present(d, ["id", "unavailable"])?;
    if is_true(is_unavailable) {
        return unavailable(emit, d);
    }
    emit.remove(Key::guild(id(guild)?), Why::Deleted);
    Ok(())
}
