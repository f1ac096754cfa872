//! `shardkeep_cache_*`: the hot set over a store of the caller's own: what dispatches change, and what is found.

use alloc::string::String;
use core::ffi::c_char;

use shardkeep_core::Instant;
use shardkeep_core::cache::Cache;
use shardkeep_core::record::{Flat, Status};

use crate::handle::{self, Opaque};
use crate::machine::{self, Driven};
use crate::read;
use crate::types::{shardkeep_config, shardkeep_record, shardkeep_status, shardkeep_text};

/// The hot set over a store of the caller's own: what dispatches change, and what is found. Made by
/// `shardkeep_cache_new`, freed by `shardkeep_cache_free`.
pub struct shardkeep_cache {
    _private: (),
}

impl Opaque for shardkeep_cache {
    type Held = Driven<Cache>;
    const TAG: u32 = 0xcace_1003;
}

/// Makes a cache from its settings. The caller owns `*out` and frees it.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
///
/// # Safety
///
/// `config` was filled by `shardkeep_config_init`, and its pointers are NULL or as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_new(
    config: *const shardkeep_config,
    out: *mut *mut shardkeep_cache,
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
/// `cache` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_free(cache: *mut shardkeep_cache) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(cache) }
}

/// Something happened: feeds a record of the kinds `SHARDKEEP_CACHE_INPUT_*`. What the record points to is read
/// during the call only. On failure nothing was changed. Drain the outputs afterwards.
///
/// Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
///
/// # Safety
///
/// `cache` is a live handle; `record` and what it points to are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_handle_input(
    cache: *mut shardkeep_cache,
    now_us: u64,
    record: *const shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::handle_input(cache, now_us, record) }
}

/// The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
///
/// # Safety
///
/// `cache` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_handle_timeout(
    cache: *mut shardkeep_cache,
    now_us: u64,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { machine::handle_timeout(cache, now_us) }
}

/// The next thing to do, of the kinds `SHARDKEEP_CACHE_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
/// record's text and data live until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `cache` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_poll_output(
    cache: *mut shardkeep_cache,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_output(cache, out) }
}

/// When to call `shardkeep_cache_handle_timeout` next: the time is `value`, the reason `kind`, one of
/// `SHARDKEEP_CACHE_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
///
/// # Safety
///
/// `cache` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_poll_timeout(
    cache: *const shardkeep_cache,
    out: *mut shardkeep_record,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::poll_timeout(cache, out) }
}

/// What was counted, and what there is, as JSON. A cache goes on from no snapshot: what it held is in the store.
/// The text lives until the next call with this handle that takes it without `const`.
///
/// # Safety
///
/// `cache` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_snapshot(
    cache: *mut shardkeep_cache,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(cache, out, |held| Ok(held.snapshot_text())) }
}

/// Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
/// takes it without `const`.
///
/// # Safety
///
/// `cache` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_stats(
    cache: *mut shardkeep_cache,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(cache, out, |held| Ok(held.stats_text())) }
}

/// One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
///
/// # Safety
///
/// `cache` is a live handle; `name` has `name_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_count(
    cache: *const shardkeep_cache,
    name: *const c_char,
    name_len: usize,
    out: *mut u64,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::count(cache, name, name_len, out) }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
/// is poisoned.
///
/// # Safety
///
/// `cache` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_error(
    cache: *const shardkeep_cache,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { handle::last_error(cache, out) }
}

/// What is in memory of a record, as JSON with the user that it refers to: `key` is a kind and its ids, such as
/// `user:7` or `member:1:7`. `SHARDKEEP_EMPTY` if it is not in memory: feed `SHARDKEEP_CACHE_INPUT_FETCH` to look
/// further. The text lives until the next call with this handle that takes it without `const`.
///
/// Fails with `SHARDKEEP_BAD_KEY`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `cache` is a live handle; `key` has `key_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cache_get(
    cache: *mut shardkeep_cache,
    now_us: u64,
    key: *const c_char,
    key_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let get = |held: &mut Cache| {
        // SAFETY: the caller promises the key.
        let key = unsafe { read::text(key, key_len) }?.parse();
        let key = key.map_err(|_| Status::BadKey)?;
        let json = held.json(Instant::from_micros(now_us), key);
        let json = json.ok_or(Status::Empty)?;
        // What was packed was JSON, which is UTF-8.
        String::from_utf8(json).map_err(|_| Status::BadUtf8.into())
    };
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { machine::told(cache, out, get) }
}
