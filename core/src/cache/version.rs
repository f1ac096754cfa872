//! Versions: which of two values of a record is the newer one.

use core::fmt;
use core::str::FromStr;

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

/// The text was no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidVersion;

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an epoch, a dot and a sequence, such as `1700000000000.65536`")
    }
}

impl core::error::Error for InvalidVersion {}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let (epoch, seq) = text.split_once('.').ok_or(InvalidVersion)?;
        match (number(epoch), number(seq)) {
            (Some(epoch), Some(seq)) => Ok(Self::new(epoch, seq)),
            _ => Err(InvalidVersion),
        }
    }
}

/// Digits alone: Rust would take a plus sign too.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written() {
        let version = Version::new(1_700_000_000_000, u64::MAX);
        assert_eq!(version.to_string().parse(), Ok(version));
        for text in [
            "", "1", ".", "1.", ".1", "1.2.3", "+1.2", "1.-2", "a.b", "1. 2",
        ] {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion), "{text}");
        }
    }
}
