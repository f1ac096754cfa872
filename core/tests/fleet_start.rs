//! Starting, resuming, refusing and stopping.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use fleet_harness::{Out, Rig, limit, secs, shard};
use shardkeep_core::fleet::{Event, Input, Misuse, Phase, Shards};
use shardkeep_core::{Machine, ShardId};

fn starts(outs: &[Out]) -> Vec<ShardId> {
    let start = |out: &Out| match out {
        Out::Start(shard) => Some(*shard),
        _ => None,
    };
    outs.iter().filter_map(start).collect()
}

fn stops(outs: &[Out]) -> Vec<ShardId> {
    let stop = |out: &Out| match out {
        Out::Stop(shard) => Some(*shard),
        _ => None,
    };
    outs.iter().filter_map(stop).collect()
}

#[test]
fn auto_takes_what_discord_recommends() {
    let mut rig = Rig::of("auto");
    assert_eq!(rig.fresh(), [Out::Fetch]);
    assert!(rig.fleet.topology().is_none());
    let early = Input::WantIdentify {
        shard: ShardId::SINGLE,
    };
    assert_eq!(
        rig.try_input(early),
        Err(Misuse::UnknownShard(ShardId::SINGLE))
    );

    rig.input(Input::Resumable { shard: shard(1, 3) });
    rig.input(Input::Resumable { shard: shard(1, 2) });
    rig.input(Input::Limits {
        shards: 3,
        limit: limit(1000, 1),
    });
    let fresh = rig.fresh();
    assert!(fresh.contains(&Out::Resolved(Shards::Auto.resolve(3))));
    assert!(fresh.contains(&Out::Event(Event::SessionForeign { shard: shard(1, 2) })));
    assert_eq!(starts(&fresh), [shard(1, 3), shard(0, 3), shard(2, 3)]);

    rig.input(Input::Limits {
        shards: 9,
        limit: limit(1000, 1),
    });
    assert_eq!(
        rig.fleet.status().shards,
        3,
        "a later recommendation changes nothing"
    );
}

#[test]
fn auto_asks_until_it_is_answered() {
    let mut rig = Rig::of("auto");
    rig.input(Input::LimitsFailed { retry_after: None });
    rig.run_for(secs(2));
    assert_eq!(rig.count(|out| *out == Out::Fetch), 2);
    rig.input(Input::Limits {
        shards: 0,
        limit: limit(1000, 1),
    });
    assert_eq!(
        rig.fleet.status().shards,
        1,
        "a recommendation of 0 is read as 1"
    );
}

#[test]
fn shards_start_a_few_rounds_ahead_of_their_slots() {
    let mut rig = Rig::with_limits("1000", 4);
    assert_eq!(
        starts(&rig.fresh()),
        (0..8).map(|i| shard(i, 1000)).collect::<Vec<_>>()
    );
    for i in 0..8 {
        rig.input(Input::WantIdentify {
            shard: shard(i, 1000),
        });
    }
    // Four were granted, four wait: there is room for four more.
    assert_eq!(
        starts(&rig.fresh()),
        (8..12).map(|i| shard(i, 1000)).collect::<Vec<_>>()
    );
    assert_eq!(rig.fleet.status().parked, 988);
}

#[test]
fn a_shard_that_does_not_come_up_blocks_the_others_for_a_while_only() {
    let mut rig = Rig::with_limits("5", 1);
    assert_eq!(starts(&rig.fresh()).len(), 2);
    rig.run_for(secs(29));
    assert_eq!(starts(&rig.fresh()).len(), 0);
    rig.run_for(secs(1));
    assert_eq!(starts(&rig.fresh()), [shard(2, 5), shard(3, 5)]);
}

#[test]
fn shards_that_can_resume_start_at_once() {
    let mut rig = Rig::of("100");
    for i in 50..100 {
        rig.input(Input::Resumable {
            shard: shard(i, 100),
        });
    }
    assert_eq!(starts(&rig.fresh()).len(), 50, "without limits or slots");
    rig.limits(limit(1000, 1));
    assert_eq!(starts(&rig.fresh()), [shard(0, 100), shard(1, 100)]);
    let started = shard(0, 100);
    let late = rig.try_input(Input::Resumable { shard: started });
    assert_eq!(late, Err(Misuse::AlreadyStarted(started)));

    rig.input(Input::Resumed {
        shard: shard(50, 100),
    });
    assert_eq!(rig.fleet.shard(shard(50, 100)).unwrap().phase, Phase::Ready);
    assert!(rig.grants().is_empty());
}

#[test]
fn a_resume_that_fails_takes_its_place_in_the_queue() {
    let mut rig = Rig::of("2");
    rig.input(Input::Resumable { shard: shard(1, 2) });
    rig.limits(limit(1000, 1));
    rig.input(Input::WantIdentify { shard: shard(1, 2) });
    assert_eq!(rig.grants(), [(rig.now, shard(1, 2))]);
    assert_eq!(rig.fleet.status().wasted_today, 0);
}

#[test]
fn all_ready_is_said_once() {
    let mut rig = Rig::with_limits("2", 2);
    for i in 0..2 {
        rig.input(Input::WantIdentify { shard: shard(i, 2) });
        rig.input(Input::Ready { shard: shard(i, 2) });
    }
    rig.input(Input::Down { shard: shard(0, 2) });
    rig.input(Input::Resumed { shard: shard(0, 2) });
    assert_eq!(rig.count(|out| *out == Out::Event(Event::AllReady)), 1);
    assert_eq!(rig.fleet.status().ready, 2);
}

#[test]
fn a_shutdown_stops_everything_once() {
    let mut rig = Rig::with_limits("10", 1);
    rig.input(Input::WantIdentify {
        shard: shard(0, 10),
    });
    rig.input(Input::Ready {
        shard: shard(0, 10),
    });
    rig.fresh();
    let running = rig.started();
    rig.input(Input::Shutdown);
    assert_eq!(stops(&rig.fresh()), running);
    rig.input(Input::Shutdown);
    rig.input(Input::WantIdentify { shard: running[1] });
    rig.run_for(secs(3600));
    assert_eq!(rig.fresh(), []);
    for &shard in &running {
        assert_eq!(rig.count(|out| *out == Out::Event(Event::Stopped)), 0);
        rig.input(Input::Closed {
            shard,
            fatal: false,
        });
    }
    assert_eq!(rig.fresh(), [Out::Event(Event::Stopped)]);
    assert_eq!(rig.fleet.status().closed, 10);
    assert_eq!(rig.fleet.poll_timeout(), None);
    let dead = Input::Ready { shard: running[0] };
    assert_eq!(rig.try_input(dead), Err(Misuse::NotRunning(running[0])));
}

#[test]
fn a_shutdown_before_anything_ran_is_an_end_too() {
    for shards in ["auto", "4"] {
        let mut rig = Rig::of(shards);
        rig.input(Input::Shutdown);
        assert_eq!(rig.fresh().last(), Some(&Out::Event(Event::Stopped)));
        rig.input(Input::Limits {
            shards: 3,
            limit: limit(1000, 1),
        });
        assert_eq!(rig.fresh(), []);
    }
}

#[test]
fn a_refusal_at_the_start_spares_the_rest_the_attempt() {
    let mut rig = Rig::of("6");
    rig.input(Input::Resumable { shard: shard(5, 6) });
    rig.limits(limit(1000, 1));
    rig.input(Input::Resumed { shard: shard(5, 6) });
    rig.input(Input::WantIdentify { shard: shard(0, 6) });
    rig.input(Input::WantIdentify { shard: shard(1, 6) });
    rig.fresh();
    rig.input(Input::Closed {
        shard: shard(0, 6),
        fatal: true,
    });
    let fresh = rig.fresh();
    assert!(fresh.contains(&Out::Event(Event::StartAbandoned { shard: shard(0, 6) })));
    assert_eq!(stops(&fresh), [shard(1, 6), shard(2, 6)]);
    rig.run_for(secs(60));
    assert_eq!(rig.grants().len(), 1);
    assert_eq!(
        rig.fleet.shard(shard(5, 6)).unwrap().phase,
        Phase::Ready,
        "it runs on"
    );
    for i in [1, 2, 5] {
        rig.input(Input::Closed {
            shard: shard(i, 6),
            fatal: false,
        });
    }
    assert_eq!(rig.fresh(), [Out::Event(Event::Stopped)]);
}

#[test]
fn a_refusal_after_a_session_is_the_shards_own() {
    let mut rig = Rig::with_limits("3", 3);
    for i in 0..3 {
        rig.input(Input::WantIdentify { shard: shard(i, 3) });
        rig.input(Input::Ready { shard: shard(i, 3) });
    }
    rig.fresh();
    rig.input(Input::Closed {
        shard: shard(0, 3),
        fatal: true,
    });
    assert_eq!(rig.fresh(), []);
    assert_eq!(rig.fleet.status().ready, 2);
}

#[test]
fn what_no_session_can_report_is_misuse_and_changes_nothing() {
    let mut rig = Rig::with_limits("4", 1);
    let before = rig.fleet.status();
    let foreign = shard(0, 5);
    let parked = shard(3, 4);
    assert_eq!(
        rig.try_input(Input::Ready { shard: foreign }),
        Err(Misuse::UnknownShard(foreign))
    );
    assert_eq!(
        rig.try_input(Input::Resumable { shard: foreign }),
        Err(Misuse::UnknownShard(foreign))
    );
    let early = rig.try_input(Input::WantIdentify { shard: parked });
    assert_eq!(early, Err(Misuse::NotRunning(parked)));
    assert!(early.unwrap_err().to_string().contains("3/4"));
    assert_eq!(rig.fleet.status(), before);
}
