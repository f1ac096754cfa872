//! `shardkeep_cutover_*`: both sides of a cutover, for programs that change shards over sessions of their own.

use alloc::string::ToString;
use core::ffi::c_char;

use shardkeep_core::record::{Cutover, StartError, Status};

use crate::handle::{self, Opaque, give, guarded, with};
use crate::out::{self, Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_config, shardkeep_status, shardkeep_text};

/// The old and the new side of one cutover. Made by `shardkeep_cutover_new`, freed by `shardkeep_cutover_free`.
pub struct shardkeep_cutover {
    _private: (),
}

impl Opaque for shardkeep_cutover {
    type Held = Cutover;
    const TAG: u32 = 0xc07e_1005;
}

/// Makes both sides from the settings, those of vectors/README.md. The caller owns `*out` and frees it. Token and
/// snapshot are not read.
///
/// Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_BAD_SETTINGS`; `config->error` then says why.
///
/// # Safety
///
/// `config` was filled by `shardkeep_config_init`, and its pointers are NULL or as long as they say; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cutover_new(
    config: *const shardkeep_config,
    out: *mut *mut shardkeep_cutover,
) -> shardkeep_status {
    let mut told = None;
    let started = guarded(|| {
        wanted(out)?;
        // SAFETY: the caller promises the configuration and its views.
        let settings = unsafe {
            let config = told.insert(read::sized(config)?);
            read::text(config.settings, config.settings_len)?
        };
        let refused = |error: StartError| Failure::told(error.status(), error.to_string());
        Cutover::start(settings).map_err(refused)
    });
    let failure = match started {
        Some(Ok(cutover)) => {
            // SAFETY: not NULL, and the caller promises the place.
            unsafe { put(out, give(cutover)) };
            return Status::Ok.number();
        }
        Some(Err(failure)) => failure,
        None => Status::Panicked.into(),
    };
    if let Some(config) = told {
        let text = failure.text.as_deref();
        let text = text.unwrap_or_else(|| failure.status.explain());
        // SAFETY: the caller promises the buffer.
        unsafe { out::explain(text, config.error, config.error_size) };
    }
    failure.status.number()
}

/// Frees the handle. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
///
/// # Safety
///
/// `cutover` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cutover_free(
    cutover: *mut shardkeep_cutover,
) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(cutover) }
}

/// Makes a call, a JSON object that names its side and what to do, and shows what it gives, JSON as well, with all that
/// the side has to say then: vectors/README.md lists the calls. The text lives until the next call with this handle.
///
/// Fails with `SHARDKEEP_BAD_JSON`; nothing was changed then.
///
/// # Safety
///
/// `cutover` is a live handle; `call` has `call_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cutover_call(
    cutover: *mut shardkeep_cutover,
    now_ms: u64,
    call: *const c_char,
    call_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let bad = |why: alloc::string::String| Failure::told(Status::BadJson, why);
    // SAFETY: the caller promises handle, text and place.
    unsafe {
        with(cutover, |inner| {
            wanted(out)?;
            let call = read::text(call, call_len)?;
            let call = serde_json::from_str(call).map_err(|error| bad(error.to_string()))?;
            let gives = inner.held.call(now_ms, &call);
            inner.text = gives.map_err(|error| bad(error.to_string()))?.to_string();
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}

/// What both sides handed on, held back and suppressed: JSON by guild and side, without what is 0; `null` if everything
/// is. The text lives until the next call with this handle.
///
/// # Safety
///
/// `cutover` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cutover_ledger(
    cutover: *mut shardkeep_cutover,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(cutover, |inner| {
            wanted(out)?;
            inner.text = inner.held.ledger().to_string();
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails.
///
/// # Safety
///
/// `cutover` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_cutover_error(
    cutover: *const shardkeep_cutover,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe { handle::last_error(cutover, out) }
}
