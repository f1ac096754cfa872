//! The top-level resource of a path, which Discord limits each on its own.

use core::fmt;

use crate::id::Snowflake;

use super::hash;
use super::segments::Segment;

/// The major parameter: requests to the same template with different ones have buckets of their own.
///
/// Only the resource that the path starts with counts (Discord's documentation on rate limits); a guild further down,
/// as in `/applications/{application_id}/guilds/{guild_id}/commands`, does not. Tokens are kept as 64-bit hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Major {
    /// The path belongs to no such resource.
    None,
    /// `/guilds/{guild_id}` and below.
    Guild(Snowflake),
    /// `/channels/{channel_id}` and below.
    Channel(Snowflake),
    /// `/webhooks/{webhook_id}` and below; with the token in the path, both are the parameter.
    Webhook {
        /// The webhook.
        id: Snowflake,
        /// The hash of its token, if that is in the path.
        token: Option<u64>,
    },
    /// An interaction, by the hash of its token: its callback, and the follow-ups under `/webhooks/`. The application
    /// id in a follow-up's path is the same for all interactions of the bot, so it is not part of this.
    Interaction(u64),
}

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no major parameter"),
            Self::Guild(id) => write!(f, "guild {id}"),
            Self::Channel(id) => write!(f, "channel {id}"),
            Self::Webhook { id, token: None } => write!(f, "webhook {id}"),
            Self::Webhook { id, token: Some(_) } => write!(f, "webhook {id} by its token"),
            Self::Interaction(_) => f.write_str("an interaction"),
        }
    }
}

/// How the tokens of interactions start: `interaction:` in base64. Nothing else in a follow-up's path tells it from a
/// webhook's.
const INTERACTION: &[u8] = b"aW50ZXJhY3Rpb246";

/// The first segment, as far as it decides anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Head {
    #[default]
    Other,
    Channels,
    Guilds,
    Webhooks,
    Interactions,
}

impl Head {
    #[inline]
    fn of(text: &[u8]) -> Self {
        match text {
            b"channels" => Self::Channels,
            b"guilds" => Self::Guilds,
            b"webhooks" => Self::Webhooks,
            b"interactions" => Self::Interactions,
            _ => Self::Other,
        }
    }

    /// Whether a token stands behind the id.
    pub(super) const fn has_token(self) -> bool {
        matches!(self, Self::Webhooks | Self::Interactions)
    }
}

/// What the segments of a path say, whether or not its template is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) head: Head,
    /// The second segment, if the head has ids and it is one.
    pub(super) id: Option<Snowflake>,
    /// The hash of the token behind the id.
    pub(super) token: Option<u64>,
    /// Whether the token is an interaction's.
    pub(super) is_interaction: bool,
    /// The first id behind a segment `guilds`.
    pub(super) guild: Option<Snowflake>,
    seen: usize,
    after_guilds: bool,
}

impl Facts {
    /// Takes the next segment.
    #[inline]
    pub(super) fn read(&mut self, segment: &Segment<'_>) {
        let text = segment.text();
        match self.seen {
            0 => self.head = Head::of(text),
            1 if self.head != Head::Other => self.id = segment.number().map(Snowflake),
            2 if self.head.has_token() && self.id.is_some() => self.read_token(segment),
            _ => {}
        }
        if self.after_guilds && self.guild.is_none() {
            self.guild = segment.number().map(Snowflake);
        }
        self.after_guilds = text == b"guilds";
        self.seen += 1;
    }

    fn read_token(&mut self, segment: &Segment<'_>) {
        self.token = Some(hash::token(segment));
        let start = segment.bytes().take(INTERACTION.len());
        self.is_interaction =
            self.head == Head::Interactions || start.eq(INTERACTION.iter().copied());
    }

    pub(super) fn major(&self) -> Major {
        match (self.head, self.id, self.token) {
            (Head::Guilds, Some(id), _) => Major::Guild(id),
            (Head::Channels, Some(id), _) => Major::Channel(id),
            (Head::Webhooks | Head::Interactions, Some(_), Some(token)) if self.is_interaction => {
                Major::Interaction(token)
            }
            (Head::Webhooks, Some(id), token) => Major::Webhook { id, token },
            _ => Major::None,
        }
    }
}
