//! A change over several processes, in a small world: whoever dies, whatever is lost, it ends with an exact cover.

mod process;
mod register;
mod side;
mod world;
mod written;

use alloc::format;
use alloc::string::String;

use super::{Course, Steer};
use crate::fleet::reshard::{Outcome, Stage};
use crate::fleet::{Serving, Target, Topology};
use crate::id::{ShardId, Snowflake};

use world::{Weather, World};

pub(super) fn shard(index: u32, total: u32) -> ShardId {
    ShardId::new(index, total).unwrap()
}

/// What serves before, and what it is to lead to.
pub(super) fn changes() -> [(Serving, Target); 7] {
    let plain = |total| Serving::new(Topology::whole(total).unwrap(), []).unwrap();
    [
        (plain(2), Target::Shards(4)),
        (plain(4), Target::Shards(2)),
        (plain(2), Target::Shards(3)),
        (plain(3), Target::Generation(4)),
        (plain(3), Target::Split(shard(1, 3))),
        (plain(4), Target::Merge(shard(0, 4))),
        (plain(1), Target::Shards(6)),
    ]
}

/// Where the change is, as the register has it.
fn at(world: &World) -> Option<(Stage, bool)> {
    let course = world.register.course.as_ref()?;
    Some((course.stage, course.is_prepared))
}

#[test]
fn without_mishaps_every_change_ends_with_all_steps_taken() {
    for (number, (before, target)) in changes().into_iter().enumerate() {
        for processes in 1..=4 {
            let mut world = World::new(number as u64, processes, &before);
            world.begin(processes - 1, &before, target);
            world.settle();
            let course = world.register.course.as_ref().unwrap();
            assert!(course.ended.as_ref().unwrap().is_done, "{target:?}");
            assert_eq!(course.taken, course.steps);
            assert_eq!(world.outcome, Some(Outcome::Done));
            assert_eq!(world.takeovers, 0);
        }
    }
}

#[test]
fn a_leader_may_die_at_every_stage_and_another_ends_what_it_began() {
    let stages = [
        (Stage::Starting, false),
        (Stage::Starting, true),
        (Stage::Switching, true),
        (Stage::Stopping, true),
        (Stage::RollingBack, true),
        (Stage::Between, true),
    ];
    let mut all = [0; 6];
    for (nth, stage) in stages.into_iter().enumerate() {
        for (number, (before, target)) in changes().into_iter().enumerate() {
            for delay in 0..8 {
                let seed = 1_000 * nth as u64 + 100 * number as u64 + delay;
                let mut world = World::new(seed, 3, &before);
                world.begin(0, &before, target);
                all[nth] += usize::from(dies_at(&mut world, stage, delay));
            }
        }
    }
    assert!(all.iter().all(|times| *times > 5), "{all:?}");
}

/// Lets the leader die some ticks after the register came to the stage. Whether another one led on.
fn dies_at(world: &mut World, stage: (Stage, bool), delay: u64) -> bool {
    let until = world.now + 120_000;
    while !world.is_over() && world.now < until {
        world.tick();
        let undoes = stage.0 == Stage::RollingBack;
        if undoes && at(world) == Some((Stage::Starting, true)) {
            world.steer(0, Steer::Abort);
        }
        if at(world) == Some(stage) {
            (0..delay).for_each(|_| world.tick());
            if let Some(by) = world.leading() {
                world.kill(by, delay.is_multiple_of(2));
            }
            break;
        }
    }
    world.settle();
    world.takeovers > 0
}

#[test]
fn letters_and_answers_may_be_lost_and_late_and_come_twice() {
    for (number, (before, target)) in changes().into_iter().enumerate() {
        for seed in 0..12 {
            let mut world = World::new(seed * 10 + number as u64, 3, &before);
            world.weather = Weather {
                letters: 2,
                exchanges: 8,
            };
            world.begin(0, &before, target);
            for _ in 0..600 {
                world.tick();
            }
            world.settle();
            let course = world.register.course.as_ref().unwrap();
            assert!(course.ended.as_ref().unwrap().is_done, "{target:?} {seed}");
        }
    }
}

/// Where nothing is to be switched, the step is over before every process has heard that it may be.
#[test]
fn a_session_without_guilds_joins_though_its_process_missed_the_moment() {
    let before = Serving::new(Topology::whole(13).unwrap(), []).unwrap();
    for seed in 0..8 {
        let mut world = World::new(seed, 5, &before);
        world.begin(0, &before, Target::Shards(26));
        world.settle();
        let course = world.register.course.as_ref().unwrap();
        assert!(course.ended.as_ref().unwrap().is_done, "{seed}");
    }
}

/// Everything at once, as the seed says.
fn anything(seed: u64) -> (World, Target) {
    let changes = changes();
    let (before, target) = changes[usize::try_from(seed % 7).unwrap()].clone();
    let mut world = World::new(seed, 2 + usize::try_from(seed % 4).unwrap(), &before);
    let letters = [0, 2, 5][world.pick(3)];
    let exchanges = [0, 6, 20][world.pick(3)];
    world.weather = Weather { letters, exchanges };
    world.begin(0, &before, target);
    let refuses = world.pick(8) == 0;
    for _ in 0..world.pick(900) + 50 {
        world.tick();
        match world.pick(400) {
            0 => {
                if let Some(by) = world.leading() {
                    world.kill(by, true);
                }
            }
            1 => {
                let by = world.pick(world.processes.len());
                if world.processes[by].is_alive {
                    world.kill(by, true);
                }
            }
            2 => world.steer(0, Steer::Pause),
            3 if world.pick(4) == 0 => world.steer(0, Steer::Abort),
            4..=6 => {
                let last = world.processes.len() - 1;
                world.steer(last, Steer::Resume);
            }
            _ => {}
        }
        if refuses && world.refused.is_none() {
            let step = world
                .register
                .course
                .as_ref()
                .and_then(|course| course.step.as_ref());
            world.refused = step.and_then(|step| step.start().first().copied());
        }
    }
    // A process that is left wants it to end.
    if let Some(by) = world.processes.iter().position(|process| process.is_alive)
        && world.register.course.is_some()
    {
        world.weather = Weather {
            letters: 0,
            exchanges: 0,
        };
        for _ in 0..300 {
            world.steer(by, Steer::Resume);
            world.tick();
        }
    }
    (world, target)
}

#[test]
fn whatever_happens_it_ends_and_every_guild_has_its_session() {
    let (mut done, mut not) = (0, 0);
    let mut takeovers = 0;
    let mut stages = alloc::collections::BTreeSet::new();
    for seed in 0..600 {
        let (mut world, target) = anything(seed);
        if world.register.course.is_none() {
            // Whoever wanted it died before anybody heard of it.
            continue;
        }
        world.settle();
        let course = world.register.course.as_ref().unwrap();
        let ended = course.ended.as_ref().unwrap();
        (done, not) = match ended.is_done {
            true => (done + 1, not),
            false => (done, not + 1),
        };
        assert!(!ended.outcome.is_empty(), "{target:?} {seed}");
        takeovers += world.takeovers;
        stages.extend(world.register.stages);
    }
    assert!(done > 200 && not > 20, "{done} done, {not} not");
    assert!(takeovers > 100, "{takeovers}");
    assert_eq!(stages.len(), 9, "{stages:?}");
}

#[test]
fn a_session_that_discord_refuses_undoes_its_step() {
    let (before, target) = changes()[0].clone();
    let mut world = World::new(3, 3, &before);
    world.begin(0, &before, target);
    world.refused = Some(shard(0, 4));
    world.settle();
    let course = world.register.course.as_ref().unwrap();
    assert_eq!(world.outcome, Some(Outcome::Refused(shard(0, 4))));
    assert_eq!((&course.serving, course.taken), (&before, 0));
}

#[test]
fn a_pause_holds_the_guilds_and_an_abort_in_the_middle_ends_the_step() {
    let (before, target) = changes()[0].clone();
    let mut world = World::new(5, 3, &before);
    world.begin(0, &before, target);
    while at(&world) != Some((Stage::Switching, true)) {
        world.tick();
    }
    world.steer(1, Steer::Pause);
    (0..300).for_each(|_| world.tick());
    let course = world.register.course.clone().unwrap();
    assert!(course.is_paused && !course.may_ask && !world.is_over());
    world.steer(2, Steer::Abort);
    (0..50).for_each(|_| world.tick());
    world.steer(1, Steer::Resume);
    world.settle();
    let course = world.register.course.as_ref().unwrap();
    assert_eq!((course.taken, world.outcome), (1, Some(Outcome::Aborted)));
    assert_ne!(course.serving, before);
}

#[test]
fn an_overlay_takes_its_guild_and_the_rest_stays() {
    let before = Serving::new(Topology::whole(2).unwrap(), []).unwrap();
    let guild = Snowflake(5 << 22 | 1);
    let mut world = World::new(8, 3, &before);
    world.begin(1, &before, Target::Isolate(guild));
    world.settle();
    let course: &Course = world.register.course.as_ref().unwrap();
    assert!(course.ended.as_ref().unwrap().is_done, "{course:?}");
    let with = course.serving.clone();
    let overlay = with.overlays()[0];
    assert_eq!(with.shard_of(guild), overlay, "{}", with);
    let told: String = format!("{:?}", world.register.stages);
    assert!(told.contains("switching"), "{told}");
}
