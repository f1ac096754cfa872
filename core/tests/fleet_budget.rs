//! The daily allowance, rule by rule: the reserve, answers old and new, requests that fail, and the plan.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use fleet_harness::{Out, Rig, SPACING, limit, poll_at, run_all, secs, shard};
use shardkeep_core::Instant;
use shardkeep_core::fleet::{Event, Input, SessionStartLimit, Wait};

fn granted(rig: &Rig) -> Vec<u32> {
    rig.grants()
        .iter()
        .map(|(_, shard)| shard.index())
        .collect()
}

#[test]
fn the_reserve_is_never_spent() {
    let mut rig = Rig::of("10");
    rig.limits(limit(53, 10));
    for index in 0..3 {
        rig.input(Input::WantIdentify {
            shard: shard(index, 10),
        });
    }
    assert_eq!(
        rig.started().len(),
        3,
        "no more are started than can identify"
    );
    assert_eq!(rig.grants().len(), 3);
    let until = rig.now + secs(86_400);
    assert!(
        rig.events()
            .contains(&Event::BudgetExhausted { until, reserve: 50 })
    );

    // The day ends: Discord is asked, and answers with a new allowance.
    for index in 0..3 {
        rig.input(Input::Ready {
            shard: shard(index, 10),
        });
    }
    rig.run_for(secs(86_000));
    assert_eq!(rig.grants().len(), 3);
    rig.limits(SessionStartLimit {
        reset_after_ms: 400_000,
        ..limit(50, 10)
    });
    rig.run_for(secs(399));
    assert_eq!(rig.grants().len(), 3);
    rig.run_for(secs(1));
    assert_eq!(rig.fresh().last(), Some(&Out::Fetch));
    rig.limits(limit(1000, 10));
    assert_eq!(rig.started().len(), 10);
    assert!(
        rig.events()
            .contains(&Event::BudgetRestored { remaining: 950 })
    );
}

#[test]
fn a_waiting_shard_is_told_why() {
    let mut rig = Rig::of("2");
    rig.limits(limit(51, 1));
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    assert_eq!(rig.grants().len(), 1);
    rig.input(Input::IdentifyRejected { shard: shard(0, 2) });
    rig.run_for(secs(10));
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    let waits = rig.events().into_iter().find_map(|event| match event {
        Event::IdentifyWaiting { why, until, .. } => Some((why, until)),
        _ => None,
    });
    let resets_at = rig.fleet.status().resets_at;
    assert_eq!(waits, Some((Wait::Budget, resets_at)));
    assert_eq!(
        rig.fleet.shard(shard(0, 2)).unwrap().wait,
        Some(Wait::Budget)
    );
    assert!(Wait::Budget.explain().contains("reset the token"));
}

#[test]
fn a_small_total_does_not_lock_a_bot_out() {
    let mut rig = Rig::of("4");
    let limit = SessionStartLimit {
        total: 10,
        ..limit(10, 4)
    };
    rig.limits(limit);
    for index in 0..4 {
        rig.input(Input::WantIdentify {
            shard: shard(index, 4),
        });
    }
    assert_eq!(rig.fleet.status().reserve, 5);
    assert_eq!(rig.grants().len(), 4);
}

#[test]
fn an_answer_never_raises_the_count_above_its_total() {
    let mut rig = Rig::of("1");
    rig.limits(SessionStartLimit {
        total: 1000,
        ..limit(u32::MAX, 1)
    });
    assert_eq!(rig.fleet.status().remaining, Some(1000));
}

#[test]
fn an_unasked_answer_can_only_lower_the_count() {
    let mut rig = Rig::with_limits("1", 1);
    rig.limits(limit(700, 1));
    assert_eq!(rig.fleet.status().remaining, Some(700));
    rig.limits(limit(900, 1));
    assert_eq!(rig.fleet.status().remaining, Some(700));
}

#[test]
fn identifies_that_an_answer_may_not_have_seen_are_taken_off_it() {
    let mut rig = Rig::with_limits("8", 1);
    // 0 is settled before limits are asked for again, 1 is under way, 2 is granted while the answer is under way.
    rig.input(Input::WantIdentify { shard: shard(0, 8) });
    rig.input(Input::Ready { shard: shard(0, 8) });
    rig.input(Input::WantIdentify { shard: shard(1, 8) });
    rig.run_for(secs(594));
    assert_eq!(granted(&rig), [0, 1]);
    rig.fresh();
    rig.run_for(secs(7));
    let next = rig.started()[2];
    rig.input(Input::WantIdentify { shard: next });
    assert_eq!(
        rig.fresh().first(),
        Some(&Out::Fetch),
        "the answer is over ten minutes old"
    );
    assert_eq!(rig.grants().len(), 2, "nobody goes before the new answer");
    rig.limits(limit(999, 1));
    // Discord has certainly counted 0; 1 may or may not be among the 999; then 2 was granted.
    assert_eq!(rig.fleet.status().remaining, Some(997));
}

#[test]
fn grants_that_never_came_back_are_not_subtracted_for_ever() {
    let mut rig = Rig::with_limits("1", 1);
    let only = shard(0, 1);
    for _ in 0..10 {
        rig.input(Input::WantIdentify { shard: only });
        rig.run_for(SPACING);
        rig.input(Input::CancelIdentify { shard: only });
    }
    assert_eq!(rig.fleet.status().remaining, Some(990));
    rig.run_for(secs(600));
    rig.input(Input::WantIdentify { shard: only });
    rig.limits(limit(990, 1));
    // Of ten, only the last may still be under way; then one more was granted.
    assert_eq!(rig.fleet.status().remaining, Some(988));
}

#[test]
fn a_failing_request_backs_off_and_asks_again() {
    let mut rig = Rig::of("2");
    let mut pauses = Vec::new();
    for _ in 0..10 {
        rig.input(Input::LimitsFailed { retry_after: None });
        let at = rig.now;
        let fetches = rig.count(|out| *out == Out::Fetch);
        while rig.count(|out| *out == Out::Fetch) == fetches {
            rig.run_until(poll_at(&rig).unwrap());
        }
        pauses.push(rig.now.since(at));
    }
    assert!(
        pauses[0] < secs(2) && pauses[9] > secs(40) && pauses[9] <= secs(60),
        "{pauses:?}"
    );
    assert!(rig.started().is_empty());
    let told = rig
        .events()
        .into_iter()
        .filter(|e| matches!(e, Event::LimitsUnknown { .. }))
        .count();
    assert_eq!(told, 10);

    rig.input(Input::LimitsFailed {
        retry_after: Some(secs(300)),
    });
    let fetches = rig.count(|out| *out == Out::Fetch);
    rig.run_for(secs(299));
    assert_eq!(rig.count(|out| *out == Out::Fetch), fetches);
    rig.run_for(secs(1));
    assert_eq!(rig.count(|out| *out == Out::Fetch), fetches + 1);
}

#[test]
fn an_old_count_serves_on_while_discord_cannot_be_asked() {
    let mut rig = Rig::with_limits("2", 1);
    rig.input(Input::WantIdentify { shard: shard(0, 2) });
    rig.input(Input::Ready { shard: shard(0, 2) });
    rig.run_for(secs(700));
    rig.input(Input::WantIdentify { shard: shard(1, 2) });
    assert_eq!(rig.grants().len(), 1);
    assert_eq!(
        rig.fleet.shard(shard(1, 2)).unwrap().wait,
        Some(Wait::Limits)
    );
    rig.input(Input::LimitsFailed { retry_after: None });
    assert_eq!(rig.grants().len(), 2);
}

#[test]
fn a_day_that_has_just_ended_is_not_asked_about_in_a_loop() {
    let mut rig = Rig::of("4");
    rig.limits(SessionStartLimit {
        reset_after_ms: 0,
        ..limit(1000, 1)
    });
    run_all(&mut rig, Instant::from_secs(50));
    assert_eq!(rig.grants().len(), 4);
    assert_eq!(rig.count(|out| *out == Out::Fetch), 1);
}

#[test]
fn nobody_asks_when_nobody_waits() {
    let mut rig = Rig::with_limits("2", 2);
    run_all(&mut rig, Instant::from_secs(30));
    rig.run_for(secs(200_000));
    assert_eq!(rig.count(|out| *out == Out::Fetch), 1);
    assert_eq!(poll_at(&rig), None, "nothing to wake for");
}

#[test]
fn the_plan_says_when() {
    let rig = Rig::with_limits("40", 16);
    let plan = rig.fleet.identify_plan(rig.now);
    assert_eq!(plan.len(), 40);
    assert_eq!(plan[0].at, Some(rig.now));
    // ceil(40 / 16) - 1 = 2 spacings
    assert_eq!(plan[39].at, Some(rig.now + SPACING * 2));
}

#[test]
fn the_plan_is_what_happens() {
    let mut rig = Rig::with_limits("0-9/16;0-20/32", 4);
    let mut plan: Vec<_> = rig.fleet.identify_plan(rig.now);
    run_all(&mut rig, Instant::from_secs(600));
    plan.sort_by_key(|planned| (planned.at, planned.shard));
    let mut grants = rig.grants();
    grants.sort_unstable();
    let planned: Vec<_> = plan.into_iter().map(|p| (p.at.unwrap(), p.shard)).collect();
    assert_eq!(planned, grants);
}

#[test]
fn the_plan_puts_what_exceeds_the_day_behind_its_end() {
    let mut rig = Rig::of("10");
    rig.limits(SessionStartLimit {
        reset_after_ms: 3_600_000,
        ..limit(54, 1)
    });
    let plan = rig.fleet.identify_plan(rig.now);
    assert_eq!(plan[3].at, Some(rig.now + SPACING * 3));
    assert_eq!(
        (plan[4].at, plan[4].why),
        (Some(rig.now + secs(3600)), Wait::Budget)
    );
    assert_eq!(plan[9].at, Some(rig.now + secs(3600) + SPACING * 5));
}
