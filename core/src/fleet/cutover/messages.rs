//! What the two sides say to each other. Messages may be lost, delayed and repeated.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Snowflake;

use super::align::{Basis, Times};
use super::fingerprint::Fingerprint;

/// The form of messages. Another one is not read.
pub const VERSION: u16 = 1;

/// How many fingerprints a list in a message has at most.
pub const LISTED_MAX: usize = 4_096;

/// A longer message is not read: three lists of the longest kind fit.
pub const MESSAGE_BYTES_MAX: usize = 512 << 10;

/// A message about one guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// [`VERSION`].
    pub version: u16,
    /// [`Config::cutover`](super::Config::cutover).
    pub cutover: u64,
    /// The guild, or [`SHARED`](super::SHARED).
    pub guild: Snowflake,
    /// The ask that this is about: each has a number that its cutover has not had. 0 where there is none.
    pub number: u64,
    /// What is said.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// New to old: give me this guild. I hold its events from now on.
    Ask(Ask),
    /// New to old: I lost my session. Answered with `Kept` if the guild was not cut, with `Cut` if it was.
    Withdraw,
    /// New to old: I have it, and will not forget it. The old side may forget what it listed.
    Taken,
    /// Old to new: from here on it is yours.
    Cut(Cut),
    /// Old to new: I go on dispatching, and this ask will never lead to a cut.
    Kept,
    /// Old to new: my session is gone. It is yours from wherever I stopped.
    Lost(Lost),
}

/// What the new side saw before it began to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// Oldest first, up to the moment from which events are held.
    pub seen: Vec<Fingerprint>,
    /// How many more there were within the horizon.
    pub unlisted: u64,
    /// How long before this message was sent the ask was made, in milliseconds. It is sent again until it is answered.
    pub asked_ms: u64,
    /// The last silence that is long enough to prove something.
    pub silence: Option<Silence>,
    /// Where there is nothing better: events that were alone of their kind for a while.
    pub lone: Vec<Lone>,
}

/// A silence of the guild on a session that was alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// How many of what was seen came after it.
    pub after: u32,
    /// How long before the ask its middle was, in milliseconds.
    pub before_ms: u64,
}

/// An event that was seen, and no other like it for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lone {
    /// Which of what was seen.
    pub index: u32,
    /// How long before the ask it was seen, in milliseconds.
    pub before_ms: u64,
}

/// Where the old side stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// What the two sides agree by.
    pub basis: Basis,
    /// Events that the new side saw before its ask and the old side has not dispatched: possibly lost.
    pub missing: u64,
    /// What the old side dispatched and the new side has yet to meet.
    pub expected: Vec<Times>,
    /// What the old side dispatched and the new side may meet, or not.
    pub doubtful: Vec<Times>,
    /// How long before this message was sent the ask was made, in milliseconds and by the old side's reckoning. From it
    /// the new side sees how long the messages were under way.
    pub asked_ms: Option<u64>,
}

/// What an old side without a session had dispatched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lost {
    /// Oldest first: the fingerprint, and how many milliseconds before this message was sent.
    pub dispatched: Vec<(Fingerprint, u64)>,
    /// How many milliseconds before this message was sent the session last showed that it lived.
    pub alive_ms: u64,
}

/// Why a message was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Longer than [`MESSAGE_BYTES_MAX`], or with a list longer than [`LISTED_MAX`].
    TooLong,
    /// Of another [`VERSION`].
    Version(u16),
    /// Not a message.
    Malformed,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("a message of a cutover is too long"),
            Self::Version(version) => write!(
                f,
                "a message of a cutover has version {version}, this side speaks {VERSION}"
            ),
            Self::Malformed => f.write_str("not a message of a cutover"),
        }
    }
}

impl core::error::Error for Unreadable {}

impl Message {
    /// Reads a message, whoever wrote it.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] says why it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(Unreadable::TooLong);
        }
        let message: Self = serde_json::from_slice(bytes).map_err(|_| Unreadable::Malformed)?;
        message.check().map(|()| message)
    }

    /// The message as bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and lists are always JSON")
    }

    /// Whether it keeps to the bounds, for a message that came as a value.
    pub(super) fn check(&self) -> Result<(), Unreadable> {
        if self.version != VERSION {
            return Err(Unreadable::Version(self.version));
        }
        let longest = match &self.body {
            Body::Ask(ask) => ask.seen.len().max(ask.lone.len()),
            Body::Cut(cut) => cut.expected.len().max(cut.doubtful.len()),
            Body::Lost(lost) => lost.dispatched.len(),
            Body::Withdraw | Body::Taken | Body::Kept => 0,
        };
        if longest > LISTED_MAX {
            return Err(Unreadable::TooLong);
        }
        Ok(())
    }
}
