//! Under any schedule: spacing holds, the reserve stays, nobody is granted unasked or starves, equal inputs give equal outputs.

mod fleet_harness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fleet_harness::{Out, Rig, secs};
use proptest::prelude::*;
use shardkeep_core::fleet::{
    Config, Fleet, Input, Misuse, Phase, SessionStartLimit, Shards, Topology,
};
use shardkeep_core::{Instant, Machine, ShardId};

const TOTAL: u32 = 60;
const RESERVE: u32 = 10;
const DAY: Duration = Duration::from_secs(86_400);

/// A step of a schedule. The number picks a shard.
#[derive(Clone, Debug)]
enum Step {
    Want(usize),
    Cancel(usize),
    Down(usize),
    Ready(usize),
    Resumed(usize),
    Rejected(usize),
    Unused(usize),
    Sent(usize),
    Closed(usize),
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

fn step() -> impl Strategy<Value = Step> {
    let who = 0..64_usize;
    prop_oneof![
        8 => who.clone().prop_map(Step::Want),
        1 => who.clone().prop_map(Step::Cancel),
        2 => who.clone().prop_map(Step::Down),
        4 => who.clone().prop_map(Step::Ready),
        1 => who.clone().prop_map(Step::Resumed),
        2 => who.clone().prop_map(Step::Rejected),
        1 => who.clone().prop_map(Step::Unused),
        2 => who.clone().prop_map(Step::Sent),
        1 => who.clone().prop_map(Step::Closed),
        3 => who.prop_map(Step::Arrive),
        2 => Just(Step::Compute),
        4 => Just(Step::Answer),
        1 => Just(Step::AnswerFails),
        1 => Just(Step::OldAnswer),
        1 => (0..7_u32).prop_map(Step::Concurrency),
        8 => (0..6_000_u64).prop_map(Step::Wait),
        1 => (0..100_000_u64).prop_map(Step::Jump),
        8 => Just(Step::Follow),
    ]
}

fn topology() -> impl Strategy<Value = Topology> {
    let any_shard = (1..24_u32).prop_flat_map(|total| (0..total, Just(total)));
    proptest::collection::btree_set(any_shard, 1..20).prop_map(|pairs| {
        let shards = pairs
            .into_iter()
            .filter_map(|(i, total)| ShardId::new(i, total));
        Topology::new(shards).unwrap()
    })
}

fn config() -> impl Strategy<Value = Config> {
    (topology(), any::<u64>(), 0..20_u64, 1..6_u32).prop_map(|(topology, seed, base, rounds)| {
        let mut config = Config::new(Shards::Fixed(topology));
        config.seed = seed;
        config.reserve = RESERVE;
        config.start_rounds = rounds;
        config.damping.base = secs(base);
        config
    })
}

/// Discord as far as identifies go, sessions that do what the steps say, and the rules that must hold.
struct World {
    rig: Rig,
    shards: Vec<ShardId>,
    /// Discord's own count, and when its day ends.
    remaining: u32,
    resets_at: Instant,
    max_concurrency: u32,
    computed: Option<SessionStartLimit>,
    last: SessionStartLimit,
    asked: bool,
    wants: BTreeSet<ShardId>,
    /// Grants whose outcome is open, and whether the identify reached Discord.
    flying: BTreeMap<ShardId, bool>,
    /// Grants that were not given back.
    used: Vec<(Instant, ShardId)>,
    checked: usize,
}

impl World {
    /// `spare` identifies are left above the reserve: few, so that schedules run into it.
    fn new(config: Config, spare: u32) -> Self {
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

    fn tick(&mut self) {
        while self.rig.now >= self.resets_at {
            self.resets_at += DAY;
            self.remaining = TOTAL;
        }
    }

    fn arrive(&mut self, shard: ShardId) {
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

    fn compute(&mut self) -> SessionStartLimit {
        self.tick();
        let reset_after_ms = self.resets_at.since(self.rig.now).as_millis();
        SessionStartLimit {
            total: TOTAL,
            remaining: self.remaining,
            reset_after_ms: u64::try_from(reset_after_ms).unwrap(),
            max_concurrency: self.max_concurrency,
        }
    }

    fn input(&mut self, input: Input) {
        // Parked and closed shards have no session that could report.
        match self.rig.try_input(input) {
            Ok(()) | Err(Misuse::NotRunning(_)) => {}
            Err(misuse) => panic!("{misuse}"),
        }
        self.check();
    }

    /// The rules, for every output since the last look.
    fn check(&mut self) {
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

    fn running(&self, shard: ShardId) -> bool {
        let phase = self.rig.fleet.shard(shard).unwrap().phase;
        !matches!(phase, Phase::Parked | Phase::Closed)
    }

    fn apply(&mut self, step: &Step) {
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
                self.go_on(next.map_or(secs(0), |at| at.since(self.rig.now)));
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
            | Step::Arrive(n) => self.session(step, self.shards[n % self.shards.len()]),
        }
    }

    fn go_on(&mut self, duration: Duration) {
        self.rig.run_for(duration);
        self.check();
    }

    fn session(&mut self, step: &Step, shard: ShardId) {
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
    fn calm_down(&mut self, duration: Duration) {
        let until = self.rig.now + duration;
        let mut seen = self.rig.log.len();
        for shard in self.shards.clone() {
            let phase = self.rig.fleet.shard(shard).unwrap().phase;
            if self.flying.contains_key(&shard) {
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

proptest! {
    #[test]
    fn the_rules_hold_under_any_schedule(
        config in config(),
        spare in 1..10_u32,
        steps in proptest::collection::vec(step(), 1..300),
    ) {
        let mut world = World::new(config, spare);
        for step in &steps {
            world.apply(step);
        }
    }

    #[test]
    fn everyone_gets_a_slot_in_the_end(
        config in config(),
        spare in 1..10_u32,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let mut world = World::new(config, spare);
        for step in &steps {
            world.apply(step);
        }
        // The day's allowance may be spent: the next one serves.
        world.calm_down(DAY * 3);
        for status in world.rig.fleet.shards() {
            prop_assert!(
                matches!(status.phase, Phase::Ready | Phase::Closed),
                "{} is {:?}, waiting for {:?}", status.shard, status.phase, status.wait
            );
        }
    }

    #[test]
    fn equal_inputs_give_equal_outputs(
        config in config(),
        spare in 1..10_u32,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let run = || {
            let mut world = World::new(config.clone(), spare);
            for step in &steps {
                world.apply(step);
            }
            (world.rig.log, world.rig.fleet.snapshot())
        };
        prop_assert_eq!(run(), run());
    }

    /// A snapshot at any moment, carried to a new process: the spacing and the reserve hold across it.
    #[test]
    fn the_rules_hold_across_a_restart(
        config in config(),
        spare in 1..10_u32,
        before in proptest::collection::vec(step(), 1..150),
        after in proptest::collection::vec(step(), 1..150),
        pause_ms in 0..20_000_u64,
    ) {
        let mut world = World::new(config.clone(), spare);
        for step in &before {
            world.apply(step);
        }
        let snapshot = world.rig.fleet.snapshot();
        let pause = Duration::from_millis(pause_ms);
        let now = world.rig.now + pause;
        let mut rig = Rig::new(Fleet::restore(config, &snapshot, now, pause));
        rig.now = now;
        world.rig = rig;
        world.checked = 0;
        world.asked = false;
        world.wants.clear();
        // What was under way either reached Discord or never will: the sockets are gone.
        for shard in world.flying.keys().copied().collect::<Vec<_>>() {
            if shard.index() % 2 == 0 {
                world.arrive(shard);
            }
        }
        world.flying.clear();
        world.check();
        for step in &after {
            world.apply(step);
        }
    }

    /// Even a driver that reports nonsense cannot make the fleet panic or break the spacing.
    #[test]
    fn nonsense_does_not_panic(
        config in config(),
        inputs in proptest::collection::vec((0..13_u8, 0..64_usize, any::<u32>(), 0..20_000_u64), 1..300),
    ) {
        let shards = config.shards.resolve(1).shards().to_vec();
        let mut rig = Rig::new(Fleet::new(config));
        for (kind, n, number, ms) in inputs {
            let shard = shards[n % shards.len()];
            let limit = SessionStartLimit {
                total: number % 2000,
                remaining: number.rotate_left(7) % 2000,
                reset_after_ms: u64::from(number) * ms,
                max_concurrency: number % 5,
            };
            let input = match kind {
                0 | 1 => Input::Limits { shards: number, limit },
                2 => Input::LimitsFailed { retry_after: Some(Duration::from_millis(ms)) },
                3 => Input::Resumable { shard },
                4 | 5 => Input::WantIdentify { shard },
                6 => Input::CancelIdentify { shard },
                7 => Input::IdentifySent { shard },
                8 => Input::IdentifyRejected { shard },
                9 => Input::Ready { shard },
                10 => Input::Resumed { shard },
                11 => Input::Down { shard },
                _ if number % 50 == 0 => Input::Shutdown,
                _ => Input::Closed { shard, fatal: number % 2 == 0 },
            };
            let _ = rig.try_input(input);
            rig.run_for(Duration::from_millis(ms));
            let _ = rig.fleet.identify_plan(rig.now);
        }
        for pair in rig.grants().windows(2) {
            prop_assert!(pair[0].1 != pair[1].1 || pair[1].0.since(pair[0].0) >= secs(5));
        }
    }
}
