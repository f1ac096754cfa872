//! Closed: over for good. Nothing moves it.

use super::{Signal, State};
use crate::gateway::context::Context;
use crate::gateway::io::ClosedReason;
use crate::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed {
    pub(crate) reason: ClosedReason,
}

impl Closed {
    pub(super) fn on(self, _: Signal<'_>, _: Instant, _: &mut Context) -> State {
        self.into()
    }
}
