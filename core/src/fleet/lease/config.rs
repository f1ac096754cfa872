//! How a process takes part in a fleet of several.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use crate::fleet::Topology;

/// The settings of a process that shares a bot's shards with others. All members of a fleet need the same durations,
/// [`handover`](Self::handover) and [`reserve`](Self::reserve).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseConfig {
    /// The member's name, at most 256 bytes. A process that is started again under its predecessor's name gets that
    /// one's shards again if they are free.
    pub name: String,
    /// Tells a process from all others, those of the same name too: any random number, a new one with each start.
    pub instance: u64,
    /// What it is like: a zone, a kind of machine. At most 256 bytes.
    pub label: String,
    /// How many shards it can run. Shares are in proportion to it.
    pub capacity: u32,
    /// Takes only what the other members have no room for.
    pub is_standby: bool,
    /// What is to be served if the register does not know yet. Members that propose nothing wait for one that does.
    pub propose: Option<Topology>,
    /// For each label, shards that go to members of that label first, when they are free, and all that are a part of
    /// them: what a split makes of them, too. Nothing moves for it. The register keeps what it was told of each label
    /// last. Default none.
    pub prefer: BTreeMap<String, Topology>,
    /// How long a lease runs. A shard whose process crashed is taken by others after so long, and a register that was
    /// lost, or that is new, gives nothing out for so long. Default 10 s.
    pub term: Duration,
    /// How much earlier a holder stops by its own clock. It has to cover clocks that differ in rate, and one step of
    /// the register's clock: a server that takes over. Default 1.5 s; at least 1/20 and at most half of the term.
    pub margin: Duration,
    /// How often the register is spoken to while nothing happens. Default 1 s; leases live on as long as one exchange
    /// in [`term`](Self::term) less [`margin`](Self::margin) is answered.
    pub every: Duration,
    /// After how long an exchange counts as lost. Default 2 s.
    pub patience: Duration,
    /// How many shards may be on their way from one member to another at once. Default 4.
    pub handover: u32,
    /// From one identify of a key to the next, by the register's clock. Default 5.25 s: Discord's 5 s and a margin.
    pub spacing: Duration,
    /// How long a permit to identify may be used. Default 2 s.
    pub permit: Duration,
    /// How many identifies of a day are never granted; at most half of the day's total. Default 50.
    pub reserve: u32,
}

impl LeaseConfig {
    /// The default durations, for a member of this name and number that can run `capacity` shards.
    #[must_use]
    pub const fn new(name: String, instance: u64, capacity: u32) -> Self {
        Self {
            name,
            instance,
            label: String::new(),
            capacity,
            is_standby: false,
            propose: None,
            prefer: BTreeMap::new(),
            term: Duration::from_secs(10),
            margin: Duration::from_millis(1_500),
            every: Duration::from_secs(1),
            patience: Duration::from_secs(2),
            handover: 4,
            spacing: Duration::from_millis(5_250),
            permit: Duration::from_secs(2),
            reserve: 50,
        }
    }

    /// The margin within its bounds.
    pub(super) fn sure_margin(&self) -> Duration {
        self.margin.clamp(self.term / 20, self.term / 2)
    }

    /// By how much the register's clock may step at once: what the margin has left when clocks differ by 1 % in rate.
    pub(super) fn stride(&self) -> Duration {
        self.sure_margin().saturating_sub(self.term / 50)
    }

    /// How long a lease is good from the moment at which the exchange that renewed it was sent.
    pub(super) fn good_for(&self) -> Duration {
        self.term.saturating_sub(self.sure_margin())
    }

    /// How long a permit is good from the moment at which the exchange that brought it was sent.
    pub(super) fn permit_good_for(&self) -> Duration {
        self.permit.saturating_sub(self.permit / 20)
    }
}
