//! Any bytes into the inflater, cut anywhere: no panic, never more than the limit, and the cuts change no byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shardkeep_core::wire::{Buffer, Inflate, InflateError, Miniz};

const LIMIT: usize = 1 << 16;

/// What comes out of `bytes` in pieces of `size`.
fn inflate(bytes: &[u8], size: usize) -> (Vec<u8>, Result<(), InflateError>) {
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    let mut result = Ok(());
    for piece in bytes.chunks(size) {
        result = inflater.inflate(piece, &mut output, LIMIT);
        if result.is_err() {
            break;
        }
    }
    (output.filled().to_vec(), result)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let (whole, whole_result) = inflate(bytes, bytes.len().max(1));
    let (cut, cut_result) = inflate(bytes, usize::from(size) + 1);
    assert!(whole.len() <= LIMIT && cut.len() <= LIMIT);
    if whole_result.is_ok() && cut_result.is_ok() {
        // A stream that does not end at a flush, as Discord's messages do, may hold back its last bytes.
        let both = whole.len().min(cut.len());
        assert!(
            whole[..both] == cut[..both],
            "pieces of {size} + 1 bytes change what comes out"
        );
    }
});
