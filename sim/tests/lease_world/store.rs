//! The store with the register, the way to it, and what befalls both.

use core::time::Duration;

use shardkeep_core::fleet::lease::REGISTER;
use shardkeep_sim::Instant;
use shardkeep_sim::rush::crew::Ledger as _;

use super::{Clock, Happening, Mishap, World};
use crate::lua_ledger::LuaLedger;

/// Packed values stay in Lua: the last few thousand, copied on the way in and out. JSON takes three times as long.
const PACK: &str = include_str!("../lua_ledger/quick_pack.lua");

pub(super) struct Store {
    lua: LuaLedger,
    clock: Clock,
    /// How far its clock was ever ahead.
    furthest: u64,
    /// Nobody reaches it until then.
    pub(super) away_until: Instant,
}

impl Store {
    pub(super) fn new(clock: Clock) -> Self {
        let lua = LuaLedger::new(REGISTER);
        lua.lua.load(PACK).exec().expect("it compiles");
        Self {
            lua,
            clock,
            furthest: clock.offset,
            away_until: Instant::ZERO,
        }
    }

    /// What a copy of the store would hold that gets nothing any more.
    pub(super) fn copy(&self) -> String {
        let get = "return redis.call('GET', 'leases')";
        self.lua.lua.load(get).eval().expect("there is a register")
    }

    /// The copy takes over.
    pub(super) fn take_over(&self, copy: &str) {
        let set = format!("redis.call('SET', 'leases', '{copy}', 'PX', 99999999)");
        self.lua.lua.load(set).exec().expect("it is set");
    }

    fn run(&mut self, now: Instant, argument: &str) -> String {
        let now = self.clock.local(now);
        self.lua.run(now, &["leases".to_owned()], argument)
    }
}

impl World {
    fn way(&mut self) -> Duration {
        // Now and then something is late by far.
        let (low, high) = match self.rng.below(100) {
            0 if self.is_faulty() => (1_000, 30_000),
            1 | 2 if self.is_faulty() => (200, 4_000),
            _ => (1, 15),
        };
        self.between(low, high)
    }

    fn is_cut_off(&self, by: usize) -> bool {
        let process = &self.processes[by];
        let is_cut_off = process.slow_until <= self.now && self.now < process.cut_off_until;
        is_cut_off || self.now < self.store.away_until
    }

    /// An exchange sets out. It may be lost, and it may arrive twice.
    pub(super) fn send(&mut self, by: usize, argument: String) {
        let dice = if self.is_faulty() {
            self.rng.below(50)
        } else {
            49
        };
        if dice == 0 {
            if self.rng.below(2) == 0 {
                self.plan_in(20, 3_000, Happening::Answered { by, answer: None });
            }
            return;
        }
        if dice == 1 {
            let way = self.way();
            let argument = argument.clone();
            self.plan_at(self.now + way, Happening::Asked { by, argument });
        }
        let way = self.way();
        self.plan_at(self.now + way, Happening::Asked { by, argument });
    }

    pub(super) fn asked(&mut self, by: usize, argument: &str) {
        if self.is_cut_off(by) {
            return;
        }
        self.exchanges += 1;
        let answer = self.store.run(self.now, argument);
        let dice = if self.is_faulty() {
            self.rng.below(50)
        } else {
            49
        };
        for copy in 0..2 {
            let is_sent = match dice {
                0 => false,
                1 => true,
                _ => copy == 0,
            };
            if is_sent {
                let way = match self.now < self.processes[by].slow_until {
                    true => self.between(0, 6_000),
                    false => self.way(),
                };
                let answer = Some(answer.clone());
                self.plan_at(self.now + way, Happening::Answered { by, answer });
            }
        }
    }

    pub(super) fn befall(&mut self, mishap: Mishap) {
        self.trace(&format!("{mishap:?}"));
        match mishap {
            Mishap::Crash { member } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].is_alive = false;
                    self.last_move = self.now;
                }
            }
            Mishap::Restart {
                member,
                is_new_name,
            } => {
                let dead = |at: &usize| !self.processes[*at].is_alive;
                let dead: Vec<usize> = (0..self.processes.len()).filter(dead).collect();
                if let Some(&by) = dead.get(member % dead.len().max(1)) {
                    let old = &self.processes[by];
                    let mut name = old.name.clone();
                    if is_new_name {
                        name.push('+');
                    }
                    let (capacity, is_standby) = (old.capacity, old.is_standby);
                    self.start(name, capacity, is_standby);
                }
            }
            Mishap::Leave { member } => {
                if let Some(by) = self
                    .pick(member)
                    .filter(|&by| !self.processes[by].is_paused(self.now))
                {
                    self.leave(by);
                }
            }
            Mishap::Pause { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].paused_until = Some(self.now + lasts);
                }
            }
            Mishap::CutOff { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    let slow = self.between(0, 5_000);
                    self.processes[by].slow_until = self.now + slow;
                    self.processes[by].cut_off_until = self.now + slow + lasts;
                }
            }
            Mishap::Away { lasts, is_lost } => {
                self.store.away_until = self.now + lasts;
                if is_lost {
                    self.store.lua.lose();
                    // The next one's clock is not behind all that were before: no member may be left that knows.
                    self.store.clock.offset = self.store.furthest;
                }
            }
            Mishap::ClockStep { forward, by_ms } => {
                let offset = &mut self.store.clock.offset;
                *offset = match forward {
                    true => *offset + by_ms * 1_000,
                    false => *offset - by_ms * 1_000,
                };
                self.store.furthest = self.store.furthest.max(*offset);
            }
        }
    }

    /// One of the processes that live.
    fn pick(&self, member: usize) -> Option<usize> {
        let alive = (0..self.processes.len()).filter(|&at| self.processes[at].is_alive);
        let alive: Vec<usize> = alive.collect();
        alive.get(member % alive.len().max(1)).copied()
    }

    /// A process gets SIGTERM.
    pub(crate) fn leave(&mut self, by: usize) {
        let process = &mut self.processes[by];
        process.is_leaving = true;
        let local = process.clock.local(self.now);
        process.holder.leave(local);
        self.poke(by);
    }
}
