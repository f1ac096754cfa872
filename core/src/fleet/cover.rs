//! The proof that every guild is served exactly once, or a class of guilds for which that is wrong.
//!
//! # Why the answer is exact
//!
//! 1. **Nobody twice.** Two shards have guilds in common if and only if their indices agree modulo the greatest common
//!    divisor of their totals. For each pair of different totals, the shards of the one are marked by their index
//!    modulo that divisor, and those of the other are looked up.
//! 2. **Nobody left out.** One guild in `total` is on a shard. If no guild is on two, the shares add up to the share of
//!    all that are served; that is everybody if and only if the sum is 1. It is computed in integers of any length.
//!
//! # Why it is fast
//!
//! The first step takes time in proportion to the number of shards, once for each pair of different totals, and ends at
//! the first two shards with common guilds. Until then there cannot be many totals: two shards without common guilds
//! have totals with a common divisor, whichever two they are. How many classes of different moduli up to N can keep
//! clear of each other was asked by Erdős and Stein; de la Bretèche, Ford and Vandehey found that it grows as
//! N / exp(sqrt(ln N * ln ln N)), give or take lesser factors: hundreds for 2^16. `cargo test -p shardkeep-core --test
//! fleet_cover -- --nocapture` prints what the worst takes that we could think of, a cover of 639 different totals.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::id::ShardId;

use super::hole::hole;
use super::residue::{Residue, gcd};
use super::shards::SHARDS_MAX;
use super::sum::{Counts, is_one};
use super::topology::Topology;

/// Why not every guild is served exactly once. Each carries a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CoverError {
    /// Nobody serves these guilds.
    Unserved {
        /// All of them are left out.
        class: Residue,
    },
    /// Some guilds of the class have nobody. Those alone form a class whose modulus does not fit in 64 bits.
    Gap {
        /// The finest class with such guilds that does fit.
        within: Residue,
    },
    /// Two shards serve these guilds. Events without a guild are a case of it: they arrive on index 0 of each total.
    Twice {
        /// The guilds that both serve: all of the class.
        class: Residue,
        /// A shard.
        first: ShardId,
        /// The other.
        second: ShardId,
    },
    /// The overlay's guilds are not all on one shard, of which it would be a part.
    Astride {
        /// The overlay.
        overlay: ShardId,
        /// A shard that has some of its guilds.
        shard: ShardId,
    },
    /// The overlay's total is above [`SHARDS_MAX`](super::SHARDS_MAX).
    OverlayTooFine {
        /// The overlay.
        overlay: ShardId,
    },
    /// The overlay's index is 0, so that it would get the bot's direct messages as well.
    OverlayAtZero {
        /// The overlay.
        overlay: ShardId,
    },
}

impl fmt::Display for CoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unserved { class } => {
                let (modulus, remainder) = (class.modulus(), class.remainder());
                write!(
                    f,
                    "nobody serves the guilds with (id >> 22) % {modulus} = {remainder}: "
                )?;
                match class.as_shard() {
                    Some(shard) => write!(f, "start shard {shard}"),
                    None => f.write_str("start shards that have them"),
                }
            }
            Self::Gap { within } => write!(
                f,
                "nobody serves some of the guilds with (id >> 22) % {} = {}: these totals do not fit together, use one",
                within.modulus(),
                within.remainder()
            ),
            Self::Twice {
                class,
                first,
                second,
            } => write!(
                f,
                "shards {first} and {second} both serve the guilds with (id >> 22) % {} = {}: stop one of them",
                class.modulus(),
                class.remainder()
            ),
            Self::Astride { overlay, shard } => write!(
                f,
                "overlay {overlay} is no part of one shard, though {shard} has some of its guilds: \
                 its total must be a multiple of that of the shard it takes over from, and larger"
            ),
            Self::OverlayTooFine { overlay } => {
                write!(f, "overlay {overlay}: the largest total is {SHARDS_MAX}")
            }
            Self::OverlayAtZero { overlay } => write!(
                f,
                "overlay {overlay} has index 0, where Discord sends direct messages too: choose another total"
            ),
        }
    }
}

impl core::error::Error for CoverError {}

impl Topology {
    /// Proves that these shards serve every guild exactly once, whatever their totals.
    ///
    /// Events without a guild (direct messages, entitlements) arrive on index 0 of each total. They are served exactly
    /// once too then: an exact cover has exactly one shard of index 0, because 0 is in one class only.
    ///
    /// The proof is about all numbers that `guild_id >> 22` could be. It takes microseconds for shards of one total,
    /// and few milliseconds for tens of thousands of two.
    ///
    /// ```
    /// use shardkeep_core::fleet::{CoverError, Shards, Topology};
    ///
    /// let topology = |text: &str| text.parse::<Shards>().map(|shards| shards.resolve(1));
    /// // In the middle of a split from 4 to 8: shard 1 of 4 has become 1 and 5 of 8.
    /// assert_eq!(topology("0,2-3/4; 1,5/8")?.prove_cover(), Ok(()));
    ///
    /// let twice = topology("0-3/4; 1/8")?.prove_cover().unwrap_err();
    /// assert!(matches!(twice, CoverError::Twice { class, .. } if class.to_string() == "1 mod 8"));
    /// let missing = topology("0-1,3/4")?.prove_cover().unwrap_err();
    /// assert!(missing.to_string().ends_with("start shard 2/4"));
    /// # Ok::<(), shardkeep_core::fleet::TopologyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CoverError::Twice`], or else [`CoverError::Unserved`] (beyond 64 bits, [`CoverError::Gap`]).
    pub fn prove_cover(&self) -> Result<(), CoverError> {
        prove(self.shards())
    }

    /// Proves the same where overlay sessions take guilds over from the shards: every guild is served by exactly one
    /// shard, and by at most one overlay, which is a part of that shard.
    ///
    /// An overlay is a session of a larger total beside those of the topology. Discord sends its guilds' events to
    /// both; they are handled where the overlay is. Its total is a multiple of the shard's, and its index is not 0:
    /// direct messages stay with the shards.
    ///
    /// ```
    /// use shardkeep_core::ShardId;
    /// use shardkeep_core::fleet::Topology;
    ///
    /// let topology = Topology::whole(4)?;
    /// let overlay = |index, total| ShardId::new(index, total).unwrap();
    /// assert!(topology.prove_cover_with(&[overlay(6, 400), overlay(7, 400)]).is_ok());
    /// assert!(topology.prove_cover_with(&[overlay(6, 399)]).is_err()); // on all four shards
    /// # Ok::<(), shardkeep_core::fleet::TopologyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Topology::prove_cover`]; [`CoverError::Twice`] for two overlays, [`CoverError::Astride`],
    /// [`CoverError::OverlayTooFine`], [`CoverError::OverlayAtZero`].
    pub fn prove_cover_with(&self, overlays: &[ShardId]) -> Result<(), CoverError> {
        self.prove_cover()?;
        for &overlay in overlays {
            if overlay.total() > SHARDS_MAX {
                return Err(CoverError::OverlayTooFine { overlay });
            }
            if overlay.index() == 0 {
                return Err(CoverError::OverlayAtZero { overlay });
            }
            let shard = self.home_of(overlay);
            let is_part = |shard: &ShardId| shard.covers(overlay) && *shard != overlay;
            if let Some(shard) = shard.filter(|shard| !is_part(shard)) {
                return Err(CoverError::Astride { overlay, shard });
            }
        }
        let mut sorted = overlays.to_vec();
        sorted.sort_unstable();
        meeting(&sorted)
    }

    /// The shard that the class's lowest guild is on, in an exact cover.
    pub(crate) fn home_of(&self, class: ShardId) -> Option<ShardId> {
        self.totals()
            .filter_map(|total| ShardId::new(class.index() % total, total))
            .find(|&shard| self.contains(shard))
    }
}

/// Proves that the classes, in order, partition all numbers.
pub(crate) fn prove(sorted: &[ShardId]) -> Result<(), CoverError> {
    meeting(sorted)?;
    let mut counts = Counts::new();
    for shard in sorted {
        *counts.entry(shard.total()).or_default() += 1;
    }
    if is_one(&counts) {
        return Ok(());
    }
    Err(hole(sorted, u64::MAX))
}

/// Proves that the parts partition the whole: as classes of what the whole's guilds are numbered by.
pub(crate) fn prove_parts(whole: ShardId, parts: &[ShardId]) -> Result<(), CoverError> {
    let mut inner = Vec::with_capacity(parts.len());
    for &part in parts {
        if !whole.covers(part) {
            return Err(CoverError::Astride {
                overlay: part,
                shard: whole,
            });
        }
        let index = (part.index() - whole.index()) / whole.total();
        inner.extend(ShardId::new(index, part.total() / whole.total()));
    }
    inner.sort_unstable();
    prove(&inner)
}

/// Two of the classes that have numbers in common, if there are such. In order, so that totals are together.
fn meeting(sorted: &[ShardId]) -> Result<(), CoverError> {
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(twice(pair[0], pair[1]));
    }
    let groups: Vec<_> = sorted.chunk_by(|a, b| a.total() == b.total()).collect();
    let [.., _, largest] = groups.as_slice() else {
        return Ok(()); // shards of one total meet only themselves
    };
    // Who has each remainder, and for which pair of totals that was noted: nothing is cleared between pairs.
    let mut marks: Vec<(u64, u32)> = vec![(0, 0); largest[0].total() as usize];
    let mut pair = 0;
    for (position, group) in groups.iter().enumerate() {
        for earlier in &groups[..position] {
            pair += 1;
            let [total, other] = [group, earlier].map(|group| u64::from(group[0].total()));
            let common = u32::try_from(gcd(total, other)).unwrap_or(u32::MAX);
            for shard in *earlier {
                marks[(shard.index() % common) as usize] = (pair, shard.index());
            }
            for &shard in *group {
                let (noted, index) = marks[(shard.index() % common) as usize];
                if noted == pair
                    && let Some(first) = ShardId::new(index, earlier[0].total())
                {
                    return Err(twice(first, shard));
                }
            }
        }
    }
    Ok(())
}

fn twice(first: ShardId, second: ShardId) -> CoverError {
    CoverError::Twice {
        class: first
            .intersection(second)
            .unwrap_or_else(|| first.residue()),
        first,
        second,
    }
}
