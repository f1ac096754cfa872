//! Changing the number of shards while events flow.

use core::ffi::c_char;

use serde_json::json;
use shardkeep::{Bot, Resharding};
use shardkeep_core::fleet::Target;
use shardkeep_core::record::{PlanAnswer, PlanTarget, Status};

use super::bell::{block, block_on};
use super::{shardkeep_bot, with_bot};
use crate::handle::Inner;
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_status, shardkeep_text};

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::told(Status::Failed, error.to_string())
}

/// A call with a target, that answers with text.
///
/// # Safety
///
/// As the two below.
unsafe fn towards(
    bot: *mut shardkeep_bot,
    target: *const c_char,
    target_len: usize,
    out: *mut shardkeep_text,
    call: impl FnOnce(&mut Inner<super::Held>, &Bot, Target) -> Result<String, Failure>,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, text and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(out)?;
            let text = read::text(target, target_len)?;
            let target: PlanTarget = serde_json::from_str(text)
                .map_err(|error| Failure::told(Status::BadJson, error.to_string()))?;
            inner.text = call(inner, &bot, target.into())?;
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}

fn plan_text(plan: &shardkeep_core::fleet::Plan) -> Result<String, Failure> {
    serde_json::to_string(&PlanAnswer::of(&Ok(plan.clone()))).map_err(failed)
}

/// What a change to `target` would do and cost, as things are now: JSON as from `shardkeep_plan`. `target` is JSON too,
/// such as `{"shards": 32}`. Does nothing else. Blocks for a moment. The text lives until the next call with this
/// handle that takes it without `const`.
///
/// Fails with `SHARDKEEP_FAILED`, whose text says what is possible instead; `SHARDKEEP_BAD_JSON`,
/// `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `target` has `target_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_plan(
    bot: *mut shardkeep_bot,
    target: *const c_char,
    target_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let plan = |_: &mut Inner<super::Held>, bot: &Bot, target| {
        plan_text(&block(bot.plan(target)).map_err(failed)?)
    };
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { towards(bot, target, target_len, out, plan) }
}

/// Begins the change and shows its plan. It goes on by itself while events flow: `shardkeep_bot_status` says how far it
/// has come, `shardkeep_bot_reshard_wait` how it ended. Else as `shardkeep_bot_plan`.
///
/// # Safety
///
/// `bot` is a live handle; `target` has `target_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reshard(
    bot: *mut shardkeep_bot,
    target: *const c_char,
    target_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    let begin = |inner: &mut Inner<super::Held>, bot: &Bot, target| {
        let change = block(bot.reshard(target)).map_err(failed)?;
        let plan = plan_text(change.plan());
        inner.held.change = Some(change);
        plan
    };
    // SAFETY: the caller's promises are those that are asked for.
    unsafe { towards(bot, target, target_len, out, begin) }
}

/// Waits for the end of the change that was begun with this handle: JSON with `outcome`, `serving`, `totals`,
/// `identifies` and `duration_ms`. `SHARDKEEP_EMPTY` if the time is over first. Blocks, at most `timeout_ms`, for ever
/// with `UINT32_MAX`. The text lives until the next call with this handle that takes it without `const`. Somebody must
/// take events meanwhile, with another handle, or the queue fills and the change stands still.
///
/// Fails with `SHARDKEEP_UNKNOWN_INDEX` if none was begun, `SHARDKEEP_FAILED` if the bot stopped first.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reshard_wait(
    bot: *mut shardkeep_bot,
    timeout_ms: u32,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, _| {
            wanted(out)?;
            let change = inner.held.change.as_mut().ok_or(Status::UnknownIndex)?;
            let report = block_on(change.finished(), timeout_ms).ok_or(Status::Empty)?;
            let report = report.map_err(failed)?;
            let told = json!({
                "outcome": report.outcome.to_string(),
                "serving": report.serving,
                "totals": report.totals,
                "identifies": report.identifies,
                "duration_ms": u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
            });
            inner.text = told.to_string();
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}

/// A call that steers the change that was begun with this handle.
///
/// # Safety
///
/// `bot` is NULL or a handle.
unsafe fn steer(bot: *mut shardkeep_bot, how: fn(&Resharding)) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe {
        with_bot(bot, |inner, _| {
            how(inner.held.change.as_ref().ok_or(Status::UnknownIndex)?);
            Ok(())
        })
    }
}

/// Takes no further step of the change that was begun with this handle; what is under way ends.
///
/// Fails with `SHARDKEEP_UNKNOWN_INDEX` if none was begun.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reshard_pause(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe { steer(bot, Resharding::pause) }
}

/// Goes on after `shardkeep_bot_reshard_pause`, and fails as that does.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reshard_resume(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe { steer(bot, Resharding::resume) }
}

/// Ends the change as soon as that leaves every guild with one shard. Fails as `shardkeep_bot_reshard_pause`.
///
/// # Safety
///
/// `bot` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reshard_abort(bot: *mut shardkeep_bot) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe { steer(bot, Resharding::abort) }
}
