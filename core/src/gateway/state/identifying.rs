//! Identifying: first waiting for a slot, then, identify sent, for READY.

use super::{Ready, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::{Cause, Reason};
use crate::gateway::outbox::Item;
use crate::time::Instant;
use crate::wire::CloseCode;

/// Connected and beating, but identify may not be sent before the fleet grants a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwaitingIdentify;

impl AwaitingIdentify {
    pub(super) fn begin(context: &mut Context) -> State {
        context.outbox.push(Item::WantIdentify);
        Self.into()
    }

    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        let next = match signal {
            Signal::Granted => {
                context.send_identify(now);
                return Identifying.into();
            }
            other => when_connected(self.into(), other, now, context),
        };
        if !matches!(next, State::AwaitingIdentify(_)) {
            context.outbox.push(Item::CancelIdentify);
        }
        next
    }
}

/// Identify was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identifying;

impl Identifying {
    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            Signal::Ready(established) => Ready::begin(established, now, context),
            Signal::Due(Reason::Ready) => {
                context.hang_up(now, CloseCode::UNKNOWN_ERROR, Cause::ReadyTimeout)
            }
            other => when_connected(self.into(), other, now, context),
        }
    }
}

/// What every state with an open, greeted connection does alike.
pub(super) fn when_connected(
    state: State,
    signal: Signal<'_>,
    now: Instant,
    context: &mut Context,
) -> State {
    let resume_later = CloseCode::UNKNOWN_ERROR;
    match signal {
        Signal::Due(Reason::Heartbeat) => {
            if context.beat(now) {
                state
            } else {
                context.hang_up(now, resume_later, Cause::Zombied)
            }
        }
        Signal::Lost(code) => context.lost(now, code),
        Signal::ReconnectAsked => context.hang_up(now, resume_later, Cause::ReconnectRequested),
        Signal::SessionInvalid { resumable } => super::closing::invalid(now, resumable, context),
        Signal::Broken(cause) => context.hang_up(now, resume_later, cause),
        Signal::Recycle => context.hang_up(now, resume_later, Cause::Recycled),
        Signal::Stop { resumable } => context.stop(now, resumable),
        _ => state,
    }
}
