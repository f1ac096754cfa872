//! A dispatch as a cutover sees it, and whose it is.

use crate::id::Snowflake;
use crate::wire::{EventKind, json};

use super::fingerprint::{Fingerprint, fingerprint};

/// The guild that stands for what has none: direct messages, entitlements, subscriptions, the bot's own user. No
/// guild's id is 0.
pub const SHARED: Snowflake = Snowflake(0);

/// A dispatch of one of the two sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its sequence in its session.
    pub sequence: u64,
    /// What it is about.
    pub kind: EventKind,
    /// Discord's name for it.
    pub name: &'a str,
    /// The JSON of its `d`.
    pub data: &'a [u8],
}

impl Event<'_> {
    /// Whose it is.
    #[must_use]
    pub fn scope(&self) -> Scope {
        scope(self.kind, self.data)
    }

    /// What the other session recognises it by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self.kind, self.name, self.data)
    }
}

/// Whose an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Of one guild, or of [`SHARED`]: both sessions deliver it, one dispatches it.
    Guild(Snowflake),
    /// Of the session alone: it opens it, or answers what was sent on it. It is never compared, nor suppressed.
    Session,
}

/// Whose a dispatch is.
///
/// Of the session are READY, RESUMED and RATE_LIMITED; GUILD_MEMBERS_CHUNK, SOUNDBOARD_SOUNDS and CHANNEL_INFO, which
/// answer commands of this session; and VOICE_SERVER_UPDATE, which answers op 4. Of [`SHARED`] is what names no guild:
/// Discord sends it to shard 0 of each total (direct messages, entitlements, subscriptions), or to every session
/// (USER_UPDATE).
#[must_use]
pub fn scope(kind: EventKind, data: &[u8]) -> Scope {
    let name = match kind {
        EventKind::Ready
        | EventKind::Resumed
        | EventKind::RateLimited
        | EventKind::GuildMembersChunk
        | EventKind::SoundboardSounds
        | EventKind::ChannelInfo
        | EventKind::VoiceServerUpdate => return Scope::Session,
        EventKind::UserUpdate
        | EventKind::SubscriptionCreate
        | EventKind::SubscriptionUpdate
        | EventKind::SubscriptionDelete
        // A gift or a subscription may name a guild; shard 0 gets it all the same.
        | EventKind::EntitlementCreate
        | EventKind::EntitlementUpdate
        | EventKind::EntitlementDelete => return Scope::Guild(SHARED),
        EventKind::GuildCreate | EventKind::GuildUpdate | EventKind::GuildDelete => "id",
        _ => "guild_id",
    };
    Scope::Guild(
        json::field(data, name)
            .and_then(json::snowflake)
            .unwrap_or(SHARED),
    )
}

/// What a side says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hand it on.
    Dispatch,
    /// Do not hand it on: the other side does, or has.
    Suppress(Suppressed),
    /// It was copied, and comes out of [`poll_settled`](super::Joining::poll_settled) later. Acknowledge it
    /// only when it
    /// has, and its handler is done.
    Held,
}

/// Why an event is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppressed {
    /// The guild is not cut yet: the old side dispatches it.
    Watched,
    /// The guild is cut: the new side dispatches it.
    AfterCut,
    /// The old side dispatched it before the cut.
    Duplicate,
    /// The GUILD_CREATE (or, in an outage, GUILD_DELETE) with which every new session begins a guild. Nobody joined or
    /// left. A cache may take it in.
    Overlap,
}
