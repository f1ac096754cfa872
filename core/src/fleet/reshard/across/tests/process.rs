//! One process: what the runtime does, without sockets.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::{Course, Do, Leader, Letter, Parts, Retarget, Role, To};
use super::register::{Answer, Exchange, instance};
use super::side::{Side, guilds_of};
use super::world::{Parcel, World, facts};
use crate::fleet::cutover::{Counts, Message};
use crate::fleet::lease::View;
use crate::fleet::reshard::Stage;
use crate::fleet::{Plan, Shards, Step, Target};
use crate::id::ShardId;
use crate::time::Instant;

/// How long an answer is waited for, and how often the register is spoken to.
const PATIENCE: u64 = 2_000;
const EVERY: u64 = 1_000;

/// A session that runs.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: u64,
    pub(super) side: Option<Side>,
    /// When its READY comes; none if it goes on with a session.
    ready_at: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) by: usize,
    pub(super) is_alive: bool,
    pub(super) parts: Parts,
    pub(super) leader: Option<Leader>,
    pub(super) sessions: BTreeMap<ShardId, Session>,
    revision: u64,
    seq: u64,
    said_at: u64,
    is_waiting: bool,
    is_hasty: bool,
    retarget: Option<Retarget>,
    /// When its last answer came: what it holds it holds for a term.
    heard_at: u64,
}

impl Process {
    pub(super) fn new(by: usize) -> Self {
        Self {
            by,
            is_alive: true,
            parts: Parts::new(&instance(by)),
            leader: None,
            sessions: BTreeMap::new(),
            revision: 0,
            seq: 0,
            said_at: 0,
            is_waiting: false,
            is_hasty: true,
            retarget: None,
            heard_at: 0,
        }
    }
}

impl World {
    pub(super) fn letter_comes(&mut self, by: usize, letter: Letter) {
        let now = self.now;
        let process = &mut self.processes[by];
        if !process.is_alive {
            return;
        }
        match (&letter, &mut process.leader) {
            (Letter::Report(report), Some(leader)) => leader.report(report, now),
            (Letter::Steer(steer), Some(leader)) => leader.steer(*steer, now),
            (Letter::News { revision }, _) => process.is_hasty |= *revision > process.revision,
            _ => {}
        }
        process.parts.letter(letter);
    }

    pub(super) fn answered(&mut self, by: usize, answer: Answer) {
        let now = self.now;
        let process = &mut self.processes[by];
        if !process.is_alive || !process.is_waiting || process.seq != answer.seq {
            return;
        }
        process.is_waiting = false;
        process.heard_at = now;
        if answer.view.revision > process.revision {
            process.revision = answer.view.revision;
            self.know(by, &answer.view);
        }
        let process = &mut self.processes[by];
        if let Some(is_done) = answer.is_done {
            process.retarget = None;
            let revision = process.revision;
            if let Some(leader) = &mut process.leader {
                leader.retargeted(is_done, revision, now);
                if is_done {
                    self.letter(&To::All, &Letter::News { revision });
                }
            }
        }
        for shard in answer.lost {
            self.close(by, shard);
        }
        for (shard, token) in answer.take {
            self.open(by, shard, token);
        }
        if let Some(leader) = &mut self.processes[by].leader {
            leader.look_at(&answer.view, now);
        }
        if !answer.is_led {
            self.lead_on(by, &answer.view);
        }
        if let Some(leader) = self.processes[by].leader.take_if(|leader| leader.is_over()) {
            self.outcome = leader.outcome();
        }
    }

    fn know(&mut self, by: usize, view: &View) {
        let read = view.course.as_deref().and_then(Course::read);
        let Ok(Shards::Fixed(sessions)) = view.topology.parse() else {
            panic!("{} is a topology", view.topology);
        };
        if let Some(course) = &read {
            self.check_guilds(course, &sessions);
        }
        let process = &mut self.processes[by];
        let is_other = |leader: &mut Leader| {
            let course = read.as_ref();
            course.is_some_and(|course| course.leader != leader.course().leader)
        };
        process.leader.take_if(is_other);
        process.parts.course(read);
        let gone = process
            .sessions
            .keys()
            .filter(|shard| !sessions.contains(**shard));
        let gone: Vec<_> = gone.copied().collect();
        gone.into_iter().for_each(|shard| self.close(by, shard));
    }

    fn close(&mut self, by: usize, shard: ShardId) {
        let process = &mut self.processes[by];
        process.sessions.remove(&shard);
        process.parts.gone(shard);
        process.is_hasty = true;
    }

    /// A lease was taken: the session goes on, or begins.
    fn open(&mut self, by: usize, shard: ShardId, token: u64) {
        let now = self.now;
        let ready_at = now + 200 + self.rng.below(3_000);
        let process = &mut self.processes[by];
        let role = process.parts.role(shard);
        let stored = self.stored.get(&shard).map(|(_, side)| side.clone());
        let goes_on = |side: &Side| match side.role {
            Role::Leaving => role == Some((Role::Leaving, side.cutover)),
            Role::Joining => role.is_none_or(|role| role == (Role::Joining, side.cutover)),
        };
        let stored = stored.filter(goes_on).map(|side| side.restored());
        let is_new = stored.is_none();
        let side = stored.or_else(|| role.map(Side::new));
        if let Some(side) = &side {
            let guilds = (!is_new).then(|| side.guilds.iter().copied().collect());
            process
                .parts
                .begun(shard, (side.role, side.cutover), token, guilds);
        }
        let joins = side.as_ref().is_some_and(|side| side.role == Role::Joining);
        let ready_at = (is_new && joins).then_some(ready_at);
        process.sessions.insert(
            shard,
            Session {
                token,
                side,
                ready_at,
            },
        );
        process.parts.running(shard, token);
    }

    fn lead_on(&mut self, by: usize, view: &View) {
        if self.processes[by].leader.is_some() {
            return;
        }
        let course = view.course.as_deref().and_then(Course::read);
        let Some(course) = course.filter(Course::is_open) else {
            return;
        };
        self.takeovers += 1;
        let left = steps_left(&course);
        let me = instance(by);
        let leader = Leader::take_over(&me, course, left, view, self.now);
        self.processes[by].leader = Some(leader);
    }

    /// Everything that there is to do by the clock.
    pub(super) fn drive(&mut self, by: usize) {
        let now = self.now;
        self.run_sides(by);
        self.processes[by]
            .parts
            .handle_timeout(Instant::from_millis(now));
        while let Some(item) = self.processes[by].parts.poll_do() {
            self.carry_out(by, item);
        }
        let process = &mut self.processes[by];
        if let Some(retarget) = process.leader.as_mut().and_then(Leader::poll_retarget) {
            process.retarget = Some(retarget);
            process.is_hasty = true;
        }
        let stage = process.leader.as_ref().map(|leader| leader.course().stage);
        process.is_hasty |= matches!(stage, Some(Stage::Stopping | Stage::RollingBack));
        if process.is_waiting && process.said_at + PATIENCE <= now {
            process.is_waiting = false;
        }
        if process.heard_at + 8_000 <= now && !process.sessions.is_empty() {
            // Nothing was heard for so long that what it holds may be another's.
            let all: Vec<_> = process.sessions.keys().copied().collect();
            all.into_iter().for_each(|shard| self.close(by, shard));
        }
        let process = &mut self.processes[by];
        let is_due = process.is_hasty || process.said_at + EVERY <= now;
        if !process.is_waiting && is_due {
            process.seq += 1;
            (process.is_waiting, process.is_hasty, process.said_at) = (true, false, now);
            let sessions = process.sessions.iter();
            let exchange = Exchange {
                by,
                seq: process.seq,
                held: sessions
                    .map(|(shard, session)| (*shard, session.token))
                    .collect(),
                retarget: process.retarget.clone(),
            };
            self.send(Parcel::Said(exchange));
        }
    }

    fn carry_out(&mut self, by: usize, item: Do) {
        let now = self.now;
        let process = &mut self.processes[by];
        if let Do::Send { to, letter } = item {
            if let (Letter::Report(report), Some(leader)) = (&letter, &mut process.leader) {
                leader.report(report, now);
            }
            return self.letter(&to, &letter);
        }
        let (Do::Begin { shard, .. }
        | Do::Include { shard, .. }
        | Do::Ask { shard, .. }
        | Do::Message { shard, .. }
        | Do::Stay { shard }) = item
        else {
            return;
        };
        let Some(session) = process.sessions.get_mut(&shard) else {
            return;
        };
        match (item, &mut session.side) {
            (Do::Begin { role, cutover, .. }, side) => {
                assert!(side.is_none(), "{shard} has a side");
                *side = Some(Side::new((role, cutover)));
                if role == Role::Joining {
                    session.ready_at = Some(now);
                }
                process
                    .parts
                    .begun(shard, (role, cutover), session.token, None);
            }
            (Do::Include { guilds, .. }, Some(side)) => {
                assert_eq!(side.role, Role::Leaving);
                side.guilds.extend(guilds);
            }
            (Do::Ask { is_on, .. }, Some(side)) => {
                side.may_ask = is_on;
                side.has_begun |= is_on;
            }
            (Do::Message { message, .. }, Some(_)) => self.message(by, shard, &message),
            (Do::Stay { .. }, side) if side.is_some() => {
                *side = None;
                self.stored.remove(&shard);
                process.parts.over(shard, Counts::default());
            }
            _ => {}
        }
    }

    fn message(&mut self, by: usize, shard: ShardId, message: &Message) {
        let now = self.now;
        let process = &mut self.processes[by];
        let session = process.sessions.get_mut(&shard);
        let Some(side) = session.and_then(|session| session.side.as_mut()) else {
            return;
        };
        if message.cutover != side.cutover {
            return;
        }
        let answer = side.message(now, message);
        self.store(by, shard);
        if let Some(answer) = answer {
            self.processes[by].parts.say(shard, answer);
        }
    }

    /// What a side must not forget is stored before anybody hears of it.
    fn store(&mut self, by: usize, shard: ShardId) {
        let Some(session) = self.processes[by].sessions.get(&shard) else {
            return;
        };
        let known = self.stored.get(&shard).map_or(0, |(token, _)| *token);
        if let Some(side) = session.side.as_ref().filter(|_| known <= session.token) {
            self.stored.insert(shard, (session.token, side.clone()));
        }
    }

    fn run_sides(&mut self, by: usize) {
        let shards: Vec<_> = self.processes[by].sessions.keys().copied().collect();
        for shard in shards {
            self.run_side(by, shard);
        }
    }

    fn run_side(&mut self, by: usize, shard: ShardId) {
        let now = self.now;
        let settles_at = now + self.rng.below(3) * self.rng.below(2_000);
        let is_refused = self.refused == Some(shard);
        let process = &mut self.processes[by];
        let Some(session) = process.sessions.get_mut(&shard) else {
            return;
        };
        let is_ready = session.ready_at.take_if(|at| *at <= now).is_some();
        let Some(side) = &mut session.side else {
            return;
        };
        if is_ready && is_refused {
            return process.parts.refused(shard);
        }
        if is_ready {
            side.guilds.extend(guilds_of(shard));
            let guilds = side.guilds.iter().copied().collect();
            self.store(by, shard);
            return self.processes[by].parts.ready(shard, guilds);
        }
        let messages = side.tick(now);
        let is_finished = side.is_finished();
        let is_new = is_finished && !core::mem::replace(&mut side.is_told, is_finished);
        let role = side.role;
        if is_new && role == Role::Leaving {
            process.parts.left(shard);
        } else if is_new {
            side.settles_at = settles_at;
        }
        for message in messages {
            process.parts.say(shard, message);
        }
        self.settle_side(by, shard);
    }

    /// A side that joins is over once nothing is expected any more. That it has joined is kept.
    fn settle_side(&mut self, by: usize, shard: ShardId) {
        let now = self.now;
        let process = &mut self.processes[by];
        let session = process.sessions.get_mut(&shard);
        let Some(session) = session else {
            return;
        };
        let is_over = |side: &mut Side| {
            side.role == Role::Joining
                && side.is_told
                && side.is_finished()
                && side.settles_at <= now
        };
        if session.side.take_if(is_over).is_some() {
            process.parts.settled(shard);
            process.parts.over(shard, Counts::default());
        }
    }
}

/// What a new leader takes for the steps that are left: what the runtime does.
pub(super) fn steps_left(course: &Course) -> Vec<Step> {
    let Target::Shards(_) = course.target else {
        return Vec::new();
    };
    let after = course
        .step
        .as_ref()
        .and_then(|step| course.serving.after(step).ok());
    let after = after.unwrap_or_else(|| course.serving.clone());
    let plan = Plan::new(after.topology(), course.target, &facts(after.overlays()));
    plan.map_or_else(|_| Vec::new(), |plan| plan.steps().to_vec())
}
