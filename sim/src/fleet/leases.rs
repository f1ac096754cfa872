//! The register, the way to it, and what a process does that its leases tell.

use core::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::lease::{BadAnswer, Step};
use shardkeep_core::fleet::{Input, SessionStartLimit};

use super::happening::Happening;
use super::process::Slot;
use super::stage::Stage;
use crate::Instant;

impl Stage<'_> {
    /// How long something is on its way in the fleet's own network.
    pub(super) fn way(&mut self) -> Duration {
        let (low, high) = match self.rng.below(200) {
            0 if !self.is_calm => (1_000, 20_000),
            1 | 2 if !self.is_calm => (200, 3_000),
            _ => (1, 15),
        };
        self.between(low, high)
    }

    /// One thing in so many goes wrong, before the calm.
    pub(super) fn goes_wrong(&mut self, one_in: u64) -> bool {
        self.rng.below(one_in) == 0 && !self.is_calm
    }

    /// An exchange sets out. It may be lost, and it may arrive twice.
    fn exchange(&mut self, by: usize, argument: String) {
        if self.goes_wrong(100) {
            return;
        }
        if self.goes_wrong(100) {
            let way = self.way();
            self.plan_in(way, Happening::Asked(by, argument.clone()));
        }
        let way = self.way();
        self.plan_in(way, Happening::Asked(by, argument));
    }

    /// An exchange is at the register.
    pub(super) fn asked(&mut self, by: usize, argument: &str) {
        let is_cut = self.now < self.processes[by].register_cut_until;
        if is_cut || self.now < self.register_away_until {
            return;
        }
        self.report.exchanges += 1;
        let clock = self.scene.register_clock.local(self.now);
        let answer = self.register.run(clock, &["leases".to_owned()], argument);
        if self.goes_wrong(100) {
            return;
        }
        let way = self.way();
        self.plan_in(way, Happening::Answered(by, Some(answer)));
    }

    pub(super) fn answered(&mut self, by: usize, answer: Option<&str>) {
        let local = self.local(by);
        if self.now < self.processes[by].register_cut_until {
            return;
        }
        let Some(holder) = &mut self.processes[by].holder else {
            return;
        };
        match holder.answered(local, answer.map(str::as_bytes)) {
            Ok(()) => self.looked_at_fleet(by),
            Err(BadAnswer::Unreadable) => self.fault(format!("not read: {answer:?}")),
            Err(_) => {}
        }
        self.check_exclusive(by);
    }

    /// No shard may run in two processes.
    fn check_exclusive(&mut self, by: usize) {
        let shards: Vec<ShardId> = match &self.processes[by].holder {
            Some(holder) => holder.shards().map(|(shard, _)| shard).collect(),
            None => return,
        };
        for shard in shards {
            if self.processes[by].may_run(self.now, shard)
                && let Some(other) = self.other_that_may_run(by, shard)
            {
                self.fault(format!("{by} and {other} both may run {shard}"));
            }
        }
    }

    /// Another process that may run the shard.
    pub(super) fn other_that_may_run(&self, by: usize, shard: ShardId) -> Option<usize> {
        (0..self.processes.len())
            .find(|&at| at != by && self.processes[at].may_run(self.now, shard))
    }

    /// Does what the leases tell, and speaks to the register. Whether there was anything.
    pub(super) fn heed_leases(&mut self, by: usize) -> bool {
        let mut is_busy = false;
        while let Some(step) = self.processes[by]
            .holder
            .as_mut()
            .and_then(|holder| holder.poll_step())
        {
            is_busy = true;
            self.heed(by, step);
        }
        is_busy
    }

    pub(super) fn speak(&mut self, by: usize) {
        let local = self.local(by);
        let holder = self.processes[by].holder.as_mut();
        if let Some(exchange) = holder.and_then(|holder| holder.exchange(local)) {
            self.exchange(by, exchange.argument);
        }
    }

    fn heed(&mut self, by: usize, step: Step) {
        self.tell(|_| format!("{by} {step:?}"));
        match step {
            Step::Take { shard, token } => {
                self.report.taken += 1;
                let slot = Slot::new(token, self.now);
                if self.processes[by].slots.insert(shard, slot).is_some() {
                    self.fault(format!("{by} takes {shard} twice"));
                }
                self.load(by, shard, token);
            }
            Step::Release { shard } => self.release(by, shard),
            Step::Lose { shard } => {
                self.report.leases_lost += 1;
                self.abort(by, shard);
            }
            Step::Permit { shard } => self.permitted(by, shard),
            Step::FetchLimits => self.fetch_limits(by, false),
            Step::Topology {
                topology, course, ..
            } => self.know_sessions(by, &topology, course.as_deref()),
            Step::Leaderless => self.wants_to_lead(by),
            Step::Retargeted { is_done } => self.retargeted(by, is_done),
            Step::Left => {
                self.processes[by].is_alive = false;
            }
            _ => {}
        }
    }

    /// The shard is wanted elsewhere.
    pub(super) fn release(&mut self, by: usize, shard: ShardId) {
        let slot = self.processes[by].slots.get(&shard);
        if slot.is_some_and(|slot| slot.ending.is_some()) {
            // It is closed, and being stored.
            return;
        }
        match slot.map(|slot| slot.is_told) {
            Some(true) => self.tell_fleet(by, Input::Release { shard }),
            _ => {
                self.processes[by].slots.remove(&shard);
                self.free(by, shard);
            }
        }
    }

    pub(super) fn free(&mut self, by: usize, shard: ShardId) {
        if let Some(holder) = &mut self.processes[by].holder {
            holder.freed(shard);
        }
    }

    /// The lease is over: not one frame more.
    fn abort(&mut self, by: usize, shard: ShardId) {
        let slot = self.processes[by].slots.remove(&shard);
        self.gone_across(by, shard);
        if let Some(slot) = slot {
            self.part_breaks_off(&slot);
            if let Some(connection) = slot.shard.as_ref().and_then(|shard| shard.connection) {
                self.hang_up(connection, None);
            }
            // One that is closed already is not known to the fleet any more.
            if slot.is_told && slot.ending.is_none() {
                self.tell_fleet(by, Input::Release { shard });
            }
        }
        self.free(by, shard);
    }

    /// The register grants an identify that the fleet has granted before.
    fn permitted(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        let process = &mut self.processes[by];
        let Some(holder) = &mut process.holder else {
            return;
        };
        let waits = process
            .slots
            .get_mut(&shard)
            .and_then(|slot| slot.shard.as_mut())
            .filter(|shard| shard.awaits_permit);
        match waits {
            Some(waiting) if holder.may_identify(local, shard) => {
                waiting.awaits_permit = false;
                self.granted(by, shard);
            }
            Some(_) => {
                holder.permit_unused(shard);
                holder.want_permit(shard);
            }
            None => holder.permit_unused(shard),
        }
    }

    /// `GET /gateway/bot`.
    pub(super) fn fetch_limits(&mut self, by: usize, is_fleets: bool) {
        let asked_at = self.local(by);
        let way = self.between(5, 800);
        self.plan_in(way, Happening::Asks(by, asked_at, is_fleets));
    }

    /// Discord reads its count.
    pub(super) fn asks(&mut self, by: usize, asked_at: Instant, is_fleets: bool) {
        let is_cut = self.now < self.processes[by].discord_cut_until;
        let limit = match is_cut || self.goes_wrong(10) {
            true => None,
            false => Some(self.world.session_start_limit(self.now)),
        };
        let way = self.between(5, 800);
        self.plan_in(way, Happening::Limits(by, asked_at, is_fleets, limit));
    }

    /// What Discord said is told to the fleet, whoever of the two wanted to know.
    pub(super) fn limits(
        &mut self,
        by: usize,
        asked_at: Instant,
        is_fleets: bool,
        limit: Option<SessionStartLimit>,
    ) {
        let shards = self.scene.shards;
        match limit {
            Some(limit) => self.tell_fleet(by, Input::Limits { shards, limit }),
            None if is_fleets => {
                self.tell_fleet(by, Input::LimitsFailed { retry_after: None });
            }
            None => {}
        }
        let holder = self.processes[by].holder.as_mut();
        if let (Some(holder), Some(limit)) = (holder, limit) {
            holder.limits(asked_at, limit);
        }
    }
}
