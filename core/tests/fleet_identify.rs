//! The identify budget, rule by rule: keys, turns, the daily allowance and its reserve.

mod fleet_harness;

use fleet_harness::{Out, Rig, SPACING, limit, secs, shard};
use shardkeep_core::fleet::{Event, Input, SessionStartLimit, Wait};
use shardkeep_core::{Instant, ShardId};

fn indices(grants: &[(Instant, ShardId)]) -> Vec<u32> {
    grants.iter().map(|(_, shard)| shard.index()).collect()
}

/// Every shard asks for a slot as soon as it is started, and its session lives from then on.
fn run_all(rig: &mut Rig, until: Instant) {
    let mut answered = 0;
    loop {
        while let Some((_, out)) = rig.log.get(answered).cloned() {
            answered += 1;
            match out {
                Out::Start(shard) => rig.input(Input::WantIdentify { shard }),
                Out::Grant(shard) => rig.input(Input::Ready { shard }),
                _ => {}
            }
        }
        match rig.fleet.poll_timeout_at() {
            Some(at) if at <= until => rig.run_until(at),
            _ => return,
        }
    }
}

/// The deadline without its reason.
trait PollAt {
    fn poll_timeout_at(&self) -> Option<Instant>;
}

impl PollAt for shardkeep_core::fleet::Fleet {
    fn poll_timeout_at(&self) -> Option<Instant> {
        shardkeep_core::Machine::poll_timeout(self).map(|timeout| timeout.at)
    }
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
    assert_eq!(indices(&rig.grants()), [0, 1]);
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
fn a_failing_request_backs_off_and_asks_again() {
    let mut rig = Rig::of("2");
    let mut pauses = Vec::new();
    for _ in 0..10 {
        rig.input(Input::LimitsFailed { retry_after: None });
        let at = rig.now;
        let fetches = rig.count(|out| *out == Out::Fetch);
        while rig.count(|out| *out == Out::Fetch) == fetches {
            rig.run_until(rig.fleet.poll_timeout_at().unwrap());
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
    assert_eq!(rig.fleet.poll_timeout_at(), None, "nothing to wake for");
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
