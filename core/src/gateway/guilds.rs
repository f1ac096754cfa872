//! Which guilds the session carries, and which of them are out.

use alloc::collections::BTreeMap;

use crate::id::Snowflake;

/// The guilds of one session, each with whether it is available.
#[derive(Clone, Debug, Default)]
pub(super) struct Guilds {
    available: BTreeMap<Snowflake, bool>,
    unavailable: u32,
}

impl Guilds {
    /// READY lists every guild of the shard; none is available yet.
    pub(super) fn reset(&mut self, guilds: impl Iterator<Item = Snowflake>) {
        self.available = guilds.map(|id| (id, false)).collect();
        self.unavailable = self.count();
    }

    /// GUILD_CREATE and GUILD_DELETE with `unavailable`.
    pub(super) fn set(&mut self, id: Snowflake, available: bool) {
        let before = self.available.insert(id, available);
        self.unavailable -= u32::from(before == Some(false));
        self.unavailable += u32::from(!available);
    }

    /// GUILD_DELETE without `unavailable`: the bot is no longer a member.
    pub(super) fn remove(&mut self, id: Snowflake) {
        self.unavailable -= u32::from(self.available.remove(&id) == Some(false));
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.available.len()).unwrap_or(u32::MAX)
    }

    pub(super) const fn unavailable(&self) -> u32 {
        self.unavailable
    }
}
