//! `shardkeep_scheduler_*`: which REST request may go now, and which has to wait.

use core::ffi::c_char;

use shardkeep_core::record::{Flat, Status, scheduler_exchange};
use shardkeep_core::rest::Scheduler;

use crate::handle::{self, Opaque};
use crate::machine::{self, Driven};
use crate::types::{shardkeep_config, shardkeep_record, shardkeep_status, shardkeep_text};

/// Which REST request may go now, and which has to wait. Made by `shardkeep_scheduler_new`, freed by
/// `shardkeep_scheduler_free`.
pub struct shardkeep_scheduler {
    _private: (),
}

impl Opaque for shardkeep_scheduler {
    type Held = Driven<Scheduler>;
    const TAG: u32 = 0x5c4e_1002;
}

/// Makes a scheduler from its settings. The caller owns `*out` and frees it.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
///
/// # Safety
///
/// `config` was filled by `shardkeep_config_init`, and its pointers are NULL or as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_new(
    config: *const shardkeep_config,
    out: *mut *mut shardkeep_scheduler,
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
/// `scheduler` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_free(
    scheduler: *mut shardkeep_scheduler,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(scheduler) }
}

/// Something happened: feeds a record of the kinds `SHARDKEEP_SCHEDULER_INPUT_*`. What the record points to is read
/// during the call only. On failure nothing was changed. Drain the outputs afterwards.
///
/// Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
///
/// # Safety
///
/// `scheduler` is a live handle; `record` and what it points to are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_handle_input(
    scheduler: *mut shardkeep_scheduler,
    now_us: u64,
    record: *const shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::handle_input(scheduler, now_us, record) }
}

/// The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
///
/// # Safety
///
/// `scheduler` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_handle_timeout(
    scheduler: *mut shardkeep_scheduler,
    now_us: u64,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { machine::handle_timeout(scheduler, now_us) }
}

/// The next thing to do, of the kinds `SHARDKEEP_SCHEDULER_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
/// record's text and data live until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_poll_output(
    scheduler: *mut shardkeep_scheduler,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_output(scheduler, out) }
}

/// When to call `shardkeep_scheduler_handle_timeout` next: the time is `value`, the reason `kind`, one of
/// `SHARDKEEP_SCHEDULER_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_poll_timeout(
    scheduler: *const shardkeep_scheduler,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_timeout(scheduler, out) }
}

/// What was learned of Discord's limits, as JSON. Put the time that passed meanwhile into the setting `elapsed_ms`.
/// The text lives until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_snapshot(
    scheduler: *mut shardkeep_scheduler,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(scheduler, out, |held| Ok(held.snapshot_text())) }
}

/// Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
/// takes it without `const`.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_stats(
    scheduler: *mut shardkeep_scheduler,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(scheduler, out, |held| Ok(held.stats_text())) }
}

/// One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
///
/// # Safety
///
/// `scheduler` is a live handle; `name` has `name_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_count(
    scheduler: *const shardkeep_scheduler,
    name: *const c_char,
    name_len: usize,
    out: *mut u64,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::count(scheduler, name, name_len, out) }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
/// is poisoned.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_error(
    scheduler: *const shardkeep_scheduler,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { handle::last_error(scheduler, out) }
}

/// The exchange that an output `SHARDKEEP_SCHEDULER_OUTPUT_EXCHANGE` spoke of, as JSON: the `keys` and the `body` of
/// the pool's script in Redis. `SHARDKEEP_EMPTY` if none waits; each is handed out once. The text lives until the next
/// call with this handle that takes it without `const`.
///
/// # Safety
///
/// `scheduler` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_scheduler_exchange(
    scheduler: *mut shardkeep_scheduler,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let take = |held: &mut Scheduler| scheduler_exchange(held).ok_or_else(|| Status::Empty.into());
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(scheduler, out, take) }
}
