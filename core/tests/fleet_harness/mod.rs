//! A driver for fleet tests: feeds inputs, follows timeouts, keeps every output with its time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod world;

use std::time::Duration;

use shardkeep_core::fleet::{
    Config, Event, Fleet, Input, Misuse, Output, SessionStartLimit, Shards, Topology,
};
use shardkeep_core::{Instant, Machine, ShardId};

/// An output that outlives the fleet's borrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    Fetch,
    Start(ShardId),
    Grant(ShardId),
    Stop(ShardId),
    Resolved(Topology),
    Event(Event<'static>),
}

pub(crate) struct Rig {
    pub(crate) fleet: Fleet,
    pub(crate) now: Instant,
    pub(crate) log: Vec<(Instant, Out)>,
    /// What later questions for limits are answered with, less what was granted.
    pub(crate) answer: Option<SessionStartLimit>,
    /// Outputs before this one were looked at.
    seen: usize,
}

pub(crate) fn shard(index: u32, total: u32) -> ShardId {
    ShardId::new(index, total).unwrap()
}

pub(crate) fn limit(remaining: u32, max_concurrency: u32) -> SessionStartLimit {
    SessionStartLimit {
        total: 1000,
        remaining,
        reset_after_ms: 86_400_000,
        max_concurrency,
    }
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// 5 s and the default margin.
pub(crate) const SPACING: Duration = Duration::from_millis(5_250);

impl Rig {
    pub(crate) fn new(fleet: Fleet) -> Self {
        let mut rig = Self {
            fleet,
            now: Instant::from_secs(1),
            log: Vec::new(),
            answer: None,
            seen: 0,
        };
        rig.drain();
        rig
    }

    pub(crate) fn of(shards: &str) -> Self {
        Self::new(Fleet::new(Config::new(shards.parse().unwrap())))
    }

    /// A fleet that knows its limits, with every shard started as far as the window goes.
    pub(crate) fn with_limits(shards: &str, max_concurrency: u32) -> Self {
        let mut rig = Self::of(shards);
        rig.limits(limit(1000, max_concurrency));
        rig
    }

    pub(crate) fn with_config(change: impl FnOnce(&mut Config), shards: &str) -> Self {
        let mut config = Config::new(shards.parse::<Shards>().unwrap());
        change(&mut config);
        Self::new(Fleet::new(config))
    }

    pub(crate) fn drain(&mut self) {
        let before = self.log.len();
        self.take_outputs();
        if let Some(limit) = self.answer
            && self.log[before..].iter().any(|(_, out)| *out == Out::Fetch)
        {
            let granted = u32::try_from(self.grants().len()).unwrap();
            let remaining = limit.remaining.saturating_sub(granted);
            let limit = SessionStartLimit { remaining, ..limit };
            self.fleet
                .handle_input(self.now, Input::Limits { shards: 1, limit })
                .unwrap();
            self.take_outputs();
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.fleet.poll_output() {
            let out = match output {
                Output::FetchLimits => Out::Fetch,
                Output::Start { shard } => Out::Start(shard),
                Output::GrantIdentify { shard } => Out::Grant(shard),
                Output::Stop { shard } => Out::Stop(shard),
                Output::Event(Event::TopologyResolved { topology }) => {
                    Out::Resolved(topology.clone())
                }
                Output::Event(event) => Out::Event(own(event)),
                other => panic!("unknown output {other:?}"),
            };
            self.log.push((self.now, out));
        }
    }

    pub(crate) fn try_input(&mut self, input: Input) -> Result<(), Misuse> {
        let result = self.fleet.handle_input(self.now, input);
        self.drain();
        if let Some(timeout) = self.fleet.poll_timeout() {
            assert!(
                timeout.at > self.now,
                "a deadline that has passed: {timeout:?} at {}",
                self.now
            );
        }
        result
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.try_input(input).unwrap();
    }

    pub(crate) fn limits(&mut self, limit: SessionStartLimit) {
        self.input(Input::Limits { shards: 1, limit });
    }

    /// Follows every timeout until `at`.
    pub(crate) fn run_until(&mut self, at: Instant) {
        while let Some(timeout) = self.fleet.poll_timeout()
            && timeout.at <= at
        {
            assert!(
                timeout.at > self.now,
                "a deadline that has passed: {timeout:?}"
            );
            self.now = timeout.at;
            self.fleet.handle_timeout(self.now);
            self.drain();
        }
        self.now = at;
        self.fleet.handle_timeout(at);
        self.drain();
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    /// The outputs since the last call.
    pub(crate) fn fresh(&mut self) -> Vec<Out> {
        let fresh = self.log[self.seen..]
            .iter()
            .map(|(_, out)| out.clone())
            .collect();
        self.seen = self.log.len();
        fresh
    }

    /// The grants so far, with their times.
    pub(crate) fn grants(&self) -> Vec<(Instant, ShardId)> {
        let grant = |(at, out): &(Instant, Out)| match out {
            Out::Grant(shard) => Some((*at, *shard)),
            _ => None,
        };
        self.log.iter().filter_map(grant).collect()
    }

    pub(crate) fn started(&self) -> Vec<ShardId> {
        let start = |(_, out): &(Instant, Out)| match out {
            Out::Start(shard) => Some(*shard),
            _ => None,
        };
        self.log.iter().filter_map(start).collect()
    }

    pub(crate) fn count(&self, which: impl Fn(&Out) -> bool) -> usize {
        self.log.iter().filter(|(_, out)| which(out)).count()
    }

    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        let event = |(_, out): &(Instant, Out)| match out {
            Out::Event(event) => Some(*event),
            _ => None,
        };
        self.log.iter().filter_map(event).collect()
    }
}

/// Events but for the topology hold nothing borrowed.
fn own(event: Event<'_>) -> Event<'static> {
    match event {
        Event::TopologyResolved { .. } => panic!("taken apart before"),
        Event::SessionForeign { shard } => Event::SessionForeign { shard },
        Event::AllReady => Event::AllReady,
        Event::IdentifyWaiting { shard, until, why } => {
            Event::IdentifyWaiting { shard, until, why }
        }
        Event::BudgetLow { remaining, reserve } => Event::BudgetLow { remaining, reserve },
        Event::BudgetExhausted { until, reserve } => Event::BudgetExhausted { until, reserve },
        Event::BudgetRestored { remaining } => Event::BudgetRestored { remaining },
        Event::Damped {
            shard,
            until,
            wasted_in_a_row,
        } => Event::Damped {
            shard,
            until,
            wasted_in_a_row,
        },
        Event::FleetDamped {
            sick,
            proven,
            until,
        } => Event::FleetDamped {
            sick,
            proven,
            until,
        },
        Event::FleetRecovered => Event::FleetRecovered,
        Event::LimitsUnknown { attempt, retry_at } => Event::LimitsUnknown { attempt, retry_at },
        Event::StartAbandoned { shard } => Event::StartAbandoned { shard },
        Event::Stopped => Event::Stopped,
        Event::Released { shard } => Event::Released { shard },
        other => panic!("unknown event {other:?}"),
    }
}

/// Every shard asks for a slot as soon as it is started, and its session lives from then on.
pub(crate) fn run_all(rig: &mut Rig, until: Instant) {
    let mut answered = 0;
    loop {
        while let Some((_, out)) = rig.log.get(answered).cloned() {
            answered += 1;
            match out {
                Out::Start(shard) => rig.input(Input::WantIdentify { shard }),
                Out::Grant(shard) => rig.input(Input::Ready { shard }),
                _ => {}
            }
        }
        match poll_at(rig) {
            Some(at) if at <= until => rig.run_until(at),
            _ => return,
        }
    }
}

/// The next deadline, without its reason.
pub(crate) fn poll_at(rig: &Rig) -> Option<Instant> {
    rig.fleet.poll_timeout().map(|timeout| timeout.at)
}
