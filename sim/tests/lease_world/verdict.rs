//! What must be so when it has been calm for a while.

use std::collections::BTreeSet;

use core::time::Duration;

use super::{Plan, Process, World};

/// Nothing moved for so long at the end of the calm.
const STILL: Duration = Duration::from_secs(12);

impl World {
    /// Runs what a seed draws, and tells everything that is wrong.
    pub(crate) fn run(seed: u64) -> Self {
        let plan = Plan::draw(seed);
        let end = plan.calm_from + plan.calm;
        let mut world = Self::new(plan);
        world.run_until(shardkeep_sim::Instant::ZERO + end);
        if world.faults.is_empty() {
            world.check_calm();
        }
        world
    }

    /// Who takes part at the end.
    fn there(&self) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(|process| process.is_alive && !process.is_leaving)
    }

    /// Every shard is held that there is room for, shares are even, and nothing moves.
    pub(crate) fn check_calm(&mut self) {
        let now = self.now;
        let shards = self.plan.topology.len();
        let mut held = BTreeSet::new();
        for process in self.there() {
            let runs = process.holder.shards().map(|(shard, _)| shard);
            held.extend(runs.filter(|&shard| process.may_run(now, shard)));
        }
        let capacity = |is_standby| {
            let there = self
                .there()
                .filter(|process| process.is_standby == is_standby);
            there
                .map(|process| process.capacity as usize)
                .sum::<usize>()
        };
        let (active, standby) = (capacity(false), capacity(true));
        let mut wrong = Vec::new();
        let possible = shards.min(active + standby);
        if held.len() != possible {
            wrong.push(format!("{} of {possible} shards are held", held.len()));
        }
        for process in self.there() {
            let (shards, sum) = match process.is_standby {
                false => (shards.min(active), active),
                true => (shards.saturating_sub(active).min(standby), standby),
            };
            let share = shards as f64 * f64::from(process.capacity) / sum as f64;
            let has = f64::from(process.count(now));
            if (has - share).abs() >= 1.0 {
                wrong.push(format!("{} has {has} of a share of {share}", process.name));
            }
        }
        if self.last_move + STILL > now {
            wrong.push(format!("a shard moved at {}", self.last_move));
        }
        self.faults.append(&mut wrong);
    }
}
