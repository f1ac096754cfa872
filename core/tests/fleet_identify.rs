//! Identify slots, rule by rule: keys, turns, grants that come late or back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use fleet_harness::{Out, Rig, SPACING, limit, run_all, secs, shard};
use shardkeep_core::fleet::Input;
use shardkeep_core::{Instant, ShardId};

fn indices(grants: &[(Instant, ShardId)]) -> Vec<u32> {
    grants.iter().map(|(_, shard)| shard.index()).collect()
}

#[test]
fn limits_come_first() {
    let mut rig = Rig::of("4");
    assert_eq!(rig.fresh(), [Out::Fetch]);
    assert!(rig.started().is_empty());
    rig.limits(limit(1000, 4));
    assert_eq!(rig.started().len(), 4);
}

#[test]
fn a_key_identifies_once_in_five_seconds_and_the_margin() {
    let mut rig = Rig::with_limits("3", 1);
    let start = rig.now;
    run_all(&mut rig, start + secs(60));
    let times: Vec<_> = rig
        .grants()
        .iter()
        .map(|&(at, _)| at.since(start))
        .collect();
    assert_eq!(times, [secs(0), SPACING, SPACING * 2]);
    assert_eq!(indices(&rig.grants()), [0, 1, 2]);
}

#[test]
fn keys_go_side_by_side_and_rounds_in_order() {
    let mut rig = Rig::with_limits("8", 4);
    let start = rig.now;
    run_all(&mut rig, start + secs(60));
    assert_eq!(indices(&rig.grants()), [0, 1, 2, 3, 4, 5, 6, 7]);
    let rounds = rig
        .grants()
        .iter()
        .map(|&(at, _)| at.since(start))
        .collect::<Vec<_>>();
    assert_eq!(rounds[..4], [secs(0); 4]);
    assert_eq!(rounds[4..], [SPACING; 4]);
}

#[test]
fn totals_share_the_keys() {
    let mut rig = Rig::with_limits("0/4;0/8", 1);
    run_all(&mut rig, Instant::from_secs(60));
    let grants = rig.grants();
    assert_eq!(grants.len(), 2);
    assert_eq!(grants[1].0.since(grants[0].0), SPACING);
}

#[test]
fn a_concurrency_of_zero_counts_as_one() {
    let mut rig = Rig::with_limits("2", 0);
    assert_eq!(rig.fleet.status().max_concurrency, 1);
    run_all(&mut rig, Instant::from_secs(60));
    assert_eq!(rig.grants().len(), 2);
}

#[test]
fn the_lower_index_goes_first_whoever_asked_first() {
    let mut rig = Rig::with_limits("6", 2);
    // The window holds two rounds: 0 to 3 are connecting.
    assert_eq!(rig.started().len(), 4);
    for index in [2, 3, 0, 1] {
        rig.input(Input::WantIdentify {
            shard: shard(index, 6),
        });
    }
    // 2 and 3 came while their keys were free. From then on the lowest goes first.
    assert_eq!(indices(&rig.grants()), [2, 3]);
    rig.run_for(SPACING);
    assert_eq!(indices(&rig.grants()), [2, 3, 0, 1]);
}

#[test]
fn a_shard_that_comes_back_again_and_again_does_not_keep_others_waiting() {
    let mut rig = Rig::with_config(|config| config.damping.base = secs(0), "2");
    rig.limits(limit(1000, 1));
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    rig.input(Input::WantIdentify { shard: shard(1, 2) });
    for _ in 0..4 {
        rig.input(Input::IdentifyRejected { shard: shard(0, 2) });
        rig.input(Input::WantIdentify { shard: shard(0, 2) });
    }
    rig.run_for(SPACING);
    assert_eq!(indices(&rig.grants()), [0, 1]);
}

#[test]
fn a_change_of_concurrency_forgets_no_recent_identify() {
    let mut rig = Rig::with_limits("8", 4);
    let start = rig.now;
    for index in 0..8 {
        rig.input(Input::WantIdentify {
            shard: shard(index, 8),
        });
    }
    assert_eq!(rig.grants().len(), 4);
    rig.run_for(secs(2));
    rig.limits(limit(990, 1));
    rig.run_for(secs(3));
    assert_eq!(
        rig.grants().len(),
        4,
        "key 0 of 1 is taken by four recent identifies"
    );
    rig.run_for(secs(1));
    assert_eq!(rig.grants()[4].0.since(start), SPACING);
    assert_eq!(rig.grants().len(), 5);
}

#[test]
fn five_seconds_count_from_the_moment_the_identify_left() {
    let mut rig = Rig::with_limits("2", 1);
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    rig.input(Input::WantIdentify { shard: shard(1, 2) });
    rig.run_for(secs(3));
    rig.input(Input::IdentifySent { shard: shard(0, 2) });
    let sent = rig.now;
    rig.run_for(secs(20));
    assert_eq!(rig.grants()[1].0.since(sent), SPACING);
}

#[test]
fn an_unused_grant_gives_slot_and_allowance_back() {
    let mut rig = Rig::with_limits("2", 1);
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    assert_eq!(rig.fleet.status().remaining, Some(999));
    rig.input(Input::CancelIdentify { shard: shard(0, 2) });
    rig.input(Input::WantIdentify { shard: shard(1, 2) });
    assert_eq!(indices(&rig.grants()), [0]);
    rig.input(Input::IdentifyUnused { shard: shard(0, 2) });
    assert_eq!(
        indices(&rig.grants()),
        [0, 1],
        "the slot went to the next in line at once"
    );
    assert_eq!(rig.fleet.status().remaining, Some(999));
    assert_eq!(rig.fleet.status().counters.unused, 1);

    rig.input(Input::IdentifyUnused { shard: shard(0, 2) });
    assert_eq!(rig.fleet.status().remaining, Some(999), "only once");
}

#[test]
fn a_grant_that_crosses_a_new_request_is_neither_lost_nor_counted_as_waste() {
    let mut rig = Rig::with_limits("1", 1);
    let only = shard(0, 1);
    rig.input(Input::WantIdentify { shard: only });
    rig.input(Input::CancelIdentify { shard: only });
    rig.input(Input::Down { shard: only });
    rig.input(Input::WantIdentify { shard: only });
    // The old grant reaches the session while it waits again: it identifies.
    rig.input(Input::IdentifySent { shard: only });
    rig.input(Input::Ready { shard: only });
    rig.run_for(secs(120));
    assert_eq!(rig.grants().len(), 1);
    assert_eq!(rig.fleet.status().wasted_today, 0);
    assert_eq!(rig.fleet.status().waiting, 0);
}

#[test]
fn a_late_identify_keeps_its_key_though_the_newer_grant_comes_back() {
    let mut rig = Rig::with_limits("2", 1);
    let (first, second) = (shard(0, 2), shard(1, 2));
    rig.input(Input::WantIdentify { shard: first });
    rig.input(Input::CancelIdentify { shard: first });
    rig.input(Input::WantIdentify { shard: first });
    rig.run_for(SPACING);
    assert_eq!(indices(&rig.grants()), [0, 0]);
    // The first grant was slow and is used; the second finds nobody waiting.
    rig.input(Input::IdentifySent { shard: first });
    rig.input(Input::IdentifyUnused { shard: first });
    let sent = rig.now;
    rig.input(Input::WantIdentify { shard: second });
    rig.run_for(secs(60));
    assert_eq!(rig.grants()[2].0.since(sent), SPACING);
}

#[test]
fn a_key_given_back_is_free_under_another_concurrency_too() {
    let mut rig = Rig::with_limits("4", 1);
    rig.input(Input::WantIdentify { shard: shard(0, 4) });
    rig.input(Input::IdentifyUnused { shard: shard(0, 4) });
    rig.limits(limit(1000, 2));
    rig.input(Input::WantIdentify { shard: shard(2, 4) });
    assert_eq!(indices(&rig.grants()), [0, 2]);
}
