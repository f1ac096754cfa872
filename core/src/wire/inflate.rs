//! Compression as the gateway offers it, the trait behind which inflaters hide, and one that needs no std.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use miniz_oxide::inflate::stream::{InflateState, ZeroReset, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::buffer::Buffer;

/// How messages from Discord are compressed. Messages to Discord never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Plain text frames.
    #[default]
    None,
    /// `compress: true` in identify: Discord sends some messages as zlib streams of their own, in binary frames.
    Payload,
    /// `compress=zlib-stream`: one zlib stream for the whole connection.
    ZlibStream,
    /// `compress=zstd-stream`: one zstd frame for the whole connection.
    ZstdStream,
}

impl Compression {
    /// Every way, in order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Payload,
        Self::ZlibStream,
        Self::ZstdStream,
    ];

    /// The value of the URL's `compress` parameter; none where the parameter is left out.
    #[must_use]
    pub const fn query(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Payload => None,
            Self::ZlibStream => Some("zlib-stream"),
            Self::ZstdStream => Some("zstd-stream"),
        }
    }

    /// The name in configurations: `none`, `payload`, `zlib-stream` or `zstd-stream`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Payload => "payload",
            Self::ZlibStream => "zlib-stream",
            Self::ZstdStream => "zstd-stream",
        }
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, UnknownCompression> {
        match text {
            "none" => Ok(Self::None),
            "payload" => Ok(Self::Payload),
            "zlib" | "zlib-stream" => Ok(Self::ZlibStream),
            "zstd" | "zstd-stream" => Ok(Self::ZstdStream),
            _ => Err(UnknownCompression),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`Compression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCompression;

impl fmt::Display for UnknownCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a compression: use none, payload, zlib-stream or zstd-stream")
    }
}

impl core::error::Error for UnknownCompression {}

/// Turns compressed bytes into plain ones, with a context that lives as long as the connection, or as the payload under
/// [`Compression::Payload`].
pub trait Inflate: Send {
    /// Inflates all of `input` and appends what comes out to `output`, whose length never passes `limit`.
    ///
    /// `input` may end anywhere. Whatever can come out by then does.
    ///
    /// # Errors
    ///
    /// [`InflateError`], after which only [`Inflate::reset`] helps. `output` then holds what came out before.
    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut Buffer,
        limit: usize,
    ) -> Result<(), InflateError>;

    /// Forgets everything: a new connection starts, or a new payload.
    fn reset(&mut self);
}

/// Why compressed bytes could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InflateError {
    /// The bytes are not what the compression says they are.
    Corrupt,
    /// More comes out than the limit allows: a decompression bomb, or a limit that is too low.
    TooLarge,
    /// The stream ended, yet more bytes came. Discord's streams end with their connection.
    Ended,
    /// The inflater ran out of memory or wants more of it than it may have (a zstd window, say).
    OutOfMemory,
}

impl InflateError {
    /// What happened, and what to do where the user can do something.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Corrupt => "the compressed bytes are corrupt; the session is resumed",
            Self::TooLarge => {
                "a message inflates beyond the size limit; the session is resumed \
                 (raise the limit if the bot is in very large guilds)"
            }
            Self::Ended => "the compressed stream ended early; the session is resumed",
            Self::OutOfMemory => "the inflater has not enough memory; the session is resumed",
        }
    }
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explain())
    }
}

impl core::error::Error for InflateError {}

/// Zlib without std, for [`Compression::ZlibStream`] and [`Compression::Payload`]. Holds about 43 KiB.
pub struct Miniz(Box<InflateState>);

impl Miniz {
    /// An inflater at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self(InflateState::new_boxed(DataFormat::Zlib))
    }

    /// Whether anything is left to come out once the output holds all that it may.
    fn holds_more(&mut self, input: &[u8]) -> Result<bool, InflateError> {
        let result = inflate(&mut self.0, input, &mut [0], MZFlush::None);
        match result.status {
            Ok(_) | Err(MZError::Buf) if result.bytes_written > 0 => Ok(true),
            Ok(_) | Err(MZError::Buf) => {
                if result.bytes_consumed < input.len() {
                    Err(InflateError::Ended)
                } else {
                    Ok(false)
                }
            }
            Err(_) => Err(InflateError::Corrupt),
        }
    }
}

impl Default for Miniz {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Miniz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Miniz")
    }
}

impl Inflate for Miniz {
    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut Buffer,
        limit: usize,
    ) -> Result<(), InflateError> {
        // Messages shrink to about a quarter: room for four times the input mostly spares a second round.
        const RATIO: usize = 4;
        let mut rest = input;
        loop {
            let left = limit.saturating_sub(output.len());
            if left == 0 {
                return if self.holds_more(rest)? {
                    Err(InflateError::TooLarge)
                } else {
                    Ok(())
                };
            }
            let room = output.spare(rest.len().saturating_mul(RATIO).clamp(64, left.max(64)));
            let room_len = room.len().min(left);
            let result = inflate(&mut self.0, rest, &mut room[..room_len], MZFlush::None);
            output.advance(result.bytes_written);
            rest = &rest[result.bytes_consumed..];
            match result.status {
                Ok(MZStatus::StreamEnd) if rest.is_empty() => return Ok(()),
                Ok(MZStatus::StreamEnd) => return Err(InflateError::Ended),
                Ok(_) if rest.is_empty() && result.bytes_written < room_len => return Ok(()),
                Ok(_) => {}
                // Nothing was left to come out: what this answers when called for more than there is.
                Err(MZError::Buf) => return Ok(()),
                Err(_) => return Err(InflateError::Corrupt),
            }
        }
    }

    fn reset(&mut self) {
        // The window is zeroed too: a stream that refers back beyond its start must not bring up bytes of the last one.
        self.0.reset_as(ZeroReset);
    }
}
