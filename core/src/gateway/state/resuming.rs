//! Resuming: Discord replays what was missed, then says RESUMED.

use super::identifying::when_connected;
use super::{Ready, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{Cause, Reason};
use crate::time::Instant;
use crate::wire::CloseCode;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Resuming {
    /// Dispatches replayed on this connection.
    replayed: u64,
}

impl Resuming {
    pub(super) fn begin(_: &mut Context) -> State {
        Self { replayed: 0 }.into()
    }

    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            Signal::Dispatched => {
                // A long replay is no silence.
                context
                    .timers
                    .set(Reason::Ready, now + context.config.ready_timeout);
                return Self {
                    replayed: self.replayed + 1,
                }
                .into();
            }
            Signal::Resumed => return Ready::resume(self.replayed, now, context),
            Signal::Ready(established) => return Ready::begin(established, now, context),
            _ => {}
        }
        // Ending here without RESUMED is a failed resume, whoever ended it. Some sessions can never be resumed though
        // Discord does not say so: after a few failures without progress the session is given up.
        let gives_up = |context: &mut Context| {
            if context.resume.failed(self.replayed > 0) >= context.config.resume_attempts_max {
                context.lose_session(Cause::ResumeLoop);
            }
        };
        match signal {
            Signal::Due(Reason::Ready) => {
                gives_up(context);
                context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::ResumeTimeout)
            }
            Signal::Due(Reason::Heartbeat) if context.is_zombied() => {
                gives_up(context);
                when_connected(self.into(), signal, now, context)
            }
            Signal::Lost(_)
            | Signal::ReconnectAsked
            | Signal::SessionInvalid { resumable: true }
            | Signal::Broken(_) => {
                gives_up(context);
                when_connected(self.into(), signal, now, context)
            }
            other => when_connected(self.into(), other, now, context),
        }
    }
}
