//! The fleet: which shards exist, which may start, and which may identify now.
//!
//! A session cannot decide alone when to identify: Discord counts identifies for the whole bot. [`Fleet`] is the one
//! place that counts them. It is a [`Machine`] and knows nothing of sessions: a driver carries what a session
//! asks to the fleet, and what the fleet grants to the session.
//!
//! | a session says | the fleet hears |
//! |---|---|
//! | `WantIdentify` | [`Input::WantIdentify`] |
//! | `CancelIdentify` | [`Input::CancelIdentify`] |
//! | `IdentifyUnused` | [`Input::IdentifyUnused`] |
//! | `Ready`, `Resumed` | [`Input::Ready`], [`Input::Resumed`] |
//! | `Disconnected` | [`Input::Down`]; if op 9 answered an identify, [`Input::IdentifyRejected`] |
//! | `Closed` | [`Input::Closed`] |
//!
//! | the fleet says | the driver does |
//! |---|---|
//! | [`Output::FetchLimits`] | `GET /gateway/bot`, then [`Input::Limits`] or [`Input::LimitsFailed`] |
//! | [`Output::Start`] | makes the session, from its snapshot if there is one |
//! | [`Output::GrantIdentify`] | `IdentifyGranted` to the session |
//! | [`Output::Stop`] | `Shutdown` to the session |
//! | [`Output::Event`] | tells the user |
//!
//! # What Discord demands
//!
//! 1. **Spacing.** Of the shards with the same `shard_id % max_concurrency`, one may identify every 5 s, lower ones
//!    first. Whoever comes too early gets op 9 and has spent an identify.
//! 2. **A daily total** over all shards, 1,000 for most bots. Resumes are free.
//! 3. Who spends the whole total **loses every session and the token**.
//!
//! # How the fleet keeps to it
//!
//! **Spacing.** The 5 s count from the grant, or from [`Input::IdentifySent`] if the driver reports it, and get
//! [`Config::margin`] on top. Sessions of different totals share the keys.
//!
//! **Turns.** Within a key the lower index goes first, after an outage the busier shard ([`Input::Activity`]), but each
//! shard has one turn a round. A shard that fails and
//! asks again in a loop is overtaken by everyone else who waits, so nobody starves.
//!
//! **The account.** What `/gateway/bot` said last, less what was granted since, less what was under way when it was
//! asked and may not be in the answer. The account errs on the low side only. An answer older than
//! [`Config::limits_max_age`] is renewed before the next grant; if Discord cannot be asked, the account serves on.
//!
//! **The reserve.** The last [`Config::reserve`] identifies are never granted. Whoever asks waits, with the reason
//! [`Wait::Budget`], until Discord's day ends and a new answer has come.
//!
//! **Starting.** Shards start in order, [`Config::start_rounds`] rounds ahead of their slots: a thousand shards do
//! not hold a thousand idle connections while their identifies take 5 s each. Shards said to be
//! [`Input::Resumable`] start at once; say it before the first [`Input::Limits`].
//!
//! **Coming and going.** [`Input::Run`] and [`Input::Release`] change which shards run here, whatever the topology
//! said at first: processes that lease their shards begin with none ([`Here::Told`]), and a change of shards adds the
//! new ones before it releases the old.
//!
//! # When identifies lead nowhere
//!
//! An identify is *wasted* if it did not lead to READY, or if the shard identifies again though its session lived
//! less than [`Damping::healthy_after`]. A session that lives longer, across resumes, is *proven*. Three rules, each
//! on top of the one before:
//!
//! 1. **The pause.** After a wasted identify a shard waits [`Damping::base`]; the pause doubles with each one in a
//!    row, up to [`Damping::cap`]. One shard in a crash loop then costs little, and nobody else notices.
//! 2. **The trickle.** A shard that wasted two in a row is *sick*. Once [`Damping::waste_percent`] of the day's total
//!    is wasted, all sick shards share one trickle, spaced so that half of what is left would last until the day
//!    ends.
//! 3. **The brake.** While at least [`Damping::fleet_min`] shards are sick, and more are sick than proven, the reason
//!    is common to all (a bad deploy): every identify goes through the trickle, first ones too.
//!
//! Each proof without a waste in between halves the trickle's pause, so a fleet whose cause is gone returns to full
//! speed by itself. `cargo test -p shardkeep-core --test fleet_damping -- --nocapture` prints what a night of each
//! costs.
//!
//! Health and account are in the [`Snapshot`]: a process that crashes in a loop is damped like a session that does,
//! if its driver stores a snapshot now and then and starts with [`Fleet::restore`]. Without one, only the reserve
//! protects.
//!
//! [`Machine`]: crate::Machine

mod advance;
mod config;
mod cover;
pub mod cutover;
mod damping;
mod error;
mod grey;
mod growth;
mod hole;
mod identify;
mod io;
pub mod lease;
mod limits;
mod membership;
pub mod plan;
mod purse;
mod queue;
mod read;
pub mod reshard;
mod residue;
mod roster;
mod serving;
mod shard;
mod shards;
mod snapshot;
mod start;
mod status;
mod sum;
mod topology;
mod transfer;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::time::Duration;

use crate::id::ShardId;
use crate::machine::{Machine, Timeout};
use crate::rng::Rng;
use crate::time::Instant;
use crate::timer::Timers;

pub use config::{Config, Damping, Here};
pub use cover::CoverError;
pub use error::TopologyError;
pub use grey::{Cure, Finding, Grey, GreyConfig, Sample};
pub use growth::Growth;
pub use identify::SessionStartLimit;
pub use io::{Event, Input, Misuse, Output, Phase, Reason, Wait};
pub use plan::{Estimate, Facts, Plan, PlanError, Step, StepKind, Target};
pub use purse::{Hold, Purse};
pub use residue::{Residue, TooFine};
pub use serving::{Serving, StepError};
pub use shards::{SHARDS_MAX, Shards};
pub use snapshot::{AllowanceSnapshot, KeySnapshot, ShardSnapshot, Snapshot};
pub use status::{Counters, Planned, ShardStatus, Status};
pub use topology::Topology;
pub use transfer::{TransferError, transfer};

use damping::Damper;
use identify::Ledger;
use io::REASONS;
use limits::Fetch;
use queue::Queue;
use roster::Roster;

/// Which shards exist, which may start, and which may identify now. The [module](self) tells how it decides.
///
/// ```
/// use shardkeep_core::fleet::{Config, Fleet, Input, Output, SessionStartLimit, Wait};
/// use shardkeep_core::{Instant, Machine, ShardId};
///
/// let mut fleet = Fleet::new(Config::new("2".parse()?));
/// assert_eq!(fleet.poll_output(), Some(Output::FetchLimits));
///
/// // GET /gateway/bot answers: one identify every 5 s.
/// let limit = SessionStartLimit {
///     total: 1000,
///     remaining: 1000,
///     reset_after_ms: 86_400_000,
///     max_concurrency: 1,
/// };
/// let now = Instant::ZERO;
/// fleet.handle_input(now, Input::Limits { shards: 2, limit })?;
/// let [first, second] = [0, 1].map(|index| ShardId::new(index, 2).unwrap());
/// assert_eq!(fleet.poll_output(), Some(Output::Start { shard: first }));
/// assert_eq!(fleet.poll_output(), Some(Output::Start { shard: second }));
///
/// // Both sessions have connected and ask. The first may go, the second waits for their common key.
/// fleet.handle_input(now, Input::WantIdentify { shard: first })?;
/// assert_eq!(fleet.poll_output(), Some(Output::GrantIdentify { shard: first }));
/// fleet.handle_input(now, Input::WantIdentify { shard: second })?;
/// assert_eq!(fleet.shard(second).unwrap().wait, Some(Wait::Key));
///
/// let timeout = fleet.poll_timeout().unwrap();
/// assert_eq!(timeout.at, Instant::from_millis(5_250)); // 5 s, and the margin
/// fleet.handle_timeout(timeout.at);
/// while let Some(output) = fleet.poll_output() {
///     if let Output::GrantIdentify { shard } = output {
///         assert_eq!(shard, second);
///     }
/// }
/// assert_eq!(fleet.status().remaining, Some(998));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fleet {
    config: Config,
    /// Unknown while `auto` waits for Discord's recommendation.
    topology: Option<Topology>,
    roster: Roster,
    /// Not started yet, as (index, total): the order in which they start.
    parked: BTreeSet<(u32, u32)>,
    /// Started, and expected to ask for a slot before then.
    starting: BTreeMap<ShardId, Instant>,
    /// Said to be resumable and not started yet.
    resumable: BTreeSet<ShardId>,
    /// What a snapshot says about shards, until the topology is known.
    remembered: BTreeMap<ShardId, ShardSnapshot>,
    queue: Queue,
    ledger: Ledger,
    damper: Damper,
    fetch: Fetch,
    /// Young sessions: when they count as healthy, and since when they are there.
    proving: VecDeque<(Instant, ShardId, Instant)>,
    outbox: VecDeque<Pending>,
    timers: Timers<REASONS>,
    rng: Rng,
    now: Instant,
    counters: Counters,
    said: Said,
    /// Stopping, and to be forgotten when they have ended.
    leaving: BTreeSet<ShardId>,
    is_stopping: bool,
    is_abandoned: bool,
}

/// An output in the queue. What it borrows is looked up when it leaves.
#[derive(Clone, Debug)]
enum Pending {
    Output(Output<'static>),
    TopologyResolved,
}

/// What was reported already and is not repeated until it changes.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    all_ready: bool,
    budget_low: bool,
    budget_exhausted: bool,
    stopped: bool,
}

impl Fleet {
    /// A fleet that has not started anything yet. Its first output is [`Output::FetchLimits`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut fleet = Self {
            topology: None,
            roster: Roster::default(),
            parked: BTreeSet::new(),
            starting: BTreeMap::new(),
            resumable: BTreeSet::new(),
            remembered: BTreeMap::new(),
            queue: Queue::new(config.margin),
            ledger: Ledger::new(config.reserve, config.limits_max_age),
            damper: Damper::new(config.damping.clone()),
            fetch: Fetch::default(),
            proving: VecDeque::new(),
            outbox: VecDeque::new(),
            timers: Timers::new(),
            rng: Rng::new(config.seed),
            now: Instant::ZERO,
            counters: Counters::default(),
            said: Said::default(),
            leaving: BTreeSet::new(),
            is_stopping: false,
            is_abandoned: false,
            config,
        };
        if let Shards::Fixed(topology) = &fleet.config.shards {
            fleet.set_topology(topology.clone());
        }
        fleet.ask_for_limits(Instant::ZERO);
        fleet
    }

    /// A fleet that goes on from a predecessor's snapshot, `elapsed` after it was taken. In doubt about the wall
    /// clock, a shorter time is the safer: zero makes everyone wait as long as the predecessor would have.
    ///
    /// The account is not trusted blindly: `/gateway/bot` is asked first, and the snapshot's count serves on only if
    /// that fails.
    #[must_use]
    pub fn restore(config: Config, snapshot: &Snapshot, now: Instant, elapsed: Duration) -> Self {
        let mut fleet = Self::new(config);
        fleet.now = now;
        fleet.fetch.asked_at = Some(now);
        fleet.recall(now, snapshot, elapsed);
        fleet
    }

    fn push(&mut self, output: Output<'static>) {
        self.outbox.push_back(Pending::Output(output));
    }

    fn tell(&mut self, event: Event<'static>) {
        self.push(Output::Event(event));
    }
}

impl Machine for Fleet {
    type Input<'a> = Input;
    type Output<'a> = Output<'a>;
    type Reason = Reason;
    type Snapshot = Snapshot;
    type Misuse = Misuse;

    fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), Misuse> {
        self.now = self.now.max(now);
        let now = self.now;
        match input {
            Input::Limits { shards, limit } => self.limits_came(now, shards, &limit),
            Input::LimitsFailed { retry_after } => self.limits_failed(now, retry_after),
            Input::Resumable { shard } => self.mark_resumable(shard)?,
            Input::Run { shard, resumable } => self.run(now, shard, resumable)?,
            Input::Release { shard } => self.release(shard)?,
            Input::Activity { shard, events } => self.weigh(shard, events)?,
            Input::Shutdown => self.shut_down(),
            _ => {
                let waits = self.shard_input(now, input)?;
                self.advance(now);
                if let Some(shard) = waits {
                    self.tell_wait(now, shard);
                }
                return Ok(());
            }
        }
        self.advance(now);
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.advance(self.now);
    }

    fn poll_output(&mut self) -> Option<Output<'_>> {
        match self.outbox.pop_front()? {
            Pending::Output(output) => Some(output),
            Pending::TopologyResolved => {
                let topology = self.topology.as_ref()?;
                Some(Output::Event(Event::TopologyResolved { topology }))
            }
        }
    }

    fn poll_timeout(&self) -> Option<Timeout<Reason>> {
        self.timers.next()
    }

    fn snapshot(&self) -> Snapshot {
        self.remember()
    }
}
