//! zstd-stream through the reference implementation.

use core::fmt;

use shardkeep_core::wire::{Buffer, Inflate, InflateError};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

/// The largest window accepted unless configured: 2^23 bytes, the 8 MiB that the format's specification recommends.
/// Discord's streams were seen to use 256 KiB.
pub const WINDOW_LOG_MAX: u32 = 23;

/// Messages shrink to about a quarter: room for four times the input mostly spares a second round.
const RATIO: usize = 4;

/// One zstd frame for a whole connection. Memory follows the window that the sender announces, and is taken as data
/// comes.
pub struct ZstdSafe {
    context: Option<DCtx<'static>>,
    window_log_max: u32,
    /// The frame's end was seen. Discord's frames end with their connection.
    ended: bool,
}

impl ZstdSafe {
    /// An inflater at the start of a stream that refuses windows above `2^window_log_max` bytes. The exponent is taken
    /// as the nearest of 10 to 31.
    #[must_use]
    pub const fn new(window_log_max: u32) -> Self {
        let window_log_max = match window_log_max {
            0..10 => 10,
            10..=31 => window_log_max,
            _ => 31,
        };
        Self {
            context: None,
            window_log_max,
            ended: false,
        }
    }

    fn context(&mut self) -> Result<&mut DCtx<'static>, InflateError> {
        if self.context.is_none() {
            let mut context = DCtx::try_create().ok_or(InflateError::OutOfMemory)?;
            context
                .set_parameter(DParameter::WindowLogMax(self.window_log_max))
                .map_err(|_| InflateError::OutOfMemory)?;
            self.context = Some(context);
        }
        self.context.as_mut().ok_or(InflateError::OutOfMemory)
    }
}

impl Default for ZstdSafe {
    fn default() -> Self {
        Self::new(WINDOW_LOG_MAX)
    }
}

impl fmt::Debug for ZstdSafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZstdSafe")
            .field("window_log_max", &self.window_log_max)
            .finish_non_exhaustive()
    }
}

/// zstd's codes are numbers without names in the safe interface; only running out of memory needs telling apart.
fn error(code: usize) -> InflateError {
    if zstd_safe::get_error_name(code).contains("memory") {
        InflateError::OutOfMemory
    } else {
        InflateError::Corrupt
    }
}

impl Inflate for ZstdSafe {
    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut Buffer,
        limit: usize,
    ) -> Result<(), InflateError> {
        if self.ended && !input.is_empty() {
            return Err(InflateError::Ended);
        }
        let context = self.context()?;
        let mut source = InBuffer::around(input);
        loop {
            let left = limit.saturating_sub(output.len());
            let wanted = input.len() - source.pos();
            let mut probe = [0];
            // With no room left, one byte tells whether the message is exactly as long as it may be, or longer.
            let room = match left {
                0 => &mut probe[..],
                _ => {
                    let room = output.spare(wanted.saturating_mul(RATIO).clamp(64, left.max(64)));
                    let room_len = room.len().min(left);
                    &mut room[..room_len]
                }
            };
            let room_len = room.len();
            let mut target = OutBuffer::around(room);
            let hint = context
                .decompress_stream(&mut target, &mut source)
                .map_err(error)?;
            let given = target.pos();
            if left == 0 {
                if given > 0 {
                    return Err(InflateError::TooLarge);
                }
            } else {
                output.advance(given);
            }
            let consumed = source.pos() == input.len();
            if hint == 0 {
                self.ended = true;
                return if consumed {
                    Ok(())
                } else {
                    Err(InflateError::Ended)
                };
            }
            if consumed && given < room_len {
                return Ok(());
            }
        }
    }

    fn reset(&mut self) {
        self.ended = false;
        if let Some(context) = &mut self.context
            && context.reset(ResetDirective::SessionOnly).is_err()
        {
            self.context = None;
        }
    }
}
