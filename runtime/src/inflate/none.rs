//! What stands in for an inflater where nothing is compressed.

use shardkeep_core::wire::{Buffer, Inflate, InflateError};

/// Refuses every byte: a connection without compression has nothing to inflate.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInflate;

impl Inflate for NoInflate {
    fn inflate(&mut self, _: &[u8], _: &mut Buffer, _: usize) -> Result<(), InflateError> {
        Err(InflateError::Corrupt)
    }

    fn reset(&mut self) {}
}
