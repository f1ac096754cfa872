//! Why a text is no path of a route.

use core::fmt;

/// Why a text is no path of a route, and what to write instead. It never quotes the text: paths hold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// Nothing is left without slashes, version prefix and query.
    Empty,
    /// The path does not start with a slash.
    NoLeadingSlash,
    /// The path is longer than [`PATH_MAX`](super::PATH_MAX) bytes.
    TooLong {
        /// How long it is without its query.
        bytes: usize,
    },
    /// A character that no path may hold unencoded: a control, white space, a backslash, a brace.
    BadCharacter {
        /// The character.
        byte: u8,
        /// How many bytes stand before it.
        at: usize,
    },
    /// A template's placeholder such as `{channel_id}` was left in.
    Placeholder {
        /// How many bytes stand before its brace.
        at: usize,
    },
    /// A segment is `.` or `..`, encoded or not.
    DotSegment,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the path names nothing: write one such as /channels/123/messages")
            }
            Self::NoLeadingSlash => f.write_str(
                "the path does not start with a slash: write /channels/123, without scheme and host",
            ),
            Self::TooLong { bytes } => write!(
                f,
                "the path has {bytes} bytes, more than {}: what is long belongs in the query or the body",
                super::PATH_MAX
            ),
            Self::BadCharacter { byte, at } => write!(
                f,
                "the path holds byte {byte:#04x} after {at} bytes: percent-encode it as %{byte:02X}"
            ),
            Self::Placeholder { at } => write!(
                f,
                "the path holds a placeholder after {at} bytes: put the id in its place"
            ),
            Self::DotSegment => f.write_str(
                "the path holds a segment of dots, which servers resolve: write the path without it",
            ),
        }
    }
}

impl core::error::Error for RouteError {}
