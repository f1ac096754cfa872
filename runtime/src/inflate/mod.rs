//! Fast inflaters behind core's `Inflate` trait: zlib-rs and zstd.

mod none;
mod zlib;
mod zstd;

pub use none::NoInflate;
pub use zlib::ZlibRs;
pub use zstd::{WINDOW_LOG_MAX, ZstdSafe};

use shardkeep_core::wire::{Compression, Inflate};

/// An inflater that matches `compression`. It holds next to no memory before the first byte arrives.
///
/// `window_log_max` bounds zstd's window, in powers of two: [`WINDOW_LOG_MAX`] unless configured.
#[must_use]
pub fn for_compression(compression: Compression, window_log_max: u32) -> Box<dyn Inflate> {
    match compression {
        Compression::None => Box::new(NoInflate),
        Compression::Payload | Compression::ZlibStream => Box::new(ZlibRs::new()),
        Compression::ZstdStream => Box::new(ZstdSafe::new(window_log_max)),
    }
}

#[cfg(test)]
mod tests;
