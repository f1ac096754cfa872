//! Hot guilds in sessions of their own, and shards that change under them.

use serde_json::json;

use super::super::model::PlanVector;
use super::{plan, with};

/// `(id >> 22) = 1,234,567,891`.
const GUILD: &str = "5178153043492864";

pub(crate) fn vectors() -> Vec<PlanVector> {
    let mut vectors = isolating();
    vectors.extend(leaving());
    vectors.extend(refused());
    vectors
}

fn isolating() -> Vec<PlanVector> {
    vec![
        with(
            "a_guild_of_its_own",
            "3 a session has one guild in its total: the smallest multiple of 16 with less than one other expected",
            "16",
            json!({"isolate": GUILD}),
            json!({"guilds": 30_000}),
        )
        .takes(&["overlay 7891/30000 <- -"])
        .leaves("16")
        .costs(&[("identifies", 1), ("peak_sessions", 17), ("shared_with_milli", 1_000)])
        .end(),
        with(
            "as_fine_as_it_goes",
            "3 where no total is large enough, the largest multiple is taken",
            "40",
            json!({"isolate": GUILD}),
            json!({"guilds": 100_000}),
        )
        .takes(&["overlay 40051/65520 <- -"])
        .costs(&[("shared_with_milli", 1_527)])
        .end(),
        plan(
            "guilds_unknown",
            "without the number of guilds the overlay is as fine as it can be",
            "4",
            json!({"isolate": GUILD}),
        )
        .counts(1)
        .end(),
        with(
            "not_at_index_0",
            "3 direct messages arrive on index 0 of each total: the overlay takes the next total",
            "1",
            json!({"isolate": "4194304000"}),
            json!({"guilds": 1_000}),
        )
        .takes(&["overlay 1000/1001 <- -"])
        .end(),
        with(
            "apart_from_another",
            "overlays have no guild in common: 3 of 10 would meet 1 of 12",
            "2",
            json!({"isolate": "138412032"}),
            json!({"guilds": 10, "overlays": ["1/12"]}),
        )
        .takes(&["overlay 9/12 <- -"])
        .end(),
    ]
}

fn leaving() -> Vec<PlanVector> {
    vec![
        with(
            "the_way_back",
            "an overlay leaves without an identify: its shard has had its guilds' events all along",
            "4",
            json!({"rejoin": "6/40"}),
            json!({"overlays": ["6/40", "7/40"]}),
        )
        .takes(&["rejoin - <- 6/40"])
        .costs(&[
            ("identifies", 0),
            ("sessions_before", 6),
            ("sessions_after", 5),
        ])
        .end(),
        with(
            "overlays_that_fit_stay",
            "an overlay that is a part of one new shard stays",
            "4",
            json!({"split": "2/4"}),
            json!({"overlays": ["6/40"]}),
        )
        .takes(&["split 2,6/8 <- 2/4"])
        .end(),
    ]
}

fn refused() -> Vec<PlanVector> {
    vec![
        with(
            "overlays_that_meet",
            "two overlays with common guilds are nothing to begin with",
            "4",
            json!({"split": "2/4"}),
            json!({"overlays": ["6/20", "2/12"]}),
        )
        .refused("not_a_cover", "shards 2/12 and 6/20 both serve")
        .end(),
        with(
            "overlays_that_do_not_fit_leave_first",
            "an overlay that would lie on two new shards leaves first",
            "4",
            json!({"split": "2/4"}),
            json!({"overlays": ["6/20"]}),
        )
        .takes(&["rejoin - <- 6/20", "split 2,6/8 <- 2/4"])
        .end(),
        with(
            "has_one_already",
            "a guild has one overlay at most",
            "4",
            json!({"isolate": "25165824"}),
            json!({"overlays": ["6/40"]}),
        )
        .refused("already_isolated", "has overlay 6/40 already")
        .end(),
        plan(
            "no_total_is_left",
            "twice the shard's total would be too large",
            "40000",
            json!({"isolate": GUILD}),
        )
        .refused("cannot_isolate", "too large")
        .end(),
        with(
            "an_overlay_astride",
            "an overlay is a part of one shard, or nothing can begin",
            "4",
            json!({"shards": 8}),
            json!({"overlays": ["6/39"]}),
        )
        .refused("not_a_cover", "no part of one shard")
        .end(),
        with(
            "an_overlay_at_index_0",
            "3 an overlay of index 0 would get direct messages twice",
            "4",
            json!({"shards": 8}),
            json!({"overlays": ["0/40"]}),
        )
        .refused("not_a_cover", "direct messages")
        .end(),
    ]
}
