//! Protocol 1.14: one identify per key and 5 s, in order.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, Bot, play};

const TWO_KEYS: Bot = Bot {
    max_concurrency: 2,
    ..BOT
};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = keys();
    vectors.extend(odd_keys());
    vectors.extend(busiest());
    vectors.extend(order());
    vectors.extend(changes());
    vectors.extend(changing_limits());
    vectors
}

fn keys() -> Vec<Vector> {
    vec![
        play(
            "one_shard",
            "1.14 concurrency: the first identify goes at once",
            "1",
        )
        .begins_with(BOT)
        .gives(&["start shard=0/1"])
        .wants("0/1")
        .gives(&["grant_identify shard=0/1"])
        .counts(&[("granted", 1), ("remaining", 999)])
        .end(),
        play(
            "five_seconds_per_key",
            "1.14 concurrency: the next of the same key after 5 s and the margin of 250 ms",
            "2",
        )
        .begins_with(BOT)
        .gives(&["start shard=0/2", "start shard=1/2"])
        .wants("0/2")
        .gives(&["grant_identify shard=0/2"])
        .wants("1/2")
        .gives(&["identify_waiting code=1 shard=1/2 value=5250000"])
        .waits_for("identify", 5_250, 5_250)
        .later_ms(5_249)
        .tick()
        .gives(&[])
        .due("identify")
        .gives(&["grant_identify shard=1/2"])
        .end(),
        play(
            "keys_side_by_side",
            "1.14 concurrency: a key is shard id modulo max_concurrency, each has its own 5 s",
            "4",
        )
        .begins_with(TWO_KEYS)
        .gives(&[
            "start shard=0/4",
            "start shard=1/4",
            "start shard=2/4",
            "start shard=3/4",
        ])
        .wants("0/4")
        .gives(&["grant_identify shard=0/4"])
        .wants("1/4")
        .gives(&["grant_identify shard=1/4"])
        .wants("2/4")
        .gives(&["identify_waiting code=1 shard=2/4 value=5250000"])
        .later_ms(1_000)
        .wants("3/4")
        .gives(&["identify_waiting code=1 shard=3/4 value=5250000"])
        .due("identify")
        .gives(&["grant_identify shard=2/4", "grant_identify shard=3/4"])
        .end(),
    ]
}

/// After an outage.
fn busiest() -> Vec<Vector> {
    vec![
        play(
            "the_busiest_first",
            "queue: of shards that wait in the same round the busiest goes first, by powers of two, then the lowest",
            "4",
        )
        .begins()
        .shard("0/4", "resumable")
        .shard("1/4", "resumable")
        .shard("2/4", "resumable")
        .shard("3/4", "resumable")
        .limits(BOT)
        .active("2/4", 9_000)
        .active("3/4", 4_000)
        .active("1/4", 5_000)
        .wants("0/4")
        .gives(&["grant_identify shard=0/4"])
        .wants("1/4")
        .wants("2/4")
        .wants("3/4")
        .due("identify")
        .gives(&["grant_identify shard=2/4"])
        .due("identify")
        .gives(&["grant_identify shard=1/4"])
        .due("identify")
        .gives(&["grant_identify shard=3/4"])
        .end(),
        play(
            "one_turn_each_however_busy",
            "queue: a busy shard that comes back waits until everybody who waits has had a turn",
            "2",
        )
        .begins_with(BOT)
        .active("0/2", 1_000_000)
        .active("9/10", 1)
        .returns("unknown_shard")
        .shard("0/2", "resumed")
        .wants("0/2")
        .gives(&["grant_identify shard=0/2"])
        .wants("1/2")
        .shard("0/2", "identify_rejected")
        .wants("0/2")
        .due("damped")
        .due("identify")
        .gives(&["grant_identify shard=1/2"])
        .due("identify")
        .gives(&["grant_identify shard=0/2"])
        .end(),
    ]
}

fn odd_keys() -> Vec<Vector> {
    vec![
        play(
            "max_concurrency_of_zero",
            "1.14 a max_concurrency of 0 counts as 1",
            "2",
        )
        .begins_with(Bot {
            max_concurrency: 0,
            ..BOT
        })
        .wants("0/2")
        .wants("1/2")
        .gives(&["identify_waiting code=1 shard=1/2 value=5250000"])
        .counts(&[("max_concurrency", 1)])
        .end(),
        sixteen(),
        play(
            "wider_margin",
            "1.14 start the 5 s with a margin for the network: here 1.5 s",
            "2",
        )
        .config(json!({"shards": "2", "margin_ms": 1_500}))
        .begins_with(BOT)
        .wants("0/2")
        .wants("1/2")
        .waits_for("identify", 6_500, 6_500)
        .end(),
        play(
            "totals_share_keys",
            "1.14 sessions of different totals share the keys: they share the token",
            "0/1;0/2",
        )
        .begins_with(BOT)
        .wants("0/1")
        .gives(&["grant_identify shard=0/1"])
        .wants("0/2")
        .gives(&["identify_waiting code=1 shard=0/2 value=5250000"])
        .end(),
    ]
}

fn sixteen() -> Vector {
    let mut fleet = play(
        "sixteen_keys",
        "1.14 concurrency: with max_concurrency 16, sixteen go at once and the next wait",
        "32",
    )
    .begins_with(Bot {
        max_concurrency: 16,
        ..BOT
    });
    for index in 0..16 {
        let shard = format!("{index}/32");
        fleet = fleet
            .wants(&shard)
            .gives(&[&format!("grant_identify shard={shard}")]);
    }
    fleet
        .wants("16/32")
        .gives(&["identify_waiting code=1 shard=16/32 value=5250000"])
        .end()
}

fn order() -> Vec<Vector> {
    vec![
        play(
            "lowest_first",
            "1.14 order: of those who wait, the lowest shard id of the round goes first",
            "4",
        )
        .config(json!({"shards": "4", "start_rounds": 4}))
        .begins_with(BOT)
        .wants("3/4")
        .gives(&["grant_identify shard=3/4"])
        .wants("2/4")
        .wants("1/4")
        .wants("0/4")
        .due("identify")
        .gives(&["grant_identify shard=0/4"])
        .due("identify")
        .gives(&["grant_identify shard=1/4"])
        .due("identify")
        .gives(&["grant_identify shard=2/4"])
        .end(),
        play(
            "everyones_turn_comes",
            "1.14 order: one that comes back again waits behind those who had no turn",
            "3",
        )
        .config(json!({"shards": "3", "start_rounds": 3}))
        .begins_with(BOT)
        .wants("0/3")
        .wants("2/3")
        .shard("0/3", "identify_unused")
        .tells("grant_identify shard=2/3")
        .wants("0/3")
        .wants("1/3")
        .due("identify")
        .gives(&["grant_identify shard=1/3"])
        .due("identify")
        .gives(&["grant_identify shard=0/3"])
        .end(),
        play(
            "shards_start_in_rounds",
            "1.14 order: shards are started a few rounds ahead of their slots, not all at once",
            "5",
        )
        .begins_with(BOT)
        .gives(&["start shard=0/5", "start shard=1/5"])
        .wants("0/5")
        .gives(&["grant_identify shard=0/5", "start shard=2/5"])
        .wants("1/5")
        .wants("2/5")
        .due("identify")
        .gives(&["grant_identify shard=1/5", "start shard=3/5"])
        .counts(&[("parked", 1), ("started", 4)])
        .end(),
        play(
            "slow_start_is_passed",
            "1.14 order: a started shard that does not ask for 30 s lets the next one start",
            "3",
        )
        .begins_with(BOT)
        .waits_for("start", 30_000, 30_000)
        .due("start")
        .gives(&["start shard=2/3"])
        .end(),
    ]
}

fn changes() -> Vec<Vector> {
    vec![
        play(
            "sent_later_than_granted",
            "1.14 the 5 s begin when the identify is sent",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .later_ms(3_000)
        .shard("0/2", "identify_sent")
        .gives(&[])
        .wants("1/2")
        .gives(&["identify_waiting code=1 shard=1/2 value=8250000"])
        .end(),
        play(
            "unused_slot_is_given_on",
            "1.14 a slot that was not used, and its allowance, are there for the next",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .wants("1/2")
        .gives(&["identify_waiting"])
        .later_ms(100)
        .shard("0/2", "identify_unused")
        .gives(&["grant_identify shard=1/2"])
        .counts(&[("unused", 1), ("remaining", 999)])
        .end(),
        play(
            "cancelled_before_the_slot",
            "1.14 a shard whose connection is lost leaves the line",
            "3",
        )
        .config(json!({"shards": "3", "start_rounds": 3}))
        .begins_with(BOT)
        .wants("0/3")
        .wants("1/3")
        .wants("2/3")
        .shard("1/3", "cancel_identify")
        .gives(&[])
        .due("identify")
        .gives(&["grant_identify shard=2/3"])
        .counts(&[("cancelled", 1)])
        .end(),
        play(
            "asking_twice",
            "1.14 asking again while waiting changes nothing",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .wants("1/2")
        .wants("1/2")
        .gives(&[])
        .due("identify")
        .gives(&["grant_identify shard=1/2"])
        .waits_for_nothing()
        .counts(&[("wanted", 2), ("granted", 2)])
        .end(),
    ]
}

fn changing_limits() -> Vec<Vector> {
    vec![
        play(
            "max_concurrency_shrinks",
            "1.14 Discord may change max_concurrency: recent identifies stay with \
             their index's key",
            "3",
        )
        .begins_with(TWO_KEYS)
        .wants("0/3")
        .later_ms(2_000)
        .wants("1/3")
        .gives(&["grant_identify shard=1/3"])
        .limits(BOT)
        .wants("2/3")
        .gives(&["identify_waiting code=1 shard=2/3 value=7250000"])
        .end(),
        play(
            "max_concurrency_grows",
            "1.14 the same the other way: a key that is free now goes at once",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .wants("1/2")
        .gives(&["identify_waiting"])
        .limits(TWO_KEYS)
        .gives(&["grant_identify shard=1/2"])
        .end(),
        play(
            "resumes_are_exempt",
            "1.14 resumes need no slot and take none",
            "2",
        )
        .shard("0/2", "resumable")
        .gives(&["fetch_limits", "start shard=0/2"])
        .limits(BOT)
        .gives(&["start shard=1/2"])
        .shard("0/2", "resumed")
        .wants("1/2")
        .gives(&["grant_identify shard=1/2"])
        .counts(&[("granted", 1), ("ready", 1)])
        .end(),
    ]
}
