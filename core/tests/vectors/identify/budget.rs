//! Protocol 1.14: the daily allowance. Spending the last identify would end every session and reset the token.

use serde_json::{Value, json};

use super::super::model::Vector;
use super::{BOT, Bot, Scene, play};

const HOUR_MS: u64 = 3_600_000;

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = reserve();
    vectors.extend(low_and_small());
    vectors.extend(accounts());
    vectors.extend(odd_answers());
    vectors.extend(after_a_restart());
    vectors.extend(before_a_restart());
    vectors
}

/// A fleet with so many identifies left.
fn with(name: &str, rule: &str, shards: &str, remaining: u32) -> Scene {
    play(name, rule, shards).begins_with(Bot { remaining, ..BOT })
}

fn reserve() -> Vec<Vector> {
    vec![
        with(
            "reserve_is_never_spent",
            "1.14 daily total: the last 50 are kept back, whoever asks",
            "2",
            51,
        )
        .tells("start shard=0/2")
        .wants("0/2")
        .tells("grant_identify shard=0/2")
        .tells("budget_exhausted code=50 value=14400000000")
        .counts(&[("remaining", 50), ("started", 1), ("parked", 1)])
        .end(),
        with(
            "none_left",
            "1.14 daily total: nothing is granted at 0; ask again when the day ends, then go on",
            "1",
            0,
        )
        .gives(&[
            "budget_low code=50",
            "budget_exhausted code=50 value=14400000000",
        ])
        .waits_for("limits", 600_000, 600_000)
        .due("limits")
        .gives(&["fetch_limits"])
        .limits(Bot {
            remaining: 0,
            reset_after_ms: 4 * HOUR_MS - 600_000,
            ..BOT
        })
        .keeps_back("start")
        .later_ms(4 * HOUR_MS - 600_000)
        .tick()
        .gives(&["fetch_limits"])
        .limits(BOT)
        .gives(&["start shard=0/1", "budget_restored value=950"])
        .wants("0/1")
        .gives(&["grant_identify shard=0/1"])
        .end(),
        with(
            "waiting_for_the_day_to_end",
            "1.14 daily total: who asks with only the reserve left hears until when",
            "2",
            52,
        )
        .wants("0/2")
        .tells("grant_identify shard=0/2")
        .limits(Bot {
            remaining: 50,
            ..BOT
        })
        .wants("1/2")
        .tells("identify_waiting code=3 shard=1/2 value=14400000000")
        .keeps_back("grant_identify")
        .end(),
    ]
}

fn low_and_small() -> Vec<Vector> {
    vec![
        with(
            "budget_low",
            "1.14 daily total: fewer are left than a start of every shard takes",
            "3",
            52,
        )
        .tells("budget_low code=50 value=2")
        .tells("start shard=0/3")
        .tells("start shard=1/3")
        .counts(&[("parked", 1)])
        .end(),
        play(
            "small_total",
            "1.14 daily total: at most half of it is kept back, so that a small one \
             does not lock out",
            "1",
        )
        .begins_with(Bot {
            total: 10,
            remaining: 6,
            ..BOT
        })
        .wants("0/1")
        .tells("grant_identify shard=0/1")
        .counts(&[("reserve", 5), ("remaining", 5)])
        .end(),
        play(
            "reserve_is_configurable",
            "1.14 daily total: below a configurable reserve nothing is granted; here \
             it is 200",
            "1",
        )
        .config(json!({"shards": "1", "reserve": 200}))
        .begins_with(Bot {
            remaining: 200,
            ..BOT
        })
        .tells("budget_exhausted code=200")
        .keeps_back("start")
        .end(),
        play(
            "no_reserve",
            "1.14 daily total: even without a reserve, 0 is 0",
            "1",
        )
        .config(json!({"shards": "1", "reserve": 0}))
        .begins_with(Bot {
            remaining: 1,
            ..BOT
        })
        .wants("0/1")
        .tells("grant_identify shard=0/1")
        .counts(&[("remaining", 0)])
        .shard("0/1", "identify_rejected")
        .later_ms(10_000)
        .wants("0/1")
        .keeps_back("grant_identify")
        .tells("identify_waiting code=3 shard=0/1")
        .end(),
    ]
}

fn accounts() -> Vec<Vector> {
    vec![
        play(
            "answers_grow_old",
            "1.14 the answer is not to be cached for long: after 10 minutes it is \
             asked for anew",
            "1",
        )
        .begins_with(BOT)
        .later_ms(600_000)
        .wants("0/1")
        .gives(&["fetch_limits", "identify_waiting code=2 shard=0/1 value=0"])
        .limits(BOT)
        .gives(&["grant_identify shard=0/1"])
        .end(),
        play(
            "identifies_in_flight_count",
            "1.14 an answer may not have counted an identify that is under way: it \
             is subtracted",
            "1",
        )
        .begins_with(BOT)
        .wants("0/1")
        .later_ms(600_000)
        .limits(Bot {
            remaining: 1_000,
            ..BOT
        })
        .counts(&[("remaining", 999)])
        .end(),
        play(
            "unasked_answers_only_lower",
            "1.14 an answer that nobody asked for may be old: it can lower the \
             count, never raise it",
            "1",
        )
        .begins_with(Bot {
            remaining: 500,
            ..BOT
        })
        .limits(Bot {
            remaining: 900,
            ..BOT
        })
        .limits(Bot {
            remaining: 400,
            ..BOT
        })
        .limits(Bot {
            remaining: 700,
            ..BOT
        })
        .counts(&[("remaining", 400)])
        .end(),
    ]
}

fn odd_answers() -> Vec<Vector> {
    vec![
        play(
            "more_left_than_there_are",
            "1.14 numbers that cannot be meant are taken as the nearest that can",
            "1",
        )
        .begins_with(Bot {
            total: 1_000,
            remaining: 5_000,
            ..BOT
        })
        .counts(&[("remaining", 1_000)])
        .end(),
        play(
            "a_day_has_a_day",
            "1.14 a day that ends in more than 24 h cannot be meant",
            "1",
        )
        .begins_with(Bot {
            remaining: 0,
            reset_after_ms: 1_000 * HOUR_MS,
            ..BOT
        })
        .tells("budget_exhausted value=86400000000")
        .end(),
        play(
            "bad_answer",
            "an answer that is none is the caller's to report as a failure; nothing changes",
            "1",
        )
        .begins()
        .feed(super::Rec {
            data: b"<html>".to_vec(),
            ..super::Rec::new("limits")
        })
        .returns("bad_limits")
        .gives(&[])
        .end(),
    ]
}

/// What a process left behind that had spent most of its day's identifies.
fn nearly_spent() -> Value {
    json!({
        "allowance": {
            "total": 1000,
            "remaining": 60,
            "resets_in_ms": 7_200_000,
            "max_concurrency": 1,
            "granted_today": 940,
            "wasted_today": 0},
        "keys": [{"index": 0, "free_in_ms": 4_000}],
        "shards": [],
    })
}

fn after_a_restart() -> Vec<Vector> {
    vec![
        play(
            "snapshot_is_checked_first",
            "1.14 a restart asks Discord before it spends; keys that are taken stay \
             taken",
            "2",
        )
        .restored(nearly_spent())
        .begins()
        .limits(Bot {
            remaining: 70,
            ..BOT
        })
        .tells("start shard=0/2")
        .wants("0/2")
        .gives(&["identify_waiting code=1 shard=0/2 value=4000000"])
        .due("identify")
        .tells("grant_identify shard=0/2")
        .counts(&[("remaining", 69)])
        .end(),
        play(
            "snapshot_serves_offline",
            "1.14 if Discord cannot be asked, the snapshot's count serves on",
            "1",
        )
        .restored(nearly_spent())
        .begins()
        .limits_failed(0)
        .tells("start shard=0/1")
        .wants("0/1")
        .later_ms(4_000)
        .tick()
        .tells("grant_identify shard=0/1")
        .counts(&[("remaining", 59)])
        .end(),
        play(
            "snapshot_ages",
            "1.14 what was to end while the process was down has ended",
            "1",
        )
        .config(json!({"shards": "1", "elapsed_ms": 10_000}))
        .restored(nearly_spent())
        .begins()
        .limits(BOT)
        .wants("0/1")
        .gives(&["grant_identify shard=0/1"])
        .end(),
    ]
}

fn before_a_restart() -> Vec<Vector> {
    vec![
        play(
            "snapshot_of_a_fleet",
            "what the next process must know: the account, taken keys, identifies \
             under way",
            "1",
        )
        .begins_with(BOT)
        .wants("0/1")
        .later_ms(1_000)
        .tick()
        .leaves(json!({
            "allowance": {
                "total": 1000,
                "remaining": 999,
                "resets_in_ms": 14_399_000,
                "max_concurrency": 1,
                "granted_today": 1,
                "wasted_today": 0},
            "keys": [{"index": 0, "free_in_ms": 4_250}],
            "shards": [{
                "index": 0,
                "total": 1,
                "wasted_in_a_row": 0,
                "held_back_ms": 0,
                "young_ms": 0,
                "in_flight": true}],
        }))
        .end(),
    ]
}
