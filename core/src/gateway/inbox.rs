//! WebSocket messages in, whole JSON documents out: decompression, and messages that span several frames.

use alloc::boxed::Box;

use super::io::Cause;
use crate::wire::{Buffer, Compression, Inflate};

/// What a zlib message ends in: the mark of a sync flush.
const ZLIB_SUFFIX: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The least that the buffer keeps when it gives memory back.
const BUFFER_MIN: usize = 4 << 10;

/// One connection's decompression and the bytes that it produced.
pub(super) struct Inbox {
    compression: Compression,
    inflate: Box<dyn Inflate>,
    buffer: Buffer,
    /// Where the first document that was not handed on begins.
    start: usize,
    /// The last four bytes of the compressed stream.
    suffix: [u8; 4],
    /// The most that the buffer held since memory was last given back.
    peak: usize,
}

impl Inbox {
    pub(super) fn new(compression: Compression, inflate: Box<dyn Inflate>) -> Self {
        let (buffer, suffix) = (Buffer::new(), [0; 4]);
        Self {
            compression,
            inflate,
            buffer,
            start: 0,
            suffix,
            peak: 0,
        }
    }

    /// A new connection has a new stream.
    pub(super) fn restart(&mut self) {
        self.inflate.reset();
        self.suffix = [0; 4];
        self.start = self.buffer.len();
    }

    pub(super) const fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Forgets documents whose outputs were polled; a message that is not whole yet stays.
    pub(super) fn reuse(&mut self) {
        self.buffer.drain_front(self.start);
        self.start = 0;
    }

    /// Gives back memory that a large message took, once messages are small again.
    pub(super) fn shrink(&mut self) {
        let keep = self.peak.next_power_of_two().max(BUFFER_MIN);
        if self.buffer.capacity() / 4 > keep {
            self.buffer.shrink_to(keep);
        }
        self.peak = self.buffer.len();
    }

    /// Takes a binary message. `true` if documents may be complete: then [`Inbox::documents`] has them.
    pub(super) fn receive(&mut self, message: &[u8], bytes_max: usize) -> Result<bool, Cause> {
        let limit = self.start.saturating_add(bytes_max);
        match self.compression {
            Compression::None => {
                if message.len() > bytes_max {
                    return Err(Cause::MessageTooLarge);
                }
                self.buffer.extend_from_slice(message);
            }
            Compression::Payload => {
                self.inflate.reset();
                self.inflate.inflate(message, &mut self.buffer, limit)?;
            }
            Compression::ZlibStream => {
                self.inflate.inflate(message, &mut self.buffer, limit)?;
                self.note_suffix(message);
            }
            Compression::ZstdStream => self.inflate.inflate(message, &mut self.buffer, limit)?,
        }
        self.peak = self.peak.max(self.buffer.len());
        Ok(match self.compression {
            Compression::ZlibStream => self.suffix == ZLIB_SUFFIX,
            // A message split over frames is looked at again with every frame; only one that can be whole is worth it.
            _ => self.buffer.filled()[self.start..]
                .trim_ascii_end()
                .ends_with(b"}"),
        })
    }

    fn note_suffix(&mut self, message: &[u8]) {
        let tail = &message[message.len().saturating_sub(4)..];
        self.suffix.rotate_left(tail.len() % 4);
        self.suffix[4 - tail.len()..].copy_from_slice(tail);
    }

    /// Lends the buffer out while its documents are handled; [`Inbox::give_back`] returns it.
    pub(super) fn documents(&mut self) -> (Buffer, usize) {
        (core::mem::take(&mut self.buffer), self.start)
    }

    /// Returns the buffer, handled up to `start`.
    pub(super) fn give_back(&mut self, buffer: Buffer, start: usize) {
        self.buffer = buffer;
        self.start = start;
    }

    /// Whether a message may go on in the next frame: it may in a stream, it may not in single payloads.
    pub(super) const fn spans_frames(&self) -> bool {
        matches!(
            self.compression,
            Compression::ZlibStream | Compression::ZstdStream
        )
    }
}

impl core::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inbox")
            .field("compression", &self.compression)
            .field("bytes", &self.buffer.len())
            .finish_non_exhaustive()
    }
}
