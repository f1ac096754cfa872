//! Gateway intents: which events Discord sends at all.

use core::fmt;
use core::str::FromStr;

macro_rules! intents {
    ($($name:ident $bit:literal $privileged:literal $doc:literal;)*) => {
        impl Intents {
            $(#[doc = $doc] pub const $name: Self = Self(1 << $bit);)*

            /// Every documented intent with its name, by bit.
            pub const NAMED: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// The intents that must be enabled in the developer portal, and approved for large bots.
            pub const PRIVILEGED: Self = Self(0 $(| (($privileged as u64) << $bit))*);

            /// Every documented intent.
            pub const ALL: Self = Self(0 $(| 1 << $bit)*);
        }
    };
}

/// A set of gateway intents.
///
/// Any bit that is not documented closes the session with 4013; a privileged one that is not enabled or approved, with
/// 4014.
///
/// ```
/// use shardkeep_core::wire::Intents;
///
/// let intents: Intents = "guilds, guild_messages".parse().unwrap();
/// assert_eq!(intents, Intents::GUILDS | Intents::GUILD_MESSAGES);
/// assert_eq!(Intents::ALL.without(Intents::PRIVILEGED).bits(), 53_575_421);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Intents(u64);

intents! {
    GUILDS 0 false "Guilds, their roles, channels and threads.";
    GUILD_MEMBERS 1 true "Members joining, changing, leaving. Privileged.";
    GUILD_MODERATION 2 false "Bans and the audit log.";
    GUILD_EXPRESSIONS 3 false "Emojis, stickers and soundboard sounds.";
    GUILD_INTEGRATIONS 4 false "Integrations.";
    GUILD_WEBHOOKS 5 false "Changes of webhooks.";
    GUILD_INVITES 6 false "Invites.";
    GUILD_VOICE_STATES 7 false "Who is in which voice channel.";
    GUILD_PRESENCES 8 true "Presences. Privileged.";
    GUILD_MESSAGES 9 false "Messages in guilds.";
    GUILD_MESSAGE_REACTIONS 10 false "Reactions in guilds.";
    GUILD_MESSAGE_TYPING 11 false "Typing in guilds.";
    DIRECT_MESSAGES 12 false "Direct messages.";
    DIRECT_MESSAGE_REACTIONS 13 false "Reactions to direct messages.";
    DIRECT_MESSAGE_TYPING 14 false "Typing in direct messages.";
    MESSAGE_CONTENT 15 true "No events of its own: fills content, embeds, attachments and the like. Privileged.";
    GUILD_SCHEDULED_EVENTS 16 false "Scheduled events.";
    AUTO_MODERATION_CONFIGURATION 20 false "Rules of automatic moderation.";
    AUTO_MODERATION_EXECUTION 21 false "Actions of automatic moderation.";
    GUILD_MESSAGE_POLLS 24 false "Votes in polls in guilds.";
    DIRECT_MESSAGE_POLLS 25 false "Votes in polls in direct messages.";
}

impl Intents {
    /// No intents: only the events that need none.
    pub const NONE: Self = Self(0);

    /// The set with these bits, documented or not.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits as Identify carries them.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// This set and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set but for `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the sets share an intent.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no intent is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Looks a name up, in any case: `guild_messages`, `GUILD_MESSAGES`; also `all` and `non_privileged`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("all") {
            return Some(Self::ALL);
        }
        if name.eq_ignore_ascii_case("non_privileged") {
            return Some(Self::ALL.without(Self::PRIVILEGED));
        }
        Self::NAMED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|&(_, set)| set)
    }
}

impl core::ops::BitOr for Intents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl FromStr for Intents {
    type Err = UnknownIntent;

    /// Reads names separated by commas, or one decimal number.
    fn from_str(text: &str) -> Result<Self, UnknownIntent> {
        if let Ok(bits) = text.trim().parse() {
            return Ok(Self(bits));
        }
        text.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .try_fold(Self::NONE, |set, name| {
                Self::from_name(name).map(|one| set | one)
            })
            .ok_or(UnknownIntent)
    }
}

impl fmt::Debug for Intents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Intents {
    /// Names joined by ` | `, then what is left as a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for &(name, intent) in Self::NAMED {
            if self.intersects(intent) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        let rest = self.without(Self::ALL);
        if !rest.is_empty() {
            return write!(f, "{separator}{:#x}", rest.0);
        }
        if self.is_empty() {
            f.write_str("none")
        } else {
            Ok(())
        }
    }
}

/// A name that is no intent. [`Intents::NAMED`] lists those that are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownIntent;

impl fmt::Display for UnknownIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a gateway intent")
    }
}

impl core::error::Error for UnknownIntent {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_of_discords_documentation() {
        assert_eq!(Intents::ALL.bits(), 53_608_447);
        assert_eq!(Intents::ALL.without(Intents::PRIVILEGED).bits(), 53_575_421);
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(
            "GUILDS, guild_presences".parse(),
            Ok(Intents::GUILDS | Intents::GUILD_PRESENCES)
        );
        assert_eq!("513".parse(), Ok(Intents::from_bits(513)));
        assert_eq!("guild_message".parse::<Intents>(), Err(UnknownIntent));
    }
}
