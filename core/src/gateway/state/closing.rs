//! Closing: we hung up and wait for the socket to be gone, but not for long.

use super::{Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{Cause, ClosedReason, Reason};
use crate::time::Instant;
use crate::wire::CloseCode;

/// What follows once the socket is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    Connect { at: Instant },
    Stop { resumable: bool },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    pub(crate) next: Next,
}

/// Op 9. What it says about the session decides the close code: 1000 ends a session that is gone anyway.
pub(super) fn invalid(now: Instant, resumable: bool, context: &mut Context) -> State {
    if resumable {
        return context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::InvalidSession);
    }
    context.lose_session(Cause::InvalidSession);
    context.hang_up(now, CloseCode::NORMAL, Cause::InvalidSession)
}

impl Closing {
    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match (signal, self.next) {
            // A fatal close code that crosses our own close frame is still the last word.
            (Signal::Lost(Some(code)), _) if super::AfterClose::Stop == code.after() => {
                context.resume.drop_session();
                context.end(ClosedReason::Fatal(code))
            }
            (Signal::Lost(_) | Signal::Due(Reason::Close), Next::Connect { at }) => {
                context.wait(at.max(now))
            }
            (Signal::Lost(_) | Signal::Due(Reason::Close), Next::Stop { resumable }) => {
                context.end(ClosedReason::Shutdown { resumable })
            }
            (Signal::Stop { resumable }, _) => {
                if !resumable {
                    context.resume.drop_session();
                }
                let resumable = context.resume.session().is_some();
                Self {
                    next: Next::Stop { resumable },
                }
                .into()
            }
            _ => self.into(),
        }
    }
}
