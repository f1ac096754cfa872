//! Objects that Discord was asked for: one record, and the user in it.

use super::change::{Change, Mode};
use super::emit::{Emit, NONE};
use super::{channel, expression, guild, member, role, scheduled_event, stage, thread, voice};
use crate::cache::{Key, Kind};
use crate::id::Snowflake;

/// Hands out what an object that Discord was asked for makes of records: `json` is what was asked for as `key`. Answers
/// how many pieces were malformed. Presences make nothing, nor do messages and thread members, which do not say which
/// guild they go with.
pub fn fetched<'a>(
    key: Key,
    json: &'a [u8],
    own: Snowflake,
    sink: &mut dyn FnMut(Change<'a>),
) -> u32 {
    let mut emit = Emit {
        own,
        malformed: 0,
        sink,
    };
    emit.piece(|emit| match key.kind {
        Kind::Guild => guild::fetched(emit, key.id, json),
        Kind::Channel => channel::fetched(emit, key.scope, json),
        Kind::Thread => thread::put(emit, key.scope, json),
        Kind::Role => role::put(emit, key.scope, json),
        Kind::Emoji => expression::emoji(emit, key.scope, json),
        Kind::Sticker => expression::sticker(emit, key.scope, json),
        Kind::SoundboardSound => expression::sound(emit, key.scope, json),
        Kind::Member => member::put_whole(emit, key.scope, json),
        Kind::User => {
            emit.put(key, (NONE, NONE), Mode::Replace, super::Fields::all(json));
            Ok(())
        }
        Kind::Presence | Kind::ThreadMember | Kind::Message => Ok(()),
        Kind::VoiceState => voice::put(emit, key.scope, json),
        Kind::StageInstance => stage::put(emit, key.scope, json),
        Kind::ScheduledEvent => scheduled_event::put(emit, key.scope, json),
    });
    emit.malformed
}
