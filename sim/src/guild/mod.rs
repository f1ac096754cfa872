//! Guilds, made up as they are asked for: everything about them follows from the seed and their index, nothing is kept.

mod channels;
mod create;
mod expressions;
mod ids;
mod members;
mod roles;
mod text;
pub(crate) mod time;
mod users;
mod whole;

use shardkeep_core::{ShardId, Snowflake};

pub(crate) use self::channels::ChannelKind;
pub(crate) use self::create::MemberView;
pub(crate) use self::ids::Kind;
pub(crate) use self::roles::BOT_PERMISSIONS;
pub(crate) use self::text::sentence;
pub use self::whole::WholeGuilds;

/// Guilds, channels and users were created from 2016 on, within ten years: in milliseconds of snowflake time.
const FIRST_MS: u64 = 31_536_000_000;
const SPAN_MS: u64 = 315_360_000_000;

/// How many members a guild has, per mille of the mean, in 16 classes of equal frequency: a log-normal spread
/// (sigma 1.2), many small guilds and few large ones. The classes add up to 16,000.
const SIZES_PER_MILLE: [u64; 16] = [
    57, 110, 159, 211, 267, 330, 402, 487, 587, 710, 865, 1_070, 1_356, 1_795, 2_598, 4_996,
];

/// Every guild the bot is in, and everyone in them.
#[derive(Debug)]
pub(crate) struct Catalog {
    seed: u64,
    guilds: u32,
    members_per_guild: u32,
    /// How many milliseconds of the ten years each guild has for itself.
    stride: u64,
    /// How many users there are: a prime, so that members map to users and back.
    population: u64,
    user_stride: u64,
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

/// One of several things; there must be one.
pub(crate) fn choose<T: Copy>(things: &[T], hash: u64) -> T {
    things[usize::try_from(hash % things.len() as u64).unwrap_or(0)]
}

/// `hash` reduced to `0..bound`; 0 if `bound` is 0.
pub(crate) fn pick(hash: u64, bound: u32) -> u32 {
    u32::try_from(hash % u64::from(bound.max(1))).unwrap_or(0)
}

impl Catalog {
    pub(crate) fn new(seed: u64, guilds: u32, members_per_guild: u32) -> Self {
        let everyone = u64::from(guilds) * u64::from(members_per_guild);
        // A user is in two of the bot's guilds on average, and the largest guild must fit into the population.
        let population = next_prime(
            (everyone / 2)
                .max(u64::from(members_per_guild) * 8)
                .max(1_000),
        );
        Self {
            seed,
            guilds,
            members_per_guild,
            stride: SPAN_MS / u64::from(guilds.max(1)),
            population,
            user_stride: (SPAN_MS / population).max(1),
        }
    }

    pub(crate) const fn guilds(&self) -> u32 {
        self.guilds
    }

    /// How many users there are.
    pub(crate) const fn population(&self) -> u64 {
        self.population
    }

    /// Randomness that belongs to a guild; `what` tells apart what it is used for.
    fn hash(&self, index: u32, what: u64) -> u64 {
        mix(mix(self.seed, u64::from(index)), what)
    }

    /// How many guilds a shard holds.
    pub(crate) fn count_on(&self, shard: ShardId) -> u32 {
        if shard.total() == 1 {
            return self.guilds;
        }
        u32::try_from(self.on_shard(shard).count()).unwrap_or(u32::MAX)
    }

    /// The indices of a shard's guilds.
    pub(crate) fn on_shard(&self, shard: ShardId) -> impl Iterator<Item = u32> {
        (0..self.guilds).filter(move |&index| {
            ShardId::of_guild(self.guild_id(index), shard.total()) == Some(shard)
        })
    }

    /// How many members a guild has, the bot among them.
    pub(crate) fn member_count(&self, index: u32) -> u32 {
        let hash = self.hash(index, 1);
        let class = choose(&SIZES_PER_MILLE, hash >> 32);
        let count = u64::from(self.members_per_guild) * class * (900 + hash % 201) / 1_000_000;
        u32::try_from(count.clamp(2, self.population - 1)).unwrap_or(2)
    }

    /// A guild's name.
    pub(crate) fn guild_name(&self, index: u32) -> String {
        text::title(self.hash(index, 2))
    }

    /// The bot, which is also the application's id.
    pub(crate) fn bot_id(&self) -> Snowflake {
        Snowflake((FIRST_MS - 1 - mix(self.seed, u64::MAX) % 1_000_000_000) << 22)
    }
}

fn next_prime(from: u64) -> u64 {
    let is_prime = |n: u64| {
        n % 2 == 1
            && (3..)
                .step_by(2)
                .take_while(|d| d * d <= n)
                .all(|d| !n.is_multiple_of(d))
    };
    (from | 1..)
        .step_by(2)
        .find(|&n| is_prime(n))
        .unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guilds_are_spread_evenly_over_any_number_of_shards() {
        let catalog = Catalog::new(7, 10_000, 10);
        for total in [1, 3, 10, 16] {
            for index in 0..total {
                let count = catalog.count_on(ShardId::new(index, total).unwrap());
                let fair = 10_000 / total;
                assert!(
                    count.abs_diff(fair) < fair / 4,
                    "{count} guilds on {index}/{total}, {fair} are fair"
                );
            }
        }
    }

    #[test]
    fn sizes_spread_around_their_mean() {
        let catalog = Catalog::new(7, 10_000, 1_000);
        let sizes: Vec<u64> = (0..10_000)
            .map(|index| catalog.member_count(index).into())
            .collect();
        let mean = sizes.iter().sum::<u64>() / 10_000;
        assert!((950..1_050).contains(&mean), "{mean}");
        assert!(sizes.iter().any(|&size| size < 60) && sizes.iter().any(|&size| size > 4_500));
        assert_eq!(SIZES_PER_MILLE.iter().sum::<u64>(), 16_000);
    }

    #[test]
    fn primes() {
        assert_eq!(next_prime(1_000), 1_009);
        assert_eq!(next_prime(5_000_000), 5_000_011);
    }
}
