//! What a fleet remembers across processes: the account, the keys, and who wasted identifies.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use fleet_harness::{Rig, SPACING, limit, secs, shard};
use shardkeep_core::fleet::{Config, Fleet, Input, Phase, Shards, Wait};
use shardkeep_core::{Instant, Machine, ShardId};

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
        r#"{"shards":[{"index":9,"total":3,"young_ms":18446744073709551615}]}"#,
        r#"{"shards":[{"total":1,"held_back_ms":18446744073709551615}]}"#,
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
