//! Guilds, made up as they are asked for: everything about them follows from the seed and their index, nothing is kept.

use shardkeep_core::{ShardId, Snowflake};

use crate::wire::json::Json;

/// 2015-01-01T00:00:00Z, the epoch of snowflakes, in milliseconds since 1970.
pub(crate) const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

/// Guilds are created from 2016 on, for ten years.
const FIRST_MS: u64 = 31_536_000_000;
const SPAN_MS: u64 = 315_360_000_000;

/// Every guild the bot is in.
#[derive(Debug)]
pub(crate) struct Catalog {
    seed: u64,
    guilds: u32,
    members_per_guild: u32,
    /// How many milliseconds of the decade each guild has for itself.
    stride: u64,
}

/// 64 bits that depend on every bit of what goes in (the finisher of SplitMix64).
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Catalog {
    pub(crate) fn new(seed: u64, guilds: u32, members_per_guild: u32) -> Self {
        Self {
            seed,
            guilds,
            members_per_guild,
            stride: SPAN_MS / u64::from(guilds.max(1)),
        }
    }

    /// The id of the guild with this index. Ids grow with the index, and `id >> 22` has no pattern modulo any shard count.
    pub(crate) fn guild_id(&self, index: u32) -> Snowflake {
        let offset = mix(self.seed, u64::from(index)) % (self.stride / 2).max(1);
        Snowflake((FIRST_MS + u64::from(index) * self.stride + offset) << 22)
    }

    /// How many guilds a shard holds.
    pub(crate) fn count_on(&self, shard: ShardId) -> u32 {
        u32::try_from(self.on_shard(shard).count()).unwrap_or(u32::MAX)
    }

    /// The indices of a shard's guilds.
    pub(crate) fn on_shard(&self, shard: ShardId) -> impl Iterator<Item = u32> {
        (0..self.guilds).filter(move |&index| {
            ShardId::of_guild(self.guild_id(index), shard.total()) == Some(shard)
        })
    }

    pub(crate) fn application_id(&self) -> Snowflake {
        Snowflake((FIRST_MS - 1 - mix(self.seed, u64::MAX) % 1_000_000_000) << 22)
    }

    pub(crate) fn write_bot(&self, json: &mut Json) {
        json.id("id", self.application_id().0);
        json.text("username", "sim-bot");
        json.text("discriminator", "0");
        json.nulls(&["global_name", "avatar"]);
        json.flag("bot", true);
    }

    pub(crate) fn write_guild(&self, json: &mut Json, index: u32) {
        json.id("id", self.guild_id(index).0);
        json.text("name", "guild");
        json.number("member_count", self.members_per_guild.into());
    }
}
