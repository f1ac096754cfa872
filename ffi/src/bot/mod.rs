//! `shardkeep_bot_*`: a whole bot: sockets, heartbeats, REST and the cache on threads of the library's own.

mod batch;
mod bell;
mod cache;
mod descriptor;
mod life;
mod options;
mod reshard;
mod rest;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use shardkeep::config::{Config, ConfigBuilder};
use shardkeep::core::gateway::Snapshot;
use shardkeep::{Bot, Resharding};
use shardkeep_core::record::Status;

use crate::handle::{Inner, Opaque, with};
use crate::out::Failure;
use bell::Bell;
use rest::Replies;

pub use batch::*;
pub use cache::*;
pub use life::*;
pub use options::*;
pub use reshard::*;
pub use rest::*;

/// A bot. Made by `shardkeep_bot_new`, set up by JSON or key by key, then started. As every handle it is for one thread
/// at a time; `shardkeep_bot_share` gives each thread a handle of its own to the same bot. Freed by
/// `shardkeep_bot_free`.
pub struct shardkeep_bot {
    _private: (),
}

impl Opaque for shardkeep_bot {
    type Held = Held;
    const TAG: u32 = 0xb07b_1007;
}

/// Every handle's bell: the bot rings them all, for each of them may be waited for.
type Bells = Arc<Mutex<Vec<Weak<Bell>>>>;

/// What a handle to a bot holds.
pub(crate) struct Held {
    /// Until it is started.
    options: ConfigBuilder,
    resume_from: Vec<Snapshot>,
    bot: Option<Bot>,
    bells: Bells,
    events: Arc<Bell>,
    replies: Replies,
    change: Option<Resharding>,
}

impl Held {
    fn new(bot: Option<Bot>, bells: Bells) -> Self {
        let events = Arc::new(Bell::default());
        bells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(&events));
        Self {
            options: Config::builder(),
            resume_from: Vec::new(),
            bot,
            bells,
            events,
            replies: Replies::default(),
            change: None,
        }
    }

    fn running(&self) -> Result<&Bot, Failure> {
        Ok(self.bot.as_ref().ok_or(Status::NotStarted)?)
    }
}

/// Rings for every handle that there still is.
fn ring(bells: &Bells) {
    let mut bells = bells.lock().unwrap_or_else(PoisonError::into_inner);
    bells.retain(|bell| match bell.upgrade() {
        Some(bell) => {
            bell.ring();
            true
        }
        None => false,
    });
}

/// A call that needs the bot to have been started.
///
/// # Safety
///
/// As [`with`].
unsafe fn with_bot(
    handle: *const shardkeep_bot,
    call: impl FnOnce(&mut Inner<Held>, Bot) -> Result<(), Failure>,
) -> u32 {
    // SAFETY: the caller promises the handle.
    unsafe {
        with(handle, |inner| {
            let bot = inner.held.running()?.clone();
            call(inner, bot)
        })
    }
}
