//! Overlays: a hot guild in a session of its own, over shards that may change under it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classes;

use classes::{shard, topology};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use shardkeep_core::fleet::{
    CoverError, Facts, Plan, PlanError, SHARDS_MAX, SessionStartLimit, StepKind, Target, Topology,
};
use shardkeep_core::{ShardId, Snowflake};

fn facts(total: u32, remaining: u32) -> Facts {
    Facts::new(SessionStartLimit {
        total,
        remaining,
        reset_after_ms: 4 * 3_600_000,
        max_concurrency: 1,
    })
}

/// The shards of a bot with so many guilds.
fn with_guilds(guilds: u64) -> Facts {
    Facts {
        guilds: Some(guilds),
        ..facts(5_000, 5_000)
    }
}

#[test]
fn a_hot_guild_gets_an_overlay_with_few_others() {
    let guild = Snowflake(1_234_567_891 << 22);
    let plan =
        |from: &str, facts: &Facts| Plan::new(&topology(from), Target::Isolate(guild), facts);
    // 100,000 guilds: no total is large enough for none beside it, so the largest there is of 16.
    let found = plan("16", &with_guilds(60_000)).unwrap();
    let overlay = found.steps()[0].start()[0];
    assert!(overlay.carries(guild) && overlay.index() != 0);
    assert_eq!(
        overlay.total(),
        60_000,
        "the smallest of 16 with less than one other expected"
    );
    assert_eq!(found.estimate().shared_with_milli, Some(1_000));
    assert_eq!(found.estimate().identifies, 1);
    assert_eq!(
        (
            found.estimate().sessions_after,
            found.estimate().peak_sessions
        ),
        (17, 17)
    );
    assert_eq!(found.before().shard_of(guild).total(), 16);
    assert_eq!(found.after().shard_of(guild), overlay);
    let most = plan("16", &with_guilds(149_999)).unwrap();
    assert_eq!(most.steps()[0].start()[0].total(), 65_520);
    assert_eq!(most.estimate().shared_with_milli, Some(2_290));
    let unknown = plan("16", &facts(1_000, 1_000)).unwrap();
    assert_eq!(unknown.steps()[0].start()[0].total(), 65_520);
    assert_eq!(unknown.estimate().shared_with_milli, None);
    // It is there already.
    let again = Facts {
        overlays: vec![overlay],
        ..with_guilds(60_000)
    };
    let error = plan("16", &again).unwrap_err();
    assert_eq!(error, PlanError::AlreadyIsolated { guild, overlay });
    // And the way back.
    let back = Plan::new(&topology("16"), Target::Rejoin(overlay), &again).unwrap();
    assert_eq!(back.after(), found.before());
    assert_eq!(back.estimate().identifies, 0);
}

proptest! {
    /// Overlays are parts of one shard, apart from each other, never at index 0, whatever was isolated before.
    #[test]
    fn isolating_guild_after_guild_stays_proven(
        from in classes::mix(),
        guilds in proptest::collection::vec(prop_oneof![1..1_u64 << 42, (1..200_u64).prop_map(|n| n * 120)], 1..12),
        count in proptest::option::of(1..200_000_u64),
    ) {
        let current = Topology::new(from).unwrap();
        let mut facts = facts(5_000, 5_000);
        facts.guilds = count.map(|count| count.min(2_500 * current.len() as u64 / 4).min(150_000));
        for number in guilds {
            let guild = Snowflake(number << 22);
            match Plan::new(&current, Target::Isolate(guild), &facts) {
                Ok(plan) => {
                    let overlay = plan.steps()[0].start()[0];
                    prop_assert!(overlay.carries(guild) && overlay.index() != 0);
                    prop_assert!(facts.overlays.iter().all(|other| !other.meets(overlay)));
                    let home = plan.before().shard_of(guild);
                    prop_assert!(home.covers(overlay) && home != overlay);
                    let after = plan.before().after(&plan.steps()[0]);
                    prop_assert_eq!(after.as_ref(), Ok(plan.after()));
                    facts.overlays = plan.after().overlays().to_vec();
                }
                Err(PlanError::AlreadyIsolated { overlay, .. }) => prop_assert!(overlay.carries(guild)),
                Err(PlanError::CannotIsolate { shard, .. }) => {
                    // Looked for by hand: every multiple is at index 0 or meets another overlay.
                    for ways in 2..=SHARDS_MAX / shard.total() {
                        let overlay = ShardId::of_guild(guild, shard.total() * ways).unwrap();
                        let meets = facts.overlays.iter().any(|other| other.meets(overlay));
                        prop_assert!(overlay.index() == 0 || meets, "{}", overlay);
                    }
                }
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
        // Then the shards change under them: those that do not fit any more leave first.
        for n in [8, 12, 30] {
            let plan = Plan::new(&current, Target::Shards(n), &facts);
            let unproven = matches!(plan, Err(PlanError::Unproven { .. }));
            prop_assert!(!unproven, "{plan:?}");
            let Ok(plan) = plan else { continue };
            let mut serving = plan.before().clone();
            for step in plan.steps() {
                serving = serving.after(step).map_err(|error| TestCaseError::fail(error.to_string()))?;
            }
            prop_assert_eq!(&serving, plan.after());
            let stays = |overlay: &ShardId| overlay.total().is_multiple_of(n) && overlay.total() > n;
            let wanted: Vec<_> = facts.overlays.iter().copied().filter(stays).collect();
            let changed = current.shards().iter().all(|shard| shard.total() != n);
            prop_assert!(!changed || serving.overlays() == wanted, "{:?}", serving.overlays());
        }
    }
}

#[test]
fn overlays_that_do_not_fit_leave_before_the_shards_change() {
    let (fits, torn) = (shard(2, 480), shard(3, 400));
    let facts = Facts {
        overlays: vec![fits, torn],
        ..facts(1_000, 1_000)
    };
    let plan = Plan::new(&topology("16"), Target::Shards(24), &facts).unwrap();
    let kinds: Vec<_> = plan.steps().iter().map(|step| step.kind()).collect();
    assert_eq!(kinds, [StepKind::Rejoin, StepKind::Generation]);
    assert_eq!(plan.after().to_string(), "24 and overlay 2/480");
    assert_eq!(plan.estimate().identifies, 24);
    // An overlay that is no part of a shard now is nothing to start from.
    let error = Plan::new(&topology("7"), Target::Shards(14), &facts).unwrap_err();
    assert!(matches!(
        error,
        PlanError::NotACover(CoverError::Astride { .. })
    ));
}
