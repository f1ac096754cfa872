//! What the new session itself goes through: proofs that it lives, resumes, and its loss.

use alloc::vec::Vec;

use crate::fleet::cutover::config::Config;
use crate::fleet::cutover::event::SHARED;
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Joining, Phase, Watch};

/// Until when silence is silence, and not a connection that hangs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    last: Instant,
    /// Until then, what comes may have been under way for long.
    pub(super) burst_until: Instant,
    solid: Instant,
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

impl Joining {
    /// READY came, which is never replayed: store what follows from it before going on. Whatever was known of
    /// this session is void. What it was asking for is withdrawn; guilds that it
    /// dispatches already have a gap.
    pub fn ready(&mut self, now: Instant) {
        let ids: Vec<_> = self.guilds.keys().copied().collect();
        for id in ids {
            let Some(guild) = self.guilds.get_mut(&id) else {
                continue;
            };
            match &mut guild.phase {
                Phase::Unseen | Phase::Watched => {
                    guild.phase = Phase::Unseen;
                    guild.watch = Watch::default();
                    guild.is_created = false;
                }
                Phase::Asked(asked) => {
                    asked.is_broken = true;
                    guild.is_created = false;
                    self.saying.insert(id);
                }
                // The session's own affair from here on: its GUILD_CREATE is handed on.
                Phase::Owned(_) => {
                    guild.counts.gaps += 1;
                    guild.is_created = true;
                    self.version += 1;
                }
            }
        }
        self.pulse.burst_until = now + self.config.lag_max;
        // What has no guild begins with the session.
        self.watch(now, SHARED);
    }

    /// The session was resumed, and its replay has ended.
    pub fn resumed(&mut self, now: Instant) {
        self.pulse.burst_until = now + self.config.lag_max;
    }

    /// A heartbeat that was sent at this time has been acknowledged: whatever Discord sent before it has come.
    pub fn acknowledged(&mut self, sent_at: Instant) {
        self.pulse.solid = self.pulse.solid.max(sent_at);
    }

    /// The driver reads again after a pause: what comes now waited in the socket.
    pub fn unpaused(&mut self, now: Instant) {
        self.resumed(now);
    }

    /// Watches a guild whose GUILD_CREATE came on this session before: on the way back, or after a restart that
    /// resumed the session.
    pub fn watch(&mut self, now: Instant, id: Snowflake) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        if guild.is_created {
            return;
        }
        guild.is_created = true;
        if matches!(guild.phase, Phase::Unseen) {
            guild.watch_from(now);
        }
    }
}
