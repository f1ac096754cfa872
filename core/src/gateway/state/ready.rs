//! Ready: the session is established; events flow and commands may be sent.

use super::identifying::when_connected;
use super::{Established, Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::Cause;
use crate::gateway::outbox::Item;
use crate::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready;

impl Ready {
    /// READY: a new session. It may come where RESUMED was awaited, or a second time: then the older session is lost.
    pub(super) fn begin(established: &Established, now: Instant, context: &mut Context) -> State {
        context.lose_session(Cause::InvalidSession);
        context.resume.begin(established.session.clone());
        context.established(now);
        context.stats.ready += 1;
        if established.url_refused {
            context.outbox.push(Item::UrlRefused);
        }
        context.outbox.push(Item::Ready {
            guilds: established.guilds,
        });
        Self.into()
    }

    /// RESUMED: the session goes on.
    pub(super) fn resume(replayed: u64, now: Instant, context: &mut Context) -> State {
        context.established(now);
        context.stats.resumed += 1;
        let sequence = context.resume.sequence().unwrap_or_default();
        context.outbox.push(Item::Resumed { sequence, replayed });
        Self.into()
    }

    pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> State {
        match signal {
            // Discord has no reason to say READY twice; if it does, the older session is void all the same.
            Signal::Ready(established) => Self::begin(established, now, context),
            other => when_connected(self.into(), other, now, context),
        }
    }
}
