//! A pool: processes that share Discord's limits through a ledger, and keep to them together.
//!
//! Discord counts what a bot sends from all its processes. In a pool, a request goes only on a *token*: the right to
//! one place in a bucket, in the global limit, or in a hidden limit, which the ledger grants for a second. Members
//! speak to the ledger in [exchanges](Exchange) that carry everything at once: what they hold, what answers said, what
//! they want. The ledger is a script, [`LEDGER`], that a store runs atomically; it knows of buckets what
//! `rest::bucket` knows, with the tokens of all members in place of requests in flight.
//!
//! # What can go wrong
//!
//! * **A member crashes.** Its tokens run out in a second and count as spent.
//! * **An answer of the ledger is lost.** Members state what they hold instead of counting up and down: the next
//!   exchange mends it.
//! * **The ledger cannot be reached.** With each answer it tells a member its *share* of the limit: one part in as many
//!   as there are members who use it. When a member has been silent for so long that the ledger sets its share aside,
//!   and tokens that others hold on it have run out and left the window, the member lives on its share. The ledger
//!   counts from the last answer that the member confirmed, the member from when it got it: whoever cannot reach
//!   whom, both are never on the safe side of different moments.
//! * **The ledger is lost.** A new one gives nothing before all members of the old one are there and have given up
//!   their shares; until then they go on living on them.
//!
//! * **A route's bucket is not known, or has got another name.** Whatever finds it out takes a place in every bucket
//!   that is known of the resource; what was used under one name counts under the other for a minute; and what a
//!   member that crashed was finding out counts in all of them.
//!
//! Invalid requests are shared alike, but a quarter of what is tolerated is set aside for shares once and for all:
//! ten minutes are too long to wait for.
//!
//! Interactions are not shared: the process that got one answers it, and Discord limits each by itself.

mod allowance;
mod compose;
mod config;
mod demand;
mod heed;
mod keys;
mod notes;
mod spend;
mod words;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;

pub(super) use allowance::Allowance;
pub use config::PoolConfig;

/// The ledger: a Lua script for a store that runs scripts atomically, such as Redis. Its keys and its argument are
/// those of an [`Exchange`].
pub const LEDGER: &str = include_str!("ledger.lua");

/// What is to be told to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The keys, without the prefix that all of a pool have in common.
    pub keys: Vec<String>,
    /// The script's one argument.
    pub body: String,
}

/// How a process stands to its pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The ledger answers.
    pub is_in_touch: bool,
    /// It has not answered for so long that the process lives on its shares.
    pub is_away: bool,
    /// Other members, by name.
    pub peers: Vec<String>,
    /// What happened so far.
    pub stats: PoolStats,
}

/// What happened between a process and its ledger. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Exchanges that were answered.
    pub exchanges: u64,
    /// Exchanges that failed, or were answered with what makes no sense.
    pub failed: u64,
    /// Tokens that the ledger granted.
    pub granted: u64,
    /// Tokens that were not needed after all.
    pub returned: u64,
    /// Requests that were sent on shares.
    pub on_share: u64,
    /// How often the process began to live on its shares.
    pub aways: u64,
    /// How often a ledger was lost and another one joined.
    pub rejoined: u64,
}

/// From one exchange to the next at least: under load, one then serves many requests.
const PACE: Duration = Duration::from_millis(2);

/// A limit that is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Invalid,
    Identity(u32),
    Bucket(u32),
    Lane(u32),
}

/// An exchange that is not answered yet.
#[derive(Clone, Debug)]
struct UnderWay {
    sent: Instant,
    /// The limits it speaks of, with their keys: another may have a place by the time the answer comes.
    items: Vec<(Target, String, u32)>,
    notes: Vec<[String; 3]>,
}

/// What a member knows of its pool.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    config: PoolConfig,
    /// How long an unanswered request can take to arrive at Discord.
    arrival: Duration,
    /// The ledger's own name, and this member's count of exchanges with it.
    inc: String,
    seq: u64,
    revision: i64,
    peers: Vec<String>,
    /// What the ledger's clock said in the last answer, and when that was asked for and received.
    heard: Option<(i64, Instant, Instant)>,
    is_away: bool,
    is_name_taken: bool,
    /// It gave back what it held: the ledger is not spoken to any more.
    has_left: bool,
    under_way: Option<UnderWay>,
    outgoing: Option<Exchange>,
    last_sent: Option<Instant>,
    failures: u32,
    not_before: Instant,
    /// What is to be spoken of, and when.
    agenda: BTreeSet<(Instant, Target)>,
    notes: Vec<[String; 3]>,
    /// What may become invalid requests.
    credits: Box<Allowance>,
    stats: PoolStats,
}

impl Pool {
    pub(super) fn new(config: &super::Config) -> Option<Box<Self>> {
        let arrival = config.arrival_bound;
        config.pool.clone().map(|config| {
            Box::new(Self {
                config,
                arrival,
                inc: String::new(),
                seq: 0,
                revision: -1,
                peers: Vec::new(),
                heard: None,
                is_away: false,
                is_name_taken: false,
                has_left: false,
                under_way: None,
                outgoing: None,
                last_sent: None,
                failures: 0,
                not_before: Instant::ZERO,
                agenda: BTreeSet::new(),
                notes: Vec::new(),
                credits: Box::default(),
                stats: PoolStats::default(),
            })
        })
    }

    /// When everything that the ledger granted to others on this member's share has run out at the latest. A limit's
    /// own window comes on top.
    fn away_at(&self) -> Option<Instant> {
        let (_, _, received) = self.heard?;
        Some(received + self.config.silent + self.config.grant + self.arrival)
    }

    pub(super) const fn is_away(&self) -> bool {
        self.is_away
    }

    fn is_in_touch(&self, now: Instant) -> bool {
        self.heard
            .is_some_and(|(_, _, received)| received + self.config.silent > now)
    }

    /// For how long a request that was sent on a share counts.
    fn counted(&self, window: Duration) -> Duration {
        window + self.arrival
    }

    /// A moment by the ledger's clock: not before the first, not after the second.
    fn by_ledger(&self, at: Instant) -> (i64, i64) {
        let Some((theirs, sent, received)) = self.heard else {
            return (0, 0);
        };
        let at = signed(at);
        (at - signed(received) + theirs, at - signed(sent) + theirs)
    }

    /// The limit is spoken of at `at`, or earlier if it was to be already.
    fn list(&mut self, target: Target, allowance: Option<Instant>, at: Instant) -> Instant {
        let earliest = match allowance {
            Some(listed) if listed <= at => return listed,
            Some(listed) => {
                self.agenda.remove(&(listed, target));
                at
            }
            None => at,
        };
        self.agenda.insert((earliest, target));
        earliest
    }

    /// When the ledger is to be spoken to next, or counts as away.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.has_left {
            return None;
        }
        let away = self.away_at().filter(|_| !self.is_away);
        if self.under_way.is_some() {
            return away;
        }
        let beat = self
            .last_sent
            .map_or(Instant::ZERO, |sent| sent + self.config.heartbeat);
        let first = self.agenda.first().map_or(beat, |&(at, _)| at.min(beat));
        let paced = self.last_sent.map_or(Instant::ZERO, |sent| sent + PACE);
        let talk = first.max(self.not_before).max(paced);
        Some(away.map_or(talk, |away| away.min(talk)))
    }
}

/// Microseconds as a number that can be taken from another.
fn signed(at: Instant) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}
