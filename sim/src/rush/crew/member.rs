//! One member of a crew: a scheduler and what its process would keep.

use std::collections::BTreeMap;

use core::time::Duration;

use shardkeep_core::rest::pool::{PoolConfig, PoolStats};
use shardkeep_core::rest::{Auth, Config, Input, RequestId, Scheduler};
use shardkeep_core::{Instant, Machine};

/// The credentials of every request.
pub(super) const AUTH: Auth = Auth(1);

/// How long a member lives on its share at most: short enough that runs see it end.
pub(super) const AWAY: Duration = Duration::from_secs(30);

/// A process.
pub(super) struct Member {
    pub(super) scheduler: Scheduler,
    /// Requests that are not finished, and when they were submitted.
    pub(super) open: BTreeMap<u64, Instant>,
    /// What is on the wire, by the number of the sending.
    pub(super) flying: BTreeMap<u64, RequestId>,
    /// The exchange under way, by its number.
    pub(super) exchange: Option<u64>,
    /// Its own clock is so far ahead of the world's.
    epoch: Duration,
    pub(super) is_alive: bool,
    names: u32,
    /// What earlier processes of this place did.
    pub(super) past: PoolStats,
}

impl Member {
    pub(super) fn new(at: usize, global: u32, seed: u64, now: Instant) -> Self {
        let epoch = Duration::from_millis(seed.wrapping_mul(7_919) % 100_000);
        let mut member = Self {
            scheduler: Scheduler::new(Config::default(), now),
            open: BTreeMap::new(),
            flying: BTreeMap::new(),
            exchange: None,
            epoch,
            is_alive: true,
            names: 0,
            past: PoolStats::default(),
        };
        member.start(at, global, seed, now, false);
        member
    }

    /// A new process in this place.
    pub(super) fn start(
        &mut self,
        at: usize,
        global: u32,
        seed: u64,
        now: Instant,
        under_new_name: bool,
    ) {
        self.names += u32::from(under_new_name);
        let name = format!("member {at}.{}", self.names);
        let mut config = Config::default();
        config.global_limit = global;
        config.max_in_flight = 64;
        config.reserved_in_flight = 16;
        config.queue_size = 5_000;
        config.seed = seed;
        let mut pool = PoolConfig::new(name, seed);
        pool.away = AWAY;
        config.pool = Some(pool);
        let now = self.local(now);
        self.scheduler = Scheduler::new(config, now);
        let pooled = Input::Pooled {
            auth: AUTH,
            name: 77,
        };
        self.scheduler
            .handle_input(now, pooled)
            .expect("an identity may be shared at any time");
        self.is_alive = true;
        self.exchange = None;
    }

    /// The process is gone, with everything it knew.
    pub(super) fn crash(&mut self) -> usize {
        if let Some(status) = self.scheduler.pool() {
            let past = &mut self.past;
            past.on_share += status.stats.on_share;
            past.exchanges += status.stats.exchanges;
            past.aways += status.stats.aways;
            past.rejoined += status.stats.rejoined;
        }
        self.is_alive = false;
        self.exchange = None;
        self.flying.clear();
        std::mem::take(&mut self.open).len()
    }

    /// A moment of the world by this member's clock.
    pub(super) fn local(&self, at: Instant) -> Instant {
        at + self.epoch
    }

    /// The same the other way.
    pub(super) fn global(&self, at: Instant) -> Instant {
        Instant::ZERO + at.since(Instant::ZERO + self.epoch)
    }

    pub(super) fn feed(&mut self, now: Instant, input: Input<'_>) -> bool {
        let now = self.local(now);
        self.scheduler.handle_input(now, input).is_ok()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        let timeout = self.scheduler.poll_timeout().filter(|_| self.is_alive)?;
        Some(self.global(timeout.at))
    }
}
