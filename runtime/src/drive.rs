//! The step that drives any machine of core: its deadline as a timer, its clock handed in.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use shardkeep_core::{Instant, Machine};
use tokio::time::{Sleep, sleep_until};

use crate::clock;

/// A machine's next deadline, as a timer that its task sleeps on. The timer is set anew only when the deadline moved.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Deadline {
    /// Follows the deadline of `machine`: `Ready` with the time if it has been reached, else `cx` is woken when it is.
    pub(crate) fn poll<M: Machine>(&mut self, cx: &mut Context<'_>, machine: &M) -> Poll<Instant> {
        let Some(at) = machine.poll_timeout().map(|timeout| timeout.at) else {
            self.timer = None;
            return Poll::Pending;
        };
        let timer = match &mut self.timer {
            Some((set, timer)) => {
                if *set != at {
                    timer.as_mut().reset(clock::to_tokio(at));
                    *set = at;
                }
                timer
            }
            none => {
                &mut none
                    .insert((at, Box::pin(sleep_until(clock::to_tokio(at)))))
                    .1
            }
        };
        match timer.as_mut().poll(cx) {
            // A timer that fired stays so until it is set again: forget it.
            Poll::Ready(()) => {
                self.timer = None;
                Poll::Ready(clock::now().max(at))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
