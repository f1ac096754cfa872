//! All of it: the world, the processes, what is between them, and what happens when.

use core::time::Duration;
use std::collections::BTreeMap;

use shardkeep_core::fleet::cutover::Counts;
use shardkeep_core::wire::CloseCode;
use shardkeep_core::{Machine, Rng, ShardId};

use super::draw::Scene;
use super::happening::Happening;
use super::process::Process;
use super::report::Report;
use super::store::Store;
use super::truth::Truth;
use crate::hours::network::{Network, Parcel};
use crate::rush::crew::Ledger;
use crate::{
    Control, Input, Instant, LedgerDetail, Output, Violation, ViolationKind, World, WorldConfig,
};

/// From one heartbeat to the next.
const HEARTBEAT: Duration = Duration::from_secs(42);

/// The whole of a run.
pub(super) struct Stage<'a> {
    pub(super) scene: Scene,
    pub(super) now: Instant,
    pub(super) rng: Rng,
    agenda: BTreeMap<(Instant, u64), Happening>,
    serial: u64,
    pub(super) world: World,
    pub(super) network: Network,
    /// Whose connection it is.
    pub(super) holders: BTreeMap<u64, (usize, ShardId)>,
    pub(super) connections: u64,
    pub(super) processes: Vec<Process>,
    pub(super) register: &'a mut dyn Ledger,
    pub(super) register_away_until: Instant,
    pub(super) store: Store,
    pub(super) truth: Truth,
    /// The token under which a shard's last frame reached Discord.
    pub(super) speakers: BTreeMap<ShardId, u64>,
    pub(super) report: Report,
    /// How many shards the operator wants, and has not got a change for.
    pub(super) wanted: Option<u32>,
    /// Whether he has asked a fleet for it.
    pub(super) has_asked: bool,
    /// What the ledgers of changes add up to.
    pub(super) cutover_sum: Counts,
    /// In the middle of a change a process was started again, and its ledger is gone, or a session was lost.
    pub(super) is_ledger_lost: bool,
    /// A side of a cutover went on in another process.
    pub(super) is_part_broken: bool,
    /// A single process waits for the store until then.
    pub(super) start_by: Option<Instant>,
    pub(super) is_calm: bool,
    /// Since when everything is well, in the calm.
    pub(super) well_since: Option<Instant>,
    /// Broken rules that were looked at.
    violations: u64,
    is_over: bool,
    is_told: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn new(scene: Scene, is_told: bool, register: &'a mut dyn Ledger) -> Self {
        let mut rng = Rng::new(scene.seed);
        let world = World::new(world_config(&scene, rng.next_u64()), Instant::ZERO);
        let latency = (Duration::from_millis(2), scene.latency);
        let network = Network::new(Rng::new(rng.next_u64()), latency);
        let report = Report {
            seed: scene.seed,
            shards: scene.shards,
            ..Report::default()
        };
        let mut stage = Self {
            now: Instant::ZERO,
            rng,
            agenda: BTreeMap::new(),
            serial: 0,
            world,
            network,
            holders: BTreeMap::new(),
            connections: 0,
            processes: Vec::new(),
            register,
            register_away_until: Instant::ZERO,
            store: Store::default(),
            truth: Truth::default(),
            speakers: BTreeMap::new(),
            report,
            wanted: None,
            has_asked: false,
            cutover_sum: Counts::default(),
            is_ledger_lost: false,
            is_part_broken: false,
            start_by: None,
            is_calm: false,
            well_since: None,
            violations: 0,
            is_over: false,
            is_told,
            scene,
        };
        stage.tell(|stage| format!("{:?}", stage.scene));
        let per_s = stage.scene.events_per_s;
        stage
            .world
            .control(Instant::ZERO, Control::Chatter { per_s });
        for member in stage.scene.members.clone() {
            let wait = stage.rng.duration_below(Duration::from_secs(3));
            let start = Happening::Start(member.name, member.capacity);
            stage.plan_in(wait, start);
        }
        for (at, mishap) in stage.scene.mishaps.clone() {
            stage.plan_at(Instant::ZERO + at, Happening::Mishap(mishap));
        }
        stage.plan_at(Instant::ZERO + stage.scene.calm_from, Happening::Calm);
        stage
    }

    pub(super) fn plan_at(&mut self, at: Instant, happening: Happening) -> u64 {
        self.serial += 1;
        let key = (at.max(self.now), self.serial);
        self.agenda.insert(key, happening);
        self.serial
    }

    pub(super) fn plan_in(&mut self, wait: Duration, happening: Happening) -> u64 {
        self.plan_at(self.now + wait, happening)
    }

    /// The number that the next planned happening gets.
    pub(super) const fn next_serial(&self) -> u64 {
        self.serial + 1
    }

    pub(super) fn between(&mut self, low_ms: u64, high_ms: u64) -> Duration {
        let (low, high) = (
            Duration::from_millis(low_ms),
            Duration::from_millis(high_ms),
        );
        self.rng.duration_between(low, high)
    }

    pub(super) fn local(&self, by: usize) -> Instant {
        self.processes[by].local(self.now)
    }

    pub(super) fn fault(&mut self, what: String) {
        let now = self.now;
        self.tell(|_| format!("FAULT: {what}"));
        if self.report.faults_found.len() < 20 {
            self.report.faults_found.push(format!("{now}: {what}"));
        }
    }

    /// A line of the story.
    pub(super) fn tell(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.is_told {
            let line = format!("{} {}", self.now, what(self));
            self.report.story.push(line);
        }
    }

    pub(super) const fn is_told(&self) -> bool {
        self.is_told
    }

    pub(super) const fn end(&mut self) {
        self.is_over = true;
    }

    /// Goes on until everything is well, or something is wrong.
    pub(super) fn finish(mut self) -> Report {
        while !self.is_over && self.report.faults_found.is_empty() {
            self.step();
        }
        self.report.seconds = self.now.as_millis() / 1_000;
        if self.report.faults_found.is_empty() {
            self.compare();
        }
        self.count();
        self.report
    }

    fn step(&mut self) {
        let agenda = self.agenda.first_key_value().map(|(key, _)| key.0);
        let world = self.world.poll_timeout().map(|timeout| timeout.at);
        let network = self.network.next_at();
        let Some(next) = [agenda, world, network].into_iter().flatten().min() else {
            return self.end();
        };
        self.now = self.now.max(next);
        let now = self.now;
        if let Some((connection, parcel)) = self.network.arrive(now) {
            self.deliver(connection, parcel);
        } else if let Some(entry) = self
            .agenda
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let serial = entry.key().1;
            let happening = entry.remove();
            self.happen(serial, happening);
        } else {
            self.world.handle_timeout(now);
        }
        self.listen();
        self.check();
    }

    fn happen(&mut self, serial: u64, happening: Happening) {
        let Some(by) = happening.process() else {
            return self.happen_outside(happening);
        };
        if !self.processes[by].is_alive {
            return;
        }
        if matches!(happening, Happening::Wake(_, wake) if wake != self.processes[by].wake) {
            return;
        }
        if let Some(until) = self.processes[by]
            .paused_until
            .filter(|&until| self.now < until)
        {
            let at = (until, serial);
            self.agenda.insert(at, happening);
            return;
        }
        // Leases that are over are over before anything else happens.
        let local = self.local(by);
        if let Some(holder) = &mut self.processes[by].holder {
            holder.handle_timeout(local);
        }
        self.settle(by);
        self.happen_inside(by, happening);
        self.settle(by);
        self.wake_up(by);
    }

    fn happen_inside(&mut self, by: usize, happening: Happening) {
        match happening {
            Happening::Wake(..) => {
                let local = self.local(by);
                self.processes[by].fleet.handle_timeout(local);
            }
            Happening::ShardWake(_, shard, wake) => self.shard_wakes(by, shard, wake),
            Happening::Arrives(_, shard, connection, parcel) => {
                self.arrives(by, shard, connection, &parcel);
            }
            Happening::Answered(_, answer) => self.answered(by, answer.as_deref()),
            Happening::Loaded(_, shard, token, answer) => self.loaded(by, shard, token, answer),
            Happening::Load(_, shard, token) => self.load(by, shard, token),
            Happening::Save(_) => self.save_all(by),
            Happening::Saved(_, batch, is_stored, ends) => self.saved(by, &batch, is_stored, ends),
            Happening::Order(_, shard, order) => self.obey_order(by, shard, *order),
            Happening::Tick(_) => self.change_ticks(by),
            Happening::Letter(_, letter) => self.letter(by, letter),
            Happening::Ending(_, shard, token) => self.save_last(by, shard, token),
            Happening::Finished(_, shard, session, epoch, sequence) => {
                self.finished(by, shard, &session, epoch, sequence);
            }
            Happening::Limits(_, asked_at, is_fleets, limit) => {
                self.limits(by, asked_at, is_fleets, limit);
            }
            _ => {}
        }
    }

    fn happen_outside(&mut self, happening: Happening) {
        match happening {
            Happening::Asked(by, argument) => self.asked(by, &argument),
            Happening::StoreReads(by, shard, token) => self.store_reads(by, shard, token),
            Happening::StoreWrites(by, batch, ends, is_heard) => {
                self.store_writes(by, batch, ends, is_heard);
            }
            Happening::Asks(by, asked_at, is_fleets) => self.asks(by, asked_at, is_fleets),
            Happening::Mishap(mishap) => self.befall(mishap),
            Happening::Start(name, capacity) => self.start_process(name, capacity),
            Happening::Calm => self.calm(),
            Happening::Look => self.look(),
            _ => {}
        }
    }

    /// A parcel is there.
    fn deliver(&mut self, connection: u64, parcel: Parcel) {
        let now = self.now;
        let input = match &parcel {
            Parcel::Open(path) => {
                self.network.send(now, connection, Parcel::Connected);
                Input::Open {
                    connection,
                    path_and_query: path,
                }
            }
            Parcel::ToWorld(bytes) => Input::Text { connection, bytes },
            Parcel::Closed(code) => Input::Closed {
                connection,
                code: *code,
            },
            Parcel::Connected | Parcel::ToBot(..) | Parcel::Disconnected(_) => {
                if let Some(&(by, shard)) = self.holders.get(&connection) {
                    let arrives = Happening::Arrives(by, shard, connection, parcel);
                    self.plan_at(now, arrives);
                }
                return;
            }
        };
        if self.world.handle_input(now, input).is_err() {
            self.fault(format!("connection {connection} was opened twice"));
        }
    }

    /// Carries what the world says.
    fn listen(&mut self) {
        let now = self.now;
        while let Some(output) = self.world.poll_output() {
            let (connection, parcel) = match output {
                Output::Text { connection, bytes } => {
                    (connection, Parcel::ToBot(bytes.to_vec(), false))
                }
                Output::Binary { connection, bytes } => {
                    (connection, Parcel::ToBot(bytes.to_vec(), true))
                }
                Output::Close {
                    connection, code, ..
                } => (connection, Parcel::Disconnected(Some(CloseCode(code)))),
                Output::Drop { connection } => {
                    self.network.sever(now, connection);
                    continue;
                }
                _ => continue,
            };
            self.network.send(now, connection, parcel);
        }
    }

    /// What must be so after each step.
    fn check(&mut self) {
        let counters = self.world.counters();
        let floor = self.scene.reserve.min(self.scene.total / 2);
        if counters.violations > self.violations {
            self.violations = counters.violations;
            let last = self.world.violations().last();
            if let Some(last) = last.filter(|last| !self.is_excused(last)) {
                let last = format!("{last:?}");
                self.fault(format!("a rule was broken: {last}"));
            }
        } else if counters.identify_remaining < floor {
            let left = counters.identify_remaining;
            self.fault(format!(
                "{left} identifies are left of a reserve of {floor}"
            ));
        }
    }

    /// Whoever stands still cannot send heartbeats.
    fn is_excused(&self, violation: &Violation) -> bool {
        let holder = violation
            .connection
            .and_then(|number| self.holders.get(&number));
        let paused_until = holder.and_then(|&(by, _)| self.processes[by].paused_until);
        violation.kind == ViolationKind::MissedHeartbeat
            && paused_until.is_some_and(|until| self.now < until + HEARTBEAT)
    }

    /// Plans when a process has something to do next.
    pub(super) fn wake_up(&mut self, by: usize) {
        let Some(at) = self.processes[by]
            .due_at()
            .filter(|_| self.processes[by].is_alive)
        else {
            return;
        };
        let wake = self.next_serial();
        self.processes[by].wake = wake;
        self.plan_at(at, Happening::Wake(by, wake));
    }
}

fn world_config(scene: &Scene, seed: u64) -> WorldConfig {
    WorldConfig {
        seed,
        guilds: scene.guilds,
        members_per_guild: scene.members_per_guild,
        max_concurrency: scene.max_concurrency,
        identify_total: scene.total,
        identify_remaining: scene.remaining,
        identify_reset_after_ms: u64::try_from(scene.day.as_millis()).unwrap_or(u64::MAX),
        recommended_shards: scene.shards,
        replay_capacity: scene.replay_capacity,
        ledger: LedgerDetail::Entries(1_000_000),
        ledger_sessions: 1_000_000,
        ..WorldConfig::default()
    }
}
