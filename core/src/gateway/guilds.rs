//! Which guilds the session carries, and which of them are out.

use alloc::collections::BTreeMap;

use crate::id::Snowflake;

/// The guilds of one session, each with whether it is available.
#[derive(Clone, Debug, Default)]
pub(super) struct Guilds {
    available: BTreeMap<Snowflake, bool>,
    unavailable: u32,
    /// Guilds that a snapshot counted. A resume does not name them again, so each is known by id only once something
    /// happens to it.
    unnamed: u32,
}

impl Guilds {
    /// A session that goes on elsewhere carries so many.
    pub(super) fn restored(count: u32) -> Self {
        Self {
            unnamed: count,
            ..Self::default()
        }
    }

    /// READY lists every guild of the shard; none is available yet.
    pub(super) fn reset(&mut self, guilds: impl Iterator<Item = Snowflake>) {
        self.available = guilds.map(|id| (id, false)).collect();
        self.unnamed = 0;
        self.unavailable = self.count();
    }

    /// GUILD_CREATE, and GUILD_DELETE with `unavailable`. A guild is joined if GUILD_CREATE does not say `unavailable`
    /// at all.
    pub(super) fn set(&mut self, id: Snowflake, available: bool, joined: bool) {
        let before = self.available.insert(id, available);
        if before.is_none() && !joined {
            self.unnamed = self.unnamed.saturating_sub(1);
        }
        self.unavailable -= u32::from(before == Some(false));
        self.unavailable += u32::from(!available);
    }

    /// GUILD_DELETE without `unavailable`: the bot is no longer a member.
    pub(super) fn remove(&mut self, id: Snowflake) {
        match self.available.remove(&id) {
            Some(available) => self.unavailable -= u32::from(!available),
            None => self.unnamed = self.unnamed.saturating_sub(1),
        }
    }

    /// Those that are known by id.
    pub(super) fn ids(&self) -> impl Iterator<Item = Snowflake> + use<'_> {
        self.available.keys().copied()
    }

    pub(super) fn count(&self) -> u32 {
        let named = u32::try_from(self.available.len()).unwrap_or(u32::MAX);
        named.saturating_add(self.unnamed)
    }

    pub(super) const fn unavailable(&self) -> u32 {
        self.unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guilds_that_a_snapshot_counted_are_found_as_they_are_named() {
        let mut guilds = Guilds::restored(3);
        guilds.set(Snowflake(1), false, false);
        assert_eq!((guilds.count(), guilds.unavailable()), (3, 1));
        guilds.set(Snowflake(1), true, false);
        guilds.set(Snowflake(9), true, true);
        assert_eq!((guilds.count(), guilds.unavailable()), (4, 0));
        guilds.remove(Snowflake(2));
        guilds.remove(Snowflake(9));
        assert_eq!((guilds.count(), guilds.unavailable()), (2, 0));
        guilds.reset([Snowflake(5)].into_iter());
        assert_eq!((guilds.count(), guilds.unavailable()), (1, 1));
    }
}
