//! Scheduled events, and how many are interested. One that has ended is kept until it is deleted: its status says so.

use super::change::{Add, Change, Mode, Step, Why};
use super::emit::{Emit, Walk, id, id_or_none};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json;

pub(super) fn put<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8]) -> Walk {
    put_as(emit, guild, d, Mode::Replace)
}

fn put_as<'a>(emit: &mut Emit<'_, 'a>, guild: Snowflake, d: &'a [u8], mode: Mode) -> Walk {
    let [event, channel] = json::present(d, ["id", "channel_id"])?;
    let key = Key::new(Kind::ScheduledEvent, guild, id(event)?);
    let fields = Fields::of(Kind::ScheduledEvent, d);
    emit.put(key, (guild, id_or_none(channel)?), mode, fields);
    Ok(())
}

pub(super) fn create<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put(emit, id(guild)?, d)
}

/// GUILD_SCHEDULED_EVENT_UPDATE leaves out the count, which has events of its own.
pub(super) fn update<'a>(emit: &mut Emit<'_, 'a>, d: &'a [u8]) -> Walk {
    let [guild] = json::present(d, ["guild_id"])?;
    put_as(emit, id(guild)?, d, Mode::ReplaceKeeping(&["user_count"]))
}

pub(super) fn delete(emit: &mut Emit<'_, '_>, d: &[u8]) -> Walk {
    let [guild, event] = json::present(d, ["guild_id", "id"])?;
    let key = Key::new(Kind::ScheduledEvent, id(guild)?, id(event)?);
    emit.remove(key, Why::Deleted);
    Ok(())
}

/// GUILD_SCHEDULED_EVENT_USER_ADD and GUILD_SCHEDULED_EVENT_USER_REMOVE.
pub(super) fn interest(emit: &mut Emit<'_, '_>, d: &[u8], step: Step) -> Walk {
    let [guild, event] = json::present(d, ["guild_id", "guild_scheduled_event_id"])?;
    emit.step(Change::Add(Add {
        key: Key::new(Kind::ScheduledEvent, id(guild)?, id(event)?),
        field: "user_count",
        step,
        unless: None,
    }));
    Ok(())
}
