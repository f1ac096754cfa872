//! `shardkeep_fleet_*`: which shards there are, and who may identify when.

use core::ffi::c_char;

use shardkeep_core::fleet::Fleet;
use shardkeep_core::record::Flat;

use crate::handle::{self, Opaque};
use crate::machine::{self, Driven};
use crate::types::{shardkeep_config, shardkeep_record, shardkeep_status, shardkeep_text};

/// Which shards there are, and who may identify when. Made by `shardkeep_fleet_new`, freed by `shardkeep_fleet_free`.
pub struct shardkeep_fleet {
    _private: (),
}

impl Opaque for shardkeep_fleet {
    type Held = Driven<Fleet>;
    const TAG: u32 = 0xf1ee_1004;
}

/// Makes a fleet from its settings. The caller owns `*out` and frees it.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
///
/// # Safety
///
/// `config` was filled by `shardkeep_config_init`, and its pointers are NULL or as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_new(
    config: *const shardkeep_config,
    out: *mut *mut shardkeep_fleet,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::start(config, out) }
}

/// Frees the handle and every view of what it held. NULL is nothing to free.
///
/// Fails with `SHARDKEEP_BUSY` if another thread is in a call with it; it is not freed then.
///
/// # Safety
///
/// `fleet` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_free(fleet: *mut shardkeep_fleet) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(fleet) }
}

/// Something happened: feeds a record of the kinds `SHARDKEEP_FLEET_INPUT_*`. What the record points to is read
/// during the call only. On failure nothing was changed. Drain the outputs afterwards.
///
/// Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
///
/// # Safety
///
/// `fleet` is a live handle; `record` and what it points to are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_handle_input(
    fleet: *mut shardkeep_fleet,
    now_us: u64,
    record: *const shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::handle_input(fleet, now_us, record) }
}

/// The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
///
/// # Safety
///
/// `fleet` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_handle_timeout(
    fleet: *mut shardkeep_fleet,
    now_us: u64,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { machine::handle_timeout(fleet, now_us) }
}

/// The next thing to do, of the kinds `SHARDKEEP_FLEET_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
/// record's text and data live until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `fleet` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_poll_output(
    fleet: *mut shardkeep_fleet,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_output(fleet, out) }
}

/// When to call `shardkeep_fleet_handle_timeout` next: the time is `value`, the reason `kind`, one of
/// `SHARDKEEP_FLEET_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
///
/// # Safety
///
/// `fleet` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_poll_timeout(
    fleet: *const shardkeep_fleet,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_timeout(fleet, out) }
}

/// What was spent of the day's identifies, as JSON. Put the time that passed meanwhile into the setting `elapsed_ms`.
/// The text lives until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `fleet` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_snapshot(
    fleet: *mut shardkeep_fleet,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(fleet, out, |held| Ok(held.snapshot_text())) }
}

/// Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
/// takes it without `const`.
///
/// # Safety
///
/// `fleet` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_stats(
    fleet: *mut shardkeep_fleet,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(fleet, out, |held| Ok(held.stats_text())) }
}

/// One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
///
/// # Safety
///
/// `fleet` is a live handle; `name` has `name_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_count(
    fleet: *const shardkeep_fleet,
    name: *const c_char,
    name_len: usize,
    out: *mut u64,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::count(fleet, name, name_len, out) }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
/// is poisoned.
///
/// # Safety
///
/// `fleet` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_fleet_error(
    fleet: *const shardkeep_fleet,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { handle::last_error(fleet, out) }
}
