//! What a directed test asks of a world.

use std::collections::BTreeSet;

use core::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::Topology;
use shardkeep_core::fleet::lease::View;

use super::World;

impl World {
    /// The shards that a process may run.
    pub(crate) fn shards_of(&self, at: usize) -> BTreeSet<ShardId> {
        let process = &self.processes[at];
        let shards = process.holder.shards().map(|(shard, _)| shard);
        shards
            .filter(|&shard| process.may_run(self.now, shard))
            .collect()
    }

    /// How many shards each process may run.
    pub(crate) fn counts(&self) -> Vec<usize> {
        (0..self.processes.len())
            .map(|at| self.shards_of(at).len())
            .collect()
    }

    /// The process is gone, and nobody was told.
    pub(crate) fn crash(&mut self, at: usize) {
        self.processes[at].is_alive = false;
    }

    /// The store is started again, empty.
    pub(crate) fn lose_store(&mut self) {
        self.befall(super::Mishap::Away {
            lasts: Duration::from_millis(500),
            is_lost: true,
        });
    }

    /// Somebody sets the clock of the store's server.
    pub(crate) fn step_clock(&mut self, forward: bool, by_ms: u64) {
        self.befall(super::Mishap::ClockStep { forward, by_ms });
    }

    /// What a replica has got by now.
    pub(crate) fn copy_store(&self) -> String {
        self.store.copy()
    }

    /// The replica takes over, with what it had got then.
    pub(crate) fn take_over(&self, copy: &str) {
        self.store.take_over(copy);
    }

    pub(crate) fn retarget(&mut self, at: usize, expected: u64, topology: &Topology) {
        self.processes[at].holder.retarget(expected, topology, None);
        self.plan.topology = topology.clone();
        self.poke(at);
    }

    /// The whole fleet, as one process hears of it.
    pub(crate) fn view(&mut self, at: usize) -> View {
        self.processes[at].holder.ask_for_view();
        self.poke(at);
        self.run_for(Duration::from_secs(2));
        self.processes[at]
            .holder
            .view()
            .cloned()
            .expect("an answer in two seconds")
    }

    /// Goes on in small steps until something is so, and tells how long that took.
    pub(crate) fn run_until_so(&mut self, is_so: impl Fn(&Self) -> bool) -> Duration {
        let begun = self.now;
        while !is_so(self) {
            assert!(self.faults.is_empty(), "{:?}", self.faults);
            assert!(self.now.since(begun) < Duration::from_secs(300), "never");
            self.run_for(Duration::from_millis(10));
        }
        self.now.since(begun)
    }
}
