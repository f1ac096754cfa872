//! What the new session itself goes through: proofs that it lives, resumes, and its loss.

use alloc::vec::Vec;

use crate::fleet::cutover::event::SHARED;
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Joining, Phase, Watch};

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
