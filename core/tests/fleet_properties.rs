//! Under any schedule: spacing holds, the reserve stays, nobody is granted unasked or starves.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use std::time::Duration;

use fleet_harness::world::{DAY, RESERVE, Step, World};
use fleet_harness::{Rig, secs};
use proptest::prelude::*;
use shardkeep_core::fleet::{Config, Fleet, Input, Phase, SessionStartLimit, Shards, Topology};
use shardkeep_core::{Machine, ShardId};

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
        2 => who.clone().prop_map(Step::Run),
        1 => who.clone().prop_map(Step::Release),
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
        inputs in proptest::collection::vec((0..15_u8, 0..64_usize, any::<u32>(), 0..20_000_u64), 1..300),
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
                12 => Input::Run { shard, resumable: number % 2 == 0 },
                13 => Input::Release { shard },
                14 => Input::Activity { shard, events: ms },
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
