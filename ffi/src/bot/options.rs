//! Making a bot and setting it up.

use core::ffi::c_char;

use serde_json::{Map, Value};
use shardkeep_core::record::Status;

use super::{Bells, Held, shardkeep_bot, with_bot};
use crate::handle::{self, Inner, alone, give, with};
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_status, shardkeep_text};

/// Makes a bot with the default configuration, not started. The caller owns `*out` and frees it. Any thread.
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_new(out: *mut *mut shardkeep_bot) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, give(Held::new(None, Bells::default()))) };
        Ok(())
    })
}

/// Another handle to the same bot, for another thread: with an error's text, views, replies and a descriptor of its
/// own. The caller owns `*out` and frees it; the bot lives until the last of its handles is freed.
///
/// Fails with `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_share(
    bot: *const shardkeep_bot,
    out: *mut *mut shardkeep_bot,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(out)?;
            let bells = inner.held.bells.clone();
            put(out, give(Held::new(Some(bot), bells)));
            Ok(())
        })
    }
}

/// Frees the handle; with the last one, the bot. One that was not stopped drops its sockets, and Discord keeps its
/// sessions for a few minutes. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
///
/// # Safety
///
/// `bot` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_free(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(bot) }
}

/// Sets options.
///
/// # Safety
///
/// As [`with`].
unsafe fn set(
    bot: *mut shardkeep_bot,
    call: impl FnOnce(&mut Inner<Held>) -> Result<(), Failure>,
) -> u32 {
    // SAFETY: the caller promises the handle.
    unsafe {
        with(bot, |inner| match inner.held.bot {
            Some(_) => Err(Status::AlreadyRunning.into()),
            None => call(inner),
        })
    }
}

/// Sets options from a JSON object, nested by section or with dotted names: docs/reference/configuration.md lists them.
/// What is set later wins. Names and values are checked by `shardkeep_bot_start`.
///
/// Fails with `SHARDKEEP_BAD_JSON`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
///
/// # Safety
///
/// `bot` is a live handle; `json` has `json_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_json(
    bot: *mut shardkeep_bot,
    json: *const c_char,
    json_len: usize,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and text.
    unsafe {
        set(bot, |inner| {
            let text = read::text(json, json_len)?;
            let values: Map<String, Value> = serde_json::from_str(text)
                .map_err(|error| Failure::told(Status::BadJson, error.to_string()))?;
            let options = std::mem::take(&mut inner.held.options);
            inner.held.options = options.values(values);
            Ok(())
        })
    }
}

/// Sets one option by its full name, from text as a command line writes it: `shards` to `8`, `intents` to
/// `guilds,guild_messages`. Names and values are checked by `shardkeep_bot_start`.
///
/// Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
///
/// # Safety
///
/// `bot` is a live handle; `name` and `value` are as long as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_set(
    bot: *mut shardkeep_bot,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and texts.
    unsafe {
        set(bot, |inner| {
            let name = read::text(name, name_len)?;
            let value = read::text(value, value_len)?;
            let options = std::mem::take(&mut inner.held.options);
            inner.held.options = options.set_text(name, value);
            Ok(())
        })
    }
}

/// Sets options from the process's environment: `DISCORD_TOKEN`, `DISCORD_API_BASE`, and every option as
/// `SHARDKEEP_...`. What the program sets itself wins, in whatever order. No other thread may change the environment
/// meanwhile.
///
/// Fails with `SHARDKEEP_ALREADY_RUNNING`.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_environment(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe {
        set(bot, |inner| {
            let options = std::mem::take(&mut inner.held.options);
            inner.held.options = options.environment();
            Ok(())
        })
    }
}

/// Sets options from a TOML file. What environment and program set wins. That it cannot be read is said by
/// `shardkeep_bot_start`.
///
/// Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
///
/// # Safety
///
/// `bot` is a live handle; `path` has `path_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_file(
    bot: *mut shardkeep_bot,
    path: *const c_char,
    path_len: usize,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and text.
    unsafe {
        set(bot, |inner| {
            let path = read::text(path, path_len)?;
            let options = std::mem::take(&mut inner.held.options);
            inner.held.options = options.file(path);
            Ok(())
        })
    }
}

/// Sessions to go on from: the text that `shardkeep_bot_stop` gave, here or in a process before this one.
///
/// Fails with `SHARDKEEP_BAD_SNAPSHOT`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
///
/// # Safety
///
/// `bot` is a live handle; `sessions` has `sessions_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_resume_from(
    bot: *mut shardkeep_bot,
    sessions: *const c_char,
    sessions_len: usize,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and text.
    unsafe {
        set(bot, |inner| {
            let text = read::text(sessions, sessions_len)?;
            inner.held.resume_from = serde_json::from_str(text)
                .map_err(|error| Failure::told(Status::BadSnapshot, error.to_string()))?;
            Ok(())
        })
    }
}

/// Why the last call with this handle failed that did. The text lives until the next one fails.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_error(
    bot: *const shardkeep_bot,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe { handle::last_error(bot, out) }
}
