//! Which members of each dispatch are its key.

use crate::wire::EventKind;

/// What an event is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Discord sends it once: an id is minted, or retired, with it. The first name is the id.
    Once(&'static [&'static str]),
    /// The members that tell it from others of its kind. It may come again, the same.
    Repeats(&'static [&'static str]),
    /// Everything in it. It may come again, the same.
    Whole,
}

use Key::{Once, Repeats, Whole};

/// Of a dispatch. A dot leads into a member that is an object.
///
/// Wrongly calling an event "once" could lose one, wrongly calling it repeating costs nothing but that it is no place
/// to align by. So only what cannot come twice is: creation of what has an id of its own, and its end. CHANNEL_CREATE
/// and THREAD_CREATE are not, because both are sent again to who gains access, and INVITE_CREATE is not, because a
/// vanity code can be taken again. Where a key would leave out what changed, or URLs that are signed anew, are
/// said beside.
#[expect(
    clippy::match_same_arms,
    reason = "one arm for each reason, in the order of the protocol's table"
)]
pub(super) const fn key(kind: EventKind) -> Key {
    match kind {
        // Minted with the event. A message's attachments have signed URLs: its id alone is safe, and enough.
        EventKind::MessageCreate => Once(&["id"]),
        EventKind::InteractionCreate => Once(&["id"]),
        EventKind::GuildAuditLogEntryCreate => Once(&["id"]),
        EventKind::AutoModerationRuleCreate => Once(&["id"]),
        EventKind::EntitlementCreate => Once(&["id"]),
        EventKind::SubscriptionCreate => Once(&["id"]),
        EventKind::StageInstanceCreate => Once(&["id"]),
        EventKind::GuildScheduledEventCreate => Once(&["id"]),
        EventKind::GuildSoundboardSoundCreate => Once(&["sound_id"]),
        EventKind::GuildRoleCreate => Once(&["role.id"]),
        // Retired with it.
        EventKind::MessageDelete => Once(&["id"]),
        EventKind::MessageDeleteBulk => Once(&["ids", "channel_id"]),
        EventKind::ChannelDelete => Once(&["id"]),
        EventKind::ThreadDelete => Once(&["id"]),
        EventKind::GuildRoleDelete => Once(&["role_id"]),
        EventKind::AutoModerationRuleDelete => Once(&["id"]),
        EventKind::StageInstanceDelete => Once(&["id"]),
        EventKind::GuildScheduledEventDelete => Once(&["id"]),
        EventKind::GuildSoundboardSoundDelete => Once(&["sound_id"]),
        EventKind::IntegrationDelete => Once(&["id"]),
        EventKind::SubscriptionDelete => Once(&["id"]),
        // An edit, a link's preview that arrives, a pin, a poll's end: what they change beside the id. Attachments are
        // left out, their URLs are signed.
        EventKind::MessageUpdate => Repeats(&[
            "id",
            "edited_timestamp",
            "content",
            "embeds",
            "components",
            "flags",
            "pinned",
            "poll",
        ]),
        // The same reaction can be taken back and given again. `member` is left out: it is not the event.
        EventKind::MessageReactionAdd | EventKind::MessageReactionRemove => {
            Repeats(&["message_id", "user_id", "emoji", "type", "burst"])
        }
        EventKind::MessageReactionRemoveAll => Repeats(&["message_id"]),
        EventKind::MessageReactionRemoveEmoji => Repeats(&["message_id", "emoji"]),
        EventKind::MessagePollVoteAdd | EventKind::MessagePollVoteRemove => {
            Repeats(&["message_id", "user_id", "answer_id"])
        }
        // Seconds: two devices can begin in the same one.
        EventKind::TypingStart => Repeats(&["timestamp", "user_id", "channel_id"]),
        EventKind::ChannelPinsUpdate => Repeats(&["channel_id", "last_pin_timestamp"]),
        // Sent for one who is there already, too.
        EventKind::GuildMemberAdd => Repeats(&["user.id", "joined_at"]),
        EventKind::GuildMemberRemove => Repeats(&["user.id"]),
        EventKind::GuildBanAdd | EventKind::GuildBanRemove => Repeats(&["user.id"]),
        EventKind::GuildScheduledEventUserAdd | EventKind::GuildScheduledEventUserRemove => {
            Repeats(&["guild_scheduled_event_id", "user_id"])
        }
        EventKind::InviteCreate => Repeats(&["code", "created_at"]),
        EventKind::InviteDelete => Repeats(&["code"]),
        // Whole guilds: megabytes, of which the same one is never sent twice alike.
        EventKind::GuildCreate => Repeats(&["id", "unavailable"]),
        EventKind::GuildDelete => Repeats(&["id", "unavailable"]),
        // Everything else counts as a whole: updates are what changed, signals (WEBHOOKS_UPDATE) are all they say.
        _ => Whole,
    }
}
