//! `shardkeep_session_*`: one shard's life: what to connect to, what to send, what arrived.

use core::ffi::c_char;

use shardkeep_core::gateway::Session;
use shardkeep_core::record::Flat;

use crate::handle::{self, Opaque};
use crate::machine::{self, Driven};
use crate::out::{put, wanted};
use crate::types::{shardkeep_config, shardkeep_record, shardkeep_status, shardkeep_text};

/// One shard's life: what to connect to, what to send, what arrived. Made by `shardkeep_session_new`, freed by
/// `shardkeep_session_free`.
pub struct shardkeep_session {
    _private: (),
}

impl Opaque for shardkeep_session {
    type Held = Driven<Session>;
    const TAG: u32 = 0x5e55_1001;
}

/// Makes a session from its settings and its token. The caller owns `*out` and frees it.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_BAD_SETTINGS` (unknown keys are named), `SHARDKEEP_BAD_TOKEN` or `SHARDKEEP_BAD_SNAPSHOT`;
/// `config->error` then says why.
///
/// # Safety
///
/// `config` was filled by `shardkeep_config_init`, and its pointers are NULL or as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_new(
    config: *const shardkeep_config,
    out: *mut *mut shardkeep_session,
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
/// `session` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_free(
    session: *mut shardkeep_session,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(session) }
}

/// Something happened: feeds a record of the kinds `SHARDKEEP_SESSION_INPUT_*`. What the record points to is read
/// during the call only. On failure nothing was changed. Drain the outputs afterwards.
///
/// Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
///
/// # Safety
///
/// `session` is a live handle; `record` and what it points to are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_handle_input(
    session: *mut shardkeep_session,
    now_us: u64,
    record: *const shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::handle_input(session, now_us, record) }
}

/// The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
///
/// # Safety
///
/// `session` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_handle_timeout(
    session: *mut shardkeep_session,
    now_us: u64,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { machine::handle_timeout(session, now_us) }
}

/// The next thing to do, of the kinds `SHARDKEEP_SESSION_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
/// record's text and data live until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_poll_output(
    session: *mut shardkeep_session,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_output(session, out) }
}

/// When to call `shardkeep_session_handle_timeout` next: the time is `value`, the reason `kind`, one of
/// `SHARDKEEP_SESSION_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_poll_timeout(
    session: *const shardkeep_session,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_timeout(session, out) }
}

/// What to resume from, as JSON. It can resume the session, so keep it as secret as the token.
/// The text lives until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_snapshot(
    session: *mut shardkeep_session,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(session, out, |held| Ok(held.snapshot_text())) }
}

/// Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
/// takes it without `const`.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_stats(
    session: *mut shardkeep_session,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(session, out, |held| Ok(held.stats_text())) }
}

/// One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
///
/// # Safety
///
/// `session` is a live handle; `name` has `name_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_count(
    session: *const shardkeep_session,
    name: *const c_char,
    name_len: usize,
    out: *mut u64,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::count(session, name, name_len, out) }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
/// is poisoned.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_error(
    session: *const shardkeep_session,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { handle::last_error(session, out) }
}

/// The state by name, such as `connected`: a text that lives as long as the program. Leaves views alone.
///
/// # Safety
///
/// `session` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_session_state(
    session: *const shardkeep_session,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe {
        handle::with(session, |inner| {
            wanted(out)?;
            put(out, shardkeep_text::of(inner.held.machine.state_name()));
            Ok(())
        })
    }
}
