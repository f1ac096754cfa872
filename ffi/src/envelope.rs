//! `shardkeep_envelope_*`: what a gateway message says about itself, without reading what is in it.

use core::ffi::c_char;

use shardkeep_core::record::Status;
use shardkeep_core::wire::{json, scan};

use crate::handle::alone;
use crate::out::{copy, put, wanted};
use crate::read;
use crate::types::{shardkeep_bytes, shardkeep_status, shardkeep_text};

/// What scanning found. The views look at the bytes that were scanned and live as long as those.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_envelope {
    /// The opcode.
    pub op: u64,
    /// The sequence, if `has_sequence` is 1.
    pub sequence: u64,
    /// 1 if there is a sequence.
    pub has_sequence: u32,
    /// Which dispatch: one of `SHARDKEEP_EVENT_*`; 0 for names that are not listed.
    pub kind: u32,
    /// The event's name as it stands between the quotes; empty without one. `shardkeep_envelope_name` resolves escapes.
    pub name: shardkeep_bytes,
    /// The JSON of `d`; empty without one.
    pub data: shardkeep_bytes,
    /// Where the message ends, and the white space after it.
    pub end: usize,
    /// What is wrong, by name, such as `incomplete`; empty if nothing is, and everything else is 0 if something is. The
    /// text lives as long as the program.
    pub error: shardkeep_text,
    /// Where it is wrong.
    pub error_at: usize,
}

/// Scans one message. That bytes are none is no failure of the call: `out->error` says so.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `message` has `message_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_envelope_scan(
    message: *const u8,
    message_len: usize,
    out: *mut shardkeep_envelope,
) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        // SAFETY: the caller promises the bytes.
        let bytes = unsafe { read::bytes(message, message_len) }?;
        let nothing = shardkeep_bytes::of(&[]);
        let mut told = shardkeep_envelope {
            op: 0,
            sequence: 0,
            has_sequence: 0,
            kind: 0,
            name: nothing,
            data: nothing,
            end: 0,
            error: shardkeep_text::of(""),
            error_at: 0,
        };
        match scan(bytes) {
            Ok(found) => {
                told.op = found.op;
                told.sequence = found.sequence.unwrap_or_default();
                told.has_sequence = found.sequence.is_some().into();
                told.kind = found.kind(bytes).number().into();
                told.name = shardkeep_bytes::of(bytes.get(found.name.clone()).unwrap_or_default());
                told.data = shardkeep_bytes::of(found.data(bytes));
                told.end = found.end;
            }
            Err(error) => {
                told.error = shardkeep_text::of(error.kind.name());
                told.error_at = error.at;
            }
        }
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, told) };
        Ok(())
    })
}

/// A name with its escapes resolved, into a buffer of the caller's. `*out_len` hears how long it is, also if the buffer
/// is too small; no zero is written behind it.
///
/// Any thread. Fails with `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_JSON`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `name` has `name_len` bytes, `out` room for `out_size`; `out_len` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_envelope_name(
    name: *const u8,
    name_len: usize,
    out: *mut c_char,
    out_size: usize,
    out_len: *mut usize,
) -> shardkeep_status {
    alone(|| {
        // SAFETY: the caller promises the bytes.
        let name = unsafe { read::bytes(name, name_len) }?;
        let text = json::unescape(name).ok_or(Status::BadJson)?;
        // SAFETY: the caller promises the buffer.
        unsafe { copy(&text, out, out_size, out_len) }
    })
}
