//! Asking `/gateway/bot`, and when that fails.

use super::super::model::Vector;
use super::{BOT, Bot, play};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = failures();
    vectors.extend(without_limits());
    vectors.extend(resolving());
    vectors
}

fn failures() -> Vec<Vector> {
    vec![
        play(
            "failures_back_off",
            "1.1 a failed request is repeated after about 1, 2, 4 s and so on",
            "1",
        )
        .begins()
        .limits_failed(0)
        .gives(&["limits_unknown code=1"])
        .waits_for("limits", 750, 1_000)
        .due("limits")
        .gives(&["fetch_limits"])
        .limits_failed(0)
        .gives(&["limits_unknown code=2"])
        .waits_for("limits", 1_500, 2_000)
        .due("limits")
        .limits_failed(0)
        .waits_for("limits", 3_000, 4_000)
        .due("limits")
        .limits(BOT)
        .gives(&["start shard=0/1"])
        .counts(&[("limits_failed", 3), ("limits_fetched", 4)])
        .end(),
        play(
            "retry_after_is_respected",
            "4.7 Discord may say how long to wait",
            "1",
        )
        .begins()
        .limits_failed(42_000)
        .gives(&["limits_unknown code=1 value=42000000"])
        .waits_for("limits", 42_000, 42_000)
        .end(),
        play(
            "failure_that_nobody_waits_for",
            "a failure of a request that was answered already is passed by",
            "1",
        )
        .begins_with(BOT)
        .limits_failed(0)
        .gives(&[])
        .counts(&[("limits_failed", 0)])
        .end(),
    ]
}

fn without_limits() -> Vec<Vector> {
    vec![
        play(
            "nothing_starts_without_limits",
            "1.14 no identify before the limits are known: nothing is started",
            "4",
        )
        .begins()
        .gives(&["fetch_limits"])
        .waits_for_nothing()
        .counts(&[("parked", 4)])
        .end(),
        play(
            "old_count_serves_offline",
            "1.14 if Discord cannot be asked anew, the own count of the last answer serves on",
            "1",
        )
        .begins_with(Bot {
            remaining: 60,
            ..BOT
        })
        .later_ms(600_000)
        .wants("0/1")
        .gives(&["fetch_limits", "identify_waiting code=2"])
        .limits_failed(0)
        .tells("limits_unknown code=1")
        .tells("grant_identify shard=0/1")
        .counts(&[("remaining", 59)])
        .end(),
    ]
}

fn resolving() -> Vec<Vector> {
    vec![
        play(
            "auto_is_resolved",
            "3 `auto` takes as many shards as Discord recommends",
            "auto",
        )
        .begins()
        .gives(&["fetch_limits"])
        .limits(Bot { shards: 3, ..BOT })
        .gives(&[
            "topology_resolved value=3",
            "start shard=0/3",
            "start shard=1/3",
        ])
        .counts(&[("shards", 3)])
        .end(),
        play(
            "auto_of_none",
            "3 a recommendation of 0 shards counts as 1",
            "auto",
        )
        .begins_with(Bot { shards: 0, ..BOT })
        .gives(&["topology_resolved value=1", "start shard=0/1"])
        .end(),
        play(
            "auto_is_resolved_once",
            "3 a later recommendation does not change the running shards",
            "auto",
        )
        .begins_with(Bot { shards: 2, ..BOT })
        .limits(Bot { shards: 4, ..BOT })
        .keeps_back("topology_resolved")
        .counts(&[("shards", 2)])
        .end(),
        play(
            "fixed_shards_ignore_the_recommendation",
            "3 a configured topology is run as it is",
            "2-3/8",
        )
        .begins_with(Bot { shards: 1, ..BOT })
        .gives(&["start shard=2/8", "start shard=3/8"])
        .end(),
    ]
}
