//! What a hot set is told once: budget, seed, and what is kept of each kind.

use core::fmt;
use core::time::Duration;

/// What an entry is of: the caller's number for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub(super) u8);

impl Kind {
    /// How many kinds there can be.
    pub const COUNT: usize = 32;

    pub(super) const MASK: u8 = 31;

    /// The kind with this number; `None` from [`Kind::COUNT`] on.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::MASK {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Every kind that there can be.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=Self::MASK).map(Self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is kept of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Entries at most; 0 keeps nothing.
    pub count: Option<u32>,
    /// Bytes at most, the entries' own overhead included.
    pub bytes: Option<usize>,
    /// Entries at most in each scope: the earliest make room.
    pub count_per_scope: Option<u32>,
    /// How long an entry lives after it was written. It may end 66 ms early, never late.
    pub ttl: Option<Duration>,
}

impl Limits {
    /// None: the budget alone decides.
    pub const NONE: Self = Self {
        count: None,
        bytes: None,
        count_per_scope: None,
        ttl: None,
    };

    /// A kind that keeps nothing.
    pub const OFF: Self = Self {
        count: Some(0),
        ..Self::NONE
    };

    /// Whether the kind keeps nothing.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.count == Some(0) || self.bytes == Some(0) || self.count_per_scope == Some(0)
    }

    /// Whether an entry must be found by its kind.
    pub(super) const fn is_capped(&self) -> bool {
        self.count.is_some() || self.bytes.is_some() || self.count_per_scope.is_some()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::NONE
    }
}

/// What a hot set is told when it is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Bytes for everything that the set holds.
    pub budget_bytes: usize,
    /// For the hash of keys: a random number that nobody outside knows.
    pub seed: u64,
    /// Longer values are refused.
    pub value_bytes_max: usize,
    /// Of the budget, how many percent one scope holds at most while others ask for memory.
    pub scope_percent: u8,
    /// What is kept, by [`Kind::number`].
    pub limits: [Limits; Kind::COUNT],
}

impl Config {
    /// A set with this budget, all kinds without limits of their own.
    #[must_use]
    pub const fn new(budget_bytes: usize, seed: u64) -> Self {
        Self {
            budget_bytes,
            seed,
            value_bytes_max: 1 << 20,
            scope_percent: 25,
            limits: [Limits::NONE; Kind::COUNT],
        }
    }
}
