//! How old a message is, where its deletion is limited by age.

use core::time::Duration;

use crate::id::Snowflake;

/// Unix time of snowflake zero: the first moment of 2015.
const EPOCH_MS: u64 = 1_420_070_400_000;

/// Up to here a message is young.
const YOUNG: Duration = Duration::from_secs(10);
/// From here on a message is old.
const OLD: Duration = Duration::from_secs(14 * 86_400);

/// The age class of a message that is to be deleted. Discord counts the deletions of one channel in three buckets
/// behind one route, by the message's age when the request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageAge {
    /// 10 seconds at most.
    Young = 1,
    /// Between 10 seconds and 14 days.
    Middle = 2,
    /// Over 14 days.
    Old = 3,
}

impl MessageAge {
    /// Every class, by number.
    pub const ALL: &'static [Self] = &[Self::Young, Self::Middle, Self::Old];

    /// The class of `message` at `unix_ms`, milliseconds of wall time since 1970. A message from the future, which a
    /// clock that is slow makes of a new one, is young.
    ///
    /// ```
    /// use shardkeep_core::Snowflake;
    /// use shardkeep_core::rest::route::MessageAge;
    ///
    /// let message = Snowflake(1_000 << 22);
    /// let sent_ms = 1_420_070_401_000;
    /// assert_eq!(MessageAge::of(message, sent_ms + 10_000), MessageAge::Young);
    /// assert_eq!(MessageAge::of(message, sent_ms + 10_001), MessageAge::Middle);
    /// ```
    #[must_use]
    pub const fn of(message: Snowflake, unix_ms: u64) -> Self {
        let sent_ms = (message.0 >> 22) + EPOCH_MS;
        let age = Duration::from_millis(unix_ms.saturating_sub(sent_ms)).as_millis();
        if age <= YOUNG.as_millis() {
            Self::Young
        } else if age <= OLD.as_millis() {
            Self::Middle
        } else {
            Self::Old
        }
    }

    /// The number in records and bindings: stable, never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}
