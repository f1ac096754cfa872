//! A register that leases sessions, made simple: what `register.lua` promises, in a few lines.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::super::{Course, Retarget};
use super::side::guilds_of;
use crate::fleet::Topology;
use crate::fleet::lease::{LeaseView, MemberView, View};
use crate::fleet::reshard::Stage;
use crate::id::ShardId;

/// How long a process may be silent, in milliseconds.
const TERM: u64 = 10_000;

/// What a process says.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) by: usize,
    pub(super) seq: u64,
    pub(super) held: BTreeMap<ShardId, u64>,
    pub(super) retarget: Option<Retarget>,
}

/// What it hears.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) seq: u64,
    pub(super) view: View,
    pub(super) is_led: bool,
    pub(super) is_done: Option<bool>,
    /// Of what it stated, what is another's now.
    pub(super) lost: Vec<ShardId>,
    pub(super) take: Vec<(ShardId, u64)>,
}

#[derive(Debug)]
struct Member {
    seen: u64,
    seq: u64,
    held: BTreeMap<ShardId, u64>,
}

/// The register, and what was ever told to it.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) revision: u64,
    pub(super) sessions: Topology,
    pub(super) course: Option<Course>,
    members: BTreeMap<usize, Member>,
    tokens: u64,
    /// Every stage that it was told, and whether the step was prepared.
    pub(super) stages: BTreeSet<(&'static str, bool)>,
}

pub(super) fn instance(by: usize) -> String {
    format!("{by:016x}")
}

impl Register {
    pub(super) fn new(sessions: Topology) -> Self {
        Self {
            revision: 1,
            sessions,
            course: None,
            members: BTreeMap::new(),
            tokens: 0,
            stages: BTreeSet::new(),
        }
    }

    /// One exchange; `None` if it came late.
    pub(super) fn exchange(&mut self, now: u64, said: &Exchange) -> Option<Answer> {
        self.members.retain(|_, member| member.seen + TERM > now);
        let known = self.members.get(&said.by);
        if known.is_some_and(|known| said.seq <= known.seq) {
            return None;
        }
        let is_done = said.retarget.as_ref().map(|wanted| self.retarget(wanted));
        let mut held = said.held.clone();
        held.retain(|shard, token| {
            let others = self.members.iter().filter(|(by, _)| **by != said.by);
            others
                .filter_map(|(_, other)| other.held.get(shard))
                .all(|other| other < token)
        });
        let lost = said.held.keys().filter(|shard| !held.contains_key(shard));
        let lost = lost.copied().collect();
        let mut take = Vec::new();
        for shard in self.free_for(said.by, &held) {
            self.tokens += 1;
            take.push((shard, self.tokens));
        }
        held.extend(take.iter().copied());
        let member = Member {
            seen: now,
            seq: said.seq,
            held: held.clone(),
        };
        self.members.insert(said.by, member);
        let leader = self.course.as_ref().filter(|course| course.is_open());
        let is_there =
            |course: &Course| self.members.keys().any(|by| instance(*by) == course.leader);
        Some(Answer {
            seq: said.seq,
            is_led: leader.is_none_or(is_there),
            view: self.view(),
            is_done,
            lost,
            take,
        })
    }

    /// Sessions that nobody has, up to an equal share.
    fn free_for(&self, by: usize, held: &BTreeMap<ShardId, u64>) -> Vec<ShardId> {
        let members = self.members.len() + usize::from(!self.members.contains_key(&by));
        let share = self.sessions.len().div_ceil(members);
        let is_held = |shard: &ShardId| {
            let mut others = self.members.iter().filter(|(other, _)| **other != by);
            held.contains_key(shard) || others.any(|(_, member)| member.held.contains_key(shard))
        };
        let free = self
            .sessions
            .shards()
            .iter()
            .filter(|shard| !is_held(shard));
        free.take(share.saturating_sub(held.len()))
            .copied()
            .collect()
    }

    fn retarget(&mut self, wanted: &Retarget) -> bool {
        let course = Course::read(&wanted.course).expect("a leader writes what can be read");
        assert_eq!(
            course.write(),
            wanted.course,
            "read and written is the same"
        );
        if self.revision == wanted.expected {
            self.check(&course, &wanted.sessions);
            let stage = course.stage.name();
            self.stages.insert((stage, course.is_prepared));
            self.revision += 1;
            self.sessions = wanted.sessions.clone();
            self.course = Some(course);
            return true;
        }
        // Told twice, it was done once.
        self.revision == wanted.expected + 1 && self.course.as_ref() == Some(&course)
    }

    /// What must be so after each change of the register.
    fn check(&self, course: &Course, sessions: &Topology) {
        let serving = &course.serving;
        let mut leased: BTreeSet<_> = serving.topology().shards().iter().copied().collect();
        leased.extend(serving.overlays());
        if course.is_prepared && matches!(course.stage, Stage::Starting | Stage::Switching) {
            leased.extend(course.step.iter().flat_map(|step| step.start()));
        }
        let told: BTreeSet<_> = sessions.shards().iter().copied().collect();
        assert_eq!(told, leased, "what serves, and what the step starts");
        for guild in guilds_of(ShardId::SINGLE) {
            let base = serving.topology().shards_of(guild).count();
            assert_eq!(base, 1, "{guild} under {serving}");
        }
        let Some(before) = &self.course else {
            return;
        };
        assert!(before.is_open() || before.began_ms != course.began_ms);
        let step = before.step.as_ref();
        for shard in self
            .sessions
            .shards()
            .iter()
            .filter(|shard| !told.contains(shard))
        {
            let is_replaced = !serving.topology().contains(*shard) && *serving != before.serving;
            let is_undone = step.is_some_and(|step| step.start().contains(shard));
            assert!(is_replaced || is_undone, "{shard} is stopped by nothing");
        }
        if *serving != before.serving {
            let after = step.and_then(|step| before.serving.after(step).ok());
            assert_eq!(
                after.as_ref(),
                Some(serving),
                "what serves is the step's end"
            );
            assert_eq!(
                before.stage,
                Stage::Switching,
                "and its guilds had switched"
            );
        }
    }

    pub(super) fn view(&self) -> View {
        let members = self.members.keys().map(|by| MemberView {
            name: by.to_string(),
            instance: instance(*by),
            ..MemberView::default()
        });
        let leases = self.members.iter().flat_map(|(by, member)| {
            member.held.iter().map(|(shard, token)| LeaseView {
                shard: *shard,
                token: *token,
                holder: by.to_string(),
                instance: instance(*by),
                is_giving: false,
            })
        });
        View {
            topology: self.sessions.to_string(),
            revision: self.revision,
            course: self.course.as_ref().map(Course::write),
            permits: self.tokens,
            members: members.collect(),
            leases: leases.collect(),
            ..View::default()
        }
    }

    /// Who is to lead, as the register says.
    pub(super) fn leader(&self) -> Option<String> {
        let course = self.course.as_ref().filter(|course| course.is_open())?;
        Some(course.leader.as_str().to_owned())
    }
}
