//! A shard is a residue class: the guilds with `(guild_id >> 22) % total == index`. What two classes have in common.

use core::fmt;

use crate::id::{ShardId, Snowflake};

/// The guilds with `(guild_id >> 22) % modulus == remainder`.
///
/// Every shard is one ([`ShardId::residue`]). What two shards have in common is one too, but of a modulus that no
/// shard has: up to the product of their totals.
///
/// ```
/// use shardkeep_core::fleet::Residue;
/// use shardkeep_core::{ShardId, Snowflake};
///
/// let [a, b] = [(3, 16), (1, 6)].map(|(index, total)| ShardId::new(index, total).unwrap());
/// let both = a.intersection(b).unwrap();
/// assert_eq!(both.to_string(), "19 mod 48"); // 19 % 16 = 3, 19 % 6 = 1
/// assert!(both.contains(Snowflake(67 << 22)));
/// assert!(a.residue().covers(both) && b.residue().covers(both));
///
/// // 3 % 2 = 1 and 0 % 2 = 0: these two never serve the same guild.
/// assert!(!a.meets(ShardId::new(0, 6).unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Residue {
    modulus: u64,
    remainder: u64,
}

impl Residue {
    /// Every guild: 0 mod 1.
    pub const ALL: Self = Self {
        modulus: 1,
        remainder: 0,
    };

    /// The class of this remainder; `None` unless `remainder < modulus`.
    #[must_use]
    pub const fn new(remainder: u64, modulus: u64) -> Option<Self> {
        if remainder < modulus {
            Some(Self { modulus, remainder })
        } else {
            None
        }
    }

    /// The remainder, below the modulus.
    #[must_use]
    pub const fn remainder(self) -> u64 {
        self.remainder
    }

    /// The modulus, at least 1. One guild in so many is in the class.
    #[must_use]
    pub const fn modulus(self) -> u64 {
        self.modulus
    }

    /// The class as a shard, if its modulus is one that a shard's total can be (32 bits).
    #[must_use]
    pub fn as_shard(self) -> Option<ShardId> {
        let total = u32::try_from(self.modulus).ok()?;
        ShardId::new(u32::try_from(self.remainder).ok()?, total)
    }

    /// Whether the guild is in the class.
    #[must_use]
    pub const fn contains(self, guild: Snowflake) -> bool {
        (guild.0 >> 22) % self.modulus == self.remainder
    }

    /// Whether the two classes have guilds in common: their remainders agree modulo the greatest common divisor of
    /// their moduli (the Chinese remainder theorem).
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        let common = gcd(self.modulus, other.modulus);
        self.remainder % common == other.remainder % common
    }

    /// Whether every guild of `other` is in this class.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.modulus.is_multiple_of(self.modulus)
            && other.remainder % self.modulus == self.remainder
    }

    /// The guilds that are in both classes; `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`TooFine`] if the class has a modulus above 64 bits. For the classes of two shards that cannot be.
    pub fn intersection(self, other: Self) -> Result<Option<Self>, TooFine> {
        if !self.meets(other) {
            return Ok(None);
        }
        let common = gcd(self.modulus, other.modulus);
        let step = other.modulus / common;
        let modulus = self.modulus.checked_mul(step).ok_or(TooFine)?;
        // remainder + modulus * n is to agree with the other: n = (other - remainder) / common, times the inverse of
        // modulus / common, all modulo `step`. In 128 bits, where none of it overflows.
        let [step, own, theirs] = [step, self.remainder, other.remainder].map(i128::from);
        let distance = (theirs - own) / i128::from(common);
        let inverse = inverse(i128::from(self.modulus / common), step);
        let n = (distance.rem_euclid(step) * inverse).rem_euclid(step);
        let remainder = own + i128::from(self.modulus) * n;
        let remainder = u64::try_from(remainder).map_err(|_| TooFine)?;
        Ok(Some(Self { modulus, remainder }))
    }
}

/// `19 mod 48`.
impl fmt::Display for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mod {}", self.remainder, self.modulus)
    }
}

impl From<ShardId> for Residue {
    fn from(shard: ShardId) -> Self {
        shard.residue()
    }
}

/// The common guilds of two classes form a class whose modulus does not fit in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFine;

impl fmt::Display for TooFine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the common guilds form a class whose modulus does not fit in 64 bits")
    }
}

impl core::error::Error for TooFine {}

/// The arithmetic of shards as classes. A guild has `(guild_id >> 22) % total == index` on exactly one shard of each
/// total, whatever other totals are open beside it.
impl ShardId {
    /// The shard's guilds as a class.
    #[must_use]
    pub const fn residue(self) -> Residue {
        Residue {
            modulus: self.total() as u64,
            remainder: self.index() as u64,
        }
    }

    /// Whether Discord sends the guild's events to this shard.
    #[must_use]
    pub const fn carries(self, guild: Snowflake) -> bool {
        self.residue().contains(guild)
    }

    /// Whether some guild's events arrive on both shards.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        let common = gcd(self.total() as u64, other.total() as u64);
        self.index() as u64 % common == other.index() as u64 % common
    }

    /// Whether every guild of `other` is this shard's too: `other` is a part of it, or the same.
    ///
    /// ```
    /// use shardkeep_core::ShardId;
    ///
    /// let [whole, part] = [(3, 16), (19, 32)].map(|(index, total)| ShardId::new(index, total).unwrap());
    /// assert!(whole.covers(part) && !part.covers(whole));
    /// ```
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.residue().covers(other.residue())
    }

    /// The guilds whose events arrive on both shards; `None` if there are none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Residue> {
        // The product of two 32-bit totals fits in 64 bits.
        self.residue().intersection(other.residue()).ok().flatten()
    }
}

/// The greatest common divisor. One of the numbers is not 0.
pub(crate) const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The inverse of `number` modulo `modulus`, 0 to `modulus - 1`. The two have no factor in common.
pub(crate) fn inverse(number: i128, modulus: i128) -> i128 {
    let (mut previous, mut last) = (modulus, number.rem_euclid(modulus));
    let (mut before, mut coefficient) = (0, 1);
    while last != 0 {
        let quotient = previous / last;
        (previous, last) = (last, previous - quotient * last);
        (before, coefficient) = (coefficient, before - quotient * coefficient);
    }
    before.rem_euclid(modulus)
}
