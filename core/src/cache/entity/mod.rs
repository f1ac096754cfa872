//! What each dispatch creates, changes and deletes.
//!
//! [`changes`] walks the JSON of a dispatch and hands out small [`Change`]s that borrow it. It keeps nothing, so it
//! decides nothing that depends on what is known: that is what each change says for whoever takes it, by a
//! [mode](Mode), a condition or a rule. [`edit`] carries a change out on the JSON of one record. [`TABLE`] tells in one
//! place which kinds each of Discord's dispatches touches.
//!
//! Three things are the same everywhere:
//!
//! * `guild_id` is left out of records whose key has the guild.
//! * An id that must be there and is none, or zero, makes its piece of the dispatch malformed. Such pieces are counted
//!   and passed over; the rest counts. A list with a malformed piece still brings what it has, but deletes nothing.
//! * What is null counts as missing, unless null is what the dispatch says.

mod change;
mod channel;
pub mod edit;
mod emit;
mod expression;
mod fetched;
mod fields;
mod guild;
mod interaction;
mod member;
mod message;
mod presence;
mod role;
mod scheduled_event;
mod stage;
mod table;
mod thread;
mod voice;

pub use change::{
    Add, Change, Mode, Put, React, Reaction, Remove, Set, Step, Sweep, Types, Vote, Why,
};
pub use fetched::fetched;
pub use fields::{Field, Fields, Value, omitted};
pub use table::{Effect, Row, TABLE, effect, row};

use emit::{Emit, Walk};

use crate::id::Snowflake;
use crate::wire::EventKind;

/// Hands every change that a dispatch makes to `sink`, in order, and answers how many pieces of it were malformed and
/// therefore passed over. `d` is the dispatch's JSON, `own` the bot's user, zero until READY has told it.
///
/// ```
/// use shardkeep_core::Snowflake;
/// use shardkeep_core::cache::Key;
/// use shardkeep_core::cache::entity::{Change, changes};
/// use shardkeep_core::wire::EventKind;
///
/// let d = br#"{"guild_id": "1", "user": {"id": "7", "username": "ada"}, "nick": null, "roles": []}"#;
/// let mut keys = Vec::new();
/// let malformed = changes(EventKind::GuildMemberUpdate, d, Snowflake(0), &mut |change| {
///     if let Change::Put(put) = change {
///         keys.push(put.key);
///     }
/// });
/// assert_eq!(keys, [Key::user(Snowflake(7)), Key::member(Snowflake(1), Snowflake(7))]);
/// assert_eq!(malformed, 0);
/// ```
pub fn changes<'a>(
    event: EventKind,
    d: &'a [u8],
    own: Snowflake,
    sink: &mut dyn FnMut(Change<'a>),
) -> u32 {
    let mut emit = Emit {
        own,
        malformed: 0,
        sink,
    };
    emit.piece(|emit| walk(emit, event, d));
    emit.malformed
}

fn walk<'a>(emit: &mut Emit<'_, 'a>, event: EventKind, d: &'a [u8]) -> Walk {
    use EventKind as E;
    match event {
        E::Ready => guild::ready(emit, d),
        E::GuildCreate => guild::create(emit, d),
        E::GuildUpdate => guild::update(emit, d),
        E::GuildDelete => guild::delete(emit, d),

        E::ChannelCreate => channel::create(emit, d),
        E::ChannelUpdate => channel::update(emit, d),
        E::ChannelDelete => channel::delete(emit, d),
        E::ChannelInfo => channel::info(emit, d),
        E::ChannelPinsUpdate => channel::pins(emit, d),
        E::VoiceChannelStatusUpdate => channel::voice(emit, d, "status"),
        E::VoiceChannelStartTimeUpdate => channel::voice(emit, d, "voice_start_time"),

        E::ThreadCreate => thread::create(emit, d),
        E::ThreadUpdate => thread::update(emit, d),
        E::ThreadDelete => thread::delete(emit, d),
        E::ThreadListSync => thread::list_sync(emit, d),
        E::ThreadMemberUpdate => thread::member_update(emit, d),
        E::ThreadMembersUpdate => thread::members_update(emit, d),

        E::GuildRoleCreate | E::GuildRoleUpdate => role::event(emit, d),
        E::GuildRoleDelete => role::delete(emit, d),

        E::GuildEmojisUpdate => expression::emojis_update(emit, d),
        E::GuildStickersUpdate => expression::stickers_update(emit, d),
        E::GuildSoundboardSoundCreate | E::GuildSoundboardSoundUpdate => {
            expression::sound_event(emit, d)
        }
        E::GuildSoundboardSoundDelete => expression::sound_delete(emit, d),
        E::GuildSoundboardSoundsUpdate => expression::sounds(emit, d, false),
        E::SoundboardSounds => expression::sounds(emit, d, true),

        E::GuildMemberAdd => member::add(emit, d),
        E::GuildMemberUpdate => member::update(emit, d),
        E::GuildMemberRemove => member::remove(emit, d),
        E::GuildMembersChunk => member::chunk(emit, d),
        E::GuildBanAdd | E::GuildBanRemove => member::ban(emit, d),
        E::TypingStart => member::typing(emit, d),
        E::UserUpdate => member::own(emit, d),
        E::PresenceUpdate => presence::update(emit, d),
        E::VoiceStateUpdate => voice::update(emit, d),

        E::StageInstanceCreate | E::StageInstanceUpdate => stage::event(emit, d),
        E::StageInstanceDelete => stage::delete(emit, d),
        E::GuildScheduledEventCreate => scheduled_event::create(emit, d),
        E::GuildScheduledEventUpdate => scheduled_event::update(emit, d),
        E::GuildScheduledEventDelete => scheduled_event::delete(emit, d),
        E::GuildScheduledEventUserAdd => scheduled_event::interest(emit, d, Step::Up),
        E::GuildScheduledEventUserRemove => scheduled_event::interest(emit, d, Step::Down),

        E::MessageCreate => message::create(emit, d),
        E::MessageUpdate => message::update(emit, d),
        E::MessageDelete => message::delete(emit, d),
        E::MessageDeleteBulk => message::delete_bulk(emit, d),
        E::MessageReactionAdd => message::reaction_add(emit, d),
        E::MessageReactionRemove => message::reaction_remove(emit, d),
        E::MessageReactionRemoveAll => message::reaction_remove_all(emit, d),
        E::MessageReactionRemoveEmoji => message::reaction_remove_emoji(emit, d),
        E::MessagePollVoteAdd => message::vote(emit, d, Step::Up),
        E::MessagePollVoteRemove => message::vote(emit, d, Step::Down),

        E::InteractionCreate => interaction::create(emit, d),

        // TABLE says of each why it touches nothing.
        _ => Ok(()),
    }
}
