//! Plans keep every guild served exactly once, cost what they say, and are refused where they must be.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classes;
mod fleet_harness;

use std::collections::BTreeSet;
use std::time::Duration;

use classes::{Served, mix, shard, timed, topology};
use fleet_harness::{Out, Rig, secs};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use shardkeep_core::fleet::{
    Config, Event, Facts, Fleet, Input, KeySnapshot, Plan, SessionStartLimit, Shards, Snapshot,
    StepError, StepKind, Target, Topology,
};
use shardkeep_core::{Instant, Machine, ShardId};

const LIMIT: SessionStartLimit = SessionStartLimit {
    total: 50_000,
    remaining: 50_000,
    reset_after_ms: 86_400_000,
    max_concurrency: 1,
};

fn facts() -> Facts {
    Facts::new(LIMIT)
}

fn plan(from: &str, target: Target) -> Plan {
    Plan::new(&topology(from), target, &facts()).unwrap()
}

/// Goes through the plan by counting: nobody is left out and nobody is served twice after any step, and what a step
/// starts has exactly the guilds of what it stops.
fn check_by_counting(from: &[ShardId], plan: &Plan) -> Result<BTreeSet<ShardId>, TestCaseError> {
    let mut serving: BTreeSet<ShardId> = from.iter().copied().collect();
    let mut proven = plan.before().clone();
    for (taken, step) in plan.steps().iter().enumerate() {
        for stopped in step.stop() {
            prop_assert!(serving.remove(stopped), "{stopped} does not serve");
        }
        for &started in step.start() {
            prop_assert!(serving.insert(started), "{started} serves already");
        }
        let all: Vec<_> = serving.iter().copied().collect();
        prop_assert!(Served::of(&all).is_exact(), "after {step}");
        let [starts, stops] = [step.start(), step.stop()].map(|shards| {
            let carries = |number: &u64| {
                let guild = shardkeep_core::Snowflake(number << 22);
                shards.iter().any(|shard| shard.carries(guild))
            };
            (0..10_000_u64).filter(carries).collect::<Vec<_>>()
        });
        prop_assert!(starts == stops, "{step}");
        proven = proven
            .after(step)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(proven.topology().shards(), all.as_slice());
        prop_assert_eq!(&plan.serving_after(taken + 1), &proven);
    }
    prop_assert_eq!(plan.after(), &proven);
    Ok(serving)
}

/// Sends the plan's starts through a real fleet, step by step, each in the wake of the one before. When the last step
/// ends, and how many identifies were granted.
fn drive(plan: &Plan, facts: &Facts) -> (Duration, u32) {
    let begin = Instant::from_secs(1);
    let (mut now, mut granted) = (begin, 0);
    let mut snapshot = Snapshot {
        keys: facts.keys.clone(),
        ..Snapshot::default()
    };
    let mut since = now;
    for step in plan.steps() {
        let shards = Topology::new(step.start().iter().copied()).unwrap();
        let mut config = Config::new(Shards::Fixed(shards));
        (config.margin, config.reserve) = (facts.margin, facts.reserve);
        let mut rig = Rig::new(Fleet::restore(config, &snapshot, now, now.since(since)));
        rig.now = now;
        let limit = SessionStartLimit {
            remaining: facts.limit.remaining - granted,
            ..facts.limit
        };
        rig.answer = Some(limit);
        rig.limits(limit);
        let mut seen = 0;
        let mut last = now;
        let mut done = 0;
        while done < step.start().len() {
            while let Some((at, out)) = rig.log.get(seen).cloned() {
                seen += 1;
                match out {
                    Out::Start(shard) => rig.input(Input::WantIdentify { shard }),
                    Out::Grant(shard) => {
                        (last, done) = (at, done + 1);
                        rig.input(Input::Ready { shard });
                    }
                    Out::Event(Event::BudgetExhausted { .. }) => panic!("beyond the budget"),
                    _ => {}
                }
            }
            if done < step.start().len() {
                rig.run_until(rig.fleet.poll_timeout().unwrap().at);
            }
        }
        granted += u32::try_from(done).unwrap();
        (snapshot, since) = (rig.fleet.snapshot(), rig.now);
        now = last + facts.overlap;
    }
    (now.since(begin), granted)
}

proptest! {
    /// From any mix to any number: nothing is ever left out or doubled, and the end is what was asked for.
    #[test]
    fn every_step_keeps_the_cover(from in mix(), n in 1..40_u32, whole in any::<bool>()) {
        let current = Topology::new(from.iter().copied()).unwrap();
        let target = if whole { Target::Generation(n) } else { Target::Shards(n) };
        let Ok(plan) = Plan::new(&current, target, &facts()) else {
            prop_assert_eq!(current, Topology::whole(n).unwrap());
            return Ok(());
        };
        let end = check_by_counting(&from, &plan)?;
        let wanted: BTreeSet<_> = (0..n).map(|index| shard(index, n)).collect();
        prop_assert_eq!(end, wanted);
        prop_assert_eq!(Plan::new(&current, target, &facts()).unwrap(), plan);
    }

    #[test]
    fn single_splits_and_merges_keep_the_cover(from in mix(), which in any::<prop::sample::Index>()) {
        let current = Topology::new(from.iter().copied()).unwrap();
        let one = from[which.index(from.len())];
        let split = Plan::new(&current, Target::Split(one), &facts()).unwrap();
        prop_assert_eq!(split.estimate().identifies, 2);
        check_by_counting(&from, &split)?;
        // And back.
        let part = split.steps()[0].start()[1];
        let merge = Plan::new(split.after().topology(), Target::Merge(part), &facts()).unwrap();
        prop_assert_eq!(merge.after().topology(), &current);
        if let Ok(merge) = Plan::new(&current, Target::Merge(one), &facts()) {
            check_by_counting(&from, &merge)?;
        }
    }

    /// A plan that is taken in parts, planned anew each day, is the same plan.
    #[test]
    fn parts_add_up(n in 1..9_u32, ways in 2..5_u32, most in 1..7_u32) {
        let mut facts = facts();
        let all = Plan::new(&Topology::whole(n).unwrap(), Target::Shards(n * ways), &facts).unwrap();
        facts.steps_max = Some(most);
        let mut current = Topology::whole(n).unwrap();
        let mut steps = Vec::new();
        while let Ok(part) = Plan::new(&current, Target::Shards(n * ways), &facts) {
            prop_assert!(part.steps().len() <= most as usize);
            steps.extend_from_slice(part.steps());
            prop_assert_eq!(part.steps_left() + steps.len(), all.steps().len());
            current = part.after().topology().clone();
        }
        prop_assert_eq!(steps.as_slice(), all.steps());
    }

    /// The fleet spends as many identifies and as much time as the plan says.
    #[test]
    fn a_fleet_takes_what_the_plan_says(
        (from, n) in (1..40_u32, 1..60_u32),
        max_concurrency in 0..20_u32,
        (margin, overlap) in (0..2_000_u64, 0..30_000_u64),
        keys in proptest::collection::btree_map(0..40_u32, 1..20_000_u64, 0..6),
    ) {
        let mut facts = facts();
        facts.limit.max_concurrency = max_concurrency;
        (facts.margin, facts.overlap) = (Duration::from_millis(margin), Duration::from_millis(overlap));
        facts.keys = keys.into_iter().map(|(index, free_in_ms)| KeySnapshot { index, free_in_ms }).collect();
        let Ok(plan) = Plan::new(&Topology::whole(from).unwrap(), Target::Shards(n), &facts) else {
            prop_assert_eq!(from, n);
            return Ok(());
        };
        let estimate = plan.estimate();
        prop_assert_eq!(drive(&plan, &facts), (estimate.duration, estimate.identifies));
        prop_assert_eq!(estimate.budget_left, 49_950 - estimate.identifies);
    }

    /// The most sessions at once, by counting them.
    #[test]
    fn peaks_are_what_counting_finds(from in mix(), n in 1..40_u32) {
        let current = Topology::new(from.iter().copied()).unwrap();
        let Ok(plan) = Plan::new(&current, Target::Shards(n), &facts()) else { return Ok(()) };
        let (mut open, mut peak) = (from.len(), from.len());
        let mut twice = 0;
        for step in plan.steps() {
            peak = peak.max(open + step.start().len());
            open = open + step.start().len() - step.stop().len();
            // In parts of a number that all of these totals divide would be too long: in floats, to the next millionth.
            let share: f64 = step.stop().iter().map(|shard| 1e3 / f64::from(shard.total())).sum();
            let above = (0..=1_000_u32).find(|&n| f64::from(n) + 1e-6 >= share);
            twice = twice.max(above.unwrap());
        }
        let found = plan.estimate();
        prop_assert_eq!((found.peak_sessions as usize, found.sessions_after as usize), (peak, open));
        let steady = from.len().max(open);
        prop_assert_eq!(found.peak_sessions_per_mille as usize, (peak * 1_000).div_ceil(steady));
        prop_assert_eq!(found.peak_guilds_per_mille, 1_000 + twice);
    }
}

#[test]
fn mitosis_from_16_to_32_stays_below_six_fifths() {
    let plan = plan("16", Target::Shards(32));
    let estimate = plan.estimate();
    assert_eq!(plan.steps().len(), 16);
    assert!(
        plan.steps()
            .iter()
            .all(|step| step.kind() == StepKind::Split)
    );
    assert_eq!((estimate.identifies, estimate.peak_sessions), (32, 33));
    assert_eq!(estimate.peak_sessions_per_mille, 1_032);
    assert_eq!(estimate.peak_guilds_per_mille, 1_063);
    assert!(estimate.peak_sessions_per_mille < 1_200 && estimate.peak_guilds_per_mille < 1_200);
    // Two identifies of one key 5.25 s apart, and 10 s of overlap, in which the key is free again.
    assert_eq!(
        estimate.duration,
        (Duration::from_millis(5_250) + secs(10)) * 16
    );
    let second = Plan::new(&topology("16"), Target::Generation(32), &facts()).unwrap();
    assert_eq!(second.estimate().peak_guilds_per_mille, 2_000);
    assert_eq!(second.estimate().peak_sessions, 48);
    assert_eq!(
        second.estimate().duration,
        Duration::from_millis(5_250) * 31 + secs(10)
    );
}

/// Printed, not asserted: how fast it is depends on the machine.
#[test]
fn large_plans_are_made_in_milliseconds() {
    for (from, to) in [
        (1_000, 2_000),
        (2_000, 1_000),
        (1_000, 1_500),
        (16_384, 32_768),
        (1, 65_535),
    ] {
        let mut facts = facts();
        (facts.limit.total, facts.limit.remaining) = (200_000, 200_000);
        facts.limit.max_concurrency = 16;
        let current = Topology::whole(from).unwrap();
        let (took, plan) = timed(|| Plan::new(&current, Target::Shards(to), &facts).unwrap());
        println!("{plan}: made in {took:?}");
        assert_eq!(plan.after().topology(), &Topology::whole(to).unwrap());
    }
}

#[test]
fn a_plan_goes_on_from_where_another_stopped() {
    let half = plan("3-15/16;0-2,16-18/32", Target::Shards(32));
    assert_eq!(half.steps().len(), 13);
    let back = plan("3-15/16;0-2,16-18/32", Target::Shards(16));
    assert_eq!(back.steps().len(), 3);
    assert!(
        back.steps()
            .iter()
            .all(|step| step.kind() == StepKind::Merge)
    );
    // Both ways at once: what is too fine is merged, before what is too coarse is split.
    let both = plan("1/2;0,4/8;2,6/8", Target::Shards(4));
    let kinds: Vec<_> = both.steps().iter().map(|step| step.kind()).collect();
    assert_eq!(kinds, [StepKind::Merge, StepKind::Merge, StepKind::Split]);
    // The shards of the new total that are there already are not started again.
    let rest = plan("0-2/4;3,7/8", Target::Generation(4));
    assert_eq!(
        rest.steps()[0].to_string(),
        "second generation: start 3/4, and when they serve all guilds, stop 3,7/8"
    );
}

#[test]
fn a_step_that_does_not_fit_is_not_taken() {
    let there = plan("16", Target::Shards(32));
    let elsewhere = plan("8", Target::Shards(16));
    let serving = there.before();
    let step = &elsewhere.steps()[0];
    assert_eq!(serving.after(step), Err(StepError::NotServing(shard(0, 8))));
    // Taken out of turn it fits as well: splits of different shards know nothing of each other.
    let later = serving.after(&there.steps()[7]).unwrap();
    assert_eq!(later.topology().len(), 17);
    let again = later.after(&there.steps()[7]);
    assert_eq!(again, Err(StepError::NotServing(shard(7, 16))));
}
