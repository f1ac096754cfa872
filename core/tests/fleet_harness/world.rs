//! Discord as far as identifies go, sessions that do what a schedule says, and the rules that must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shardkeep_core::fleet::{Config, Fleet, Input, Misuse, Phase, SessionStartLimit};
use shardkeep_core::{Instant, Machine, ShardId};

use super::{Out, Rig, secs};

pub(crate) const TOTAL: u32 = 60;
pub(crate) const RESERVE: u32 = 10;
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A step of a schedule. The number picks a shard.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Want(usize),
    Cancel(usize),
    Down(usize),
    Ready(usize),
    Resumed(usize),
    Rejected(usize),
    Unused(usize),
    Sent(usize),
    Closed(usize),
    Run(usize),
    Release(usize),
    /// The identify reaches Discord; the fleet is not told.
    Arrive(usize),
    /// Discord computes its answer; it arrives later.
    Compute,
    Answer,
    AnswerFails,
    /// An answer that nobody asked for, computed when the last one was.
    OldAnswer,
    Concurrency(u32),
    Wait(u64),
    Jump(u64),
    Follow,
}

/// Discord as far as identifies go, sessions that do what the steps say, and the rules that must hold.
pub(crate) struct World {
    pub(crate) rig: Rig,
    pub(crate) shards: Vec<ShardId>,
    /// Discord's own count, and when its day ends.
    remaining: u32,
    resets_at: Instant,
    max_concurrency: u32,
    computed: Option<SessionStartLimit>,
    last: SessionStartLimit,
    pub(crate) asked: bool,
    pub(crate) wants: BTreeSet<ShardId>,
    /// Grants whose outcome is open, and whether the identify reached Discord.
    pub(crate) flying: BTreeMap<ShardId, bool>,
    /// Grants that were not given back.
    used: Vec<(Instant, ShardId)>,
    pub(crate) checked: usize,
}

impl World {
    /// `spare` identifies are left above the reserve: few, so that schedules run into it.
    pub(crate) fn new(config: Config, spare: u32) -> Self {
        let shards = config.shards.resolve(1).shards().to_vec();
        let rig = Rig::new(Fleet::new(config));
        let mut world = Self {
            resets_at: rig.now + secs(40_000),
            rig,
            shards,
            remaining: RESERVE + spare,
            max_concurrency: 1,
            computed: None,
            last: SessionStartLimit {
                total: TOTAL,
                remaining: RESERVE + spare,
                reset_after_ms: 40_000_000,
                max_concurrency: 1,
            },
            asked: false,
            wants: BTreeSet::new(),
            flying: BTreeMap::new(),
            used: Vec::new(),
            checked: 0,
        };
        world.check();
        world
    }

    pub(crate) fn tick(&mut self) {
        while self.rig.now >= self.resets_at {
            self.resets_at += DAY;
            self.remaining = TOTAL;
        }
    }

    pub(crate) fn arrive(&mut self, shard: ShardId) {
        self.tick();
        if let Some(arrived @ false) = self.flying.get_mut(&shard) {
            *arrived = true;
            self.remaining -= 1;
            assert!(
                self.remaining >= RESERVE,
                "the reserve was spent: {} left",
                self.remaining
            );
        }
    }

    pub(crate) fn compute(&mut self) -> SessionStartLimit {
        self.tick();
        let reset_after_ms = self.resets_at.since(self.rig.now).as_millis();
        SessionStartLimit {
            total: TOTAL,
            remaining: self.remaining,
            reset_after_ms: u64::try_from(reset_after_ms).unwrap(),
            max_concurrency: self.max_concurrency,
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        // Parked and closed shards have no session that could report.
        match self.rig.try_input(input) {
            Ok(()) | Err(Misuse::NotRunning(_)) => {}
            Err(misuse) => panic!("{misuse}"),
        }
        self.check();
    }

    /// The rules, for every output since the last look.
    pub(crate) fn check(&mut self) {
        while let Some((at, out)) = self.rig.log.get(self.checked).cloned() {
            self.checked += 1;
            match out {
                Out::Fetch => {
                    assert!(!self.asked, "asked again before the answer");
                    self.asked = true;
                    self.computed = None;
                }
                Out::Grant(shard) => {
                    assert!(self.wants.remove(&shard), "{shard} was granted unasked");
                    let key = |shard: ShardId| {
                        shard.rate_limit_key(self.rig.fleet.status().max_concurrency)
                    };
                    for &(earlier, other) in self
                        .used
                        .iter()
                        .rev()
                        .take_while(|(t, _)| *t + secs(5) > at)
                    {
                        let apart = at.since(earlier);
                        assert!(key(shard) != key(other), "{shard} {apart:?} after {other}");
                    }
                    self.used.push((at, shard));
                    self.flying.insert(shard, false);
                    let status = self.rig.fleet.status();
                    assert!(status.remaining.unwrap() >= status.reserve);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn running(&self, shard: ShardId) -> bool {
        let status = self.rig.fleet.shard(shard);
        status.is_some_and(|status| !matches!(status.phase, Phase::Parked | Phase::Closed))
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        match *step {
            Step::Concurrency(n) => self.max_concurrency = n,
            Step::Compute => self.computed = Some(self.compute()),
            Step::Answer if self.asked => {
                self.asked = false;
                let limit = self.computed.take().unwrap_or_else(|| self.compute());
                self.last = limit;
                self.input(Input::Limits { shards: 1, limit });
            }
            Step::AnswerFails if self.asked => {
                self.asked = false;
                self.input(Input::LimitsFailed { retry_after: None });
            }
            Step::OldAnswer if !self.asked => {
                let limit = self.last;
                self.input(Input::Limits { shards: 1, limit });
            }
            Step::Answer | Step::AnswerFails | Step::OldAnswer => {}
            Step::Wait(ms) => self.go_on(Duration::from_millis(ms)),
            Step::Jump(s) => {
                // Late and alone: the driver slept through every deadline.
                self.rig.now += secs(s);
                self.rig.fleet.handle_timeout(self.rig.now);
                self.rig.drain();
                self.check();
            }
            Step::Follow => {
                let next = self.rig.fleet.poll_timeout().map(|timeout| timeout.at);
                self.go_on(next.map_or(Duration::ZERO, |at| at.since(self.rig.now)));
            }
            Step::Want(n)
            | Step::Cancel(n)
            | Step::Down(n)
            | Step::Ready(n)
            | Step::Resumed(n)
            | Step::Rejected(n)
            | Step::Unused(n)
            | Step::Sent(n)
            | Step::Closed(n)
            | Step::Run(n)
            | Step::Release(n)
            | Step::Arrive(n) => self.session(step, self.shards[n % self.shards.len()]),
        }
    }

    pub(crate) fn go_on(&mut self, duration: Duration) {
        self.rig.run_for(duration);
        self.check();
    }

    /// A shard comes, goes or comes back.
    fn member(&mut self, step: &Step, shard: ShardId) {
        let input = match step {
            Step::Run(n) => {
                let resumable = n % 2 == 0;
                Input::Run { shard, resumable }
            }
            _ => {
                // A session that is told to stop asks for nothing any more.
                self.wants.remove(&shard);
                Input::Release { shard }
            }
        };
        match self.rig.try_input(input) {
            Ok(()) | Err(Misuse::AlreadyStarted(_) | Misuse::UnknownShard(_)) => {}
            Err(misuse) => panic!("{misuse}"),
        }
        self.check();
    }

    pub(crate) fn session(&mut self, step: &Step, shard: ShardId) {
        if let Step::Run(_) | Step::Release(_) = step {
            return self.member(step, shard);
        }
        if !self.running(shard) {
            return;
        }
        let flies = self.flying.contains_key(&shard);
        match step {
            Step::Want(_) => {
                // The session lost its connection first, unless it never had one.
                if flies {
                    self.input(Input::CancelIdentify { shard });
                }
                self.wants.insert(shard);
                self.input(Input::WantIdentify { shard });
            }
            Step::Cancel(_) => {
                self.wants.remove(&shard);
                self.input(Input::CancelIdentify { shard });
            }
            Step::Down(_) => {
                self.wants.remove(&shard);
                self.arrive(shard);
                self.flying.remove(&shard);
                self.input(Input::Down { shard });
            }
            Step::Ready(_) | Step::Rejected(_) if flies => {
                self.arrive(shard);
                self.flying.remove(&shard);
                if matches!(step, Step::Ready(_)) {
                    self.wants.remove(&shard);
                    self.input(Input::Ready { shard });
                } else {
                    self.input(Input::IdentifyRejected { shard });
                }
            }
            Step::Resumed(_) if !flies => {
                self.wants.remove(&shard);
                self.input(Input::Resumed { shard });
            }
            Step::Unused(_) if self.flying.get(&shard) == Some(&false) => {
                self.flying.remove(&shard);
                let last = self
                    .used
                    .iter()
                    .rposition(|&(_, other)| other == shard)
                    .unwrap();
                self.used.remove(last);
                self.input(Input::IdentifyUnused { shard });
            }
            Step::Sent(_) if flies => {
                self.arrive(shard);
                self.input(Input::IdentifySent { shard });
            }
            Step::Closed(_) => {
                self.wants.remove(&shard);
                self.arrive(shard);
                self.flying.remove(&shard);
                self.input(Input::Closed {
                    shard,
                    fatal: false,
                });
            }
            Step::Arrive(_) => self.arrive(shard),
            _ => {}
        }
    }

    /// From here on everything works: whoever is started asks, whoever is granted lives, Discord answers.
    pub(crate) fn calm_down(&mut self, duration: Duration) {
        let until = self.rig.now + duration;
        let mut seen = self.rig.log.len();
        for shard in self.shards.clone() {
            let Some(status) = self.rig.fleet.shard(shard) else {
                continue;
            };
            let phase = status.phase;
            if phase == Phase::Stopping {
                self.session(&Step::Closed(0), shard);
            } else if self.flying.contains_key(&shard) {
                self.session(&Step::Ready(0), shard);
            } else if phase == Phase::Connecting {
                self.session(&Step::Want(0), shard);
            }
        }
        loop {
            self.apply(&Step::Answer);
            while let Some((_, out)) = self.rig.log.get(seen).cloned() {
                seen += 1;
                match out {
                    Out::Start(shard) => self.session(&Step::Want(0), shard),
                    Out::Grant(shard) => self.session(&Step::Ready(0), shard),
                    Out::Stop(shard) => self.session(&Step::Closed(0), shard),
                    Out::Fetch => self.apply(&Step::Answer),
                    _ => {}
                }
            }
            let next = self.rig.fleet.poll_timeout().map(|timeout| timeout.at);
            if next.is_none_or(|at| at > until) && seen == self.rig.log.len() {
                return;
            }
            self.apply(&Step::Follow);
        }
    }
}
