//! What a dispatch does to records, in small steps that borrow its bytes.

use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;

/// One step of what a dispatch does.
///
/// Steps are meant to be taken in order, all those of one dispatch as one. Two rules hold for whoever takes them:
///
/// * A user is kept as long as a member or a message refers to it; the bot's own user always. What is referred to by
///   nobody after a dispatch goes.
/// * Of each channel only the newest messages are kept, as many as were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change<'a> {
    /// Who the bot is.
    Own(Snowflake),
    /// A record is created or changed as a whole.
    Put(Put<'a>),
    /// One member of a record that is known is set.
    Set(Set<'a>),
    /// A count in a record that is known goes up or down.
    Add(Add),
    /// The reactions to a message that is known change.
    React(React<'a>),
    /// A vote in the poll of a message that is known is given or taken back.
    Vote(Vote),
    /// A record goes, and everything under it.
    Remove(Remove),
    /// A user's memberships in the threads of a guild go.
    Part {
        /// The guild that the user left.
        guild: Snowflake,
        /// Who left.
        user: Snowflake,
    },
    /// Of a kind, only what this dispatch put stays.
    Sweep(Sweep<'a>),
    /// Of a shard's guilds, only those that this dispatch put stay. The others go with everything in them.
    SweepGuilds {
        /// The shard's number.
        index: u64,
        /// Of how many; at least 1.
        total: u64,
    },
}

/// A record is created or changed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put<'a> {
    /// Which record.
    pub key: Key,
    /// The guild that it goes with; zero outside guilds.
    pub guild: Snowflake,
    /// The channel or thread that it goes with; zero if with none.
    pub under: Snowflake,
    /// What becomes of what the record was.
    pub mode: Mode,
    /// What the dispatch says of it.
    pub fields: Fields<'a>,
}

/// What becomes of what a record was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is forgotten.
    Replace,
    /// It is forgotten, but for these members, which other dispatches tell.
    ReplaceKeeping(&'static [&'static str]),
    /// What the dispatch does not mention stays. A record that is not known is created.
    Merge,
    /// What the dispatch does not mention stays. A record that is not known stays unknown: this is no more than a part
    /// of it, or tells of something that nobody else refers to.
    MergeKnown,
}

/// One member of a record that is known is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set<'a> {
    /// Which record.
    pub key: Key,
    /// Which member.
    pub field: &'static str,
    /// Its new value.
    pub json: &'a [u8],
    /// Only if the record's `type` is among these.
    pub types: Types,
}

/// A count in a record that is known goes up or down, not below zero. A member that is no number stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add {
    /// Which record.
    pub key: Key,
    /// Which member.
    pub field: &'static str,
    /// Up or down.
    pub step: Step,
    /// Not if this record is known: then it has been counted.
    pub unless: Option<Key>,
}

/// One up or one down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more.
    Up,
    /// One less.
    Down,
}

impl Step {
    /// The number after `count`; counts do not go below zero.
    #[must_use]
    pub const fn of(self, count: u64) -> u64 {
        match self {
            Self::Up => count.saturating_add(1),
            Self::Down => count.saturating_sub(1),
        }
    }
}

/// The reactions to a message that is known change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct React<'a> {
    /// Which message.
    pub key: Key,
    /// What happened.
    pub reaction: Reaction<'a>,
}

/// What happened to a message's reactions. An emoji is told by its id, or by its name where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction<'a> {
    /// Somebody reacted.
    Add {
        /// The emoji.
        emoji: &'a [u8],
        /// Whether it was the bot.
        own: bool,
        /// Whether it is a super reaction.
        burst: bool,
        /// The colours of a super reaction; empty if none are told.
        colors: &'a [u8],
    },
    /// Somebody took a reaction back, or had it taken.
    Remove {
        /// The emoji.
        emoji: &'a [u8],
        /// Whether it was the bot's.
        own: bool,
        /// Whether it was a super reaction.
        burst: bool,
    },
    /// All of one emoji went.
    RemoveEmoji {
        /// The emoji.
        emoji: &'a [u8],
    },
    /// All went.
    RemoveAll,
}

/// A vote in the poll of a message that is known is given or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Which message.
    pub key: Key,
    /// The answer's number.
    pub answer: u64,
    /// Whether the vote is the bot's.
    pub own: bool,
    /// Given or taken back.
    pub step: Step,
}

/// A record goes, and everything under it: all of a guild with the guild; messages, members, threads, voice states,
/// stage instances and scheduled events with the channel or thread of their guild that they are under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remove {
    /// Which record.
    pub key: Key,
    /// Whether it may still exist at Discord.
    pub why: Why,
    /// Only if the record is known and its `type` is among these.
    pub types: Types,
}

/// Whether something that goes from the cache may still exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It does not: asking Discord for it is of no use.
    Deleted,
    /// It may: the bot is told no more of it.
    Forgotten,
}

/// Of a kind, only what this dispatch put stays. What is under a record that goes goes too, unless this dispatch put
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep<'a> {
    /// Which kind.
    pub kind: Kind,
    /// In which guild.
    pub guild: Snowflake,
    /// Only under these channels: a JSON array of ids. `None` means all of the guild.
    pub under: Option<&'a [u8]>,
    /// Whether what goes may still exist.
    pub why: Why,
}

/// A set of channel types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u32);

impl Types {
    /// All, and records without a type.
    pub const ANY: Self = Self(u32::MAX);
    /// Channels whose messages are threads: forums and media channels.
    pub const POSTS: Self = Self(1 << 15 | 1 << 16);
    /// Private threads.
    pub const PRIVATE_THREAD: Self = Self(1 << 12);

    /// Whether it is no condition.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.0 == u32::MAX
    }

    /// Whether a record with this `type` is meant. `None` is one that has none, or whose type is no number.
    #[must_use]
    pub const fn contains(self, channel_type: Option<u64>) -> bool {
        match channel_type {
            _ if self.is_any() => true,
            Some(number) if number < 32 => self.0 >> number & 1 == 1,
            _ => false,
        }
    }
}
