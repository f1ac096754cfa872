//! A day's identifies where several processes spend them without a register: one account, in a file that they share.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::ShardId;

use super::identify::SessionStartLimit;

/// The form of a written purse. Another one is not read.
const VERSION: u16 = 1;

/// After an identify was permitted, Discord's answers have certainly counted it after so long.
const SETTLE_MS: u64 = 60_000;

/// How long a permit may be used.
const USE: Duration = Duration::from_secs(2);

/// Discord's day. A longer wait cannot be meant.
const DAY_MS: u64 = 86_400_000;

/// What several processes of one machine know together of the day's identifies. Whoever has the file alone reads it,
/// takes, and writes it back.
///
/// Times are milliseconds of Unix time, which the processes of one machine share. If that clock is set back, nothing
/// that is written down can hold anybody up for longer than it could have at first.
///
/// ```
/// use core::time::Duration;
/// use shardkeep_core::ShardId;
/// use shardkeep_core::fleet::{Hold, Purse, SessionStartLimit};
///
/// let shard = |index| ShardId::new(index, 4).unwrap();
/// let spacing = Duration::from_millis(5_250);
/// let mut purse = Purse::default();
/// assert_eq!(purse.take(1_000, shard(0), spacing, 50), Err(Hold::Unknown));
///
/// let limit = SessionStartLimit { total: 1000, remaining: 900, reset_after_ms: 3_600_000, max_concurrency: 1 };
/// purse.limits(1_000, 1_000, limit);
/// assert_eq!(purse.take(1_000, shard(0), spacing, 50), Ok(()));
/// purse.sent(1_100, shard(0), spacing);
/// // Another process reads the same.
/// let mut other = Purse::read(&purse.write()).unwrap();
/// assert_eq!(other.take(1_200, shard(1), spacing, 50), Err(Hold::Key { until_ms: 6_350 }));
/// assert_eq!(other.left(), Some(899));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purse {
    version: u16,
    /// What the last answer of Discord's said; 0 before.
    total: u32,
    /// What is left of it, less what was permitted since and what it may not have counted.
    left: u32,
    /// When Discord's day ends; 0 before the first answer.
    resets_ms: u64,
    max_concurrency: u32,
    /// Until when the key of each index is taken, and since when.
    recent: Vec<Recent>,
    /// When identifies were permitted that an answer may not have counted.
    flights: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recent {
    shard: ShardId,
    since_ms: u64,
    until_ms: u64,
}

/// Why an identify is not permitted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// Nobody has said yet what `GET /gateway/bot` answers, or that day has ended: ask it.
    Unknown,
    /// Another shard of the same key has identified less than 5 s ago, or may be about to.
    Key {
        /// Until then.
        until_ms: u64,
    },
    /// Only the reserve is left.
    Budget {
        /// When Discord's day ends.
        until_ms: u64,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "nobody knows how many identifies are left",
            Self::Key { .. } => "another shard of the same key has identified less than 5 s ago",
            Self::Budget { .. } => "only the reserve is left of the day's identifies",
        })
    }
}

impl Purse {
    /// Reads what a process wrote; `None` if it is no purse, or of another version.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let purse: Self = serde_json::from_str(text).ok()?;
        (purse.version == VERSION).then_some(purse)
    }

    /// The purse as text.
    #[must_use]
    pub fn write(&self) -> String {
        let purse = Self {
            version: VERSION,
            ..self.clone()
        };
        serde_json::to_string(&purse).expect("numbers and lists are always JSON")
    }

    /// What `GET /gateway/bot` said, which was asked at `asked_ms`.
    pub fn limits(&mut self, now_ms: u64, asked_ms: u64, limit: SessionStartLimit) {
        self.forget(now_ms);
        let uncounted = self.flights.iter();
        let uncounted = uncounted.filter(|&&at| at + SETTLE_MS >= asked_ms).count();
        let uncounted = u32::try_from(uncounted).unwrap_or(u32::MAX);
        self.total = limit.total;
        self.left = limit.remaining.min(limit.total).saturating_sub(uncounted);
        self.resets_ms = now_ms + limit.reset_after_ms.clamp(1, DAY_MS);
        self.max_concurrency = limit.max_concurrency.max(1);
    }

    /// The shard may identify within two seconds from now, and its key is taken for `spacing` more. `reserve` of the
    /// day's identifies are never permitted; at most half of them.
    ///
    /// # Errors
    ///
    /// [`Hold`] says why not yet.
    pub fn take(
        &mut self,
        now_ms: u64,
        shard: ShardId,
        spacing: Duration,
        reserve: u32,
    ) -> Result<(), Hold> {
        self.forget(now_ms);
        if self.resets_ms <= now_ms {
            return Err(Hold::Unknown);
        }
        if self.left <= reserve.min(self.total / 2) {
            let until_ms = self.resets_ms.min(now_ms + DAY_MS);
            return Err(Hold::Budget { until_ms });
        }
        let longest = now_ms + millis(USE + spacing);
        if let Some(until_ms) = self.free_at(shard) {
            // A clock that was set back must not hold anybody up for ever.
            let until_ms = until_ms.min(longest);
            return Err(Hold::Key { until_ms });
        }
        self.left -= 1;
        self.flights.push(now_ms);
        self.recent.push(Recent {
            shard,
            since_ms: now_ms,
            until_ms: longest,
        });
        Ok(())
    }

    /// The shard's identify has left just now.
    pub fn sent(&mut self, now_ms: u64, shard: ShardId, spacing: Duration) {
        let until_ms = now_ms + millis(spacing);
        let taken = self.recent.iter_mut().rfind(|recent| recent.shard == shard);
        match taken {
            Some(recent) => recent.until_ms = until_ms,
            None => self.recent.push(Recent {
                shard,
                since_ms: now_ms,
                until_ms,
            }),
        }
    }

    /// The shard's permit was not used, and will not be.
    pub fn unused(&mut self, shard: ShardId) {
        let taken = self.recent.iter().rposition(|recent| recent.shard == shard);
        let Some(taken) = taken.map(|at| self.recent.remove(at)) else {
            return;
        };
        if let Some(at) = self.flights.iter().position(|at| *at == taken.since_ms) {
            self.flights.remove(at);
            self.left = self.left.saturating_add(1).min(self.total);
        }
    }

    /// How many identifies are left, the reserve included; `None` if nobody knows.
    #[must_use]
    pub fn left(&self) -> Option<u32> {
        (self.resets_ms > 0).then_some(self.left)
    }

    /// When the shard's key is free; `None` if it is.
    fn free_at(&self, shard: ShardId) -> Option<u64> {
        let key = |shard: ShardId| shard.rate_limit_key(self.max_concurrency);
        let same = self.recent.iter().filter(|of| key(of.shard) == key(shard));
        same.map(|recent| recent.until_ms).max()
    }

    /// Drops what holds nobody up any more, and what a clock that was set back has put into the future.
    fn forget(&mut self, now_ms: u64) {
        self.recent
            .retain(|recent| recent.until_ms > now_ms && recent.since_ms <= now_ms + SETTLE_MS);
        self.flights
            .retain(|at| at + 2 * SETTLE_MS > now_ms && *at <= now_ms + SETTLE_MS);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
