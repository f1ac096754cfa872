//! The fleet: which shards exist, which may start, and which may identify now.

mod config;
mod damping;
mod error;
mod identify;
mod io;
mod limits;
mod queue;
mod read;
mod shard;
mod shards;
mod snapshot;
mod start;
mod status;
mod topology;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::time::Duration;

use crate::id::ShardId;
use crate::machine::{Machine, Timeout};
use crate::rng::Rng;
use crate::time::Instant;
use crate::timer::Timers;

pub use config::{Config, Damping};
pub use error::TopologyError;
pub use identify::SessionStartLimit;
pub use io::{Event, Input, Misuse, Output, Phase, Reason, Wait};
pub use shards::{SHARDS_MAX, Shards};
pub use snapshot::{AllowanceSnapshot, KeySnapshot, ShardSnapshot, Snapshot};
pub use status::{Counters, Planned, ShardStatus, Status};
pub use topology::Topology;

use damping::Damper;
use identify::{Allowance, Ledger};
use io::REASONS;
use limits::Fetch;
use queue::Queue;
use shard::Shard;

/// Which shards exist, which may start, and which may identify now.
#[derive(Clone, Debug)]
pub struct Fleet {
    config: Config,
    /// Unknown while `auto` waits for Discord's recommendation.
    topology: Option<Topology>,
    shards: BTreeMap<ShardId, Shard>,
    /// Not started yet, as (index, total): the order in which they start.
    parked: BTreeSet<(u32, u32)>,
    /// Started, and expected to ask for a slot before then.
    starting: BTreeMap<ShardId, Instant>,
    /// Said to be resumable before the topology was known.
    early: BTreeSet<ShardId>,
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
            shards: BTreeMap::new(),
            parked: BTreeSet::new(),
            starting: BTreeMap::new(),
            early: BTreeSet::new(),
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

    /// A fleet that goes on from a predecessor's snapshot, `elapsed` after it was taken. In doubt about the wall clock, a
    /// shorter time is the safer: zero makes everyone wait as long as the predecessor would have.
    ///
    /// The account is not trusted blindly: `/gateway/bot` is asked first, and the snapshot's count serves on only if that
    /// fails.
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

    /// Everything that time and the last input allow.
    fn advance(&mut self, now: Instant) {
        self.prove(now);
        self.queue.admit(now);
        if !self.is_stopping {
            self.watch_brake(now);
            self.refresh_limits(now);
            self.grant_slots(now);
            self.start_shards(now);
            self.watch_budget(now);
        }
        self.watch_end();
        self.schedule(now);
    }

    /// Whether anybody waits for an identify slot, or will.
    fn has_demand(&self) -> bool {
        self.queue.len() > 0 || !self.parked.is_empty()
    }

    fn allowance(&self, now: Instant) -> Allowance {
        self.ledger.allowance(now, self.fetch.is_offline())
    }

    /// Grants every open slot to the first in its line.
    fn grant_slots(&mut self, now: Instant) {
        loop {
            let Allowance::Free(spendable) = self.allowance(now) else {
                return;
            };
            let strained = self.is_strained();
            let open = self.damper.trickle_at <= now;
            let may = |shard| open || !self.damper.trickles(shard, strained);
            let candidates = self.queue.candidates(now, may);
            if candidates.is_empty() {
                return;
            }
            for shard in candidates.into_iter().take(spendable as usize) {
                let trickles = self.damper.trickles(shard, strained);
                if trickles && self.damper.trickle_at > now {
                    continue;
                }
                self.grant(now, shard);
                if trickles {
                    let spread = self.ledger.spread(now);
                    self.damper.trickled(now, spread);
                }
            }
        }
    }

    fn is_strained(&self) -> bool {
        self.ledger.is_strained(self.damper.config().waste_percent)
    }

    /// Slows the fleet when most shards waste, and lets it go when they no longer do.
    fn watch_brake(&mut self, now: Instant) {
        let braked = self.damper.is_braked();
        if braked == self.damper.was_braked {
            return;
        }
        self.damper.was_braked = braked;
        if braked {
            let spread = self.ledger.spread(now);
            self.damper.brake(now, spread);
            let until = self.damper.trickle_at;
            let (sick, proven) = (self.damper.sick(), self.damper.proven());
            self.tell(Event::FleetDamped {
                sick,
                proven,
                until,
            });
        } else {
            self.tell(Event::FleetRecovered);
        }
    }

    /// Reports when the allowance runs low, runs out and comes back.
    fn watch_budget(&mut self, now: Instant) {
        if self.ledger.known.is_none() {
            return;
        }
        let (remaining, reserve) = (self.ledger.spendable(), self.ledger.reserve());
        let is_low = (remaining as usize) < self.shards.len();
        if is_low && !self.said.budget_low {
            self.tell(Event::BudgetLow { remaining, reserve });
        }
        self.said.budget_low = is_low;
        if remaining > 0 {
            if self.said.budget_exhausted {
                self.tell(Event::BudgetRestored { remaining });
            }
            self.said.budget_exhausted = false;
        } else if let Allowance::Spent { until } = self.allowance(now)
            && self.has_demand()
            && !self.said.budget_exhausted
        {
            self.said.budget_exhausted = true;
            self.tell(Event::BudgetExhausted { until, reserve });
        }
    }

    /// Sets every deadline anew.
    fn schedule(&mut self, now: Instant) {
        self.timers.clear_all();
        if let Some(&(at, ..)) = self.proving.front() {
            self.timers.set(Reason::Proof, at);
        }
        if self.is_stopping {
            return;
        }
        if let Some((at, _)) = self.queue.later().next() {
            self.timers.set(Reason::Damped, at);
        }
        if let Some(at) = self.next_limits(now) {
            self.timers.set(Reason::Limits, at);
        }
        if matches!(self.allowance(now), Allowance::Free(_)) {
            let trickle_at = self.damper.trickle_at;
            let strained = self.is_strained();
            let may = |shard| !self.damper.trickles(shard, strained);
            if let Some(at) = self.queue.next_slot(trickle_at, may) {
                self.timers.set(Reason::Identify, at);
            }
            if let Some(&at) = self.starting.values().min()
                && !self.parked.is_empty()
            {
                self.timers.set(Reason::Start, at);
            }
        }
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
