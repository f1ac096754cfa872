//! Disconnected: no socket, and the next attempt due at a set time.

use super::{Connecting, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{ClosedReason, Reason};
use crate::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Disconnected;

impl Disconnected {
    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            Signal::Due(Reason::Reconnect) => Connecting::begin(now, context),
            // The caller does not want to wait out the backoff.
            Signal::Recycle => context.wait(now),
            Signal::Stop { resumable } => {
                if !resumable {
                    context.resume.drop_session();
                }
                let resumable = context.resume.session().is_some();
                context.end(ClosedReason::Shutdown { resumable })
            }
            _ => self.into(),
        }
    }
}
