//! Events, in batches.

use core::ffi::c_int;

use shardkeep::Batch;

use shardkeep_core::ShardId;
use shardkeep_core::record::Status;

use super::bell::look_until;
use super::{shardkeep_bot, with_bot};
use crate::handle::{self, Opaque, give, with};
use crate::out::{put, wanted};
use crate::types::{shardkeep_bytes, shardkeep_status, shardkeep_text};

/// The event is one of Discord's; `kind` says which.
pub const SHARDKEEP_TOPIC_DISPATCH: u32 = 0;
/// A shard has a new session. Whatever was known of the shard before is void.
pub const SHARDKEEP_TOPIC_SHARD_CONNECT: u32 = 1;
/// A shard lost its connection. It reconnects by itself.
pub const SHARDKEEP_TOPIC_SHARD_DISCONNECT: u32 = 2;
/// A shard's session goes on; everything missed was replayed before this.
pub const SHARDKEEP_TOPIC_SHARD_RESUME: u32 = 3;
/// Something went wrong that the user should know.
pub const SHARDKEEP_TOPIC_SHARD_ERROR: u32 = 4;
/// Every shard of this bot has a session, for the first time.
pub const SHARDKEEP_TOPIC_READY: u32 = 5;
/// Discord dropped a command and says when to try again.
pub const SHARDKEEP_TOPIC_RATE_LIMITED: u32 = 6;

/// Events that were taken together. Made by `shardkeep_bot_wait`, freed by `shardkeep_batch_free`. It needs the bot's
/// handle no more.
pub struct shardkeep_batch {
    _private: (),
}

impl Opaque for shardkeep_batch {
    type Held = Batch;
    const TAG: u32 = 0xba7c_1008;
}

/// One event. Its views live until its batch is freed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_event {
    /// The shard that it arrived on.
    pub shard_index: u32,
    /// Of how many.
    pub shard_total: u32,
    /// Its sequence within the session; for what is no dispatch, the last one before it, or 0.
    pub sequence: u64,
    /// What it is about: one of `SHARDKEEP_TOPIC_*`.
    pub topic: u32,
    /// Which dispatch: one of `SHARDKEEP_EVENT_*`; 0 for what is none, or is not listed.
    pub kind: u32,
    /// 1 if it was missed while disconnected and replayed by a resume.
    pub replayed: u32,
    /// Which session of the shard it came in, with a session store; else 0.
    pub session: u32,
    /// Discord's name of the dispatch, such as `MESSAGE_CREATE`, or the topic's name.
    pub name: shardkeep_text,
    /// The JSON of `d` as it came; for topics of the library's own, an object.
    pub data: shardkeep_bytes,
    /// The JSON of the record that it changed or removed, as it was before; empty unless `cache.before` names the event
    /// and it was in memory.
    pub before: shardkeep_bytes,
}

/// Waits for events and takes up to `max` of them: at most `timeout_ms`, for ever with `UINT32_MAX`, not at all with 0.
/// `SHARDKEEP_EMPTY` if the time is over, `SHARDKEEP_ENDED` if the bot has stopped and everything was taken. The caller
/// owns `*out` and frees it. Blocks; other handles to the bot can be used meanwhile.
///
/// Fails with `SHARDKEEP_FAILED` if the bot stopped by itself, once everything was taken; `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_wait(
    bot: *mut shardkeep_bot,
    timeout_ms: u32,
    max: usize,
    out: *mut *mut shardkeep_batch,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(out)?;
            let bell = &*inner.held.events;
            let found = look_until(bell, timeout_ms, || {
                // What comes in between the two looks rings again.
                bot.try_next_batch(max)
                    .or_else(|| {
                        bell.silence();
                        bot.try_next_batch(max)
                    })
                    .map(Some)
                    .or_else(|| bot.is_stopped().then_some(None))
            });
            match found {
                Some(Some(batch)) => {
                    // There may be more: the descriptor stays readable.
                    bell.ring();
                    put(out, give(batch));
                    Ok(())
                }
                Some(None) => {
                    bell.ring();
                    Err(match bot.failure() {
                        Some(failure) => {
                            crate::out::Failure::told(Status::Failed, failure.to_string())
                        }
                        None => Status::Ended.into(),
                    })
                }
                None => Err(Status::Empty.into()),
            }
        })
    }
}

/// How many events a batch has.
///
/// # Safety
///
/// `batch` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_batch_len(
    batch: *const shardkeep_batch,
    out: *mut usize,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(batch, |inner| {
            wanted(out)?;
            put(out, inner.held.len());
            Ok(())
        })
    }
}

/// One event of a batch, by its place from 0. Its views live until the batch is freed.
///
/// Fails with `SHARDKEEP_UNKNOWN_INDEX` past the end.
///
/// # Safety
///
/// `batch` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_batch_event(
    batch: *const shardkeep_batch,
    index: usize,
    out: *mut shardkeep_event,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(batch, |inner| {
            wanted(out)?;
            let entry = inner.held.get(index).ok_or(Status::UnknownIndex)?;
            let before = entry.before().map_or(&[][..], |before| before.json);
            let event = shardkeep_event {
                shard_index: entry.shard.index(),
                shard_total: entry.shard.total(),
                sequence: entry.sequence,
                topic: entry.topic.number().into(),
                kind: entry.kind.number().into(),
                replayed: entry.replayed.into(),
                session: entry.session,
                name: shardkeep_text::of(entry.name),
                data: shardkeep_bytes::of(entry.data),
                before: shardkeep_bytes::of(before),
            };
            put(out, event);
            Ok(())
        })
    }
}

/// Says that all events of a batch are finished. Only with a session store and `acknowledge` set to `manual` does it
/// matter; else freeing the batch says so.
///
/// # Safety
///
/// `batch` is a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_batch_acknowledge(
    batch: *const shardkeep_batch,
) -> shardkeep_status {
    // SAFETY: the caller promises the handle.
    unsafe {
        with(batch, |inner| {
            inner.held.acknowledge();
            Ok(())
        })
    }
}

/// Says that one event is finished, by what it says of itself: for programs that keep no batch. `*waited` is 1 if
/// somebody waited for that; it may be NULL.
///
/// Fails with `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `waited` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_acknowledge(
    bot: *const shardkeep_bot,
    shard_index: u32,
    shard_total: u32,
    session: u32,
    sequence: u64,
    waited: *mut c_int,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |_, bot| {
            let shard = ShardId::new(shard_index, shard_total).ok_or(Status::BadShard)?;
            let did = bot.acknowledge(shard, session, sequence);
            if !waited.is_null() {
                put(waited, c_int::from(did));
            }
            Ok(())
        })
    }
}

/// Frees a batch and the views of its events; unless `acknowledge` is `manual`, its events are finished with that. NULL
/// is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
///
/// # Safety
///
/// `batch` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_batch_free(batch: *mut shardkeep_batch) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(batch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shardkeep::Topic;

    #[test]
    fn topics_have_the_numbers_of_the_runtime() {
        let ours = [
            (SHARDKEEP_TOPIC_DISPATCH, Topic::Dispatch),
            (SHARDKEEP_TOPIC_SHARD_CONNECT, Topic::ShardConnect),
            (SHARDKEEP_TOPIC_SHARD_DISCONNECT, Topic::ShardDisconnect),
            (SHARDKEEP_TOPIC_SHARD_RESUME, Topic::ShardResume),
            (SHARDKEEP_TOPIC_SHARD_ERROR, Topic::ShardError),
            (SHARDKEEP_TOPIC_READY, Topic::Ready),
            (SHARDKEEP_TOPIC_RATE_LIMITED, Topic::RateLimited),
        ];
        assert_eq!(ours.len(), Topic::ALL.len());
        for (number, topic) in ours {
            assert_eq!(number, u32::from(topic.number()));
        }
    }
}
