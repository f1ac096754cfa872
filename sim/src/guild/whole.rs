//! Whole guilds for whoever fills a cache: no session, no intents, nobody left out.

use super::Catalog;

/// Guilds as a world with the same seed and sizes has them, each as a GUILD_CREATE that lists all of its members.
/// Discord tells so many of a large guild in chunks only.
///
/// ```
/// use shardkeep_sim::WholeGuilds;
///
/// let guilds = WholeGuilds::new(1, 10, 50);
/// let d = guilds.create(3, true);
/// assert!(d.starts_with(b"{") && guilds.member_count(3) > 1);
/// ```
#[derive(Debug)]
pub struct WholeGuilds {
    catalog: Catalog,
}

impl WholeGuilds {
    /// So many guilds with so many members each on average: many small ones, few large.
    #[must_use]
    pub fn new(seed: u64, guilds: u32, members_per_guild: u32) -> Self {
        Self {
            catalog: Catalog::new(seed, guilds, members_per_guild),
        }
    }

    /// How many members a guild has, the bot among them.
    #[must_use]
    pub fn member_count(&self, index: u32) -> u32 {
        self.catalog.member_count(index)
    }

    /// The `d` of a GUILD_CREATE with every member of the guild; with the presences of those who are online, or none.
    #[must_use]
    pub fn create(&self, index: u32, presences: bool) -> Vec<u8> {
        self.catalog.whole_guild(index, presences)
    }
}
