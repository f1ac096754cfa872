//! Starting, resuming, stopping, and what a fleet remembers.

mod fleet_harness;

use fleet_harness::{Out, Rig, SPACING, limit, secs, shard};
use shardkeep_core::fleet::{Config, Event, Fleet, Input, Misuse, Phase, Shards, Wait};
use shardkeep_core::{Instant, Machine, ShardId};

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

/// A fleet that goes on from `old`, `elapsed` later, with a clock of its own.
fn successor(old: &Rig, shards: &str, elapsed: u64) -> Rig {
    let text = serde_json::to_string(&old.fleet.snapshot()).unwrap();
    let snapshot = serde_json::from_str(&text).unwrap();
    let config = Config::new(shards.parse().unwrap());
    let mut rig = Rig::new(Fleet::restore(
        config,
        &snapshot,
        Instant::from_secs(1),
        secs(elapsed),
    ));
    rig.now = Instant::from_secs(1);
    rig
}

#[test]
fn a_restarted_process_keeps_to_the_spacing() {
    let mut old = Rig::with_limits("4", 2);
    old.input(Input::WantIdentify { shard: shard(0, 4) });
    old.input(Input::Ready { shard: shard(0, 4) });
    let mut rig = successor(&old, "4", 2);
    rig.limits(limit(999, 2));
    for i in [0, 1] {
        rig.input(Input::WantIdentify { shard: shard(i, 4) });
    }
    assert_eq!(rig.grants(), [(rig.now, shard(1, 4))]);
    let start = rig.now;
    rig.run_for(secs(60));
    // Key 0 was taken 2 s before. Shard 0 is held back longer: its young session did not live.
    assert!(rig.grants()[1].0.since(start) >= SPACING - secs(2));
}

#[test]
fn a_restarted_process_takes_what_was_under_way_off_the_answer() {
    let mut old = Rig::with_limits("4", 4);
    for i in 0..4 {
        old.input(Input::WantIdentify { shard: shard(i, 4) });
    }
    old.input(Input::Ready { shard: shard(0, 4) });
    let mut rig = successor(&old, "4", 0);
    assert_eq!(rig.fleet.status().remaining, Some(996));
    rig.limits(limit(999, 4));
    assert_eq!(rig.fleet.status().remaining, Some(996));
    assert_eq!(rig.fleet.status().granted_today, 4);
}

#[test]
fn a_restarted_process_asks_before_it_trusts_the_account() {
    let old = Rig::with_limits("2", 1);
    let mut rig = successor(&old, "2", 60);
    assert!(rig.started().is_empty());
    rig.input(Input::LimitsFailed { retry_after: None });
    assert_eq!(
        rig.started().len(),
        2,
        "Discord cannot be asked: the account serves on"
    );
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    assert_eq!(rig.grants().len(), 1);
}

#[test]
fn a_process_that_crashes_in_a_loop_is_damped_across_restarts() {
    let mut rig = Rig::with_limits("1", 1);
    let only = shard(0, 1);
    let mut identifies = 0;
    // Every life: identify, READY, crash at once, back after a second. For an hour.
    let mut spent = 0;
    while spent < 3600 {
        if rig.fleet.shard(only).unwrap().phase == Phase::Connecting {
            rig.input(Input::WantIdentify { shard: only });
        }
        let start = rig.now;
        while rig.grants().is_empty() && rig.now.since(start) < secs(3600) {
            let timeout = rig
                .fleet
                .poll_timeout()
                .expect("a waiting shard has a deadline");
            rig.run_until(timeout.at);
        }
        identifies += 1;
        rig.input(Input::Ready { shard: only });
        spent += rig.now.since(start).as_secs() + 1;
        rig = successor(&rig, "1", 1);
        rig.limits(limit(900, 1));
        rig.answer = Some(limit(900, 1));
    }
    assert!(
        (8..=14).contains(&identifies),
        "{identifies} identifies in an hour"
    );
}

#[test]
fn a_graceful_stop_is_no_crash() {
    let mut old = Rig::with_limits("1", 1);
    let only = shard(0, 1);
    old.input(Input::WantIdentify { shard: only });
    old.input(Input::Ready { shard: only });
    old.input(Input::Shutdown);
    let mut rig = successor(&old, "1", 10);
    rig.limits(limit(999, 1));
    rig.input(Input::WantIdentify { shard: only });
    assert_eq!(rig.grants().len(), 1);
    assert_eq!(rig.fleet.shard(only).unwrap().wasted_in_a_row, 0);
}

#[test]
fn a_snapshot_serves_auto_too() {
    let mut old = Rig::of("auto");
    old.input(Input::Limits {
        shards: 2,
        limit: limit(1000, 1),
    });
    old.input(Input::WantIdentify { shard: shard(0, 2) });
    old.input(Input::IdentifyRejected { shard: shard(0, 2) });
    let mut rig = successor(&old, "auto", 0);
    assert_eq!(
        rig.fleet.snapshot().shards.len(),
        1,
        "kept until the topology is known"
    );
    rig.input(Input::Limits {
        shards: 2,
        limit: limit(999, 1),
    });
    assert_eq!(rig.fleet.shard(shard(0, 2)).unwrap().wasted_in_a_row, 1);
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    assert_eq!(
        rig.fleet.shard(shard(0, 2)).unwrap().wait,
        Some(Wait::Damped)
    );
}

#[test]
fn any_snapshot_text_is_taken() {
    for text in [
        "{}",
        r#"{"allowance":{"total":0,"remaining":4294967295,"resets_in_ms":18446744073709551615}}"#,
        r#"{"keys":[{"index":4294967295,"free_in_ms":18446744073709551615}]}"#,
        r#"{"shards":[{"index":9,"total":3,"young_ms":18446744073709551615},{"total":1,"held_back_ms":18446744073709551615}]}"#,
    ] {
        let snapshot = serde_json::from_str(text).unwrap();
        let config = Config::new(Shards::count(1).unwrap());
        let mut rig = Rig::new(Fleet::restore(config, &snapshot, Instant::ZERO, secs(1)));
        rig.limits(limit(1000, 1));
        rig.input(Input::WantIdentify {
            shard: ShardId::SINGLE,
        });
    }
}
