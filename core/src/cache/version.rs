//! Versions: which of two values of a record is the newer one.

use core::fmt;

/// How new a value is: by the session that told it, and by its place in that session. A new session has a greater epoch
/// than all before it, so that what an old one still writes loses.
///
/// Users are told by many sessions at once. Their versions have the time of day for an epoch, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The session: the time of day at which it began, in milliseconds, or any other number that only grows.
    pub epoch: u64,
    /// The sequence in it.
    pub seq: u64,
}

impl Version {
    /// Older than all others.
    pub const ZERO: Self = Self { epoch: 0, seq: 0 };

    /// A version.
    #[must_use]
    pub const fn new(epoch: u64, seq: u64) -> Self {
        Self { epoch, seq }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}
