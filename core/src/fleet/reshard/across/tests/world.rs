//! Processes, the register, a store and the letters between them, over which everything comes that may.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::{Course, Leader, Letter, Role, Steer, To};
use super::process::Process;
use super::register::{Answer, Exchange, Register, instance};
use super::side::{Side, guilds_of};
use crate::fleet::reshard::Outcome;
use crate::fleet::{Facts, Plan, Serving, SessionStartLimit, Target, Topology};
use crate::id::{ShardId, Snowflake};
use crate::rng::Rng;

/// One look at the clock, in milliseconds.
pub(super) const TICK: u64 = 100;

/// What is on its way.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Letter(usize, Letter),
    Said(Exchange),
    Answer(usize, Answer),
}

/// How bad things are: one in so many letters is lost, late, or comes twice. 0 if none is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) letters: u64,
    pub(super) exchanges: u64,
}

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) now: u64,
    pub(super) register: Register,
    pub(super) processes: Vec<Process>,
    pub(super) post: BTreeMap<(u64, u64), Parcel>,
    serial: u64,
    /// What was stored beside each session, and under which token.
    pub(super) stored: BTreeMap<ShardId, (u64, Side)>,
    pub(super) weather: Weather,
    /// Discord refuses this session.
    pub(super) refused: Option<ShardId>,
    pub(super) outcome: Option<Outcome>,
    pub(super) takeovers: usize,
}

pub(super) fn facts(overlays: &[ShardId]) -> Facts {
    let mut facts = Facts::new(SessionStartLimit {
        total: 1_000,
        remaining: 1_000,
        reset_after_ms: 1,
        max_concurrency: 1,
    });
    facts.overlays = overlays.to_vec();
    facts
}

impl World {
    /// So many processes, which have `serving` between them after a while.
    pub(super) fn new(seed: u64, processes: usize, serving: &Serving) -> Self {
        let mut sessions = serving.topology().shards().to_vec();
        sessions.extend(serving.overlays());
        let sessions = Topology::new(sessions).unwrap();
        let mut world = Self {
            rng: Rng::new(seed),
            now: 100_000,
            register: Register::new(sessions),
            processes: (0..processes).map(Process::new).collect(),
            post: BTreeMap::new(),
            serial: 0,
            stored: BTreeMap::new(),
            weather: Weather {
                letters: 0,
                exchanges: 0,
            },
            refused: None,
            outcome: None,
            takeovers: 0,
        };
        (0..50).for_each(|_| world.tick());
        world
    }

    /// A change begins in this process.
    pub(super) fn begin(&mut self, by: usize, before: &Serving, target: Target) {
        let plan = Plan::new(before.topology(), target, &facts(before.overlays())).unwrap();
        let view = self.register.view();
        let me = instance(by);
        let cutover = self.now * 1_000;
        let leader = Leader::begin(&me, &plan, cutover, &view, self.now);
        self.processes[by].leader = Some(leader);
    }

    pub(super) fn send(&mut self, parcel: Parcel) {
        let bad = match parcel {
            Parcel::Letter(..) => self.weather.letters,
            Parcel::Said(_) | Parcel::Answer(..) => self.weather.exchanges,
        };
        let mut copies = 1;
        let mut longest = 200;
        if bad > 0 && self.rng.below(bad) == 0 {
            (copies, longest) = [(0, 0), (2, 3_000), (1, 8_000)][self.pick(3)];
        }
        for _ in 0..copies {
            self.serial += 1;
            let at = self.now + 1 + self.rng.below(longest);
            self.post.insert((at, self.serial), parcel.clone());
        }
    }

    pub(super) fn pick(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound as u64)).unwrap()
    }

    pub(super) fn letter(&mut self, to: &To, letter: &Letter) {
        let bytes = letter.write();
        let read = Letter::read(&bytes).expect("what was written is read");
        assert_eq!(read, *letter);
        for by in 0..self.processes.len() {
            let is_for = match to {
                To::All => true,
                To::Process(name) => *name == instance(by),
            };
            if is_for && self.processes[by].is_alive {
                self.send(Parcel::Letter(by, read.clone()));
            }
        }
    }

    /// A while goes by.
    pub(super) fn tick(&mut self) {
        self.now += TICK;
        while let Some(entry) = self
            .post
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            match entry.remove() {
                Parcel::Said(exchange) => {
                    if let Some(answer) = self.register.exchange(self.now, &exchange) {
                        self.send(Parcel::Answer(exchange.by, answer));
                    }
                }
                Parcel::Letter(by, letter) => self.letter_comes(by, letter),
                Parcel::Answer(by, answer) => self.answered(by, answer),
            }
        }
        for by in 0..self.processes.len() {
            if self.processes[by].is_alive {
                self.drive(by);
            }
        }
    }

    /// A process is gone, and what it had not stored. Another one comes in its place.
    pub(super) fn kill(&mut self, by: usize, is_replaced: bool) {
        self.processes[by].is_alive = false;
        if is_replaced {
            let new = self.processes.len();
            self.processes.push(Process::new(new));
        }
    }

    /// The process that leads, if it lives.
    pub(super) fn leading(&self) -> Option<usize> {
        let leads = |process: &Process| process.is_alive && process.leader.is_some();
        self.processes.iter().position(leads)
    }

    pub(super) fn steer(&mut self, from: usize, steer: Steer) {
        let now = self.now;
        if let Some(leader) = &mut self.processes[from].leader {
            leader.steer(steer, now);
        } else if let Some(name) = self.register.leader() {
            self.letter(&To::Process(name), &Letter::Steer(steer));
        }
    }

    /// Whether the register says that the change is over.
    pub(super) fn is_over(&self) -> bool {
        self.register
            .course
            .as_ref()
            .is_some_and(|course| !course.is_open())
    }

    /// Who dispatches a guild while it moves: as far as what is stored says. Never nobody once it serves.
    pub(super) fn check_guilds(&self, course: &Course, sessions: &Topology) {
        for guild in guilds_of(ShardId::SINGLE) {
            let serves = course.serving.shard_of(guild);
            assert!(sessions.contains(serves), "{serves} serves");
            let moved = self.moved(course, guild, serves);
            assert!(moved, "{serves} serves {guild}, and has not taken it over");
        }
    }

    /// Whether a session that serves a guild has it for itself, if it has joined in this change.
    fn moved(&self, course: &Course, guild: Snowflake, serves: ShardId) -> bool {
        let Some((_, side)) = self.stored.get(&serves) else {
            return true;
        };
        let is_new = side.cutover / 1_000 >= course.began_ms && side.role == Role::Joining;
        !is_new || side.moved.contains(&guild)
    }

    /// The change ends, whatever came before; nothing bad happens any more. What serves, and how often a session is
    /// still on its way.
    pub(super) fn settle(&mut self) {
        self.weather = Weather {
            letters: 0,
            exchanges: 0,
        };
        let until = self.now + 600_000;
        while !self.is_over() {
            assert!(self.now < until, "it does not end: {}", self.story());
            self.tick();
        }
        (0..200).for_each(|_| self.tick());
        let course = self.register.course.clone().unwrap();
        self.check_guilds(&course, &self.register.sessions);
        let mut held = BTreeMap::new();
        for process in self.processes.iter().filter(|process| process.is_alive) {
            assert!(process.leader.is_none(), "nobody leads any more");
            for shard in process.sessions.keys() {
                assert_eq!(held.insert(*shard, process.by), None, "{shard} runs twice");
            }
        }
        let serving = &course.serving;
        let all = serving.topology().shards().iter().chain(serving.overlays());
        let all: BTreeSet<_> = all.copied().collect();
        assert_eq!(
            held.into_keys().collect::<BTreeSet<_>>(),
            all,
            "what serves runs"
        );
    }

    /// What the register says, and how far each session is.
    fn story(&self) -> String {
        let course = self.register.course.as_ref().map(Course::write);
        let alive = self.processes.iter().filter(|process| process.is_alive);
        let all: Vec<_> = alive
            .map(|process| (process.by, &process.sessions))
            .collect();
        format!("{course:?} {all:?}")
    }
}
