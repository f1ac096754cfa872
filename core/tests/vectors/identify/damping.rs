//! Identifies that lead nowhere slow the next ones down: a crash loop must not eat the day's identifies.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, Scene, play};

pub(crate) fn vectors() -> Vec<Vector> {
    vec![
        rejected(),
        died_young(),
        healthy(),
        resumed_young(),
        lost_while_identifying(),
        capped(),
        others_pass(),
        fleet_damped(),
        remembered(),
    ]
}

/// One shard, granted.
fn granted(name: &str, rule: &str) -> Scene {
    play(name, rule, "1")
        .begins_with(BOT)
        .wants("0/1")
        .gives(&["grant_identify shard=0/1"])
}

fn rejected() -> Vector {
    granted(
        "op_9_is_wasted",
        "1.9 op 9 after identify: the next one waits 3.75 to 5 s, then 7.5 to 10 \
         s, twice as long each time",
    )
    .shard("0/1", "identify_rejected")
    .gives(&["damped code=1 shard=0/1"])
    .wants("0/1")
    .gives(&["identify_waiting code=4 shard=0/1"])
    .waits_for("damped", 3_750, 5_000)
    .due("damped")
    .due("identify")
    .gives(&["grant_identify shard=0/1"])
    .shard("0/1", "identify_rejected")
    .gives(&["damped code=2 shard=0/1"])
    .wants("0/1")
    .waits_for("damped", 7_500, 10_000)
    .due("damped")
    .gives(&["grant_identify shard=0/1"])
    .counts(&[
        ("wasted", 2),
        ("rejected", 2),
        ("sick", 1),
        ("remaining", 997),
    ])
    .end()
}

fn died_young() -> Vector {
    granted(
        "session_died_young",
        "1.14 a session that lived less than 60 s and needs a new identify was wasted",
    )
    .shard("0/1", "ready")
    .gives(&["all_ready"])
    .later_ms(59_999)
    .shard("0/1", "down")
    .gives(&[])
    .wants("0/1")
    .gives(&[
        "damped code=1 shard=0/1",
        "identify_waiting code=4 shard=0/1",
    ])
    .end()
}

fn healthy() -> Vector {
    granted(
        "session_lived_long_enough",
        "1.14 after 60 s a session counts as healthy: the next identify does not wait",
    )
    .shard("0/1", "ready")
    .waits_for("proof", 60_000, 60_000)
    .due("proof")
    .gives(&[])
    .shard("0/1", "down")
    .wants("0/1")
    .gives(&["grant_identify shard=0/1"])
    .counts(&[("wasted", 0)])
    .end()
}

fn resumed_young() -> Vector {
    granted(
        "young_session_resumes",
        "1.14 a young session that is lost and resumes is the same session",
    )
    .shard("0/1", "ready")
    .later_ms(30_000)
    .shard("0/1", "down")
    .later_ms(1_000)
    .shard("0/1", "resumed")
    .later_ms(28_000)
    .shard("0/1", "down")
    .wants("0/1")
    .gives(&[
        "damped code=1 shard=0/1",
        "identify_waiting code=4 shard=0/1",
    ])
    .end()
}

fn lost_while_identifying() -> Vector {
    granted(
        "connection_lost_while_identifying",
        "1.14 an identify that brought no READY was wasted",
    )
    .later_ms(2_000)
    .shard("0/1", "down")
    .gives(&["damped code=1 shard=0/1"])
    .end()
}

fn capped() -> Vector {
    let mut fleet = play(
        "pause_is_capped",
        "1.14 the pause does not grow beyond its cap, here 8 s",
        "1",
    )
    .config(json!({"shards": "1", "damping_cap_ms": 8_000, "damping_base_ms": 4_000}))
    .begins_with(BOT);
    for row in 1..=3 {
        fleet = fleet
            .wants("0/1")
            .tick()
            .later_ms(20_000)
            .tick()
            .shard("0/1", "identify_rejected")
            .gives(&[&format!("damped code={row} shard=0/1")]);
    }
    fleet.wants("0/1").waits_for("damped", 6_000, 8_000).end()
}

fn others_pass() -> Vector {
    play(
        "a_sick_shard_lets_others_pass",
        "1.14 who is held back does not hold up the others",
        "2",
    )
    .begins_with(BOT)
    .wants("0/2")
    .shard("0/2", "identify_rejected")
    .later_ms(5_250)
    .wants("1/2")
    .gives(&["grant_identify shard=1/2"])
    .end()
}

/// Two shards fail twice each: with `fleet_min` at 2 that is the whole fleet.
fn fleet_damped() -> Vector {
    let mut fleet = play(
        "fleet_damped",
        "1.14 when most shards waste, the whole fleet shares a trickle",
        "2",
    )
    .config(json!({"shards": "2", "fleet_min": 2}))
    .begins_with(super::Bot {
        max_concurrency: 2,
        ..BOT
    });
    for _ in 0..2 {
        fleet = fleet
            .wants("0/2")
            .wants("1/2")
            .later_ms(12_000)
            .tick()
            .shard("0/2", "identify_rejected")
            .shard("1/2", "identify_rejected");
    }
    fleet
        .tells("fleet_damped code=2 id=0")
        .later_ms(12_000)
        .wants("0/2")
        .gives(&["identify_waiting code=5 shard=0/2"])
        .counts(&[("sick", 2), ("wasted", 4)])
        .end()
}

fn remembered() -> Vector {
    play(
        "waste_outlives_the_process",
        "1.14 a restart does not wipe the slate: the next identify is still held \
         back",
        "1",
    )
    .restored(json!({
        "allowance": null,
        "keys": [],
        "shards": [{
            "index": 0,
            "total": 1,
            "wasted_in_a_row": 4,
            "held_back_ms": 30_000,
            "young_ms": null,
            "in_flight": false}],
    }))
    .begins()
    .limits(BOT)
    .wants("0/1")
    .gives(&["identify_waiting code=4 shard=0/1 value=30000000"])
    .due("damped")
    .gives(&["grant_identify shard=0/1"])
    .shard("0/1", "identify_rejected")
    .gives(&["damped code=5 shard=0/1"])
    .end()
}
