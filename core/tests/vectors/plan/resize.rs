//! To another number of shards: splits, merges, a second generation.

use serde_json::json;

use super::super::model::PlanVector;
use super::{plan, with};

pub(crate) fn vectors() -> Vec<PlanVector> {
    let mut vectors = splits();
    vectors.extend(single_splits());
    vectors.extend(merges());
    vectors.extend(mixed());
    vectors.extend(generations());
    vectors
}

fn splits() -> Vec<PlanVector> {
    vec![
        plan(
            "twice_as_many",
            "3 guild % 4 = 1 is guild % 8 = 1 or 5: each shard becomes two, one at a time",
            "4",
            json!({"shards": 8}),
        )
        .takes(&[
            "split 0,4/8 <- 0/4",
            "split 1,5/8 <- 1/4",
            "split 2,6/8 <- 2/4",
            "split 3,7/8 <- 3/4",
        ])
        .leaves("8")
        .costs(&[
            ("identifies", 8),
            ("peak_sessions", 9),
            ("peak_guilds_per_mille", 1_250),
        ])
        .end(),
        plan(
            "mitosis_of_16",
            "16 to 32 holds a sixteenth of the guilds twice, and one session more than 32",
            "16",
            json!({"shards": 32}),
        )
        .counts(16)
        .leaves("32")
        .costs(&[
            ("identifies", 32),
            ("peak_sessions", 33),
            ("peak_sessions_per_mille", 1_032),
            ("peak_guilds_per_mille", 1_063),
        ])
        .end(),
        plan(
            "three_ways",
            "3 a shard becomes as many as the totals' ratio",
            "2",
            json!({"shards": 6}),
        )
        .takes(&["split 0,2,4/6 <- 0/2", "split 1,3,5/6 <- 1/2"])
        .end(),
        plan(
            "from_one",
            "3 the one shard of a small bot is 0 mod 1",
            "1",
            json!({"shards": 3}),
        )
        .takes(&["split 3 <- 1"])
        .costs(&[("peak_guilds_per_mille", 2_000)])
        .end(),
    ]
}

fn single_splits() -> Vec<PlanVector> {
    vec![
        plan(
            "only_one_shard",
            "one shard can be split alone: the totals differ then",
            "4",
            json!({"split": "2/4"}),
        )
        .takes(&["split 2,6/8 <- 2/4"])
        .leaves("0-1,3/4;2,6/8")
        .end(),
        plan(
            "a_half_once_more",
            "what was split can be split again",
            "0-1,3/4;2,6/8",
            json!({"split": "6/8"}),
        )
        .takes(&["split 6,14/16 <- 6/8"])
        .leaves("0-1,3/4;2/8;6,14/16")
        .end(),
        with(
            "the_first_steps_only",
            "after each step every guild is served once, so a plan can stop after any",
            "4",
            json!({"shards": 8}),
            json!({"steps_max": 2}),
        )
        .takes(&["split 0,4/8 <- 0/4", "split 1,5/8 <- 1/4"])
        .leaves("2-3/4;0-1,4-5/8")
        .costs(&[("identifies", 4)])
        .end(),
    ]
}

fn merges() -> Vec<PlanVector> {
    vec![
        plan(
            "half_as_many",
            "3 guild % 8 = 1 or 5 is guild % 4 = 1: two shards become one",
            "8",
            json!({"shards": 4}),
        )
        .takes(&[
            "merge 0/4 <- 0,4/8",
            "merge 1/4 <- 1,5/8",
            "merge 2/4 <- 2,6/8",
            "merge 3/4 <- 3,7/8",
        ])
        .leaves("4")
        .costs(&[
            ("identifies", 4),
            ("peak_sessions", 9),
            ("sessions_after", 4),
        ])
        .end(),
        plan(
            "to_one",
            "3 all shards become the only one",
            "3",
            json!({"shards": 1}),
        )
        .takes(&["merge 1 <- 3"])
        .end(),
        plan(
            "only_one_pair",
            "a shard is merged with the one that has the other half",
            "8",
            json!({"merge": "6/8"}),
        )
        .takes(&["merge 2/4 <- 2,6/8"])
        .leaves("2/4;0-1,3-5,7/8")
        .end(),
    ]
}

fn mixed() -> Vec<PlanVector> {
    vec![
        plan(
            "on_from_the_middle",
            "a split that stopped halfway goes on where it was",
            "2-3/4;0-1,4-5/8",
            json!({"shards": 8}),
        )
        .takes(&["split 2,6/8 <- 2/4", "split 3,7/8 <- 3/4"])
        .end(),
        plan(
            "back_from_the_middle",
            "and goes back by merging what was split",
            "2-3/4;0-1,4-5/8",
            json!({"shards": 4}),
        )
        .takes(&["merge 0/4 <- 0,4/8", "merge 1/4 <- 1,5/8"])
        .end(),
        plan(
            "merges_come_first",
            "merges close sessions before splits open more",
            "1/2;0,4/8;2,6/8",
            json!({"shards": 4}),
        )
        .takes(&[
            "merge 0/4 <- 0,4/8",
            "merge 2/4 <- 2,6/8",
            "split 1,3/4 <- 1/2",
        ])
        .end(),
        plan(
            "different_depths",
            "one shard may be made of parts of several totals",
            "1/2;0/4;2,6/8",
            json!({"shards": 2}),
        )
        .takes(&["merge 0/2 <- 0/4;2,6/8"])
        .end(),
    ]
}

fn generations() -> Vec<PlanVector> {
    vec![
        plan(
            "totals_that_do_not_divide",
            "3 shards of 4 and of 6 do not nest: all of 6 start beside the 4",
            "4",
            json!({"shards": 6}),
        )
        .takes(&["generation 6 <- 4"])
        .costs(&[
            ("identifies", 6),
            ("peak_sessions", 10),
            ("peak_guilds_per_mille", 2_000),
        ])
        .end(),
        plan(
            "second_generation_on_request",
            "3 a second generation can also be had where splits would do",
            "4",
            json!({"generation": 8}),
        )
        .takes(&["generation 8 <- 4"])
        .costs(&[("peak_sessions", 12)])
        .end(),
        plan(
            "what_serves_is_not_started_again",
            "shards of the new total that serve already stay",
            "0-2/4;3,7/8",
            json!({"generation": 4}),
        )
        .takes(&["generation 3/4 <- 3,7/8"])
        .end(),
        plan(
            "a_mix_that_does_not_nest",
            "3 in a mix, one total that does not nest is enough",
            "1/2;0,2,4/6",
            json!({"shards": 4}),
        )
        .takes(&["generation 4 <- 1/2;0,2,4/6"])
        .end(),
        plan(
            "a_cover_that_no_splitting_makes",
            "0 of 6, 5 of 10 and 1 of 15 have no total in common, and no guild",
            "0/6;5/10;1/15;2-4,7-11,13-14,17,19-23,26-29/30",
            json!({"shards": 30}),
        )
        .counts(3)
        .leaves("30")
        .end(),
    ]
}
