//! What the handles of a client and its driver share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};
use shardkeep_core::rest::{Auth, Event, Scheduler};
use tokio::sync::{broadcast, watch};

use super::base::Base;
use super::inbox::{Inbox, Life};

/// Lets the driver end when nobody can submit any more.
pub(super) struct Handle(pub(super) Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.inbox.end(Life::Draining);
    }
}

/// What callers and the driver share.
pub(super) struct Shared {
    pub(super) base: Base,
    /// Sent with every request.
    pub(super) headers: HeaderMap,
    pub(super) authorizations: Mutex<Vec<HeaderValue>>,
    /// The headers bring an `Authorization` of their own: no token is sent.
    pub(super) overrides_authorization: bool,
    pub(super) next_id: AtomicU64,
    pub(super) scheduler: Mutex<Scheduler>,
    pub(super) inbox: Inbox,
    /// What the names of identities in the pool begin with, if there is one.
    pub(super) pool_prefix: Option<String>,
    pub(super) events: broadcast::Sender<Event>,
    /// Set when the driver has ended: whether nothing was left.
    pub(super) is_over: watch::Sender<Option<bool>>,
    pub(super) overflows: AtomicU64,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn scheduler(&self) -> MutexGuard<'_, Scheduler> {
        lock(&self.scheduler)
    }

    pub(super) fn authorization(&self, auth: Auth) -> Option<HeaderValue> {
        if self.overrides_authorization {
            return None;
        }
        let index = usize::try_from(auth.0).ok()?.checked_sub(1)?;
        lock(&self.authorizations).get(index).cloned()
    }
}
