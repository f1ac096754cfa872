//! A bot's own presence: status and activities, as identify and op 3 carry them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The bot's status and activities. All four keys are always written: Discord closes with 4001 where one is missing.
/// A key that is missing on input has its default.
///
/// ```
/// use shardkeep_core::wire::{Activity, Presence, Status};
///
/// let activities = vec![Activity::custom("back soon")];
/// let presence = Presence { status: Status::Idle, activities, ..Presence::default() };
/// assert!(presence.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Presence {
    /// Since when the bot is idle: milliseconds since 1970. None if it is not.
    pub since: Option<u64>,
    /// What the bot is doing.
    pub activities: Vec<Activity>,
    /// The coloured dot.
    pub status: Status,
    /// Whether the bot is away from keyboard.
    pub afk: bool,
}

/// The coloured dot beside a name.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Online.
    #[default]
    Online,
    /// Do not disturb.
    Dnd,
    /// Away.
    Idle,
    /// Online, and shown as offline.
    Invisible,
    /// Offline.
    Offline,
}

/// One activity. Bots may set these four fields and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// The activity's name.
    pub name: String,
    /// `type`: 0 playing, 1 streaming, 2 listening, 3 watching, 4 custom, 5 competing.
    #[serde(default, rename = "type")]
    pub kind: u8,
    /// What the party or player is doing; the text of a custom status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Where the stream is: on twitch.tv or youtube.com. Needed for type 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Activity {
    /// `type` of an activity shown as "Playing {name}".
    pub const PLAYING: u8 = 0;
    /// `type` of an activity shown as "Streaming {name}".
    pub const STREAMING: u8 = 1;
    /// `type` of an activity shown as "Listening to {name}".
    pub const LISTENING: u8 = 2;
    /// `type` of an activity shown as "Watching {name}".
    pub const WATCHING: u8 = 3;
    /// `type` of a custom status, whose text is `state`.
    pub const CUSTOM: u8 = 4;
    /// `type` of an activity shown as "Competing in {name}".
    pub const COMPETING: u8 = 5;

    /// An activity with a name and nothing else.
    #[must_use]
    pub fn new(kind: u8, name: &str) -> Self {
        Self {
            name: String::from(name),
            kind,
            state: None,
            url: None,
        }
    }

    /// A custom status that shows `text`.
    #[must_use]
    pub fn custom(text: &str) -> Self {
        Self {
            state: Some(String::from(text)),
            ..Self::new(Self::CUSTOM, "Custom Status")
        }
    }

    /// Checks what Discord would silently leave out.
    ///
    /// # Errors
    ///
    /// [`PresenceError`] with what to change.
    pub fn check(&self) -> Result<(), PresenceError> {
        match self.kind {
            Self::STREAMING => match &self.url {
                Some(url) if is_stream_url(url) => Ok(()),
                Some(_) => Err(PresenceError::StreamUrlElsewhere),
                None => Err(PresenceError::StreamUrlMissing),
            },
            Self::CUSTOM if self.state.is_none() => Err(PresenceError::CustomStateMissing),
            0..=Self::COMPETING => Ok(()),
            kind => Err(PresenceError::ActivityType { kind }),
        }
    }
}

impl Presence {
    /// Checks every activity.
    ///
    /// # Errors
    ///
    /// [`PresenceError`] with what to change.
    pub fn check(&self) -> Result<(), PresenceError> {
        self.activities.iter().try_for_each(Activity::check)
    }
}

/// Whether Discord shows a stream at this address.
fn is_stream_url(url: &str) -> bool {
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    ["twitch.tv", "youtube.com"].iter().any(|&known| {
        let Some(start) = host.len().checked_sub(known.len()) else {
            return false;
        };
        host.is_char_boundary(start)
            && host[start..].eq_ignore_ascii_case(known)
            && (start == 0 || host[..start].ends_with('.') && !host.contains('@'))
    })
}

/// Why Discord would not show a presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresenceError {
    /// A streaming activity without address.
    StreamUrlMissing,
    /// A streaming activity whose address is on another site.
    StreamUrlElsewhere,
    /// A custom status without text.
    CustomStateMissing,
    /// An activity type that bots do not have.
    ActivityType {
        /// The type as given.
        kind: u8,
    },
}

impl fmt::Display for PresenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StreamUrlMissing => f.write_str(
                "an activity of type 1 (streaming) needs a url on twitch.tv or youtube.com",
            ),
            Self::StreamUrlElsewhere => f.write_str(
                "the url of a stream must start with https:// and be on twitch.tv or youtube.com",
            ),
            Self::CustomStateMissing => {
                f.write_str("an activity of type 4 (custom status) needs its text in `state`")
            }
            Self::ActivityType { kind } => {
                write!(f, "activity type {kind} is not for bots: use 0 to 5")
            }
        }
    }
}

impl core::error::Error for PresenceError {}
