//! A change of shards over several processes: this one's sessions in it, and leading it, if this is the one that does.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use shardkeep_core::ShardId;
use shardkeep_core::fleet::reshard::Stage as At;
use shardkeep_core::fleet::reshard::across::{Course, Do, Leader, Letter, Parts, Role, To};
use shardkeep_core::fleet::{Serving, Topology};

use super::cutover::{Order, Switch, Told};
use super::kept::{StoredPart, begun};
use super::stage::Stage;
use crate::Instant;

/// How often the leader looks at who holds which lease, while it waits for some to end.
const LOOK: Duration = Duration::from_millis(500);

/// When runs begin, in milliseconds of Unix time.
const EPOCH_MS: u64 = 1_764_582_220_000;

/// A process in a change of shards over several.
pub(super) struct Crew {
    pub(super) parts: Parts,
    pub(super) leader: Option<Leader>,
    /// Sides that were found with sessions that were taken.
    pub(super) stored: BTreeMap<ShardId, StoredPart>,
    /// Sessions that are closed for good.
    pub(super) dropped: BTreeSet<ShardId>,
    /// How many shards the operator wants, who waits for a look at the fleet.
    pub(super) wanted: Option<u32>,
    pub(super) wants_to_lead: bool,
    look_at: Instant,
}

impl Crew {
    pub(super) fn new(me: &str) -> Self {
        Self {
            parts: Parts::new(me),
            leader: None,
            stored: BTreeMap::new(),
            dropped: BTreeSet::new(),
            wanted: None,
            wants_to_lead: false,
            look_at: Instant::ZERO,
        }
    }

    /// The course of a change that is under way.
    pub(super) fn course(&self) -> Option<&Course> {
        self.parts.known().filter(|course| course.is_open())
    }

    /// Whether it listens to letters.
    pub(super) fn is_changing(&self) -> bool {
        self.course().is_some() || self.leader.is_some()
    }

    fn waits_for_leases(&self) -> bool {
        let stage = self.leader.as_ref().map(|leader| leader.course().stage);
        matches!(stage, Some(At::Stopping | At::RollingBack))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let look = self.waits_for_leases().then_some(self.look_at);
        [self.parts.poll_timeout(), look]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Stage<'_> {
    pub(super) fn unix_ms(&self) -> u64 {
        EPOCH_MS + self.now.as_millis()
    }

    pub(super) fn crew(&mut self, by: usize) -> Option<&mut Crew> {
        self.processes[by].crew.as_mut()
    }

    /// What the register leases out, and what it says of a change.
    pub(super) fn know_sessions(&mut self, by: usize, topology: &Topology, course: Option<&str>) {
        let read = course.and_then(Course::read);
        if course.is_some() && read.is_none() {
            self.fault(format!("{by} cannot read {course:?}"));
        }
        let process = &mut self.processes[by];
        let (Some(crew), Some(holder)) = (&mut process.crew, &process.holder) else {
            return;
        };
        process.serving = match read.as_ref().filter(|course| course.is_open()) {
            Some(course) => Some(course.serving.clone()),
            None => Serving::of_sessions(topology).ok(),
        };
        let held = holder.shards().map(|(shard, _)| shard);
        let gone: Vec<_> = held.filter(|shard| !topology.contains(*shard)).collect();
        // What serves no more is not to be resumed by anybody.
        crew.dropped.extend(&gone);
        let is_mine = |leader: &Leader| match &read {
            Some(course) => course.leader == leader.course().leader,
            None => true,
        };
        crew.leader.take_if(|leader| !is_mine(leader));
        if read.as_ref().is_none_or(|course| !course.is_open()) {
            crew.stored.clear();
            self.forget_parts(by);
        }
        if self.processes[by].serving.is_none() {
            self.fault(format!("{by} hears of {topology}, which is no exact cover"));
        }
        if let Some(crew) = self.crew(by) {
            crew.parts.course(read);
        }
        gone.into_iter().for_each(|shard| self.release(by, shard));
        self.followed(by);
    }

    /// A session was taken, and this was stored beside it. `false` if the session is of no use.
    pub(super) fn found_part(&mut self, by: usize, shard: ShardId, part: Option<&str>) -> bool {
        let part = part.and_then(StoredPart::read);
        let Some(crew) = self.crew(by) else {
            return true;
        };
        let role = crew.parts.role(shard);
        match (part, role) {
            // Its guilds were in READY, which does not come again.
            (None, Some((Role::Joining, _))) => return false,
            (None, _) => {}
            (Some(part), _) => drop(crew.stored.insert(shard, part)),
        }
        true
    }

    /// The part with which a session of this process begins.
    pub(super) fn part_across(&mut self, by: usize, shard: ShardId) -> Option<Switch> {
        let local = self.local(by);
        let token = self.token(by, shard);
        let crew = self.crew(by)?;
        let role = crew.parts.role(shard);
        let stored = crew.stored.remove(&shard);
        let stored = stored.filter(|stored| stored.goes_on(role));
        let (part, role, guilds) = match (stored, role) {
            (Some(stored), _) => stored.restore(local, shard),
            (None, Some(role)) => (begun(shard, role), role, None),
            (None, None) => return None,
        };
        let mut switch = Switch::kept(part);
        if guilds.is_some() {
            switch.goes_on();
        }
        crew.parts.begun(shard, role, token, guilds);
        self.tick_on(by);
        Some(switch)
    }

    fn token(&self, by: usize, shard: ShardId) -> u64 {
        let holder = self.processes[by].holder.as_ref();
        holder.and_then(|it| it.token(shard)).unwrap_or_default()
    }

    /// The session's task has begun.
    pub(super) fn runs_across(&mut self, by: usize, shard: ShardId) {
        let token = self.token(by, shard);
        if let Some(crew) = self.crew(by) {
            crew.parts.running(shard, token);
        }
    }

    /// The session does not run here any more.
    pub(super) fn gone_across(&mut self, by: usize, shard: ShardId) {
        if let Some(crew) = self.crew(by) {
            crew.parts.gone(shard);
            crew.dropped.remove(&shard);
        }
    }

    /// What a session's part has to say. `false` if that is nothing for the other processes.
    pub(super) fn told_across(&mut self, by: usize, shard: ShardId, told: Told) {
        if let Told::Over(part) = &told {
            self.report.guilds_switched += part.handed_over();
            self.cutover_sum += part.sum();
        }
        let Some(crew) = self.crew(by) else {
            return;
        };
        let parts = &mut crew.parts;
        match told {
            Told::Guilds(guilds) => parts.ready(shard, guilds),
            Told::Message(message) => parts.say(shard, message),
            Told::Progress(guilds, taken, counts) => {
                parts.progress(shard, guilds, taken, *counts);
            }
            Told::Left => parts.left(shard),
            Told::Settled => parts.settled(shard),
            Told::Over(part) => parts.over(shard, part.sum()),
        }
    }

    /// Everything that a change of shards asks for now. Whether there was anything.
    pub(super) fn drive_across(&mut self, by: usize) -> bool {
        let local = self.local(by);
        let Some(crew) = self.crew(by) else {
            return false;
        };
        crew.parts.handle_timeout(local);
        let mut is_busy = false;
        while let Some(item) = self.crew(by).and_then(|crew| crew.parts.poll_do()) {
            is_busy = true;
            self.carry_out_across(by, item);
        }
        let process = &mut self.processes[by];
        let (Some(crew), Some(holder)) = (&mut process.crew, &mut process.holder) else {
            return is_busy;
        };
        let mut told = None;
        if let Some(retarget) = crew.leader.as_mut().and_then(Leader::poll_retarget) {
            let course = Some(retarget.course.clone());
            holder.retarget(retarget.expected, &retarget.sessions, course);
            told = Some(retarget);
        }
        if crew.waits_for_leases() && crew.look_at <= local {
            crew.look_at = local + LOOK;
            holder.ask_for_view();
        }
        if let Some(retarget) = told {
            is_busy = true;
            self.tell(|_| format!("{by} tells: {retarget} {}", retarget.course));
        }
        is_busy
    }

    fn carry_out_across(&mut self, by: usize, item: Do) {
        let unix_ms = self.unix_ms();
        match item {
            Do::Begin {
                shard,
                role,
                cutover,
            } => {
                let token = self.token(by, shard);
                if let Some(crew) = self.crew(by) {
                    crew.parts.begun(shard, (role, cutover), token, None);
                }
                self.order(by, shard, Order::Begin(begun(shard, (role, cutover))));
            }
            Do::Include { shard, guilds } => self.order(by, shard, Order::Include(guilds)),
            Do::Ask { shard, is_on } => self.order(by, shard, Order::Ask(is_on)),
            Do::Message { shard, message } => self.order(by, shard, Order::Message(message)),
            Do::Stay { shard } => self.order(by, shard, Order::Stay),
            Do::Send { to, letter } => {
                let crew = self.crew(by);
                if let (Letter::Report(report), Some(leader)) =
                    (&letter, crew.and_then(|crew| crew.leader.as_mut()))
                {
                    leader.report(report, unix_ms);
                }
                self.post(by, &to, &letter);
            }
        }
    }

    pub(super) fn retargeted(&mut self, by: usize, is_done: bool) {
        let unix_ms = self.unix_ms();
        let process = &mut self.processes[by];
        let (Some(crew), Some(holder)) = (&mut process.crew, &process.holder) else {
            return;
        };
        let revision = holder.topology().map_or(0, |(revision, _)| revision);
        let Some(leader) = &mut crew.leader else {
            return;
        };
        leader.retargeted(is_done, revision, unix_ms);
        if is_done {
            self.post(by, &To::All, &Letter::News { revision });
        }
    }

    /// The change that is under way has no leader.
    pub(super) fn wants_to_lead(&mut self, by: usize) {
        let process = &mut self.processes[by];
        if let (Some(crew), Some(holder)) = (&mut process.crew, &mut process.holder)
            && crew.leader.is_none()
            && !crew.wants_to_lead
        {
            crew.wants_to_lead = true;
            holder.ask_for_view();
        }
    }

    /// The register has answered, and may have said who holds what.
    pub(super) fn looked_at_fleet(&mut self, by: usize) {
        let unix_ms = self.unix_ms();
        let process = &mut self.processes[by];
        let (Some(crew), Some(holder)) = (&mut process.crew, &process.holder) else {
            return;
        };
        let is_needed = crew.leader.is_some() || crew.wants_to_lead || crew.wanted.is_some();
        let Some(view) = holder.view().filter(|_| is_needed).cloned() else {
            return;
        };
        if let Some(leader) = &mut crew.leader {
            leader.look_at(&view, unix_ms);
        }
        self.answer_operator(by, &view);
        self.lead_on(by, &view);
        self.followed(by);
    }

    /// Whoever led it is done with it.
    fn followed(&mut self, by: usize) {
        let Some(crew) = self.crew(by) else {
            return;
        };
        if let Some(leader) = crew.leader.take_if(|leader| leader.is_over()) {
            let ended = leader.course().ended.clone();
            self.tell(|_| format!("{by} has led the change to its end: {ended:?}"));
            self.report.ended_across += 1;
            self.report.done_across += u64::from(ended.is_some_and(|ended| ended.is_done));
        }
    }
}
