//! Protocol 1.5: heartbeats.

use serde_json::json;

use super::super::model::Vector;
use super::{ACK, READY, Shard, event, play};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = schedule();
    vectors.extend(payloads());
    vectors.extend(on_request());
    vectors.extend(asked_for());
    vectors.extend(zombies());
    vectors
}

fn schedule() -> Vec<Vector> {
    vec![
        play(
            "first_beat_is_jittered",
            "1.5 the first beat comes after a random part of the interval, the second a whole interval later",
        )
        .config(json!({"seed": 1}))
        .awaiting_identify()
        .waits_for("heartbeat", 0, 41_250)
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":null}"])
        .waits_for("heartbeat", 41_250, 41_250)
        .end(),
        play("first_beat_of_another_seed", "1.5 another seed gives another first beat")
            .config(json!({"seed": 2}))
            .awaiting_identify()
            .waits_for("heartbeat", 0, 41_250)
            .end(),
        play("interval_comes_from_hello", "1.5 the interval is what op 10 says, never a constant")
            .awaiting_hello()
            .text(r#"{"op":10,"d":{"_trace":["x"],"heartbeat_interval":10000}}"#)
            .waits_for("heartbeat", 0, 10_000)
            .due("heartbeat")
            .text(ACK)
            .waits_for("heartbeat", 10_000, 10_000)
            .end(),
        play(
            "interval_too_short",
            "1.5 an interval that would use up the outbound budget is taken as 600 ms",
        )
        .awaiting_hello()
        .text(r#"{"op":10,"d":{"heartbeat_interval":1}}"#)
        .waits_for("heartbeat", 0, 600)
        .due("heartbeat")
        .text(ACK)
        .waits_for("heartbeat", 600, 600)
        .end(),
    ]
}

fn payloads() -> Vec<Vector> {
    vec![
        play(
            "beat_carries_the_sequence",
            "1.5 d is the last s received in this session",
        )
        .ready()
        .text(&event(2, "MESSAGE_CREATE"))
        .text(&event(3, "MESSAGE_CREATE"))
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":3}"])
        .end(),
        play(
            "beat_before_ready",
            "1.5 d is null while there is no sequence",
        )
        .identifying()
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":null}"])
        .end(),
        play(
            "beat_while_resuming",
            "1.5 before RESUMED, d is the stored sequence",
        )
        .resuming()
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":7}"])
        .end(),
        play(
            "beats_go_on_in_an_outage",
            "1.5 READY may be late in an outage: keep beating meanwhile",
        )
        .config(json!({"ready_timeout_ms": 600_000}))
        .identifying()
        .due("heartbeat")
        .text(ACK)
        .due("heartbeat")
        .text(ACK)
        .due("heartbeat")
        .gives(&["send"])
        .text(ACK)
        .text(READY)
        .is("ready")
        .end(),
        play(
            "spurious_timeout",
            "calling early is harmless: nothing happens before its time",
        )
        .ready()
        .later_ms(1)
        .tick()
        .gives(&[])
        .is("ready")
        .end(),
        play(
            "unasked_ack",
            "1.5 op 11 without a beat before it: nothing to note",
        )
        .ready()
        .text(ACK)
        .gives(&[])
        .end(),
    ]
}

fn on_request() -> Vec<Vector> {
    vec![
        play(
            "requested_beat_keeps_the_schedule",
            "1.5 a beat on request is sent at once and does not shift the periodic ones",
        )
        .config(json!({"seed": 1}))
        .ready()
        .due("heartbeat")
        .text(ACK)
        .later_ms(20_000)
        .text(r#"{"op":1}"#)
        .gives(&["send data~\"op\":1"])
        .text(ACK)
        .waits_for("heartbeat", 21_250, 21_250)
        .end(),
        play(
            "requested_beat_is_not_held_to_the_ack_rule",
            "1.5 a requested beat goes out though the last one was not acknowledged",
        )
        .ready()
        .due("heartbeat")
        .later_ms(100)
        .text(r#"{"op":1}"#)
        .gives(&["send data~\"op\":1"])
        .is("ready")
        .end(),
        play(
            "requested_beat_just_before_a_scheduled_one",
            "1.5 a connection is dead when a whole interval brought no answer, not when a requested beat just left",
        )
        .ready()
        .due("heartbeat")
        .text(ACK)
        .later_ms(41_249)
        .text(r#"{"op":1}"#)
        .gives(&["send data~\"op\":1"])
        .due("heartbeat")
        .gives(&["send data~\"op\":1"])
        .is("ready")
        .end(),
        play(
            "requested_before_hello",
            "1.4 any, op 1: also before op 10",
        )
        .awaiting_hello()
        .text(r#"{"op":1}"#)
        .gives(&["send data={\"op\":1,\"d\":null}"])
        .is("hello")
        .end(),
        requests_have_a_budget(),
    ]
}

/// Beats that the driver asks for.
fn asked_for() -> Vec<Vector> {
    vec![
        play(
            "asked_for_by_the_driver",
            "1.5 a beat beside the schedule, to know whether the session lives; not while one is unanswered",
        )
        .ready()
        .asked_to_beat()
        .gives(&["send data={\"op\":1,\"d\":1}"])
        .asked_to_beat()
        .gives(&[])
        .text(ACK)
        .gives(&["heartbeat_acked"])
        .asked_to_beat()
        .gives(&["send data={\"op\":1,\"d\":1}"])
        .counts(&[("heartbeats", 2), ("heartbeats_acked", 1)])
        .end(),
        play(
            "asked_for_too_early",
            "1.5 before READY a beat would say nothing of the session",
        )
        .awaiting_hello()
        .asked_to_beat()
        .gives(&[])
        .is("hello")
        .end(),
    ]
}

/// A flood of op 1 may not use up the places of the scheduled beats: 120 messages in 60 s would cost the connection.
fn requests_have_a_budget() -> Vector {
    let mut shard: Shard = play(
        "requested_beats_have_a_budget",
        "1.13 heartbeats on request stay within 120 messages per 60 s, and leave room for the scheduled ones",
    )
    .config(json!({"seed": 3}))
    .ready();
    // Identify took one place, two belong to the scheduled beats of 60 s: 117 are left.
    let requests = [r#"{"op":1}"#; 130].concat();
    shard = shard.text(&requests);
    shard
        .waits_for("heartbeat", 0, 41_250)
        .due("heartbeat")
        .gives(&["send data~\"op\":1"])
        .text(ACK)
        .due("requested_heartbeat")
        .gives(&["send data~\"op\":1"])
        .counts(&[("heartbeats", 119)])
        .end()
}

fn zombies() -> Vec<Vector> {
    vec![
        play(
            "zombie_keeps_the_session",
            "1.5 no acknowledgement between two beats: close with neither 1000 nor 1001, reconnect, resume",
        )
        .ready()
        .due("heartbeat")
        .text(&event(2, "MESSAGE_CREATE"))
        .due("heartbeat")
        .gives(&["disconnected_resumable", "close code=4000"])
        .due("close")
        .reconnected()
        .tells("send data~\"seq\":2")
        .counts(&[("zombies", 1)])
        .end(),
        play(
            "any_message_is_a_sign_of_life",
            "1.5 as an option, any message since the last beat proves the connection alive",
        )
        .config(json!({"zombie_rule": "any_message"}))
        .ready()
        .due("heartbeat")
        .text(&event(2, "MESSAGE_CREATE"))
        .due("heartbeat")
        .gives(&["send data~\"op\":1"])
        .is("ready")
        .end(),
        play(
            "silence_is_death",
            "1.5 with the same option, a connection that says nothing for an interval is dead",
        )
        .config(json!({"zombie_rule": "any_message"}))
        .ready()
        .due("heartbeat")
        .due("heartbeat")
        .gives(&["disconnected_resumable", "close code=4000"])
        .end(),
        play(
            "a_new_connection_owes_no_ack",
            "1.5 a beat that the old connection left unanswered is not held against the new one",
        )
        .ready()
        .due("heartbeat")
        .lost(0)
        .reconnected()
        .text(&super::resumed(2))
        .due("heartbeat")
        .gives(&["send data~\"op\":1"])
        .is("ready")
        .end(),
    ]
}
