//! Functions that keep nothing: versions, statuses, shards, routes, intents, plans.

use alloc::string::{String, ToString};
use core::ffi::{CStr, c_char};

use shardkeep_core::record::{PlanRequest, Status, route_text, shard_to_id};
use shardkeep_core::wire::{Intents, json};
use shardkeep_core::{ShardId, Snowflake};

use crate::handle::alone;
use crate::out::{copy, put, wanted};
use crate::read;
use crate::types::{SHARDKEEP_ABI, shardkeep_bytes, shardkeep_status};

/// `SHARDKEEP_ABI` of the library that runs. A program compares it with that of the header that it was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn shardkeep_abi() -> u32 {
    SHARDKEEP_ABI
}

/// The library's version, such as `0.1.0`, ended by a zero. It lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn shardkeep_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

fn of_status(status: shardkeep_status, of: fn(Status) -> &'static CStr) -> *const c_char {
    Status::from_number(status).map_or(c"unknown", of).as_ptr()
}

/// A status by name, such as `bad_route`, ended by a zero; `unknown` for a number that is none. It lives as long as the
/// program.
#[unsafe(no_mangle)]
pub extern "C" fn shardkeep_status_name(status: shardkeep_status) -> *const c_char {
    of_status(status, Status::c_name)
}

/// A sentence for the user about a status, ended by a zero; `unknown` for a number that is none. It lives as long as
/// the program.
#[unsafe(no_mangle)]
pub extern "C" fn shardkeep_status_text(status: shardkeep_status) -> *const c_char {
    of_status(status, Status::c_explain)
}

/// The index of the shard, of `total`, that Discord sends the guild's events to.
///
/// Any thread. Fails with `SHARDKEEP_BAD_SHARD` if there is no such total, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_shard_of_guild(
    guild_id: u64,
    total: u32,
    out: *mut u32,
) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        let shard = ShardId::of_guild(Snowflake(guild_id), total).ok_or(Status::BadShard)?;
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, shard.index()) };
        Ok(())
    })
}

/// The number of a shard in the column `id` of a fleet's records: its total times 2^32, plus its index.
///
/// Any thread. Fails with `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_shard_id(
    index: u32,
    total: u32,
    out: *mut u64,
) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        let shard = ShardId::new(index, total).ok_or(Status::BadShard)?;
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, shard_to_id(shard)) };
        Ok(())
    })
}

/// The bits of intents by name, in any case, with commas between: `guilds,guild_messages`; also `all` and
/// `non_privileged`.
///
/// Any thread. Fails with `SHARDKEEP_BAD_INTENT`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `names` has `names_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_intents(
    names: *const c_char,
    names_len: usize,
    out: *mut u64,
) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        // SAFETY: the caller promises the text.
        let names = unsafe { read::text(names, names_len) }?;
        let mut bits = 0;
        for name in names.split(',').map(str::trim) {
            bits |= Intents::from_name(name).ok_or(Status::BadIntent)?.bits();
        }
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, bits) };
        Ok(())
    })
}

/// What a method and a path, such as `GET /channels/1`, say: a JSON object with `method`, `template`, `listed`, `major`
/// and `key`, into a buffer of the caller's. Paths with equal keys share a bucket until Discord's hash of it is known.
/// `*out_len` hears how long the text is, also if the buffer is too small; no zero is written behind it.
///
/// Any thread. Fails with `SHARDKEEP_BAD_ROUTE`, `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `request` has `request_len` bytes, `out` room for `out_size`; `out_len` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_route(
    request: *const c_char,
    request_len: usize,
    out: *mut c_char,
    out_size: usize,
    out_len: *mut usize,
) -> shardkeep_status {
    // SAFETY: the caller promises text and buffer.
    unsafe { answer(request, request_len, out, out_size, out_len, route_text) }
}

/// How to get from some shards to others: a JSON object with `topology`, `target` and `facts` in, a JSON object with
/// the steps and what they cost out, or with why there is no plan; both as in vectors/README.md. Buffer and length are
/// as in `shardkeep_route`.
///
/// Any thread. Fails with `SHARDKEEP_BAD_JSON`, `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `request` has `request_len` bytes, `out` room for `out_size`; `out_len` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_plan(
    request: *const c_char,
    request_len: usize,
    out: *mut c_char,
    out_size: usize,
    out_len: *mut usize,
) -> shardkeep_status {
    let plan = |text: &str| {
        let request: PlanRequest = serde_json::from_str(text).map_err(|_| Status::BadJson)?;
        let answer = serde_json::to_value(request.answer()).map_err(|_| Status::BadJson)?;
        Ok(answer.to_string())
    };
    // SAFETY: the caller promises text and buffer.
    unsafe { answer(request, request_len, out, out_size, out_len, plan) }
}

/// The JSON of one member of an object, as it stands: strings keep their quotes and escapes. `SHARDKEEP_EMPTY` if there
/// is none of this name, or the text is no object. The view looks at the bytes that were passed in and lives as long as
/// those. Nothing is decoded, so it is quick; nothing is checked beyond the member, either.
///
/// Any thread. Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
///
/// # Safety
///
/// `json` has `json_len` bytes, `key` has `key_len`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_json_member(
    json: *const u8,
    json_len: usize,
    key: *const c_char,
    key_len: usize,
    out: *mut shardkeep_bytes,
) -> shardkeep_status {
    alone(|| {
        wanted(out)?;
        // SAFETY: the caller promises bytes and text.
        let (json, key) = unsafe { (read::bytes(json, json_len)?, read::text(key, key_len)?) };
        let found = json::field(json, key).ok_or(Status::Empty)?;
        // SAFETY: not NULL, and the caller promises the place.
        unsafe { put(out, shardkeep_bytes::of(found)) };
        Ok(())
    })
}

/// Text in, text out.
///
/// # Safety
///
/// As the two above.
unsafe fn answer(
    request: *const c_char,
    request_len: usize,
    out: *mut c_char,
    out_size: usize,
    out_len: *mut usize,
    of: impl FnOnce(&str) -> Result<String, Status>,
) -> shardkeep_status {
    alone(|| {
        wanted(out_len)?;
        // SAFETY: the caller promises the text.
        let text = of(unsafe { read::text(request, request_len) }?)?;
        // SAFETY: the caller promises the buffer.
        unsafe { copy(&text, out, out_size, out_len) }
    })
}
