//! Many processes that are one bot, around the register's own script: never two holders of a shard, whatever happens.
//!
//! `SHARDKEEP_SEED=7` runs one seed and prints all that happens; `SHARDKEEP_SEEDS=2000` runs as many.

mod lease_world;
mod lua_ledger;

use std::collections::BTreeSet;

use core::time::Duration;

use lease_world::{Plan, World};
use lua_ledger::LuaLedger;
use shardkeep_core::fleet::lease::{Holder, LeaseConfig, REGISTER, Step};
use shardkeep_core::fleet::{SessionStartLimit, Shards, Topology};
use shardkeep_core::{Instant, ShardId};
use shardkeep_sim::rush::crew::Ledger as _;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_shard_ever_has_two_holders_and_calm_brings_even_shares() {
    let seeds = match number("SHARDKEEP_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SHARDKEEP_SEEDS").unwrap_or(64),
    };
    let (mut exchanges, mut takes, mut identifies) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in seeds {
        let world = World::run(seed);
        exchanges += world.exchanges;
        takes += world.takes;
        identifies += world.discord.identifies;
        if !world.faults.is_empty() {
            wrong.push(format!("seed {seed}: {:?}", world.faults));
        }
    }
    eprintln!("{exchanges} exchanges, {takes} leases, {identifies} identifies");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A fleet that has found its shares.
fn settled(shards: u32, members: usize) -> World {
    let mut world = World::new(Plan::quiet(1, shards, members));
    world.run_for(secs(20));
    assert_eq!(world.counts().iter().sum::<usize>(), shards as usize);
    world
}

fn finish(mut world: World) {
    world.run_for(secs(40));
    if world.faults.is_empty() {
        world.check_calm();
    }
    assert!(world.faults.is_empty(), "{:?}", world.faults);
}

#[test]
fn a_new_fleet_shares_evenly_at_once_and_moves_nothing() {
    let world = settled(64, 4);
    assert_eq!(world.counts(), [16; 4]);
    assert_eq!(world.takes, 64);
    finish(world);
}

#[test]
fn what_a_leaver_has_is_taken_within_a_few_exchanges() {
    let mut world = settled(64, 4);
    world.leave(2);
    let took = world.run_until_so(|world| world.processes[2].holder.has_left());
    assert!(took < secs(2), "{took:?}");
    let took = world.run_until_so(|world| world.counts().iter().sum::<usize>() == 64);
    assert!(took < secs(2), "{took:?}");
    assert_eq!(world.counts()[2], 0);
    finish(world);
}

#[test]
fn who_is_started_again_under_its_name_has_its_shards_again_and_no_other_moves() {
    let mut world = settled(60, 4);
    let before = world.shards_of(1);
    let takes = world.takes;
    world.crash(1);
    world.run_for(secs(4));
    let again = world.start("bot-1".to_owned(), 64, false);
    let took = world.run_until_so(|world| world.shards_of(again).len() == before.len());
    assert!(took < secs(8), "{took:?}");
    assert_eq!(world.shards_of(again), before);
    assert_eq!(world.takes - takes, 15);
    finish(world);
}

#[test]
fn who_comes_back_too_late_gets_as_many_as_it_should_have_a_few_at_a_time() {
    let mut world = settled(60, 4);
    world.crash(1);
    world.run_for(secs(30));
    assert_eq!(world.counts(), [20, 0, 20, 20]);
    let again = world.start("bot-1".to_owned(), 64, false);
    let took = world.run_until_so(|world| world.counts()[again] == 15);
    assert!(secs(3) < took && took < secs(12), "{took:?}");
    finish(world);
}

#[test]
fn a_standby_takes_what_the_others_have_no_room_for() {
    let mut plan = Plan::quiet(3, 100, 3);
    plan.members[2].is_standby = true;
    let mut world = World::new(plan);
    world.run_for(secs(20));
    assert_eq!(world.counts(), [50, 50, 0]);
    world.crash(0);
    world.run_for(secs(20));
    assert_eq!(world.counts(), [0, 64, 36]);
    world.start("bot-0".to_owned(), 64, false);
    world.run_for(secs(60));
    assert_eq!(world.counts(), [0, 50, 0, 50]);
    finish(world);
}

#[test]
fn shares_are_in_proportion_to_capacity() {
    let mut plan = Plan::quiet(4, 30, 3);
    for (member, capacity) in plan.members.iter_mut().zip([10, 20, 30]) {
        member.capacity = capacity;
    }
    let mut world = World::new(plan);
    world.run_for(secs(20));
    assert_eq!(world.counts(), [5, 10, 15]);
    finish(world);
}

#[test]
fn shards_go_to_the_label_they_prefer() {
    let mut plan = Plan::quiet(6, 16, 4);
    for (label, shards) in [("1", "0-3/16"), ("3", "8-10/16"), ("7", "12/16")] {
        let shards: Shards = shards.parse().expect("a list");
        plan.prefer.insert(label.to_owned(), shards.resolve(1));
    }
    let mut world = World::new(plan);
    world.run_for(secs(20));
    assert_eq!(world.counts(), [4; 4]);
    let runs = |at: usize, index| {
        let shard = ShardId::new(index, 16).expect("below 16");
        world.shards_of(at).contains(&shard)
    };
    assert!((0..4).all(|index| runs(1, index)));
    assert!((8..11).all(|index| runs(3, index)));
    finish(world);
}

/// What was said of shards holds for what a split makes of them.
#[test]
fn parts_of_shards_go_where_the_whole_ones_would() {
    let mut plan = Plan::quiet(7, 16, 4);
    let class: Shards = "2/4".parse().expect("a list");
    plan.prefer.insert("2".to_owned(), class.resolve(1));
    let mut world = World::new(plan);
    world.run_for(secs(20));
    assert_eq!(world.counts(), [4; 4]);
    let parts = [2, 6, 10, 14].map(|index| ShardId::new(index, 16).expect("below 16"));
    let parts = BTreeSet::from(parts);
    assert_eq!(world.shards_of(2), parts);
    finish(world);
}

/// After an outage everybody wants to identify at once.
#[test]
fn the_busiest_shards_are_permitted_first() {
    let mut register = LuaLedger::new(REGISTER);
    let mut config = LeaseConfig::new("one".to_owned(), 1, 4);
    config.propose = Some(Topology::whole(4).expect("a total"));
    let mut holder = Holder::new(config);
    let (mut now, mut permitted) = (Instant::ZERO, Vec::new());
    while permitted.len() < 4 {
        assert!(now < Instant::from_secs(120), "{permitted:?}");
        now += Duration::from_millis(20);
        holder.handle_timeout(now);
        while let Some(step) = holder.poll_step() {
            match step {
                Step::Permit { shard } => {
                    holder.permit_sent(shard);
                    permitted.push(shard.index());
                }
                Step::FetchLimits => holder.limits(now, limits()),
                _ => {}
            }
        }
        // Permits begin a while after the register.
        if now == Instant::from_secs(30) {
            for (shard, _) in holder.shards().collect::<Vec<_>>() {
                holder.activity(shard, [3, 900, 5, 70_000][shard.index() as usize]);
                holder.want_permit(shard);
            }
        }
        if let Some(exchange) = holder.exchange(now) {
            let answer = register.run(now, &exchange.keys, &exchange.argument);
            let heeded = holder.answered(now, Some(answer.as_bytes()));
            assert_eq!(heeded, Ok(()), "{answer}");
        }
    }
    assert_eq!(permitted, [3, 1, 2, 0]);
}

const fn limits() -> SessionStartLimit {
    SessionStartLimit {
        total: 1_000,
        remaining: 1_000,
        reset_after_ms: 86_400_000,
        max_concurrency: 1,
    }
}

#[test]
fn the_register_may_be_lost_and_nobody_loses_a_shard() {
    let mut world = settled(64, 4);
    let takes = world.takes;
    world.lose_store();
    world.run_for(secs(30));
    assert_eq!(world.takes, takes);
    world.crash(3);
    world.run_for(secs(20));
    assert_eq!(world.counts().iter().sum::<usize>(), 64);
    finish(world);
}

#[test]
fn a_copy_that_takes_over_and_lags_behind_gives_nothing_out_twice() {
    let mut world = settled(16, 4);
    let copy = world.copy_store();
    world.leave(0);
    world.run_for(secs(3));
    let counts = world.counts();
    assert_eq!(counts.iter().sum::<usize>(), 16);
    world.take_over(&copy);
    // In the copy the leaver still has its shards; who holds them has the greater tokens.
    let takes = world.takes;
    world.run_for(secs(30));
    assert_eq!((world.counts(), world.takes), (counts, takes));
    finish(world);
}

#[test]
fn a_clock_that_is_set_ends_no_lease() {
    for (forward, by_ms) in [(true, 3_600_000), (false, 3_600_000), (true, 1_500)] {
        let mut world = settled(32, 4);
        let takes = world.takes;
        world.step_clock(forward, by_ms);
        world.run_for(secs(60));
        assert_eq!(world.takes, takes);
        world.crash(1);
        world.run_for(secs(30));
        assert_eq!(world.counts().iter().sum::<usize>(), 32);
        finish(world);
    }
}

#[test]
fn two_processes_of_one_name_are_two_members() {
    let mut world = settled(30, 2);
    world.start("bot-0".to_owned(), 64, false);
    world.run_for(secs(40));
    assert_eq!(world.counts(), [10, 10, 10]);
    finish(world);
}

#[test]
fn a_topology_is_set_once_for_all_and_may_be_changed_by_one() {
    let mut world = settled(8, 2);
    let both: Shards = "0-7/8;0-15/16".parse().expect("two totals");
    let both: Topology = both.resolve(1);
    world.retarget(1, 1, &both);
    world.run_for(secs(10));
    assert_eq!(world.counts(), [12, 12]);
    world.retarget(0, 2, &Topology::whole(16).expect("a total"));
    world.run_for(secs(10));
    assert_eq!(world.counts(), [8, 8]);
    let view = world.view(1);
    assert_eq!((view.revision, view.topology.as_str()), (3, "16"));
    // The revision has moved on: nothing comes of it.
    world.processes[1].holder.retarget(2, &both, None);
    world.run_for(secs(10));
    assert_eq!(world.counts(), [8, 8]);
    finish(world);
}

#[test]
fn the_view_tells_all_there_is() {
    let mut world = settled(16, 3);
    world.processes[1].holder.set_status("all \"well\"/fine");
    world.run_for(secs(2));
    let view = world.view(0);
    assert_eq!(
        (view.members.len(), view.leases.len(), view.opens_in_ms),
        (3, 16, 0)
    );
    assert!(view.members.iter().all(|member| member.seen_ms <= 2_000));
    assert_eq!(
        view.members.iter().map(|member| member.shards).sum::<u32>(),
        16
    );
    let told = view.members.iter().find(|member| member.name == "bot-1");
    assert_eq!(told.expect("it is there").status, "all \"well\"/fine");
    let account = view.account.expect("somebody has asked Discord");
    assert_eq!((account.total, account.max_concurrency), (1_000, 1));
    assert!(account.remaining < 1_000);
    let text = serde_json::to_string(&view.leases[3]).expect("a lease");
    assert!(text.starts_with(r#"{"shard":"3/16","token":17"#), "{text}");
    assert!(text.ends_with(r#","giving":false}"#), "{text}");
    finish(world);
}

#[test]
fn everybody_identifies_in_turn() {
    let mut plan = Plan::quiet(5, 24, 3);
    plan.max_concurrency = 2;
    let mut world = World::new(plan);
    let took = world.run_until_so(|world| world.discord.identifies >= 24);
    // A term and what may be under way, then 12 for each key.
    assert!(took < secs(12 + 12 * 6 + 5), "{took:?}");
    finish(world);
}
