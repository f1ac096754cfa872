//! How a process takes part in a pool.

use alloc::string::String;
use core::time::Duration;

/// The settings of a process that shares Discord's limits with others. All members of a pool need the same durations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolConfig {
    /// The member's name. A process that is started again under its predecessor's name takes over its share at once;
    /// otherwise that is set aside for [`away`](Self::away).
    pub name: String,
    /// Tells a process from others that ever had the same name: any random number.
    pub instance: u64,
    /// How long what the ledger grants may be used. Default 1 s.
    pub grant: Duration,
    /// How often the ledger hears of a member that wants nothing. Default 250 ms.
    pub heartbeat: Duration,
    /// After how long without a heartbeat a member counts as cut off: its share is set aside. Default 1.5 s.
    pub silent: Duration,
    /// How long a member goes on without the ledger, on its share; and for how long the share of one that crashed is
    /// set aside. Default 5 min.
    pub away: Duration,
    /// How long a ledger that has just been opened gives nothing, in case that it replaces one that was lost while
    /// members of that one are running. Default 1 s.
    pub settle: Duration,
}

impl PoolConfig {
    /// The default durations, under a name and a number of the caller's.
    #[must_use]
    pub const fn new(name: String, instance: u64) -> Self {
        Self {
            name,
            instance,
            grant: Duration::from_secs(1),
            heartbeat: Duration::from_millis(250),
            silent: Duration::from_millis(1_500),
            away: Duration::from_secs(300),
            settle: Duration::from_secs(1),
        }
    }
}

/// How long the ledger counts what may become an invalid request on a member that says nothing.
pub(super) const CREDIT: Duration = Duration::from_secs(5);
