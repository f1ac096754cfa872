//! The dispatch names, numbered, with the intents that let each one through.

use core::fmt;

use super::intents::Intents;

macro_rules! event_kinds {
    ($($number:literal $variant:ident $name:literal $($intent:ident)|*;)*) => {
        /// What a dispatch is about: the envelope's `t`, as a number.
        ///
        /// Numbers are stable and never reused: records, bindings and filters rely on them. A name that is not listed
        /// is [`EventKind::Unknown`]; its text travels beside it, because Discord adds names without notice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum EventKind {
            /// A name that this version does not list.
            Unknown = 0,
            $(#[doc = concat!("`", $name, "`")] $variant = $number,)*
        }

        impl EventKind {
            /// Every listed kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The kind that Discord calls `name`.
            #[must_use]
            pub fn from_name(name: &[u8]) -> Self {
                // The names that large bots receive by the thousand are asked for before the rest.
                match name {
                    b"MESSAGE_CREATE" => Self::MessageCreate,
                    b"PRESENCE_UPDATE" => Self::PresenceUpdate,
                    b"TYPING_START" => Self::TypingStart,
                    _ => Self::from_rare_name(name),
                }
            }

            #[expect(non_upper_case_globals, reason = "the constants are named after the variants")]
            fn from_rare_name(name: &[u8]) -> Self {
                $(const $variant: &[u8] = $name.as_bytes();)*
                match name {
                    $($variant => Self::$variant,)*
                    _ => Self::Unknown,
                }
            }

            /// Discord's name, such as `MESSAGE_CREATE`; empty for [`EventKind::Unknown`].
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Unknown => "",
                    $(Self::$variant => $name,)*
                }
            }

            /// The kind with this number, [`EventKind::Unknown`] if there is none.
            #[must_use]
            pub const fn from_number(number: u8) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    _ => Self::Unknown,
                }
            }

            /// The intents of which at least one must be set for this event to be sent; empty where none is needed.
            #[must_use]
            pub const fn intents(self) -> Intents {
                match self {
                    Self::Unknown => Intents::NONE,
                    $(Self::$variant => Intents::NONE$(.with(Intents::$intent))*,)*
                }
            }
        }
    };
}

event_kinds! {
    1 Ready "READY";
    2 Resumed "RESUMED";
    3 RateLimited "RATE_LIMITED";
    4 ApplicationCommandPermissionsUpdate "APPLICATION_COMMAND_PERMISSIONS_UPDATE";
    5 AutoModerationRuleCreate "AUTO_MODERATION_RULE_CREATE" AUTO_MODERATION_CONFIGURATION;
    6 AutoModerationRuleUpdate "AUTO_MODERATION_RULE_UPDATE" AUTO_MODERATION_CONFIGURATION;
    7 AutoModerationRuleDelete "AUTO_MODERATION_RULE_DELETE" AUTO_MODERATION_CONFIGURATION;
    8 AutoModerationActionExecution "AUTO_MODERATION_ACTION_EXECUTION" AUTO_MODERATION_EXECUTION;
    9 ChannelCreate "CHANNEL_CREATE" GUILDS;
    10 ChannelUpdate "CHANNEL_UPDATE" GUILDS;
    11 ChannelDelete "CHANNEL_DELETE" GUILDS;
    12 ChannelInfo "CHANNEL_INFO";
    13 VoiceChannelStatusUpdate "VOICE_CHANNEL_STATUS_UPDATE" GUILDS;
    14 VoiceChannelStartTimeUpdate "VOICE_CHANNEL_START_TIME_UPDATE" GUILDS;
    15 ChannelPinsUpdate "CHANNEL_PINS_UPDATE" GUILDS | DIRECT_MESSAGES;
    16 ThreadCreate "THREAD_CREATE" GUILDS;
    17 ThreadUpdate "THREAD_UPDATE" GUILDS;
    18 ThreadDelete "THREAD_DELETE" GUILDS;
    19 ThreadListSync "THREAD_LIST_SYNC" GUILDS;
    20 ThreadMemberUpdate "THREAD_MEMBER_UPDATE" GUILDS;
    21 ThreadMembersUpdate "THREAD_MEMBERS_UPDATE" GUILDS | GUILD_MEMBERS;
    22 EntitlementCreate "ENTITLEMENT_CREATE";
    23 EntitlementUpdate "ENTITLEMENT_UPDATE";
    24 EntitlementDelete "ENTITLEMENT_DELETE";
    25 GuildCreate "GUILD_CREATE" GUILDS;
    26 GuildUpdate "GUILD_UPDATE" GUILDS;
    27 GuildDelete "GUILD_DELETE" GUILDS;
    28 GuildAuditLogEntryCreate "GUILD_AUDIT_LOG_ENTRY_CREATE" GUILD_MODERATION;
    29 GuildBanAdd "GUILD_BAN_ADD" GUILD_MODERATION;
    30 GuildBanRemove "GUILD_BAN_REMOVE" GUILD_MODERATION;
    31 GuildEmojisUpdate "GUILD_EMOJIS_UPDATE" GUILD_EXPRESSIONS;
    32 GuildStickersUpdate "GUILD_STICKERS_UPDATE" GUILD_EXPRESSIONS;
    33 GuildIntegrationsUpdate "GUILD_INTEGRATIONS_UPDATE" GUILD_INTEGRATIONS;
    34 GuildMemberAdd "GUILD_MEMBER_ADD" GUILD_MEMBERS;
    35 GuildMemberRemove "GUILD_MEMBER_REMOVE" GUILD_MEMBERS;
    36 GuildMemberUpdate "GUILD_MEMBER_UPDATE";
    37 GuildMembersChunk "GUILD_MEMBERS_CHUNK";
    38 GuildRoleCreate "GUILD_ROLE_CREATE" GUILDS;
    39 GuildRoleUpdate "GUILD_ROLE_UPDATE" GUILDS;
    40 GuildRoleDelete "GUILD_ROLE_DELETE" GUILDS;
    41 GuildScheduledEventCreate "GUILD_SCHEDULED_EVENT_CREATE" GUILD_SCHEDULED_EVENTS;
    42 GuildScheduledEventUpdate "GUILD_SCHEDULED_EVENT_UPDATE" GUILD_SCHEDULED_EVENTS;
    43 GuildScheduledEventDelete "GUILD_SCHEDULED_EVENT_DELETE" GUILD_SCHEDULED_EVENTS;
    44 GuildScheduledEventUserAdd "GUILD_SCHEDULED_EVENT_USER_ADD" GUILD_SCHEDULED_EVENTS;
    45 GuildScheduledEventUserRemove "GUILD_SCHEDULED_EVENT_USER_REMOVE" GUILD_SCHEDULED_EVENTS;
    46 GuildSoundboardSoundCreate "GUILD_SOUNDBOARD_SOUND_CREATE" GUILD_EXPRESSIONS;
    47 GuildSoundboardSoundUpdate "GUILD_SOUNDBOARD_SOUND_UPDATE" GUILD_EXPRESSIONS;
    48 GuildSoundboardSoundDelete "GUILD_SOUNDBOARD_SOUND_DELETE" GUILD_EXPRESSIONS;
    49 GuildSoundboardSoundsUpdate "GUILD_SOUNDBOARD_SOUNDS_UPDATE" GUILD_EXPRESSIONS;
    50 SoundboardSounds "SOUNDBOARD_SOUNDS";
    51 IntegrationCreate "INTEGRATION_CREATE" GUILD_INTEGRATIONS;
    52 IntegrationUpdate "INTEGRATION_UPDATE" GUILD_INTEGRATIONS;
    53 IntegrationDelete "INTEGRATION_DELETE" GUILD_INTEGRATIONS;
    54 InteractionCreate "INTERACTION_CREATE";
    55 InviteCreate "INVITE_CREATE" GUILD_INVITES;
    56 InviteDelete "INVITE_DELETE" GUILD_INVITES;
    57 MessageCreate "MESSAGE_CREATE" GUILD_MESSAGES | DIRECT_MESSAGES;
    58 MessageUpdate "MESSAGE_UPDATE" GUILD_MESSAGES | DIRECT_MESSAGES;
    59 MessageDelete "MESSAGE_DELETE" GUILD_MESSAGES | DIRECT_MESSAGES;
    60 MessageDeleteBulk "MESSAGE_DELETE_BULK" GUILD_MESSAGES;
    61 MessageReactionAdd "MESSAGE_REACTION_ADD" GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGE_REACTIONS;
    62 MessageReactionRemove "MESSAGE_REACTION_REMOVE" GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGE_REACTIONS;
    63 MessageReactionRemoveAll "MESSAGE_REACTION_REMOVE_ALL" GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGE_REACTIONS;
    64 MessageReactionRemoveEmoji "MESSAGE_REACTION_REMOVE_EMOJI" GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGE_REACTIONS;
    65 MessagePollVoteAdd "MESSAGE_POLL_VOTE_ADD" GUILD_MESSAGE_POLLS | DIRECT_MESSAGE_POLLS;
    66 MessagePollVoteRemove "MESSAGE_POLL_VOTE_REMOVE" GUILD_MESSAGE_POLLS | DIRECT_MESSAGE_POLLS;
    67 PresenceUpdate "PRESENCE_UPDATE" GUILD_PRESENCES;
    68 StageInstanceCreate "STAGE_INSTANCE_CREATE" GUILDS;
    69 StageInstanceUpdate "STAGE_INSTANCE_UPDATE" GUILDS;
    70 StageInstanceDelete "STAGE_INSTANCE_DELETE" GUILDS;
    71 SubscriptionCreate "SUBSCRIPTION_CREATE";
    72 SubscriptionUpdate "SUBSCRIPTION_UPDATE";
    73 SubscriptionDelete "SUBSCRIPTION_DELETE";
    74 TypingStart "TYPING_START" GUILD_MESSAGE_TYPING | DIRECT_MESSAGE_TYPING;
    75 UserUpdate "USER_UPDATE";
    76 VoiceChannelEffectSend "VOICE_CHANNEL_EFFECT_SEND" GUILD_VOICE_STATES;
    77 VoiceServerUpdate "VOICE_SERVER_UPDATE";
    78 VoiceStateUpdate "VOICE_STATE_UPDATE" GUILD_VOICE_STATES;
    79 WebhooksUpdate "WEBHOOKS_UPDATE" GUILD_WEBHOOKS;
}

impl EventKind {
    /// The number in records and bindings.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Unknown) {
            "UNKNOWN"
        } else {
            self.name()
        })
    }
}

/// Which events reach the user. What it leaves out costs an envelope scan and nothing else.
///
/// READY, RESUMED, GUILD_CREATE, GUILD_DELETE and RATE_LIMITED still do their work inside the session when they are
/// left out here; they are only not handed on.
///
/// ```
/// use shardkeep_core::wire::{EventFilter, EventKind};
///
/// let filter = EventFilter::all().without(EventKind::TypingStart);
/// assert!(!filter.lets_through(EventKind::TypingStart));
/// assert!(filter.lets_through(EventKind::MessageCreate));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFilter(u128);

impl EventFilter {
    /// Everything, names that this version does not list included.
    #[must_use]
    pub const fn all() -> Self {
        Self(u128::MAX)
    }

    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// This filter, letting `kind` through as well.
    #[must_use]
    pub const fn with(self, kind: EventKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// This filter, holding `kind` back.
    #[must_use]
    pub const fn without(self, kind: EventKind) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    /// What either of two filters lets through.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `kind` is handed on.
    #[must_use]
    pub const fn lets_through(self, kind: EventKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_name_and_by_number() {
        assert_eq!(EventKind::ALL.len(), 79);
        for &kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name().as_bytes()), kind);
            assert_eq!(EventKind::from_number(kind.number()), kind);
        }
        assert_eq!(EventKind::from_name(b"MESSAGE_CREATED"), EventKind::Unknown);
        assert_eq!(EventKind::from_number(0), EventKind::Unknown);
        assert_eq!(EventKind::from_number(255), EventKind::Unknown);
    }

    #[test]
    fn a_filter_holds_back_one_kind_alone() {
        let filter = EventFilter::all().without(EventKind::WebhooksUpdate);
        for &kind in EventKind::ALL {
            assert_eq!(filter.lets_through(kind), kind != EventKind::WebhooksUpdate);
        }
        assert!(filter.lets_through(EventKind::Unknown));
    }
}
