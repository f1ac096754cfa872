//! What is refused, with what is possible instead.

use serde_json::{Value, json};

use super::super::model::PlanVector;
use super::{plan, with};

pub(crate) fn vectors() -> Vec<PlanVector> {
    let mut vectors = covers();
    vectors.extend(targets());
    vectors.extend(discord());
    vectors
}

fn covers() -> Vec<PlanVector> {
    vec![
        plan(
            "somebody_is_left_out",
            "3 nobody serves the guilds of a missing shard: that comes first",
            "0-14/16",
            json!({"shards": 32}),
        )
        .refused("not_a_cover", "(id >> 22) % 16 = 15: start shard 15/16")
        .end(),
        plan(
            "a_part_is_left_out",
            "the witness is as wide as it can be: half a shard here",
            "0-2/4;3/8",
            json!({"shards": 8}),
        )
        .refused("not_a_cover", "(id >> 22) % 8 = 7: start shard 7/8")
        .end(),
        plan(
            "somebody_is_served_twice",
            "3 sessions of different totals both get a guild's events",
            "0-3/4;5/8",
            json!({"shards": 8}),
        )
        .refused(
            "not_a_cover",
            "shards 1/4 and 5/8 both serve the guilds with (id >> 22) % 8 = 5",
        )
        .end(),
        plan(
            "totals_that_must_meet",
            "totals without a common divisor have common guilds, and direct messages twice",
            "0/2;0-2/3",
            json!({"shards": 6}),
        )
        .refused(
            "not_a_cover",
            "shards 0/2 and 0/3 both serve the guilds with (id >> 22) % 6 = 0",
        )
        .end(),
    ]
}

fn targets() -> Vec<PlanVector> {
    vec![
        plan(
            "nothing_to_do",
            "there is nothing to do",
            "16",
            json!({"shards": 16}),
        )
        .refused("nothing_to_do", "serve already")
        .end(),
        plan("no_shards", "a bot has a shard", "16", json!({"shards": 0}))
            .refused("bad_total", "at least 1")
            .end(),
        plan(
            "too_many_shards",
            "totals end at 65,535",
            "16",
            json!({"shards": 70_000}),
        )
        .refused("bad_total", "65535")
        .end(),
        plan(
            "too_fine_to_split",
            "totals end at 65,535, for parts too",
            "40000",
            json!({"split": "7/40000"}),
        )
        .refused("bad_total", "80000")
        .end(),
        plan(
            "not_there_to_split",
            "only what serves is split",
            "16",
            json!({"split": "3/8"}),
        )
        .refused("unknown_shard", "3/8 does not serve")
        .end(),
        plan(
            "no_such_overlay",
            "only an overlay rejoins",
            "16",
            json!({"rejoin": "3/16"}),
        )
        .refused("unknown_shard", "3/16 does not serve")
        .end(),
        plan(
            "odd_totals_have_no_halves",
            "3 15 is odd",
            "15",
            json!({"merge": "3/15"}),
        )
        .refused("odd_total", "15 is odd")
        .end(),
        plan(
            "the_other_half_is_in_parts",
            "a shard is merged with its other half only",
            "0-2/4;3,7/8",
            json!({"merge": "1/4"}),
        )
        .refused("partner_missing", "only be merged with 3/4")
        .end(),
    ]
}

fn discord() -> Vec<PlanVector> {
    vec![
        with(
            "as_many_guilds_as_a_shard_takes",
            "3 a shard has 2,500 guilds at most",
            "32",
            json!({"shards": 16}),
            json!({"guilds": 40_000}),
        )
        .costs(&[("guilds_per_shard", 2_500)])
        .end(),
        with(
            "more_guilds_than_a_shard_takes",
            "1.11 4011: a shard with more than 2,500 guilds is refused",
            "32",
            json!({"shards": 16}),
            json!({"guilds": 40_001}),
        )
        .refused("too_many_guilds", "(4011): 17 shards are the least")
        .end(),
        with(
            "a_multiple_of_what_was_assigned",
            "3 above 150,000 guilds the total is a multiple of what Discord assigned",
            "160",
            json!({"shards": 80}),
            large(150_001),
        )
        .costs(&[("guilds_per_shard", 1_876)])
        .end(),
        with(
            "no_multiple",
            "1.11 4010: another total is refused",
            "160",
            json!({"shards": 250}),
            large(150_001),
        )
        .refused("not_a_multiple", "250 is none: 240 or 256 would do")
        .end(),
        with(
            "below_the_threshold",
            "3 up to 150,000 guilds any total will do",
            "160",
            json!({"shards": 250}),
            large(150_000),
        )
        .takes(&["generation 250 <- 160"])
        .end(),
        with(
            "what_discord_recommends",
            "3 the recommended number is always valid",
            "160",
            json!({"shards": 200}),
            large(150_001),
        )
        .takes(&["generation 200 <- 160"])
        .end(),
        with(
            "assigned_number_unknown",
            "multiples of a total that Discord takes now are sure to be right, others are not",
            "160",
            json!({"shards": 200}),
            json!({"guilds": 150_001}),
        )
        .refused("not_a_multiple", "multiples of 160 are sure to be right")
        .end(),
    ]
}

/// A bot for which Discord assigned 16 and recommends 200.
fn large(guilds: u64) -> Value {
    json!({
        "guilds": guilds,
        "large_bot_shards": 16,
        "recommended": 200,
        "remaining": 5_000,
        "total": 5_000,
    })
}
