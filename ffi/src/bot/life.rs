//! Starting, watching and stopping a bot.

use core::ffi::{c_char, c_int};
use std::sync::Arc;

use shardkeep::{Bot, Error};
use shardkeep_core::ShardId;
use shardkeep_core::record::Status;
use shardkeep_core::wire::Command;

use super::bell::{block, block_on};
use super::{Held, ring, shardkeep_bot, with_bot};
use crate::handle::{Inner, with};
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_status, shardkeep_text};

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::told(Status::Failed, error.to_string())
}

/// Checks the configuration and starts the shards; it does not wait for Discord. Threads of the library do the rest.
/// Starting twice changes nothing.
///
/// Fails with `SHARDKEEP_BAD_SETTINGS`, whose text names the option and suggests the nearest; `SHARDKEEP_FAILED` if
/// TLS, threads, stores or the endpoint for operators cannot be had.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_start(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe {
        with(bot, |inner| match inner.held.bot {
            Some(_) => Ok(()),
            None => start(inner),
        })
    }
}

fn start(inner: &mut Inner<Held>) -> Result<(), Failure> {
    let held = &mut inner.held;
    let config = held.options.clone().build();
    let config = config.map_err(|error| Failure::told(Status::BadSettings, error.to_string()))?;
    let snapshots = held.resume_from.clone();
    let bot = Bot::builder(config).resume_from(snapshots).build();
    let bot = bot.map_err(failed)?;
    let bells = Arc::clone(&held.bells);
    bot.on_wake(move || ring(&bells));
    block(bot.start()).map_err(failed)?;
    block(bot.serve_ops()).map_err(failed)?;
    held.bot = Some(bot);
    Ok(())
}

/// Waits until every shard has had a session: at most `timeout_ms`, or for ever with `UINT32_MAX`. `SHARDKEEP_EMPTY` if
/// the time is over first. Blocks; another handle to the bot can be used meanwhile.
///
/// Fails with `SHARDKEEP_FAILED` if Discord refuses the token or the shards, `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_ready(
    bot: *mut shardkeep_bot,
    timeout_ms: u32,
) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe {
        with_bot(bot, |_, bot| match block_on(bot.ready(), timeout_ms) {
            None => Err(Status::Empty.into()),
            Some(Err(Error::ShutDown)) => Err(Status::NotStarted.into()),
            Some(ready) => ready.map_err(failed),
        })
    }
}

/// What the bot is doing, as JSON: shards, guilds, latencies, identifies, the queue, the cache. The text lives until
/// the next call with this handle that takes it without `const`.
///
/// Fails with `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_status(
    bot: *mut shardkeep_bot,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(out)?;
            inner.text = serde_json::to_string(&bot.status()).map_err(failed)?;
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}

/// Sends a gateway command on a shard, such as a presence (opcode 3) or a voice state (4), with the JSON of its `d`.
/// Blocks until it went out, at most `timeout_ms`: `SHARDKEEP_EMPTY` then, and it may still go out.
///
/// Fails with `SHARDKEEP_BAD_COMMAND`, `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_FAILED` if the session refuses it,
/// `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `json` has `json_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_send(
    bot: *mut shardkeep_bot,
    shard_index: u32,
    shard_total: u32,
    opcode: u32,
    json: *const c_char,
    json_len: usize,
    timeout_ms: u32,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and text.
    unsafe {
        with_bot(bot, |_, bot| {
            let shard = ShardId::new(shard_index, shard_total).ok_or(Status::BadShard)?;
            let json = read::bytes(json.cast(), json_len)?;
            let command = Command::from_json(opcode.into(), json)
                .map_err(|error| Failure::told(Status::BadCommand, error.to_string()))?;
            let sent = block_on(bot.send(shard, command), timeout_ms);
            sent.ok_or(Status::Empty)?.map_err(failed)
        })
    }
}

/// A descriptor for poll, epoll or libuv that is readable while there may be events, and once the bot has stopped. It
/// stops being readable when `shardkeep_bot_wait` finds nothing: call that with a timeout of 0 until it does. It
/// belongs to the handle: do not read from it, write to it or close it.
///
/// Fails with `SHARDKEEP_FAILED` if the process has no descriptor left, or the system is not Linux.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_descriptor(
    bot: *mut shardkeep_bot,
    out: *mut c_int,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(bot, |inner| {
            wanted(out)?;
            put(out, inner.held.events.descriptor()?);
            Ok(())
        })
    }
}

/// Stops every shard and returns when they have ended, at the latest after the option `shutdown_timeout_ms`. With
/// `resumable` 1, Discord keeps the sessions for a few minutes, and `*out` is the text for `shardkeep_bot_resume_from`:
/// as secret as the token. With 0 the bot is shown offline at once, and the text is `[]`. Events that wait can still be
/// taken, and should be. The text lives until the next call with this handle that takes it without `const`; `out` may
/// be NULL.
///
/// Fails with `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `out` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_stop(
    bot: *mut shardkeep_bot,
    resumable: u32,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            let sessions = block(bot.shutdown(resumable != 0));
            inner.text = serde_json::to_string(&sessions).map_err(failed)?;
            if !out.is_null() {
                put(out, shardkeep_text::of(&inner.text));
            }
            Ok(())
        })
    }
}
