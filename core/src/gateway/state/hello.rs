//! Hello: the socket is open and Discord has not said Hello.

use super::{AwaitingIdentify, Resuming, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{Cause, Reason};
use crate::time::Instant;
use crate::wire::CloseCode;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Hello;

impl Hello {
    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            Signal::Hello(interval) => {
                context.greeted(interval, now);
                // A session to resume needs no identify slot.
                if context.send_resume(now) {
                    Resuming::begin(context)
                } else {
                    AwaitingIdentify::begin(context)
                }
            }
            Signal::Lost(code) => context.lost(now, code),
            Signal::Due(Reason::Hello) => {
                context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::HelloTimeout)
            }
            // Legal before Hello, and instead of it.
            Signal::ReconnectAsked => {
                context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::ReconnectRequested)
            }
            Signal::SessionInvalid { resumable } => {
                super::closing::invalid(now, resumable, context)
            }
            Signal::Broken(cause) => context.hang_up(now, CloseCode::UNKNOWN_ERROR, cause),
            Signal::Recycle => context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::Recycled),
            Signal::Stop { resumable } => context.stop(now, resumable),
            _ => self.into(),
        }
    }
}
