//! Up to when a session has certainly delivered what Discord sent on it.

use crate::time::Instant;

use super::config::Config;

/// Until when silence is silence, and not a connection that hangs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    last: Instant,
    /// Until then, what comes may have been under way for long.
    pub(super) burst_until: Instant,
    pub(super) solid: Instant,
}

impl Pulse {
    /// An event came. One alone proves nothing about when it was sent; a flow without a break does.
    pub(super) fn event(&mut self, now: Instant, config: &Config) {
        if now.since(self.last) > config.lag_max {
            self.burst_until = now + config.lag_max;
        } else if self.last >= self.burst_until {
            self.solid = self.solid.max(self.last);
        }
        self.last = self.last.max(now);
    }

    /// Everything that was sent before this moment has come, or was late by no more than `lag_max`.
    pub(super) const fn solid(&self) -> Instant {
        self.solid
    }
}
