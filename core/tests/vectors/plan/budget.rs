//! The daily allowance carries the plan, or it is refused.

use serde_json::json;

use super::super::model::PlanVector;
use super::with;

pub(crate) fn vectors() -> Vec<PlanVector> {
    let mut vectors = carried_or_not();
    vectors.extend(parts_and_reserves());
    vectors
}

fn carried_or_not() -> Vec<PlanVector> {
    vec![
        with(
            "to_the_last_one",
            "1.14 all that is left above the reserve may be spent",
            "4",
            json!({"shards": 8}),
            json!({"remaining": 58}),
        )
        .costs(&[("budget_left", 0), ("identifies", 8)])
        .end(),
        with(
            "one_too_few",
            "1.14 the reserve is not touched: as many steps as fit can be taken today",
            "4",
            json!({"shards": 8}),
            json!({"remaining": 57, "resets_in_ms": 5_400_000}),
        )
        .refused(
            "budget",
            "the day ends in 1 h 30 min: take the first 3 of its 4 steps",
        )
        .end(),
        with(
            "nothing_left_today",
            "1.14 where not even one step fits, there is waiting",
            "4",
            json!({"shards": 6}),
            json!({"remaining": 50, "resets_in_ms": 90_000}),
        )
        .refused("budget", "in 1 min 30 s: wait until then")
        .end(),
        with(
            "several_days",
            "1.14 of 1,000 a day, 950 may be spent: 100 today and two days more",
            "1000",
            json!({"shards": 2_000}),
            json!({"remaining": 150}),
        )
        .refused(
            "budget",
            "take the first 50 of its 1000 steps today, and all of it in 3 days",
        )
        .end(),
        with(
            "more_than_a_day_has",
            "1.14 a generation larger than a day's allowance cannot be, whatever the day",
            "1000",
            json!({"shards": 1_500}),
            json!({}),
        )
        .refused(
            "budget",
            "no day has enough for one of its steps; split shards instead",
        )
        .end(),
    ]
}

fn parts_and_reserves() -> Vec<PlanVector> {
    vec![
        with(
            "the_part_that_fits",
            "a part of a plan is a plan",
            "4",
            json!({"shards": 8}),
            json!({"remaining": 57, "steps_max": 3}),
        )
        .counts(3)
        .costs(&[("budget_left", 1)])
        .leaves("3/4;0-2,4-6/8")
        .end(),
        with(
            "a_small_total",
            "at most half of the day's total is kept back",
            "1",
            json!({"shards": 2}),
            json!({"total": 4, "remaining": 4}),
        )
        .costs(&[("budget_left", 0)])
        .end(),
        with(
            "no_reserve",
            "the reserve is the user's to set",
            "1",
            json!({"shards": 2}),
            json!({"remaining": 2, "reserve": 0}),
        )
        .costs(&[("budget_left", 0)])
        .end(),
    ]
}
