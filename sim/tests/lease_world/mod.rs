//! A fleet of processes around one register, in virtual time, under faults: nothing that must not be may ever be.

mod asked;
mod discord;
mod draw;
mod process;
mod store;
mod verdict;

use std::collections::BTreeMap;

use core::time::Duration;

use shardkeep_core::fleet::lease::{Holder, LeaseConfig, Step};
use shardkeep_core::fleet::{SessionStartLimit, Topology};
use shardkeep_core::{Rng, ShardId};
use shardkeep_sim::Instant;

use discord::Discord;
pub(crate) use draw::{Mishap, Plan};
pub(crate) use process::{Clock, Process};
use store::Store;

/// What happens at a moment.
#[derive(Clone, Debug)]
enum Happening {
    /// A process looks at its holder, if this is the wake-up it waits for.
    Wake(usize, u64),
    /// An exchange arrives at the store.
    Asked {
        by: usize,
        argument: String,
    },
    /// An answer arrives at a process.
    Answered {
        by: usize,
        answer: Option<String>,
    },
    /// A session has connected and wants to identify.
    Wants(usize, ShardId),
    /// A session that was granted an identify sends it, if it still may.
    Identifies(usize, ShardId),
    /// The process reports that the identify was sent.
    Sent(usize, ShardId),
    /// A session has closed.
    Closed(usize, ShardId),
    /// A process asks `/gateway/bot`, as it may at any time.
    Asks(usize),
    /// Discord reads its count for a process that asked at this moment of its clock.
    Reads(usize, Instant),
    /// Discord's answer arrives.
    Limits(usize, Instant, SessionStartLimit),
    Mishap(Mishap),
}

/// All of it.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Instant,
    rng: Rng,
    agenda: BTreeMap<(Instant, u64), Happening>,
    serial: u64,
    pub(crate) processes: Vec<Process>,
    store: Store,
    pub(crate) discord: Discord,
    /// The greatest token that each shard was taken with.
    tokens: BTreeMap<ShardId, u64>,
    /// When a shard was last taken, given back or lost.
    pub(crate) last_move: Instant,
    pub(crate) faults: Vec<String>,
    pub(crate) exchanges: u64,
    pub(crate) takes: u64,
    is_traced: bool,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let store = Store::new(plan.store_clock);
        let mut world = Self {
            now: Instant::ZERO,
            rng: Rng::new(plan.seed ^ 0xfeed),
            agenda: BTreeMap::new(),
            serial: 0,
            processes: Vec::new(),
            store,
            discord: Discord::new(plan.identifies, plan.max_concurrency, plan.day),
            tokens: BTreeMap::new(),
            last_move: Instant::ZERO,
            faults: Vec::new(),
            exchanges: 0,
            takes: 0,
            is_traced: std::env::var_os("SHARDKEEP_SEED").is_some(),
            plan,
        };
        for member in world.plan.members.clone() {
            world.start(member.name, member.capacity, member.is_standby);
        }
        for (at, mishap) in world.plan.mishaps.clone() {
            world.plan_at(Instant::ZERO + at, Happening::Mishap(mishap));
        }
        world
    }

    /// A process starts.
    pub(crate) fn start(&mut self, name: String, capacity: u32, is_standby: bool) -> usize {
        let mut config = LeaseConfig::new(name.clone(), self.rng.next_u64(), capacity);
        config.is_standby = is_standby;
        config.handover = self.plan.handover;
        config.reserve = self.plan.reserve;
        config.patience = self.plan.patience;
        config.label = name.chars().last().into_iter().collect();
        config.prefer.clone_from(&self.plan.prefer);
        config.propose = Some(self.plan.topology.clone());
        let clock = Clock {
            offset: self.rng.below(1_000_000_000_000),
            rate: 990_000 + self.rng.below(20_001),
        };
        self.processes.push(Process {
            holder: Holder::new(config),
            name,
            clock,
            capacity,
            is_standby,
            is_alive: true,
            is_leaving: false,
            paused_until: None,
            slow_until: Instant::ZERO,
            cut_off_until: Instant::ZERO,
            sessions: BTreeMap::new(),
            wake: 0,
        });
        let at = self.processes.len() - 1;
        self.poke(at);
        if self.plan.asks_anytime {
            self.plan_in(2_000, 60_000, Happening::Asks(at));
        }
        at
    }

    fn plan_at(&mut self, at: Instant, happening: Happening) {
        self.serial += 1;
        self.agenda
            .insert((at.max(self.now), self.serial), happening);
    }

    fn plan_in(&mut self, low_ms: u64, high_ms: u64, happening: Happening) {
        let wait = self.between(low_ms, high_ms);
        self.plan_at(self.now + wait, happening);
    }

    fn between(&mut self, low_ms: u64, high_ms: u64) -> Duration {
        let low = Duration::from_millis(low_ms);
        self.rng
            .duration_between(low, Duration::from_millis(high_ms))
    }

    fn is_faulty(&self) -> bool {
        self.now < Instant::ZERO + self.plan.calm_from
    }

    fn fault(&mut self, what: String) {
        let now = self.now;
        self.trace(&what);
        self.faults.push(format!("{now}: {what}"));
    }

    pub(crate) fn trace(&self, what: &str) {
        if self.is_traced {
            eprintln!("{} {what}", self.now);
        }
    }

    /// Goes on until a moment, or until something is wrong.
    pub(crate) fn run_until(&mut self, end: Instant) {
        while self.faults.is_empty()
            && let Some(entry) = self.agenda.first_entry()
            && entry.key().0 <= end
        {
            self.now = entry.key().0;
            let happening = entry.remove();
            self.happen(happening);
        }
        self.now = end;
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    fn happen(&mut self, happening: Happening) {
        let by = match happening {
            Happening::Mishap(mishap) => return self.befall(mishap),
            Happening::Asked { by, argument } => return self.asked(by, &argument),
            Happening::Wake(by, _)
            | Happening::Answered { by, .. }
            | Happening::Wants(by, _)
            | Happening::Identifies(by, _)
            | Happening::Sent(by, _)
            | Happening::Closed(by, _)
            | Happening::Asks(by)
            | Happening::Reads(by, _)
            | Happening::Limits(by, ..) => by,
        };
        let process = &self.processes[by];
        let is_outdated = matches!(happening, Happening::Wake(_, wake) if wake != process.wake);
        if !process.is_alive || is_outdated {
            return;
        }
        if let Some(until) = process.paused_until.filter(|&until| self.now < until) {
            // It finds everything there when it wakes up, in no particular order.
            self.plan_at(until, happening);
            return;
        }
        self.happen_in(by, happening);
        self.poke(by);
    }

    fn happen_in(&mut self, by: usize, happening: Happening) {
        let process = &mut self.processes[by];
        let local = process.clock.local(self.now);
        let holder = &mut process.holder;
        match happening {
            Happening::Answered { answer, .. } => {
                let outcome = holder.answered(local, answer.as_deref().map(str::as_bytes));
                if outcome == Err(shardkeep_core::fleet::lease::BadAnswer::Unreadable) {
                    self.fault(format!("not read: {answer:?}"));
                }
                self.check_exclusive(by);
            }
            Happening::Wants(_, shard) if process.sessions.contains_key(&shard) => {
                holder.activity(shard, 1 << (shard.index() % 9));
                holder.want_permit(shard);
            }
            Happening::Identifies(_, shard) => self.identify(by, shard),
            Happening::Sent(_, shard) => holder.permit_sent(shard),
            Happening::Closed(_, shard) => {
                process.sessions.remove(&shard);
                holder.freed(shard);
            }
            Happening::Asks(_) => {
                self.ask_discord(by);
                self.plan_in(2_000, 60_000, Happening::Asks(by));
            }
            Happening::Reads(_, asked_at) => {
                let limit = self.discord.limits(self.now);
                self.plan_in(5, 1_500, Happening::Limits(by, asked_at, limit));
            }
            Happening::Limits(_, asked_at, limit) => holder.limits(asked_at, limit),
            _ => {}
        }
    }

    fn identify(&mut self, by: usize, shard: ShardId) {
        let process = &mut self.processes[by];
        let local = process.clock.local(self.now);
        if !process.holder.may_identify(local, shard) {
            process.holder.permit_unused(shard);
            return;
        }
        if self.rng.below(20) == 0 {
            process.holder.permit_unused(shard);
            self.plan_in(10, 500, Happening::Wants(by, shard));
            return;
        }
        let counts_after = self.between(0, 1_500);
        let reserve = self.plan.reserve;
        let wrong = self
            .discord
            .identify(self.now, shard.index(), counts_after, reserve);
        self.trace(&format!("{by} identifies {shard}"));
        if let Some(wrong) = wrong {
            self.fault(format!("{by}: {wrong}"));
        }
        self.plan_in(0, 20, Happening::Sent(by, shard));
        if self.is_faulty() && self.rng.below(15) == 0 {
            // Nobody hears of it for a while.
            self.processes[by].cut_off_until = self.now + self.between(1_000, 15_000);
        }
        if self.rng.below(3) == 0 {
            self.plan_in(500, 20_000, Happening::Wants(by, shard));
        }
    }

    /// Lets a process do what its holder says, and plans its next wake-up.
    pub(crate) fn poke(&mut self, by: usize) {
        let local = self.processes[by].clock.local(self.now);
        self.processes[by].holder.handle_timeout(local);
        while let Some(step) = self.processes[by].holder.poll_step() {
            self.heed(by, step);
        }
        if let Some(exchange) = self.processes[by].holder.exchange(local) {
            self.send(by, exchange.argument);
        }
        let process = &mut self.processes[by];
        if let Some(at) = process.holder.poll_timeout().filter(|_| process.is_alive) {
            process.wake = self.serial + 1;
            let (wake, at) = (process.wake, process.clock.world(at));
            self.plan_at(at, Happening::Wake(by, wake));
        }
    }

    fn heed(&mut self, by: usize, step: Step) {
        self.trace(&format!("{by} {step:?}"));
        match step {
            Step::Take { shard, token } => {
                self.takes += 1;
                self.last_move = self.now;
                if let Some(before) = self.tokens.insert(shard, token)
                    && before >= token
                {
                    self.fault(format!("{by} takes {shard} with {token} after {before}"));
                }
                if self.processes[by].sessions.insert(shard, token).is_some() {
                    self.fault(format!("{by} takes {shard} twice"));
                }
                self.plan_in(50, 300, Happening::Wants(by, shard));
            }
            Step::Release { shard } => {
                self.last_move = self.now;
                self.plan_in(5, 200, Happening::Closed(by, shard));
            }
            Step::Lose { shard } => {
                self.last_move = self.now;
                self.plan_in(5, 3_000, Happening::Closed(by, shard));
            }
            Step::Permit { shard } => {
                let longest = if self.rng.below(10) == 0 { 3_000 } else { 50 };
                self.plan_in(0, longest, Happening::Identifies(by, shard));
            }
            Step::FetchLimits => self.ask_discord(by),
            Step::Left => {
                self.processes[by].is_alive = false;
            }
            Step::Topology { topology, .. } => self.retopology(by, &topology),
            _ => {}
        }
    }

    fn ask_discord(&mut self, by: usize) {
        let asked_at = self.processes[by].clock.local(self.now);
        self.plan_in(5, 1_500, Happening::Reads(by, asked_at));
    }

    /// A process closes what does not belong to the fleet any more.
    fn retopology(&mut self, by: usize, topology: &Topology) {
        let sessions: Vec<_> = self.processes[by].sessions.keys().copied().collect();
        for shard in sessions {
            if !topology.contains(shard) {
                self.plan_in(1_000, 4_000, Happening::Closed(by, shard));
            }
        }
    }

    fn check_exclusive(&mut self, by: usize) {
        let now = self.now;
        let shards: Vec<_> = self.processes[by]
            .holder
            .shards()
            .map(|(shard, _)| shard)
            .collect();
        for shard in shards {
            let may = |process: &Process| process.may_run(now, shard);
            if !may(&self.processes[by]) {
                continue;
            }
            let other = (0..self.processes.len()).find(|&at| at != by && may(&self.processes[at]));
            if let Some(other) = other {
                self.fault(format!("{by} and {other} both may run {shard}"));
            }
        }
    }
}
