//! A change of shards in one process: core says what to do, the shards' parts talk to each other.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use shardkeep_core::fleet::cutover::{self, Body, Joining, Leaving, Ledger, Message};
use shardkeep_core::fleet::reshard::{self, Outcome, Output, Reshard, Side, Stage as At};
use shardkeep_core::fleet::{Facts, Input, Plan, Serving, Target, Topology};
use shardkeep_core::{Machine, ShardId};

use super::cutover::{Order, Part, Told};
use super::happening::Happening;
use super::process::Slot;
use super::stage::Stage;

/// How often a part looks at the clock.
const TICK: Duration = Duration::from_millis(50);

/// How long an operator waits before he tries again.
pub(super) const AGAIN: Duration = Duration::from_secs(3);

/// What serves, as it is stored once a change has begun.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) serving: Topology,
    /// How many there are to be, if the change is not through.
    pub(super) target: Option<u32>,
}

/// A change that is under way.
pub(super) struct Change {
    machine: Reshard,
    /// Sessions that are started for it, and the number of their cutover.
    cutovers: BTreeMap<ShardId, u64>,
    /// Sessions that are closed for good: no part of what serves.
    dropped: BTreeSet<ShardId>,
    ledger: Ledger,
}

impl Change {
    /// Whether the shard's session is to be closed for good, not left to be resumed.
    pub(super) fn drops(&self, shard: ShardId) -> bool {
        let is_uncommitted = matches!(
            self.machine.progress().stage,
            At::Starting | At::Switching | At::RollingBack
        );
        self.dropped.contains(&shard) || (is_uncommitted && self.cutovers.contains_key(&shard))
    }

    /// The part of a session that is started for the change.
    pub(super) fn part(&self, shard: ShardId) -> Option<Part> {
        let config = config(*self.cutovers.get(&shard)?, shard);
        Some(Part::Joining(Box::new(Joining::new(config, []))))
    }
}

/// Of both sides; what has no guild comes to index 0 of each total.
pub(super) fn config(cutover: u64, shard: ShardId) -> cutover::Config {
    let mut config = cutover::Config::new(cutover);
    config.takes_shared = shard.index() == 0;
    config
}

impl Stage<'_> {
    /// The operator wants another number of shards, and tries until he may.
    pub(super) fn reshard_to(&mut self, total: u32) {
        self.wanted = Some(total);
        let by = self.processes.len().saturating_sub(1);
        let is_begun = self.processes.get(by).is_some_and(|process| {
            process.is_alive && !process.is_leaving && !process.is_paused(self.now)
        }) && self.begin_change(by, total);
        if !is_begun && self.wanted.is_some() {
            let again = super::draw::Mishap::Reshard { total };
            self.plan_in(AGAIN, Happening::Mishap(again));
        }
    }

    /// Whether it has begun.
    fn begin_change(&mut self, by: usize, total: u32) -> bool {
        let process = &self.processes[by];
        let status = process.fleet.status();
        let facts = Facts::from_snapshot(&process.fleet.snapshot());
        let (Some(serving), Some(mut facts), None) = (&process.serving, facts, &process.change)
        else {
            return false;
        };
        if status.ready < status.shards {
            return false;
        }
        facts.reserve = self.scene.reserve;
        facts.guilds = Some(u64::from(self.scene.guilds));
        facts.recommended = Some(self.scene.shards);
        match Plan::new(serving.topology(), Target::Shards(total), &facts) {
            Ok(plan) => self.change(by, total, &plan),
            Err(error) => {
                self.tell(|_| format!("{by} does not change to {total} shards: {error}"));
                self.wanted = None;
                return false;
            }
        }
        true
    }

    fn change(&mut self, by: usize, total: u32, plan: &Plan) {
        self.tell(|_| format!("{by} changes from {} to {}", plan.before(), plan.after()));
        self.wanted = None;
        self.report.changes += 1;
        // Microseconds of Unix time: a number that no cutover had.
        let cutover = self.now.as_micros();
        self.processes[by].change = Some(Box::new(Change {
            machine: Reshard::new(plan, cutover),
            cutovers: BTreeMap::new(),
            dropped: BTreeSet::new(),
            ledger: Ledger::default(),
        }));
        self.processes[by].unfinished = Some(total);
        self.processes[by].is_shape_new = true;
        self.drive(by);
        self.tick_on(by);
    }

    /// From now on the process's parts look at the clock.
    pub(super) fn tick_on(&mut self, by: usize) {
        if !std::mem::replace(&mut self.processes[by].is_ticking, true) {
            self.plan_in(TICK, Happening::Tick(by));
        }
    }

    /// A predecessor died in the middle of a change: it begins again with what is left of it.
    pub(super) fn go_on_changing(&mut self, by: usize) {
        let process = &mut self.processes[by];
        if process.change.is_none()
            && let Some(total) = process.unfinished
            && !self.begin_change(by, total)
        {
            self.tell(|_| format!("{by} does not go on to {total} shards"));
            self.processes[by].unfinished = None;
            self.processes[by].is_shape_new = true;
        }
    }

    pub(super) fn abort_change(&mut self) {
        self.wanted = None;
        let there = (0..self.processes.len()).find(|&by| self.processes[by].change.is_some());
        if let Some(by) = there.filter(|&by| !self.processes[by].is_paused(self.now)) {
            self.steer(by, reshard::Input::Abort);
            self.settle(by);
            self.wake_up(by);
        }
    }

    pub(super) fn change_ticks(&mut self, by: usize) {
        self.tick(by);
        let process = &mut self.processes[by];
        let mut shards = process
            .slots
            .values()
            .filter_map(|slot| slot.shard.as_ref());
        process.is_ticking = process.change.is_some() || shards.any(|shard| shard.switch.is_some());
        if process.is_ticking {
            self.plan_in(TICK, Happening::Tick(by));
        }
    }

    /// Something happened that a change of shards may wait for.
    pub(super) fn steer(&mut self, by: usize, input: reshard::Input) {
        if let Some(change) = &mut self.processes[by].change {
            change.machine.handle_input(input);
            self.drive(by);
        }
    }

    fn drive(&mut self, by: usize) {
        while let Some(output) = self.processes[by]
            .change
            .as_mut()
            .and_then(|change| change.machine.poll_output())
        {
            self.tell(|_| format!("{by} {output:?}"));
            self.carry_out(by, output);
        }
    }

    fn carry_out(&mut self, by: usize, output: Output) {
        let now = self.now;
        let Some(change) = &mut self.processes[by].change else {
            return;
        };
        match output {
            Output::Leave { shard, cutover } => {
                let side = Leaving::new(config(cutover, shard), []);
                let part = Part::Leaving(Box::new(side));
                self.order(by, shard, Order::Begin(part));
            }
            Output::Start { shard, cutover } => {
                change.cutovers.insert(shard, cutover);
                let mut slot = Slot::new(0, now);
                slot.is_told = true;
                self.processes[by].slots.insert(shard, slot);
                let resumable = false;
                self.tell_fleet(by, Input::Run { shard, resumable });
            }
            Output::Ask { is_on } => {
                let step = change.machine.step().into_iter();
                let parts = step.flat_map(|step| step.start().iter().chain(step.stop()).copied());
                for shard in parts.collect::<Vec<_>>() {
                    self.order(by, shard, Order::Ask(is_on));
                }
            }
            Output::Commit => {
                let serving = change.machine.serving().clone();
                self.processes[by].serving = Some(serving);
                self.processes[by].is_committing = true;
                self.processes[by].is_shape_new = true;
            }
            Output::Stop { shard } => {
                change.dropped.insert(shard);
                self.tell_fleet(by, Input::Release { shard });
            }
            Output::Stay { shard } => self.order(by, shard, Order::Stay),
            Output::Join { .. } => {}
            Output::Ended(outcome) => self.changed(by, outcome),
        }
    }

    /// Orders go through a channel: in order, and not at once.
    pub(super) fn order(&mut self, by: usize, shard: ShardId, order: Order) {
        let now = self.now;
        self.plan_at(now, Happening::Order(by, shard, Box::new(order)));
    }

    fn changed(&mut self, by: usize, outcome: Outcome) {
        self.processes[by].unfinished = None;
        self.processes[by].is_shape_new = true;
        if let Some(change) = self.processes[by].change.take() {
            let sum = change.ledger.sum();
            self.tell(|_| format!("{by} changed: {outcome}; {sum:?}"));
            self.report.guilds_switched += change.ledger.guilds.len() as u64;
            self.cutover_sum += sum.old;
            self.cutover_sum += sum.new;
        }
    }

    /// What a shard's part has to say.
    pub(super) fn told(&mut self, by: usize, shard: ShardId, told: Told) {
        if self.processes[by].crew.is_some() {
            return self.told_across(by, shard, told);
        }
        match told {
            Told::Progress(..) => {}
            Told::Message(message) => self.pass_on(by, message),
            Told::Guilds(guilds) => {
                let change = self.processes[by].change.iter();
                let leaving = change.flat_map(|change| change.machine.step());
                let leaving = leaving.flat_map(|step| step.stop().iter().copied());
                for old in leaving.collect::<Vec<_>>() {
                    let carried = guilds.iter().filter(|guild| old.carries(**guild));
                    self.order(by, old, Order::Include(carried.copied().collect()));
                }
                // Not before: a side that leaves and knows of no guild yet has nothing to hand over.
                self.steer(by, reshard::Input::Ready { shard });
            }
            Told::Left => self.steer(by, reshard::Input::Left { shard }),
            Told::Settled => self.steer(by, reshard::Input::Settled { shard }),
            Told::Over(part) => {
                if let Some(change) = &mut self.processes[by].change {
                    match part {
                        Part::Leaving(side) => change.ledger.add_leaving(&side),
                        Part::Joining(side) => change.ledger.add_joining(&side),
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, by: usize, message: Message) {
        let to = match message.body {
            Body::Ask(_) | Body::Withdraw | Body::Taken => Side::Leaving,
            Body::Cut(_) | Body::Kept | Body::Lost(_) => Side::Joining,
        };
        let change = self.processes[by].change.as_ref();
        let partner = change.and_then(|change| change.machine.partner(message.guild, to));
        if let Some(partner) = partner {
            self.order(by, partner, Order::Message(message));
        }
    }

    /// What serves, once it is known and if this process runs all of it.
    pub(super) fn know_serving(&mut self, by: usize) {
        let topology = self.processes[by].fleet.topology();
        let serving = topology.and_then(|topology| Serving::new(topology.clone(), []).ok());
        self.processes[by].serving = serving;
    }

    /// What is to be stored of what serves, if it is not.
    pub(super) fn shape(&self, by: usize) -> Option<Shape> {
        let process = &self.processes[by];
        let serving = process.serving.as_ref().filter(|_| process.is_shape_new)?;
        Some(Shape {
            serving: serving.topology().clone(),
            target: process.unfinished,
        })
    }

    /// What serves is stored, or is not.
    pub(super) fn shape_saved(&mut self, by: usize, is_stored: bool) {
        if !is_stored {
            self.processes[by].is_shape_new = true;
        } else if !self.processes[by].is_shape_new
            && std::mem::take(&mut self.processes[by].is_committing)
        {
            self.steer(by, reshard::Input::Committed);
        }
    }
}
