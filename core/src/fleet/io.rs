//! What the fleet takes and gives: inputs, outputs, events, and the reasons they carry.

use core::fmt;
use core::time::Duration;

use crate::id::ShardId;
use crate::reasons::reasons;
use crate::time::Instant;
use crate::timer::Slot;

use super::identify::SessionStartLimit;
use super::topology::Topology;

/// Something that happened to the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// `GET /gateway/bot` answered. Every [`Output::FetchLimits`] is answered once, by this or by
    /// [`Input::LimitsFailed`].
    ///
    /// An answer that nobody asked for is welcome: it can lower the count of identifies left, never raise it.
    Limits {
        /// The recommended number of shards (`shards`).
        shards: u32,
        /// The identify limits (`session_start_limit`).
        limit: SessionStartLimit,
    },
    /// `GET /gateway/bot` failed. The fleet backs off and asks again.
    LimitsFailed {
        /// How long Discord said to wait, if it did.
        retry_after: Option<Duration>,
    },
    /// A session of this shard is known and can be resumed: the shard starts at once, without an identify slot.
    /// Only before the shard was started.
    Resumable {
        /// The shard.
        shard: ShardId,
    },
    /// The session asks for an identify slot. Asking again while waiting changes nothing.
    WantIdentify {
        /// The shard.
        shard: ShardId,
    },
    /// The connection was lost while waiting for a slot: it is not wanted any more.
    CancelIdentify {
        /// The shard.
        shard: ShardId,
    },
    /// The identify went out now. Optional: without it the moment of the grant counts. With it the 5 s of the shard's
    /// key begin when they really begin, also where the way from grant to socket is slow.
    IdentifySent {
        /// The shard.
        shard: ShardId,
    },
    /// A grant reached a session that did not wait for one: the slot and the allowance are given back.
    IdentifyUnused {
        /// The shard.
        shard: ShardId,
    },
    /// Discord answered the identify with op 9. The identify is spent.
    IdentifyRejected {
        /// The shard.
        shard: ShardId,
    },
    /// READY: a new session is established.
    Ready {
        /// The shard.
        shard: ShardId,
    },
    /// RESUMED: a session goes on.
    Resumed {
        /// The shard.
        shard: ShardId,
    },
    /// The connection was lost, or could not be opened. The session tries again by itself.
    Down {
        /// The shard.
        shard: ShardId,
    },
    /// The session ended for good: it was stopped, or Discord refuses it (close codes 4004 and 4010 to 4014).
    Closed {
        /// The shard.
        shard: ShardId,
        /// Whether Discord refuses it.
        fatal: bool,
    },
    /// The shard runs here from now on, whether the topology named it before or not: it was leased, or a change of
    /// shards asks for it. It starts when it is its turn.
    Run {
        /// The shard.
        shard: ShardId,
        /// Whether a session of it is known and can be resumed: then it starts at once, without an identify slot.
        resumable: bool,
    },
    /// The shard does not belong here any more. It is stopped if it runs; [`Event::Released`] follows when it has
    /// ended, and from then on the fleet does not know it.
    Release {
        /// The shard.
        shard: ShardId,
    },
    /// So many events came to the shard in the time that the driver compares all by, such as since it began. After an
    /// outage the busiest identify first. To be said before [`Input::WantIdentify`].
    Activity {
        /// The shard.
        shard: ShardId,
        /// How many; only powers of two make a difference.
        events: u64,
    },
    /// Stop every shard and start none.
    Shutdown,
}

/// What the fleet wants done, or reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output<'a> {
    /// `GET /gateway/bot` and answer with [`Input::Limits`] or [`Input::LimitsFailed`].
    FetchLimits,
    /// Create the shard's session and let it connect.
    Start {
        /// The shard.
        shard: ShardId,
    },
    /// The shard may identify now: hand it to the session without delay.
    GrantIdentify {
        /// The shard.
        shard: ShardId,
    },
    /// Stop the shard's session; answer with [`Input::Closed`] when it has ended.
    Stop {
        /// The shard.
        shard: ShardId,
    },
    /// Something to know about the fleet itself.
    Event(Event<'a>),
}

/// Something to know about the fleet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// `Shards::Auto` was resolved by Discord's recommendation.
    TopologyResolved {
        /// The shards from here on.
        topology: &'a Topology,
    },
    /// A shard that was said to be resumable is not part of the resolved topology: drop its session.
    SessionForeign {
        /// The shard.
        shard: ShardId,
    },
    /// Every shard of the topology has a session, for the first time.
    AllReady,
    /// A shard asked for an identify slot and has to wait.
    IdentifyWaiting {
        /// The shard.
        shard: ShardId,
        /// When it gets its slot, as far as can be told now; `None` if it depends on an answer of Discord's.
        until: Option<Instant>,
        /// What it waits for.
        why: Wait,
    },
    /// Fewer identifies are left than one start of every shard would take.
    BudgetLow {
        /// How many may still be spent, the reserve not among them.
        remaining: u32,
        /// How many are never spent.
        reserve: u32,
    },
    /// Only the reserve is left. Nothing is granted until Discord's daily window ends: spending all of it would end
    /// every session and reset the token.
    BudgetExhausted {
        /// When the window ends.
        until: Instant,
        /// How many are never spent.
        reserve: u32,
    },
    /// There is allowance again after [`Event::BudgetExhausted`].
    BudgetRestored {
        /// How many may be spent, the reserve not among them.
        remaining: u32,
    },
    /// A shard wasted identifies in a row: the next one is held back.
    Damped {
        /// The shard.
        shard: ShardId,
        /// The earliest moment of the next identify.
        until: Instant,
        /// How many identifies in a row led to no session, or to one that died young.
        wasted_in_a_row: u32,
    },
    /// Most shards that were tried waste their identifies: the whole fleet slows down.
    FleetDamped {
        /// How many shards waste.
        sick: u32,
        /// How many have a session that lasts.
        proven: u32,
        /// The earliest moment of the next identify of any shard.
        until: Instant,
    },
    /// The fleet runs at full speed again.
    FleetRecovered,
    /// `GET /gateway/bot` failed.
    LimitsUnknown {
        /// How many times in a row.
        attempt: u32,
        /// When it is asked again.
        retry_at: Instant,
    },
    /// Discord refused a shard of the topology for good before it ever had a session. Token, intents and totals are
    /// common to all, so no shard is started any more, and those that never had a session are stopped; the others run
    /// on. A shard that only [`Input::Run`] named ends alone.
    StartAbandoned {
        /// The shard that was refused.
        shard: ShardId,
    },
    /// A shard has ended after [`Input::Release`], or had never started. It may run elsewhere, or here again.
    Released {
        /// The shard.
        shard: ShardId,
    },
    /// Every shard has ended for good. Nothing follows.
    Stopped,
}

reasons! {
    /// Why a shard waits for an identify slot. Where several apply, the one that lasts longest.
    Wait {
        1 Key "its key (shard id modulo max_concurrency) identified less than 5 s ago, or others wait before it",
        2 Limits "Discord has not said yet how many identifies are left",
        3 Budget "only the reserve of today's identifies is left: spending all of it would reset the token",
        4 Damped "its last identifies led to no lasting session: look at why its sessions end",
        5 FleetDamped "most shards waste their identifies: look at why sessions end, then at the last deploy",
    }
}

reasons! {
    /// Where a shard is in its life, as the fleet sees it.
    Phase {
        1 Parked "not started yet: too many shards ahead of it still wait for their identify slot",
        2 Connecting "started or reconnecting; it has not asked for an identify slot",
        3 Waiting "connected and waiting for an identify slot",
        4 Identifying "its identify slot was granted; Discord has not answered yet",
        5 Ready "its session is established",
        6 Stopping "asked to stop",
        7 Closed "ended for good",
    }
}

/// Why the fleet wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A shard's identify slot opens.
    Identify,
    /// A shard that wasted identifies may join the queue again.
    Damped,
    /// A session has lived long enough to count as healthy.
    Proof,
    /// `GET /gateway/bot` is due again.
    Limits,
    /// A started shard took long to ask for its slot: the next one may start.
    Start,
}

pub(crate) const REASONS: usize = 5;

impl Slot for Reason {
    const ALL: &'static [Self] = &[
        Self::Identify,
        Self::Damped,
        Self::Proof,
        Self::Limits,
        Self::Start,
    ];

    fn slot(self) -> usize {
        self as usize
    }
}

/// How a caller broke the rules of the interface. Nothing was changed.
///
/// Messages that cross on their way are no misuse: a session may cancel while its grant is under way, or ask again
/// before an old grant has come back as unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The shard is not part of the topology.
    UnknownShard(ShardId),
    /// The shard has not been started, or has ended for good.
    NotRunning(ShardId),
    /// [`Input::Resumable`] or [`Input::Run`] for a shard that was started already and has not ended.
    AlreadyStarted(ShardId),
    /// [`Input::Run`] while the fleet stops, or after Discord refused a shard: nothing is started any more.
    StartsNothing(ShardId),
    /// [`Input::Run`] beyond [`SHARDS_MAX`](super::SHARDS_MAX) shards, or for one of a larger total.
    TooManyShards(ShardId),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownShard(shard) => write!(f, "shard {shard} is not part of the topology"),
            Self::NotRunning(shard) => write!(f, "shard {shard} was not started, or has ended"),
            Self::AlreadyStarted(shard) => {
                write!(f, "shard {shard} was started already and has not ended")
            }
            Self::StartsNothing(shard) => {
                write!(
                    f,
                    "shard {shard} is not started: the fleet starts nothing any more"
                )
            }
            Self::TooManyShards(shard) => {
                write!(
                    f,
                    "shard {shard} would be one too many, or its total is too large"
                )
            }
        }
    }
}

impl core::error::Error for Misuse {}
