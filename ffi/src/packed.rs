//! `shardkeep_packer_*`: records in a fraction of their JSON's bytes, of which one member can be read.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ffi::c_char;

use shardkeep_core::cache::packed::{PlanId, Shapes};
use shardkeep_core::record::Status;

use crate::handle::{self, Inner, Opaque, alone, give, with};
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_bytes, shardkeep_status, shardkeep_text};

/// Keys and their orders, kept once for all records that it packed. Only the packer that packed a record can read it.
/// Made by `shardkeep_packer_new`, freed by `shardkeep_packer_free`.
pub struct shardkeep_packer {
    _private: (),
}

/// The shapes, and the record that was packed last.
#[derive(Default)]
pub(crate) struct Packer {
    shapes: Shapes,
    record: Vec<u8>,
}

impl Opaque for shardkeep_packer {
    type Held = Packer;
    const TAG: u32 = 0x9ac4_1006;
}

/// Makes a packer that knows no shape yet. The caller owns `*out` and frees it. Any thread.
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_new(out: *mut *mut shardkeep_packer) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, give(Packer::default())) };
        Ok(())
    })
}

/// Frees the handle. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
///
/// # Safety
///
/// `packer` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_free(packer: *mut shardkeep_packer) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(packer) }
}

/// Packs a JSON text. The bytes live until the next call with this handle: copy them to keep them.
///
/// Fails with `SHARDKEEP_BAD_JSON`; the error's text says what is wrong.
///
/// # Safety
///
/// `packer` is a live handle; `json` has `json_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_pack(
    packer: *mut shardkeep_packer,
    json: *const c_char,
    json_len: usize,
    out: *mut shardkeep_bytes,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, text and place.
    unsafe {
        with(packer, |inner| {
            wanted(out)?;
            let json = read::bytes(json.cast(), json_len)?;
            let Packer { shapes, record } = &mut inner.held;
            record.clear();
            let packed = shapes.pack(PlanId::EVERYTHING, json, record);
            packed.map_err(|error| Failure::told(Status::BadJson, error.to_string()))?;
            put(out, shardkeep_bytes::of(record));
            Ok(())
        })
    }
}

/// The JSON of one member of a packed object. `SHARDKEEP_EMPTY` if it has none of this name. The text lives until the
/// next call with this handle. Bytes that are no record of this packer are read as something or nothing.
///
/// # Safety
///
/// `packer` is a live handle; `record` and `key` are as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_get(
    packer: *mut shardkeep_packer,
    record: *const u8,
    record_len: usize,
    key: *const c_char,
    key_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, bytes, text and place.
    unsafe {
        with(packer, |inner| {
            wanted(out)?;
            let record = read::bytes(record, record_len)?;
            let key = read::text(key, key_len)?;
            let found = inner.held.shapes.record(record).get(key);
            let mut json = Vec::new();
            let written = found.ok_or(Status::Empty)?.write_json(&mut json);
            show(inner, written.map(|()| json).ok(), out)
        })
    }
}

/// The JSON that was packed, byte for byte but for white space between its parts. The text lives until the next call
/// with this handle.
///
/// Fails with `SHARDKEEP_BAD_RECORD`.
///
/// # Safety
///
/// `packer` is a live handle; `record` has `record_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_json(
    packer: *mut shardkeep_packer,
    record: *const u8,
    record_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, bytes and place.
    unsafe {
        with(packer, |inner| {
            wanted(out)?;
            let record = read::bytes(record, record_len)?;
            let json = inner.held.shapes.record(record).to_json();
            show(inner, json.ok(), out)
        })
    }
}

/// Keeps the JSON and shows it.
///
/// # Safety
///
/// `out` is writable.
unsafe fn show(
    inner: &mut Inner<Packer>,
    json: Option<Vec<u8>>,
    out: *mut shardkeep_text,
) -> Result<(), Failure> {
    let text = json.and_then(|json| String::from_utf8(json).ok());
    inner.text = text.ok_or(Status::BadRecord)?;
    // SAFETY: the caller promises the place.
    unsafe { put(out, shardkeep_text::of(&inner.text)) };
    Ok(())
}

/// Why the last call with this handle failed that did. The text lives until the next one fails.
///
/// # Safety
///
/// `packer` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_packer_error(
    packer: *const shardkeep_packer,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe { handle::last_error(packer, out) }
}
