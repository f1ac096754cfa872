//! How a C thread waits: asleep with a limit, or in a loop of its own that watches a descriptor.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use shardkeep::clock;

use shardkeep_core::record::Status;

use super::descriptor::Descriptor;
use crate::out::Failure;

/// Milliseconds that stand for no limit.
const FOR_EVER: u32 = u32::MAX;

/// Rung by threads of the bot; heard by whoever sleeps, and by the descriptor if there is one.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
    descriptor: OnceLock<Descriptor>,
}

impl Bell {
    /// Wakes who waits now, or who waits next.
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.ring();
        }
    }

    /// The descriptor stops being readable, until the bell rings again.
    pub(super) fn silence(&self) {
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.silence();
        }
    }

    /// The descriptor's number, made when it is first asked for and readable then, so that nothing is missed.
    pub(super) fn descriptor(&self) -> Result<i32, Failure> {
        if self.descriptor.get().is_none() {
            let made = Descriptor::open();
            let failed = |error| format!("no descriptor can be opened: {error}");
            let made = made.map_err(|error| Failure::told(Status::Failed, failed(error)))?;
            // Of two that ask at once, one is kept.
            drop(self.descriptor.set(made));
        }
        let kept = self.descriptor.get().ok_or(Status::Failed)?;
        Ok(kept.number())
    }

    /// Sleeps until it rings or `until` has come.
    fn sleep(&self, until: Option<shardkeep_core::Instant>) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = match until {
                None => self
                    .heard
                    .wait(rung)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let now = clock::now();
                    if now >= until {
                        return false;
                    }
                    let limited = self.heard.wait_timeout(rung, until - now);
                    limited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *rung = false;
        true
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

/// When a limit in milliseconds is over; `None` if it is none.
fn limit(timeout_ms: u32) -> Option<shardkeep_core::Instant> {
    let wait = Duration::from_millis(timeout_ms.into());
    (timeout_ms != FOR_EVER).then(|| clock::now() + wait)
}

/// Looks until something is found or the time is over: at once, and after each ring.
pub(super) fn look_until<T>(
    bell: &Bell,
    timeout_ms: u32,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let until = limit(timeout_ms);
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if timeout_ms == 0 || !bell.sleep(until) {
            return None;
        }
    }
}

/// Waits for a future that threads of the bot move on. `None` if the time is over: the future is dropped then.
pub(super) fn block_on<F: Future>(future: F, timeout_ms: u32) -> Option<F::Output> {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    look_until(&bell, timeout_ms, || match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// [`block_on`] without a limit.
pub(super) fn block<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        bell.sleep(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_not_missed_and_a_wait_ends() {
        let bell = Bell::default();
        let mut looks = 0;
        bell.ring();
        let found = look_until(&bell, 20, || {
            looks += 1;
            (looks == 2).then_some(looks)
        });
        assert_eq!(found, Some(2));
        assert_eq!(look_until(&bell, 5, || None::<()>), None);
        assert_eq!(block_on(std::future::pending::<()>(), 5), None);
        assert_eq!(block(std::future::ready(7)), 7);
    }
}
