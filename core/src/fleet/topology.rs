//! Which shards exist: an explicit list, and how it is written down.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{ShardId, Snowflake};

use super::error::TopologyError;
use super::shards::SHARDS_MAX;

/// The shards of one process or bot: a list without duplicates, in order of total and index, never empty.
///
/// Totals may differ: Discord routes each session by its own `num_shards`, so sessions of different totals may be
/// open side by side. A guild's events then arrive on one shard of each total, as [`Topology::shards_of`] says.
/// Events without a guild (direct messages, entitlements) arrive on index 0 of each total.
///
/// A topology need not be complete: the shards that are missing belong to other processes.
///
/// ```
/// use shardkeep_core::fleet::Topology;
/// use shardkeep_core::{ShardId, Snowflake};
///
/// let shards = [(2, 4), (3, 4), (5, 8)].map(|(index, total)| ShardId::new(index, total).unwrap());
/// let topology = Topology::new(shards)?;
/// assert_eq!(topology.to_string(), "2-3/4;5/8");
///
/// let guild = Snowflake(13 << 22); // created 13 ms after Discord's epoch: 13 % 4 = 1, 13 % 8 = 5
/// let carriers: Vec<_> = topology.shards_of(guild).map(|shard| shard.to_string()).collect();
/// assert_eq!(carriers, ["5/8"]);
/// # Ok::<(), shardkeep_core::fleet::TopologyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topology {
    /// Sorted by total, then index.
    shards: Vec<ShardId>,
}

impl Topology {
    /// The listed shards, in any order.
    ///
    /// # Errors
    ///
    /// [`TopologyError`] if the list is empty, names a shard twice, or is larger than [`SHARDS_MAX`], as a list or in
    /// a total.
    pub fn new(shards: impl IntoIterator<Item = ShardId>) -> Result<Self, TopologyError> {
        let shards = shards.into_iter();
        let mut list = Vec::with_capacity(shards.size_hint().0.min(SHARDS_MAX as usize));
        for shard in shards {
            if shard.total() > SHARDS_MAX {
                return Err(TopologyError::TotalTooLarge {
                    total: shard.total().into(),
                });
            }
            if list.len() >= SHARDS_MAX as usize {
                return Err(TopologyError::TooManyShards);
            }
            list.push(shard);
        }
        list.sort_unstable();
        match list.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(TopologyError::Duplicate { shard: pair[0] }),
            None if list.is_empty() => Err(TopologyError::Empty),
            None => Ok(Self { shards: list }),
        }
    }

    /// All `total` shards of a total.
    ///
    /// # Errors
    ///
    /// [`TopologyError`] if `total` is 0 or above [`SHARDS_MAX`].
    pub fn whole(total: u32) -> Result<Self, TopologyError> {
        match total {
            0 => Err(TopologyError::ZeroTotal),
            1..=SHARDS_MAX => Ok(Self {
                shards: (0..total).filter_map(|i| ShardId::new(i, total)).collect(),
            }),
            _ => Err(TopologyError::TotalTooLarge {
                total: total.into(),
            }),
        }
    }

    /// The shards, by total and index.
    #[must_use]
    pub fn shards(&self) -> &[ShardId] {
        &self.shards
    }

    /// How many shards there are. Never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a topology is never empty")]
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Whether the shard is one of them.
    #[must_use]
    pub fn contains(&self, shard: ShardId) -> bool {
        self.shards.binary_search(&shard).is_ok()
    }

    /// The different totals, ascending.
    pub fn totals(&self) -> impl Iterator<Item = u32> {
        self.shards
            .chunk_by(|a, b| a.total() == b.total())
            .map(|group| group[0].total())
    }

    /// The shards among these that Discord sends the guild's events to: at most one of each total.
    pub fn shards_of(&self, guild: Snowflake) -> impl Iterator<Item = ShardId> {
        self.totals()
            .filter_map(move |total| ShardId::of_guild(guild, total))
            .filter(|&shard| self.contains(shard))
    }
}

/// Writes what [`Shards`](super::Shards) reads: a plain count where the topology is all of one total, else
/// `index-index,index/total`, the totals separated by `;`.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.shards)
    }
}

/// Writes shards in order as a topology; nothing if there are none.
pub(crate) fn write_list(f: &mut fmt::Formatter<'_>, shards: &[ShardId]) -> fmt::Result {
    if let (Some(first), Some(last)) = (shards.first(), shards.last())
        && first.total() == last.total()
        && first.total() as usize == shards.len()
    {
        return fmt::Display::fmt(&first.total(), f);
    }
    for (n, group) in shards.chunk_by(|a, b| a.total() == b.total()).enumerate() {
        if n > 0 {
            f.write_str(";")?;
        }
        for (n, run) in group
            .chunk_by(|a, b| a.index() + 1 == b.index())
            .enumerate()
        {
            if n > 0 {
                f.write_str(",")?;
            }
            match run {
                [only] => write!(f, "{}", only.index())?,
                _ => write!(f, "{}-{}", run[0].index(), run[run.len() - 1].index())?,
            }
        }
        write!(f, "/{}", group[0].total())?;
    }
    Ok(())
}
