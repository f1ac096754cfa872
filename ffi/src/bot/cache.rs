//! The bot's cache.

use core::ffi::c_char;
use std::time::Duration;

use shardkeep::cache::{Cache, Record};
use shardkeep_core::cache::Key;
use shardkeep_core::record::Status;

use super::bell::block;
use super::{Held, shardkeep_bot, with_bot};
use crate::handle::Inner;
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_status, shardkeep_text};

/// Shows a record.
///
/// # Safety
///
/// `out` is writable.
unsafe fn show(
    inner: &mut Inner<Held>,
    record: Record,
    out: *mut shardkeep_text,
) -> Result<(), Failure> {
    // What was packed was JSON, which is UTF-8.
    inner.text = String::from_utf8(record.into_json()).map_err(|_| Status::BadUtf8)?;
    // SAFETY: the caller promises the place.
    unsafe { put(out, shardkeep_text::of(&inner.text)) };
    Ok(())
}

/// A call about a record of the cache.
///
/// # Safety
///
/// As the two below.
unsafe fn about(
    bot: *mut shardkeep_bot,
    key: *const c_char,
    key_len: usize,
    out: *mut shardkeep_text,
    find: impl FnOnce(&Cache, Key) -> Result<Option<Record>, Failure>,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, text and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(out)?;
            let key = read::text(key, key_len)?.parse();
            let key = key.map_err(|_| Status::BadKey)?;
            let cache = bot.cache().ok_or(Status::NoCache)?;
            let found = find(cache, key)?.ok_or(Status::Empty)?;
            show(inner, found, out)
        })
    }
}

/// What is in memory of a record, as JSON with the user that it refers to: `key` is a kind and its ids, such as
/// `user:7` or `member:1:7`. `SHARDKEEP_EMPTY` if it is not in memory. Does not block. The text lives until the next
/// call with this handle that takes it without `const`.
///
/// Fails with `SHARDKEEP_BAD_KEY`, `SHARDKEEP_NO_CACHE`, `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `key` has `key_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_cache_get(
    bot: *mut shardkeep_bot,
    key: *const c_char,
    key_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { about(bot, key, key_len, out, |cache, key| Ok(cache.get(key))) }
}

/// The record wherever it is: in memory, in the store, or at Discord. `SHARDKEEP_EMPTY` if there is no such thing, as
/// far as the bot can see. Blocks, at most `timeout_ms`. The text lives until the next call with this handle that takes
/// it without `const`.
///
/// Fails with `SHARDKEEP_FAILED` if it could not be found out, also in time; else as `shardkeep_bot_cache_get`.
///
/// # Safety
///
/// `bot` is a live handle; `key` has `key_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_cache_fetch(
    bot: *mut shardkeep_bot,
    key: *const c_char,
    key_len: usize,
    timeout_ms: u32,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let within = Duration::from_millis(timeout_ms.into());
    let fetch = |cache: &Cache, key| {
        let found = block(cache.fetch_within(key, within));
        found.map_err(|error| Failure::told(Status::Failed, error.to_string()))
    };
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { about(bot, key, key_len, out, fetch) }
}
