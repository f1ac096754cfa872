//! Which kinds each dispatch touches, in one place. A test compares it with what `changes` does.

use super::change::{Change, Mode};
use crate::cache::Kind;
use crate::wire::EventKind;

/// What a dispatch does to records of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Created, or replaced by what the dispatch has.
    Replace,
    /// Created, or changed where the dispatch says something.
    Merge,
    /// Changed if known.
    Update,
    /// Deleted, and what is under it.
    Remove,
    /// The list that the dispatch has is all there is.
    Sweep,
}

/// What one dispatch touches.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The dispatch.
    pub event: EventKind,
    /// What it does to which kinds, kinds and effects ascending.
    pub touches: &'static [(Kind, Effect)],
    /// What else is to be said; why it touches nothing, if so.
    pub note: &'static str,
}

/// What `change` is, in the table's words; `None` if it is not about records.
#[must_use]
pub const fn effect(change: &Change<'_>) -> Option<(Kind, Effect)> {
    Some(match change {
        Change::Own(_) => return None,
        Change::Put(put) => match put.mode {
            Mode::Replace | Mode::ReplaceKeeping(_) => (put.key.kind, Effect::Replace),
            Mode::Merge => (put.key.kind, Effect::Merge),
            Mode::MergeKnown => (put.key.kind, Effect::Update),
        },
        Change::Set(set) => (set.key.kind, Effect::Update),
        Change::Add(add) => (add.key.kind, Effect::Update),
        Change::React(react) => (react.key.kind, Effect::Update),
        Change::Vote(vote) => (vote.key.kind, Effect::Update),
        Change::Remove(remove) => (remove.key.kind, Effect::Remove),
        Change::Part { .. } => (Kind::ThreadMember, Effect::Remove),
        Change::Sweep(sweep) => (sweep.kind, Effect::Sweep),
        Change::SweepGuilds { .. } => (Kind::Guild, Effect::Sweep),
    })
}

/// The row of `event`; `None` for events that are not listed.
#[must_use]
pub fn row(event: EventKind) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.event == event)
}

macro_rules! table {
    ($($event:ident [$($kind:ident $effect:ident),*] $note:literal;)*) => {
        /// Every dispatch that Discord documents, by number.
        pub const TABLE: &[Row] = &[$(Row {
            event: EventKind::$event,
            touches: &[$((Kind::$kind, Effect::$effect)),*],
            note: $note,
        }),*];
    };
}

table! {
    Ready [Guild Merge, Guild Sweep, User Replace]
        "listed guilds are unavailable until their GUILD_CREATE; the shard's others are left";
    Resumed [] "says that the session goes on";
    RateLimited [] "about a command";
    ApplicationCommandPermissionsUpdate [] "not kept";
    AutoModerationRuleCreate [] "not kept";
    AutoModerationRuleUpdate [] "not kept";
    AutoModerationRuleDelete [] "not kept";
    AutoModerationActionExecution [] "an incident";
    ChannelCreate [Channel Replace] "";
    ChannelUpdate [Channel Replace]
        "voice status and start time stay, unless the channel is obfuscated";
    ChannelDelete [Channel Remove] "a category's children stay";
    ChannelInfo [Channel Update] "voice status and start time";
    VoiceChannelStatusUpdate [Channel Update] "";
    VoiceChannelStartTimeUpdate [Channel Update] "";
    ChannelPinsUpdate [Channel Update, Thread Update] "whichever of the two has the id";
    ThreadCreate [Channel Update, Thread Replace, Thread Remove, ThreadMember Replace]
        "a new thread is its forum's last message; one that is archived is removed";
    ThreadUpdate [Thread Replace, Thread Remove, ThreadMember Replace] "one that is archived is removed";
    ThreadDelete [Thread Remove] "";
    ThreadListSync [Thread Replace, Thread Remove, Thread Sweep, ThreadMember Replace]
        "of the listed channels, or of the whole guild; one that is archived is removed";
    ThreadMemberUpdate [ThreadMember Replace] "";
    ThreadMembersUpdate [
        Thread Update, Thread Remove, ThreadMember Replace, ThreadMember Remove, Member Merge, User Replace,
        User Merge, User Update,
        Presence Replace, Presence Remove
    ] "a private thread that the bot left is removed";
    EntitlementCreate [] "not kept";
    EntitlementUpdate [] "not kept";
    EntitlementDelete [] "not kept";
    GuildCreate [
        Guild Replace, Guild Merge, Channel Replace, Channel Sweep, Thread Replace, Thread Remove, Thread Sweep,
        ThreadMember Replace, ThreadMember Sweep, Role Replace, Role Sweep, Emoji Replace, Emoji Sweep, Sticker Replace,
        Sticker Sweep, SoundboardSound Replace, SoundboardSound Sweep, Member Replace, Member Merge, Member Update,
        Member Sweep, User Replace, User Merge, User Update, Presence Replace, Presence Remove, Presence Sweep,
        VoiceState Replace,
        VoiceState Remove, VoiceState Sweep, StageInstance Replace, StageInstance Sweep, ScheduledEvent Replace,
        ScheduledEvent Sweep
    ] "one that is unavailable is marked and keeps what is known";
    GuildUpdate [
        Guild Replace, Role Replace, Role Sweep, Emoji Replace, Emoji Sweep, Sticker Replace, Sticker Sweep
    ] "member_count, joined_at, large and unavailable stay";
    GuildDelete [Guild Merge, Guild Remove] "in an outage the guild is marked and stays";
    GuildAuditLogEntryCreate [] "what it reports has events of its own";
    GuildBanAdd [User Update] "the member's removal comes by itself";
    GuildBanRemove [User Update] "";
    GuildEmojisUpdate [Emoji Replace, Emoji Sweep] "";
    GuildStickersUpdate [Sticker Replace, Sticker Sweep] "";
    GuildIntegrationsUpdate [] "not kept";
    GuildMemberAdd [Guild Update, Member Replace, User Replace, User Merge] "member_count, unless the member was known";
    GuildMemberRemove [
        Guild Update, ThreadMember Remove, Member Remove, User Update, Presence Remove, VoiceState Remove
    ] "member_count";
    GuildMemberUpdate [Member Merge, User Replace, User Merge] "";
    GuildMembersChunk [Member Replace, User Replace, User Merge, User Update, Presence Replace, Presence Remove] "";
    GuildRoleCreate [Role Replace] "";
    GuildRoleUpdate [Role Replace] "";
    GuildRoleDelete [Role Remove] "ids stay in members and overwrites, as Discord leaves them";
    GuildScheduledEventCreate [ScheduledEvent Replace] "";
    GuildScheduledEventUpdate [ScheduledEvent Replace] "user_count stays";
    GuildScheduledEventDelete [ScheduledEvent Remove] "";
    GuildScheduledEventUserAdd [ScheduledEvent Update] "user_count";
    GuildScheduledEventUserRemove [ScheduledEvent Update] "user_count";
    GuildSoundboardSoundCreate [SoundboardSound Replace] "";
    GuildSoundboardSoundUpdate [SoundboardSound Replace] "";
    GuildSoundboardSoundDelete [SoundboardSound Remove] "";
    GuildSoundboardSoundsUpdate [SoundboardSound Replace] "several, not all";
    SoundboardSounds [SoundboardSound Replace, SoundboardSound Sweep] "";
    IntegrationCreate [] "not kept";
    IntegrationUpdate [] "not kept";
    IntegrationDelete [] "not kept";
    InteractionCreate [Role Update, Member Merge, Member Update, User Replace, User Merge, User Update]
        "the member is created only where the bot is installed; channels and messages are parts, and not kept";
    InviteCreate [] "not kept";
    InviteDelete [] "not kept";
    MessageCreate [Channel Update, Thread Update, Member Merge, User Replace, User Merge, Message Replace]
        "a webhook's author stays in the message";
    MessageUpdate [Member Update, User Update, Message Update] "";
    MessageDelete [Message Remove] "";
    MessageDeleteBulk [Message Remove] "";
    MessageReactionAdd [Member Merge, User Replace, User Merge, Message Update] "";
    MessageReactionRemove [Message Update] "";
    MessageReactionRemoveAll [Message Update] "";
    MessageReactionRemoveEmoji [Message Update] "";
    MessagePollVoteAdd [Message Update] "";
    MessagePollVoteRemove [Message Update] "";
    PresenceUpdate [User Update, Presence Replace, Presence Remove] "offline is no presence";
    StageInstanceCreate [StageInstance Replace] "";
    StageInstanceUpdate [StageInstance Replace] "";
    StageInstanceDelete [StageInstance Remove] "";
    SubscriptionCreate [] "not kept";
    SubscriptionUpdate [] "not kept";
    SubscriptionDelete [] "not kept";
    TypingStart [Member Merge, User Replace, User Merge] "";
    UserUpdate [User Replace] "the bot's own";
    VoiceChannelEffectSend [] "a moment";
    VoiceServerUpdate [] "a hand-over";
    VoiceStateUpdate [
        Member Merge, Member Update, User Replace, User Merge, User Update, VoiceState Replace, VoiceState Remove
    ] "who disconnects has none";
    WebhooksUpdate [] "not kept";
}
