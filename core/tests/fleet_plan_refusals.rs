//! What is refused, with what is possible instead, and the words of plans.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classes;

use classes::{shard, topology};
use shardkeep_core::Snowflake;
use shardkeep_core::fleet::plan::{GUILDS_PER_SHARD_MAX, LARGE_BOT_GUILDS};
use shardkeep_core::fleet::{
    AllowanceSnapshot, Facts, KeySnapshot, Plan, PlanError, Serving, SessionStartLimit, Snapshot,
    StepKind, Target, Topology,
};

fn facts(total: u32, remaining: u32) -> Facts {
    Facts::new(SessionStartLimit {
        total,
        remaining,
        reset_after_ms: 4 * 3_600_000,
        max_concurrency: 1,
    })
}

fn refused(from: &str, target: Target, facts: &Facts) -> (PlanError, String) {
    let error = Plan::new(&topology(from), target, facts).expect_err(from);
    let said = error.to_string();
    (error, said)
}

/// The shards of a bot with so many guilds.
fn with_guilds(guilds: u64) -> Facts {
    Facts {
        guilds: Some(guilds),
        ..facts(5_000, 5_000)
    }
}

#[test]
fn every_refusal_says_what_is_possible() {
    let plenty = facts(1_000, 1_000);
    for (from, target, said) in [
        (
            "0-14/16",
            Target::Shards(32),
            "start shard 15/16; put that right first",
        ),
        (
            "0-3/4;0/8",
            Target::Shards(8),
            "both serve the guilds with (id >> 22) % 8 = 0",
        ),
        ("16", Target::Shards(16), "nothing to do"),
        ("16", Target::Generation(16), "nothing to do"),
        ("16", Target::Shards(0), "at least 1"),
        ("16", Target::Shards(65_536), "the largest is 65535"),
        ("16", Target::Generation(0), "at least 1"),
        ("16", Target::Generation(70_000), "the largest is 65535"),
        (
            "40000",
            Target::Split(shard(1, 40_000)),
            "the largest is 65535",
        ),
        ("16", Target::Split(shard(3, 32)), "3/32 does not serve"),
        ("16", Target::Merge(shard(3, 8)), "3/8 does not serve"),
        ("15", Target::Merge(shard(3, 15)), "15 is odd"),
        (
            "0-2/4;3,7/8",
            Target::Merge(shard(1, 4)),
            "only be merged with 3/4, which does not serve",
        ),
        ("16", Target::Rejoin(shard(3, 32)), "3/32 does not serve"),
        (
            "40000",
            Target::Isolate(Snowflake(7 << 22)),
            "no overlay can take guild",
        ),
    ] {
        let (_, found) = refused(from, target, &plenty);
        assert!(found.contains(said), "{from} {target:?}: {found}");
    }
}

#[test]
fn the_day_must_carry_the_plan_and_keep_its_reserve() {
    let exact = facts(1_000, 82);
    let plan = Plan::new(&topology("16"), Target::Shards(32), &exact).unwrap();
    assert_eq!(plan.estimate().budget_left, 0);
    let (error, said) = refused("16", Target::Shards(32), &facts(1_000, 81));
    let PlanError::Budget(short) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (short.needed, short.spendable, short.resets_in.as_secs()),
        (32, 31, 14_400)
    );
    assert_eq!(
        (short.steps_that_fit, short.steps, short.days),
        (15, 16, Some(2))
    );
    assert_eq!(
        said,
        "it takes 32 identifies, and 31 may be spent until the day ends in 4 h 0 min: \
         take the first 15 of its 16 steps today, and all of it in 2 days"
    );
    // The part that fits is a plan.
    let part = Facts {
        steps_max: Some(15),
        ..facts(1_000, 81)
    };
    let plan = Plan::new(&topology("16"), Target::Shards(32), &part).unwrap();
    assert_eq!((plan.steps_left(), plan.estimate().budget_left), (1, 1));
    assert_eq!(plan.after().topology().to_string(), "15/16;0-14,16-30/32");
}

#[test]
fn what_no_day_carries_is_said_to_be_so() {
    let days = |from: &str, target, facts: &Facts| match refused(from, target, facts) {
        (PlanError::Budget(short), said) => (short.steps_that_fit, short.days, said),
        (error, _) => panic!("{error:?}"),
    };
    // Nothing left today; tomorrow all of it.
    let (fit, in_days, said) = days("16", Target::Shards(24), &facts(1_000, 50));
    assert_eq!((fit, in_days), (0, Some(2)));
    assert!(said.ends_with("4 h 0 min: wait until then"), "{said}");
    // 1,500 at once are more than a day has. As splits, 2,000 are 100 today and two days of 950.
    let (fit, in_days, said) = days("1000", Target::Shards(1_500), &facts(1_000, 1_000));
    assert_eq!((fit, in_days), (0, None));
    assert!(said.contains("split shards instead"), "{said}");
    let (fit, in_days, _) = days("1000", Target::Shards(2_000), &facts(1_000, 150));
    assert_eq!((fit, in_days), (50, Some(3)));
    let (fit, in_days, _) = days("1000", Target::Shards(2_000), &facts(1_000, 149));
    assert_eq!((fit, in_days), (49, Some(4)));
    // A small total cannot lock a bot out: at most half of it is kept back.
    assert!(Plan::new(&topology("2"), Target::Shards(4), &facts(8, 8)).is_ok());
    assert!(Plan::new(&topology("2"), Target::Shards(4), &facts(8, 7)).is_err());
    // More are said to be left than there are in all.
    assert_eq!(facts(100, 5_000).spendable(), 50);
}

#[test]
fn no_shard_gets_more_guilds_than_discord_allows() {
    assert!(Plan::new(&topology("32"), Target::Shards(16), &with_guilds(40_000)).is_ok());
    let (error, said) = refused("32", Target::Shards(16), &with_guilds(40_001));
    let wanted = PlanError::TooManyGuilds {
        total: 16,
        on_each: GUILDS_PER_SHARD_MAX + 1,
        least: 17,
    };
    assert_eq!(error, wanted);
    assert!(said.contains("(4011): 17 shards are the least"), "{said}");
    // One merge is enough for it.
    let (error, _) = refused("32", Target::Merge(shard(3, 32)), &with_guilds(40_001));
    assert_eq!(error, wanted);
    // Away from it is always allowed, and nothing is checked that is not known.
    assert!(
        Plan::new(
            &topology("8"),
            Target::Split(shard(3, 8)),
            &with_guilds(40_000)
        )
        .is_ok()
    );
    assert!(Plan::new(&topology("32"), Target::Shards(1), &facts(1_000, 1_000)).is_ok());
}

#[test]
fn totals_of_very_large_bots_are_multiples_of_what_discord_assigned() {
    let facts = |guilds| Facts {
        large_bot_shards: Some(16),
        recommended: Some(200),
        ..with_guilds(guilds)
    };
    let plan = |from: &str, n, facts: &Facts| Plan::new(&topology(from), Target::Shards(n), facts);
    let large = facts(LARGE_BOT_GUILDS + 1);
    assert!(plan("160", 320, &large).is_ok());
    assert!(plan("160", 96, &large).is_ok());
    assert!(
        plan("160", 200, &large).is_ok(),
        "what is recommended is always valid"
    );
    let error = plan("160", 250, &large).unwrap_err();
    let wanted = PlanError::NotAMultiple {
        total: 250,
        unit: 16,
        assigned: true,
        below: Some(240),
        above: Some(256),
    };
    assert_eq!(error, wanted);
    assert!(
        error
            .to_string()
            .ends_with("(4010), and 250 is none: 240 or 256 would do")
    );
    assert!(
        plan("160", 250, &facts(LARGE_BOT_GUILDS)).is_ok(),
        "not above it"
    );
    assert!(
        plan("48", 8, &large)
            .unwrap_err()
            .to_string()
            .ends_with("8 is none: 16 would do")
    );
    // Only one step away from the rule: half of 16 is no multiple of 16.
    let merge = Plan::new(&topology("16"), Target::Merge(shard(3, 16)), &large);
    assert!(matches!(
        merge,
        Err(PlanError::NotAMultiple { total: 8, .. })
    ));
}

#[test]
fn without_the_assigned_number_only_sure_multiples_are_taken() {
    let guess = |recommended| Facts {
        recommended,
        ..with_guilds(LARGE_BOT_GUILDS + 1)
    };
    let plan = |from: &str, n, facts: &Facts| Plan::new(&topology(from), Target::Shards(n), facts);
    assert!(
        plan("160", 320, &guess(None)).is_ok(),
        "Discord takes 160, so it takes 320"
    );
    assert!(plan("160", 208, &guess(Some(208))).is_ok());
    assert!(plan("160", 416, &guess(Some(208))).is_ok());
    let error = plan("160", 200, &guess(Some(208))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("multiples of 208 are sure to be right"),
        "{error}"
    );
    let error = plan("160", 200, &guess(None)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("200 is none: 160 or 320 would do"),
        "{error}"
    );
}

#[test]
fn steps_and_plans_say_what_they_do() {
    let facts = facts(1_000, 1_000);
    let said = |from: &str, target| {
        let plan = Plan::new(&topology(from), target, &facts).unwrap();
        (plan.steps()[0].to_string(), plan.to_string())
    };
    let (step, plan) = said("16", Target::Merge(shard(11, 16)));
    assert_eq!(
        step,
        "merge 3,11/16: start 3/8, and when it serves their guilds, stop 3,11/16"
    );
    assert_eq!(
        plan,
        "from 16 to 3/8;0-2,4-10,12-15/16: 1 step, 1 identify, 10 s, at most 17 sessions open"
    );
    let (step, plan) = said("16", Target::Shards(24));
    assert_eq!(
        step,
        "second generation: start 24, and when they serve all guilds, stop 16"
    );
    assert_eq!(
        plan,
        "from 16 to 24: 1 step, 24 identifies, 2 min 11 s, at most 40 sessions open"
    );
    for kind in StepKind::ALL {
        assert!(!kind.explain().is_empty());
    }
}

#[test]
fn facts_come_from_a_snapshot() {
    let mut snapshot = Snapshot::default();
    assert_eq!(Facts::from_snapshot(&snapshot), None);
    snapshot.allowance = Some(AllowanceSnapshot {
        total: 1_000,
        remaining: 700,
        resets_in_ms: 60_000,
        max_concurrency: 16,
        ..AllowanceSnapshot::default()
    });
    let key = KeySnapshot {
        index: 3,
        free_in_ms: 4_000,
    };
    snapshot.keys.push(key);
    let facts = Facts::from_snapshot(&snapshot).unwrap();
    assert_eq!((facts.spendable(), facts.resets_in().as_secs()), (650, 60));
    assert_eq!((facts.limit.max_concurrency, facts.keys), (16, vec![key]));
}

#[test]
fn what_serves_is_proven_when_it_is_made() {
    assert!(Serving::new(Topology::whole(4).unwrap(), []).is_ok());
    assert!(Serving::new(topology("0-2/4"), []).is_err());
}
