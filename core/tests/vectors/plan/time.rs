//! How long a plan takes: one identify per key and 5 s, and overlaps.

use serde_json::json;

use super::super::model::PlanVector;
use super::{plan, with};

pub(crate) fn vectors() -> Vec<PlanVector> {
    let mut vectors = spacing();
    vectors.extend(keys());
    vectors
}

fn spacing() -> Vec<PlanVector> {
    vec![
        plan(
            "one_key",
            "1.14 both halves share the key: 5.25 s apart, then 10 s of overlap, four times",
            "4",
            json!({"shards": 8}),
        )
        .costs(&[("duration_ms", 4 * 15_250)])
        .end(),
        with(
            "two_keys",
            "1.14 with max_concurrency 8, shard 1 and shard 5 have keys of their own: no wait",
            "4",
            json!({"shards": 8}),
            json!({"max_concurrency": 8}),
        )
        .costs(&[("duration_ms", 40_000)])
        .end(),
        with(
            "halves_may_share_a_key",
            "1.14 with max_concurrency 4, shards 1 and 5 have the same key",
            "4",
            json!({"shards": 8}),
            json!({"max_concurrency": 4}),
        )
        .costs(&[("duration_ms", 4 * 15_250)])
        .end(),
        with(
            "overlap_shorter_than_the_spacing",
            "1.14 the next step waits for the key, not only for the overlap",
            "2",
            json!({"shards": 4}),
            json!({"overlap_ms": 1_000}),
        )
        .costs(&[("duration_ms", 3 * 5_250 + 1_000)])
        .end(),
        with(
            "a_margin_of_its_own",
            "1.14 the margin is on top of each 5 s",
            "6",
            json!({"generation": 8}),
            json!({"margin_ms": 1_000, "overlap_ms": 0}),
        )
        .costs(&[("duration_ms", 7 * 6_000)])
        .end(),
    ]
}

fn keys() -> Vec<PlanVector> {
    vec![
        with(
            "a_generation_by_16_keys",
            "1.14 of 40 shards with 16 keys, the last go two spacings after the first",
            "16",
            json!({"shards": 40}),
            json!({"max_concurrency": 16, "overlap_ms": 0}),
        )
        .costs(&[("duration_ms", 10_500)])
        .end(),
        with(
            "keys_that_are_taken",
            "1.14 a shard that identified just now keeps its key for what is left of the 5 s",
            "1",
            json!({"shards": 2}),
            json!({
                "keys": [{"index": 16, "free_in_ms": 4_000}, {"index": 3, "free_in_ms": 2_000}],
                "max_concurrency": 4,
                "overlap_ms": 0,
            }),
        )
        .costs(&[("duration_ms", 4_000)])
        .end(),
        with(
            "a_concurrency_of_0",
            "1.14 a max_concurrency of 0 counts as 1",
            "1",
            json!({"shards": 2}),
            json!({"max_concurrency": 0, "overlap_ms": 0}),
        )
        .costs(&[("duration_ms", 5_250)])
        .end(),
    ]
}
