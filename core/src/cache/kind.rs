//! The kinds of records that the cache keeps, numbered and named.

use core::fmt;

macro_rules! kinds {
    ($($number:literal $variant:ident $name:literal $scope:literal $id:literal $explain:literal,)*) => {
        /// What a record is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = $explain] $variant = $number,)*
        }

        impl Kind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in settings, in stores and in other languages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What the scope of such a key is: the guild, the channel or the thread; empty where ids need none.
            #[must_use]
            pub const fn scope(self) -> &'static str {
                match self {
                    $(Self::$variant => $scope,)*
                }
            }

            /// What the id of such a key is the id of.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// One sentence for the user.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Self::$variant => $explain,)*
                }
            }
        }
    };
}

kinds! {
    1 Guild "guild" "" "guild" "a guild, without what is in it",
    2 Channel "channel" "guild" "channel" "a guild's channel or category, obfuscated ones included",
    3 Thread "thread" "guild" "thread" "a thread that is not archived",
    4 ThreadMember "thread_member" "thread" "user" "who has joined a thread, as far as the bot is told",
    5 Role "role" "guild" "role" "a role",
    6 Emoji "emoji" "guild" "emoji" "a guild's own emoji",
    7 Sticker "sticker" "guild" "sticker" "a guild's own sticker",
    8 SoundboardSound "soundboard_sound" "guild" "sound" "a guild's own sound",
    9 Member "member" "guild" "user" "a user in a guild; the user itself is a record of its own",
    10 User "user" "" "user" "a user, shared by all who refer to it",
    11 Presence "presence" "guild" "user" "a member's status and activities; whoever is offline has none",
    12 VoiceState "voice_state" "guild" "user" "where a member is connected by voice",
    13 StageInstance "stage_instance" "guild" "stage instance" "a live stage",
    14 ScheduledEvent "scheduled_event" "guild" "scheduled event" "an event on a guild's calendar",
    15 Message "message" "channel" "message" "one of a channel's latest messages",
}

impl Kind {
    /// The number in records and stores: stable, never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number; `None` if there is none.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.number() == number)
    }

    /// The kind with this name; `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self(u32::MAX);

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// This set without `kind`.
    #[must_use]
    pub const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}
