//! Connecting: a socket was asked for and is not open yet.

use super::{Hello, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{Cause, Reason};
use crate::gateway::outbox::Item;
use crate::time::Instant;
use crate::wire::CloseCode;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Connecting;

impl Connecting {
    pub(super) fn begin(now: Instant, context: &mut Context) -> State {
        context.timers.clear_all();
        context.connect(now);
        Self.into()
    }

    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            Signal::Opened => {
                context.opened(now);
                Hello.into()
            }
            Signal::Lost(None) => {
                context.resume.connect_failed();
                let retry_after = context.retry_after(now, Cause::ConnectFailed, None);
                let resumable = context.resume.session().is_some();
                context.outbox.push(Item::Disconnected {
                    code: None,
                    cause: Cause::ConnectFailed,
                    resumable,
                    retry_after,
                });
                context.wait(now + retry_after)
            }
            Signal::Lost(code) => context.lost(now, code),
            Signal::Due(Reason::Connect) => {
                context.resume.connect_failed();
                context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::ConnectTimeout)
            }
            Signal::Recycle => context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::Recycled),
            Signal::Stop { resumable } => context.stop(now, resumable),
            _ => self.into(),
        }
    }
}
