//! Transport compression from the sender's side: one context per connection, flushed after every message.

use zlib_rs::{Deflate, DeflateFlush, Status};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

/// log2 of the window that Discord's zstd frames declare: 256 KiB.
const ZSTD_WINDOW_LOG: u32 = 18;

/// How much the output grows by when a message does not fit.
const CHUNK: usize = 16 * 1024;

/// What becomes of messages on their way into frames.
pub(crate) enum Encoder {
    /// Text frames.
    Plain,
    /// `zlib-stream`.
    Zlib(Box<Deflate>),
    /// `zstd-stream`.
    Zstd(Box<CCtx<'static>>),
}

impl Encoder {
    pub(crate) fn zlib(level: i32) -> Self {
        Self::Zlib(Box::new(Deflate::new(level.clamp(0, 9), true, 15)))
    }

    /// `None` if zstd refuses the level or cannot allocate.
    pub(crate) fn zstd(level: i32) -> Option<Self> {
        let mut context = CCtx::try_create()?;
        context
            .set_parameter(CParameter::CompressionLevel(level))
            .ok()?;
        context
            .set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG))
            .ok()?;
        context
            .set_parameter(CParameter::ContentSizeFlag(false))
            .ok()?;
        Some(Self::Zstd(Box::new(context)))
    }

    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    pub(crate) const fn is_zlib(&self) -> bool {
        matches!(self, Self::Zlib(_))
    }

    /// Appends `message`, compressed and flushed, to `out`.
    pub(crate) fn encode(&mut self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(message),
            Self::Zlib(deflate) => zlib(deflate, message, out, DeflateFlush::SyncFlush),
            Self::Zstd(context) => zstd(context, message, out),
        }
    }
}

/// `message` as one complete zlib stream: payload compression.
pub(crate) fn zlib_once(level: i32, message: &[u8], out: &mut Vec<u8>) {
    zlib(
        &mut Deflate::new(level.clamp(0, 9), true, 15),
        message,
        out,
        DeflateFlush::Finish,
    );
}

fn zlib(deflate: &mut Deflate, mut message: &[u8], out: &mut Vec<u8>, flush: DeflateFlush) {
    let mut filled = out.len();
    loop {
        if out.len() - filled < 64 {
            out.resize(filled + CHUNK.max(message.len() / 4), 0);
        }
        let (in_before, out_before) = (deflate.total_in(), deflate.total_out());
        let status = deflate.compress(message, &mut out[filled..], flush);
        message = &message[advance(in_before, deflate.total_in())..];
        filled += advance(out_before, deflate.total_out());
        // A flush is complete once the compressor left room in the output.
        let done = message.is_empty() && filled < out.len();
        if done || matches!(status, Ok(Status::StreamEnd) | Err(_)) {
            break;
        }
    }
    out.truncate(filled);
}

fn zstd(context: &mut CCtx<'static>, message: &[u8], out: &mut Vec<u8>) {
    let mut input = InBuffer::around(message);
    let mut filled = out.len();
    loop {
        if out.len() - filled < 64 {
            out.resize(filled + CHUNK.max(message.len() / 4), 0);
        }
        let mut output = OutBuffer::around(&mut out[filled..]);
        let left = if input.pos() < message.len() {
            context.compress_stream(&mut output, &mut input).map(|_| 1)
        } else {
            context.flush_stream(&mut output)
        };
        filled += output.pos();
        if matches!(left, Ok(0) | Err(_)) {
            break;
        }
    }
    out.truncate(filled);
}

/// The distance between two running totals. Both counted bytes of slices in memory.
fn advance(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(0)
}
