//! REST requests, and their replies.

use core::ffi::c_char;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, Stream};
use shardkeep::rest::{Answer, RestError};
use shardkeep_core::Snowflake;
use shardkeep_core::record::Status;
use shardkeep_core::rest::Priority;
use shardkeep_core::rest::route::Method;

use super::bell::{Bell, look_until};
use super::{shardkeep_bot, with_bot};
use crate::handle::{self, Opaque, alone, give, with};
use crate::out::{Failure, put, wanted};
use crate::read;
use crate::types::{shardkeep_bytes, shardkeep_status, shardkeep_text};

/// A request to Discord's API. Fill it with `shardkeep_request_init`, then set what you need. Everything it points to
/// is copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_request {
    /// `sizeof(struct shardkeep_request)` of the header that the program was compiled with.
    pub size: usize,
    /// Method and path below the API's base: `POST /channels/1/messages`.
    pub request: *const c_char,
    /// Bytes of `request`.
    pub request_len: usize,
    /// The body. NULL for none.
    pub body: *const u8,
    /// Bytes of `body`.
    pub body_len: usize,
    /// What the body is. NULL for `application/json`.
    pub content_type: *const c_char,
    /// Bytes of `content_type`.
    pub content_type_len: usize,
    /// Why, for the guild's audit log. NULL for nothing.
    pub reason: *const c_char,
    /// Bytes of `reason`.
    pub reason_len: usize,
    /// The guild it is for, where the path does not say; 0 if unknown. Guilds take turns.
    pub guild_id: u64,
    /// Milliseconds within which sending it makes sense; 0 for no limit.
    pub deadline_ms: u32,
    /// How urgent it is: 0 answers an interaction, 1 somebody waits, 2 ordinary, 3 may take its time.
    pub priority: u32,
}

/// What became of a request. Made by `shardkeep_bot_reply`, freed by `shardkeep_reply_free`.
pub struct shardkeep_reply {
    _private: (),
}

impl Opaque for shardkeep_reply {
    type Held = Reply;
    const TAG: u32 = 0x9e91_1009;
}

/// What a reply says. Its views live until the reply is freed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_reply_view {
    /// The number that `shardkeep_bot_request` gave.
    pub id: u64,
    /// The HTTP status, also where Discord refuses; 0 if there was no answer, and `error` says why.
    pub http_status: u32,
    /// 1 if Discord did what was asked.
    pub is_success: u32,
    /// The body; empty without one.
    pub body: shardkeep_bytes,
    /// Why there was no answer, without tokens; empty if there was one.
    pub error: shardkeep_text,
}

/// A request's number and its outcome.
pub(crate) struct Reply {
    id: u64,
    answer: Result<Answer, String>,
}

type Sent = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What was sent with a handle and is not answered yet, and the bell that an answer rings.
#[derive(Default)]
pub(super) struct Replies {
    sent: FuturesUnordered<Sent>,
    ready: VecDeque<Reply>,
    bell: Arc<Bell>,
}

impl Replies {
    /// Takes what has been answered.
    fn look(&mut self) -> Option<Reply> {
        let waker = Waker::from(Arc::clone(&self.bell));
        let mut cx = Context::from_waker(&waker);
        while let Poll::Ready(Some(reply)) = Pin::new(&mut self.sent).poll_next(&mut cx) {
            self.ready.push_back(reply);
        }
        self.ready.pop_front()
    }
}

/// Fills a request with what means "not given". `size` is `sizeof *request`. Any thread.
///
/// Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`.
///
/// # Safety
///
/// `request` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_request_init(
    request: *mut shardkeep_request,
    size: usize,
) -> shardkeep_status {
    alone(|| {
        wanted(request)?;
        if size < size_of::<shardkeep_request>() {
            return Err(Status::BadSize);
        }
        // SAFETY: the caller promises `size` writable bytes, enough for the struct, for all of whose members zero means
        // "not given" but for these two.
        unsafe {
            request.cast::<u8>().write_bytes(0, size);
            let mut empty = request.read_unaligned();
            empty.size = size;
            empty.priority = Priority::Normal.number().into();
            request.write_unaligned(empty);
        }
        Ok(())
    })
}

/// Queues a request; it is sent when Discord's limits let it, and again where that is safe and helps. `*id` is the
/// number that its reply will have. Does not block.
///
/// Fails with `SHARDKEEP_BAD_REQUEST`, whose text says why; `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
/// `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `request` was filled by `shardkeep_request_init`, and its pointers are NULL or as long as
/// they say; `id` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_request(
    bot: *mut shardkeep_bot,
    request: *const shardkeep_request,
    id: *mut u64,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, request and place.
    unsafe {
        with_bot(bot, |inner, bot| {
            wanted(id)?;
            let request = build(&bot, request)?;
            let pending = request
                .submit()
                .map_err(|error| Failure::told(Status::BadRequest, error.to_string()))?;
            let number = pending.id().0;
            inner.held.replies.sent.push(Box::pin(async move {
                Reply {
                    id: number,
                    answer: pending.await.map_err(|error: RestError| error.to_string()),
                }
            }));
            // The new one has to be polled once, so that its answer rings.
            if let Some(reply) = inner.held.replies.look() {
                inner.held.replies.ready.push_front(reply);
            }
            put(id, number);
            Ok(())
        })
    }
}

/// # Safety
///
/// As [`shardkeep_bot_request`].
unsafe fn build(
    bot: &shardkeep::Bot,
    request: *const shardkeep_request,
) -> Result<shardkeep::rest::Request, Failure> {
    // SAFETY: the caller promises the request and its views.
    unsafe {
        let told = read::sized(request)?;
        let bad = |why: &str| Failure::told(Status::BadRequest, why);
        let text = read::text(told.request, told.request_len)?;
        let (method, path) = text
            .split_once(' ')
            .ok_or_else(|| bad("write a method, a space and a path, such as GET /users/@me"))?;
        let method: Method = method
            .parse()
            .map_err(|error: shardkeep_core::rest::route::MethodError| bad(&error.to_string()))?;
        let mut made = bot.rest().request(method, path);
        let body = read::bytes(told.body, told.body_len)?;
        if !body.is_empty() {
            let content = read::text(told.content_type, told.content_type_len)?;
            let content = Some(content).filter(|text| !text.is_empty());
            made = made.body(body.to_vec(), content.unwrap_or("application/json"));
        }
        let reason = read::text(told.reason, told.reason_len)?;
        if !reason.is_empty() {
            made = made.reason(reason);
        }
        if told.guild_id != 0 {
            made = made.guild(Snowflake(told.guild_id));
        }
        if told.deadline_ms != 0 {
            made = made.deadline(Duration::from_millis(told.deadline_ms.into()));
        }
        let priority = Priority::ALL
            .iter()
            .copied()
            .find(|priority| u32::from(priority.number()) == told.priority);
        Ok(made.priority(priority.ok_or_else(|| bad("priority is 0, 1, 2 or 3"))?))
    }
}

/// Waits for the next reply to a request that was sent with this handle: at most `timeout_ms`, for ever with
/// `UINT32_MAX`, not at all with 0. `SHARDKEEP_EMPTY` if the time is over. The caller owns `*out` and frees it. Blocks.
///
/// Fails with `SHARDKEEP_NOT_STARTED`.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reply(
    bot: *mut shardkeep_bot,
    timeout_ms: u32,
    out: *mut *mut shardkeep_reply,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with_bot(bot, |inner, _| {
            wanted(out)?;
            let replies = &mut inner.held.replies;
            let bell = Arc::clone(&replies.bell);
            let found = look_until(&bell, timeout_ms, || {
                replies.look().or_else(|| {
                    // What comes in between the two looks rings again.
                    bell.silence();
                    replies.look()
                })
            });
            put(out, give(found.ok_or(Status::Empty)?));
            // There may be more: the descriptor stays readable.
            bell.ring();
            Ok(())
        })
    }
}

/// A descriptor that is readable while there may be replies for this handle. It stops being readable when
/// `shardkeep_bot_reply` finds nothing. It belongs to the handle: do not read from it, write to it or close it.
///
/// Fails with `SHARDKEEP_FAILED` if the process has no descriptor left, or the system is not Linux.
///
/// # Safety
///
/// `bot` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_bot_reply_descriptor(
    bot: *mut shardkeep_bot,
    out: *mut core::ffi::c_int,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(bot, |inner| {
            wanted(out)?;
            put(out, inner.held.replies.bell.descriptor()?);
            Ok(())
        })
    }
}

/// What a reply says. The views live until it is freed.
///
/// # Safety
///
/// `reply` is a live handle; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_reply_read(
    reply: *const shardkeep_reply,
    out: *mut shardkeep_reply_view,
) -> shardkeep_status {
    // SAFETY: the caller promises handle and place.
    unsafe {
        with(reply, |inner| {
            wanted(out)?;
            let Reply { id, answer } = &inner.held;
            let view = match answer {
                Ok(answer) => shardkeep_reply_view {
                    id: *id,
                    http_status: answer.status.into(),
                    is_success: matches!(answer.status, 200..=299 | 304).into(),
                    body: shardkeep_bytes::of(&answer.body),
                    error: shardkeep_text::of(""),
                },
                Err(why) => shardkeep_reply_view {
                    id: *id,
                    http_status: 0,
                    is_success: 0,
                    body: shardkeep_bytes::of(&[]),
                    error: shardkeep_text::of(why),
                },
            };
            put(out, view);
            Ok(())
        })
    }
}

/// A header of the answer, by name in any case. `SHARDKEEP_EMPTY` if there is none. The text lives until the reply is
/// freed.
///
/// # Safety
///
/// `reply` is a live handle; `name` has `name_len` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_reply_header(
    reply: *const shardkeep_reply,
    name: *const c_char,
    name_len: usize,
    out: *mut shardkeep_text,
) -> shardkeep_status {
    // SAFETY: the caller promises handle, text and place.
    unsafe {
        with(reply, |inner| {
            wanted(out)?;
            let name = read::text(name, name_len)?;
            let headers = inner
                .held
                .answer
                .as_ref()
                .ok()
                .map(|answer| &answer.headers);
            let value = headers.and_then(|headers| headers.get(name)?.to_str().ok());
            put(out, shardkeep_text::of(value.ok_or(Status::Empty)?));
            Ok(())
        })
    }
}

/// Frees a reply and the views of it. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
///
/// # Safety
///
/// `reply` is NULL or a live handle; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_reply_free(reply: *mut shardkeep_reply) -> shardkeep_status {
    // SAFETY: the caller promises a handle of ours.
    unsafe { handle::free(reply) }
}
