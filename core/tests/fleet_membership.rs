//! Shards that come and go while the fleet runs: leased, given back, split.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use fleet_harness::{Out, Rig, SPACING, limit, secs, shard};
use shardkeep_core::fleet::{Config, Event, Fleet, Here, Input, Misuse, Phase, Shards};
use shardkeep_core::{Machine, ShardId};

fn told(shards: &str) -> Rig {
    let mut config = Config::new(shards.parse::<Shards>().unwrap());
    config.here = Here::Told;
    let mut rig = Rig::new(Fleet::new(config));
    rig.limits(limit(1000, 1));
    rig.fresh();
    rig
}

fn run(shard: ShardId, resumable: bool) -> Input {
    Input::Run { shard, resumable }
}

fn released(shard: ShardId) -> Out {
    Out::Event(Event::Released { shard })
}

#[test]
fn a_process_that_leases_its_shards_begins_with_none_and_does_not_end() {
    let mut rig = told("auto");
    assert_eq!(rig.fleet.topology().unwrap().len(), 1, "known, not run");
    assert_eq!(rig.fleet.status().shards, 0);
    rig.run_for(secs(3600));
    assert_eq!(rig.count(|out| *out == Out::Event(Event::Stopped)), 0);
    let stranger = Input::Resumable { shard: shard(0, 1) };
    assert_eq!(
        rig.try_input(stranger),
        Err(Misuse::UnknownShard(shard(0, 1)))
    );

    rig.input(Input::Shutdown);
    assert_eq!(rig.fresh().last(), Some(&Out::Event(Event::Stopped)));
    let late = rig.try_input(run(shard(0, 1), true));
    assert_eq!(late, Err(Misuse::StartsNothing(shard(0, 1))));
}

#[test]
fn a_shard_with_a_session_starts_at_once_and_one_without_when_it_is_its_turn() {
    let mut rig = told("8");
    for i in 0..4 {
        rig.input(run(shard(i, 8), false));
    }
    rig.input(run(shard(7, 8), true));
    let started = [(0, 8), (1, 8), (7, 8)].map(|(i, n)| Out::Start(shard(i, n)));
    assert_eq!(
        rig.fresh(),
        started,
        "two rounds ahead, and the one that resumes"
    );
    rig.input(Input::Resumed { shard: shard(7, 8) });
    assert_eq!(rig.grants(), []);
    let again = rig.try_input(run(shard(7, 8), true));
    assert_eq!(again, Err(Misuse::AlreadyStarted(shard(7, 8))));
}

#[test]
fn a_released_shard_is_stopped_and_then_unknown_and_may_come_back() {
    let mut rig = told("2");
    let (one, two) = (shard(0, 2), shard(1, 2));
    rig.input(run(one, true));
    rig.input(run(two, true));
    rig.input(Input::Resumed { shard: one });
    rig.fresh();
    rig.input(Input::Release { shard: one });
    assert_eq!(rig.fresh(), [Out::Stop(one)]);
    assert_eq!(rig.fleet.shard(one).unwrap().phase, Phase::Stopping);
    // It is not gone before its session is.
    assert_eq!(
        rig.try_input(run(one, true)),
        Err(Misuse::AlreadyStarted(one))
    );
    rig.input(Input::Release { shard: one });
    assert_eq!(rig.fresh(), []);
    rig.input(Input::Closed {
        shard: one,
        fatal: false,
    });
    assert_eq!(rig.fresh(), [released(one)]);
    assert!(rig.fleet.shard(one).is_none());
    assert_eq!(rig.fleet.status().shards, 1);
    let gone = rig.try_input(Input::Release { shard: one });
    assert_eq!(gone, Err(Misuse::UnknownShard(one)));

    rig.input(run(one, true));
    assert_eq!(rig.fresh(), [Out::Start(one)]);
}

#[test]
fn a_shard_that_never_started_is_released_at_once() {
    let mut rig = told("100");
    for i in 0..10 {
        rig.input(run(shard(i, 100), false));
    }
    let parked = shard(9, 100);
    assert_eq!(rig.fleet.shard(parked).unwrap().phase, Phase::Parked);
    rig.fresh();
    rig.input(Input::Release { shard: parked });
    assert_eq!(rig.fresh(), [released(parked)]);
    assert_eq!(rig.fleet.status().parked, 7);
}

/// Whoever gives a shard back cannot make its key free: Discord counts by index, whoever runs it.
#[test]
fn the_spacing_of_a_key_outlives_the_shard_that_took_it() {
    let mut rig = told("2");
    let (one, two) = (shard(0, 2), shard(1, 2));
    rig.input(run(one, false));
    rig.input(Input::WantIdentify { shard: one });
    let first = rig.now;
    assert_eq!(rig.grants(), [(first, one)]);
    rig.input(Input::Release { shard: one });
    rig.input(Input::Closed {
        shard: one,
        fatal: false,
    });
    rig.input(run(two, false));
    rig.input(Input::WantIdentify { shard: two });
    rig.run_for(secs(10));
    assert_eq!(rig.grants(), [(first, one), (first + SPACING, two)]);
    assert_eq!(rig.fleet.status().remaining, Some(998));
}

/// A change of shards: the new ones come while the old one serves, and the old one goes.
#[test]
fn shards_of_another_total_run_beside_those_of_the_topology() {
    let mut rig = Rig::with_limits("1", 16);
    let old = shard(0, 1);
    rig.input(Input::WantIdentify { shard: old });
    rig.input(Input::Ready { shard: old });
    rig.fresh();
    for new in [shard(0, 2), shard(1, 2)] {
        rig.input(run(new, false));
        assert_eq!(rig.fresh(), [Out::Start(new)]);
    }
    rig.run_for(SPACING);
    for new in [shard(0, 2), shard(1, 2)] {
        rig.input(Input::WantIdentify { shard: new });
        rig.run_for(SPACING);
        rig.input(Input::Ready { shard: new });
    }
    rig.input(Input::Release { shard: old });
    rig.input(Input::Closed {
        shard: old,
        fatal: false,
    });
    assert_eq!(rig.fleet.status().ready, 2);
    assert_eq!(rig.count(|out| *out == Out::Event(Event::Stopped)), 0);
    let large = ShardId::new(0, 70_000).unwrap();
    let refused = rig.try_input(run(large, false));
    assert_eq!(refused, Err(Misuse::TooManyShards(large)));
}

/// What a predecessor's snapshot says of a shard counts when the shard comes, not before.
#[test]
fn a_predecessors_damping_waits_for_the_shard() {
    let mut rig = told("2");
    let sick = shard(1, 2);
    rig.input(run(sick, false));
    for _ in 0..3 {
        rig.input(Input::WantIdentify { shard: sick });
        rig.run_for(secs(60));
        rig.input(Input::IdentifyRejected { shard: sick });
    }
    let snapshot = rig.fleet.snapshot();
    let mut config = Config::new("2".parse().unwrap());
    config.here = Here::Told;
    let now = rig.now;
    let mut next = Rig::new(Fleet::restore(config, &snapshot, now, secs(0)));
    next.now = now;
    next.limits(limit(1000, 1));
    assert_eq!(next.fleet.snapshot().shards, snapshot.shards);
    next.input(run(sick, false));
    assert_eq!(next.fleet.shard(sick).unwrap().wasted_in_a_row, 3);
}
