//! zlib-stream and single zlib payloads through zlib-rs, about twice as fast as the no_std inflater of core.

use core::fmt;

use shardkeep_core::wire::{Buffer, Inflate, InflateError};
use zlib_rs::{InflateFlush, Status};

/// The largest window that zlib knows, 32 KiB: the one that Discord's header names.
const WINDOW_BITS: u8 = 15;

/// Messages shrink to about a quarter: room for four times the input mostly spares a second round.
const RATIO: usize = 4;

/// Zlib by zlib-rs. Holds nothing until the first byte, then the window and tables that `examples/memory.rs` measures.
///
/// ```
/// use shardkeep::inflate::ZlibRs;
/// use shardkeep::core::wire::{Buffer, Inflate};
///
/// // An empty zlib stream, with checksum.
/// let mut output = Buffer::new();
/// ZlibRs::new().inflate(&[0x78, 0x9c, 3, 0, 0, 0, 0, 1], &mut output, 1 << 20)?;
/// assert!(output.is_empty());
/// # Ok::<(), shardkeep::core::wire::InflateError>(())
/// ```
#[derive(Default)]
pub struct ZlibRs {
    stream: Option<Box<zlib_rs::Inflate>>,
}

impl ZlibRs {
    /// An inflater at the start of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { stream: None }
    }
}

impl fmt::Debug for ZlibRs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZlibRs")
    }
}

/// One call of the stream: its status, how much it took and how much it gave.
fn step(
    stream: &mut zlib_rs::Inflate,
    input: &[u8],
    output: &mut [u8],
) -> Result<(Status, usize, usize), InflateError> {
    let (taken, given) = (stream.total_in(), stream.total_out());
    let status = stream
        .decompress(input, output, InflateFlush::SyncFlush)
        .map_err(|error| match error {
            zlib_rs::InflateError::MemError => InflateError::OutOfMemory,
            _ => InflateError::Corrupt,
        })?;
    let counted = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
    Ok((
        status,
        counted(stream.total_in(), taken),
        counted(stream.total_out(), given),
    ))
}

impl Inflate for ZlibRs {
    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut Buffer,
        limit: usize,
    ) -> Result<(), InflateError> {
        let new = || Box::new(zlib_rs::Inflate::new(true, WINDOW_BITS));
        let stream = self.stream.get_or_insert_with(new);
        let mut rest = input;
        loop {
            let left = limit.saturating_sub(output.len());
            if left == 0 {
                // The message may be exactly as long as it may be: then nothing more comes out.
                let (_, taken, given) = step(stream, rest, &mut [0])?;
                return match given {
                    0 if taken == rest.len() => Ok(()),
                    0 => Err(InflateError::Ended),
                    _ => Err(InflateError::TooLarge),
                };
            }
            let room = output.spare(rest.len().saturating_mul(RATIO).clamp(64, left.max(64)));
            let room_len = room.len().min(left);
            let (status, taken, given) = step(stream, rest, &mut room[..room_len])?;
            output.advance(given);
            rest = &rest[taken..];
            match status {
                Status::StreamEnd if rest.is_empty() => return Ok(()),
                Status::StreamEnd => return Err(InflateError::Ended),
                Status::BufError if taken == 0 && given == 0 => return Ok(()),
                _ if rest.is_empty() && given < room_len => return Ok(()),
                _ => {}
            }
        }
    }

    fn reset(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.reset(true);
        }
    }
}
