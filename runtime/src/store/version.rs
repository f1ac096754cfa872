//! Versions: which of two values is newer, whoever wrote them and whenever they arrive.

use std::fmt;

/// How new a value is. The epoch goes first, so that a later session's first write beats an earlier one's last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Which session, or which reading of the whole truth, it comes from.
    pub epoch: u64,
    /// The place within.
    pub seq: u64,
}

/// The length of a version's text.
pub(super) const TEXT_LEN: usize = 32;

impl Version {
    /// A version of its two numbers.
    #[must_use]
    pub fn new(epoch: u64, seq: u64) -> Self {
        Self { epoch, seq }
    }

    /// 32 hexadecimal digits, whose order as text is that of the versions.
    pub(super) fn to_text(self) -> String {
        format!("{:016x}{:016x}", self.epoch, self.seq)
    }

    /// Reads what [`to_text`](Self::to_text) wrote, and nothing else.
    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        let is_version = text.len() == TEXT_LEN
            && text
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_version {
            return None;
        }
        let (epoch, seq) = str::from_utf8(text).ok()?.split_at(TEXT_LEN / 2);
        Some(Self {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            seq: u64::from_str_radix(seq, 16).ok()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_order_of_the_numbers_and_is_read_back() {
        let versions = [
            Version::new(0, 0),
            Version::new(0, u64::MAX),
            Version::new(1, 0),
            Version::new(9, 15),
            Version::new(10, 1),
            Version::new(u64::MAX, u64::MAX),
        ];
        for pair in versions.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].to_text() < pair[1].to_text());
        }
        for version in versions {
            let text = version.to_text();
            assert_eq!(Version::from_text(text.as_bytes()), Some(version));
        }
        for bad in [
            "",
            "1",
            &"g".repeat(32),
            &"F".repeat(32),
            &"0".repeat(33),
            &"+".repeat(32),
        ] {
            assert_eq!(Version::from_text(bad.as_bytes()), None, "{bad}");
        }
    }
}
