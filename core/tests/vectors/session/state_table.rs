//! Protocol 1.4, row by row.

use serde_json::json;

use super::super::model::Vector;
use super::{ACK, HELLO, READY, Shard, event, left_at, play, resumed};

/// The rows, as the beginnings of rules. A test asserts that each has a vector.
pub(crate) const ROWS: &[&str] = &[
    "1.4 disconnected with a session, connect due",
    "1.4 disconnected without a session, connect due",
    "1.4 connecting, failure",
    "1.4 hello, op 10 without a session",
    "1.4 hello, op 10 with a session",
    "1.4 hello, op 7",
    "1.4 hello, timeout",
    "1.4 identifying, READY",
    "1.4 identifying, op 9",
    "1.4 resuming, any dispatch",
    "1.4 resuming, RESUMED",
    "1.4 resuming, op 9 with d false",
    "1.4 resuming, closed again",
    "1.4 any, op 1",
    "1.4 any, op 11",
    "1.4 awaiting_identify, heartbeat due and the last one not acknowledged",
    "1.4 identifying, heartbeat due and the last one not acknowledged",
    "1.4 resuming, heartbeat due and the last one not acknowledged",
    "1.4 ready, heartbeat due and the last one not acknowledged",
    "1.4 resuming, op 7",
    "1.4 ready, op 7",
    "1.4 commands",
];

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = connecting();
    vectors.extend(greeting());
    vectors.extend(establishing());
    vectors.extend(established());
    vectors
}

fn connecting() -> Vec<Vector> {
    vec![
        play(
            "connect_to_resume",
            "1.4 disconnected with a session, connect due: open the resume URL with the same query",
        )
        .config(json!({"compress": "zstd-stream"}))
        .restored(left_at(7))
        .due("reconnect")
        .gives(&["connect text=wss://gateway-us-east1-b.discord.gg/?v=10&encoding=json&compress=zstd-stream"])
        .is("connecting")
        .end(),
        play(
            "connect_afresh",
            "1.4 disconnected without a session, connect due: open the URL of /gateway/bot with the query",
        )
        .config(json!({"compress": "zlib-stream", "gateway_url": "wss://gateway.discord.gg/"}))
        .due("reconnect")
        .gives(&["connect text=wss://gateway.discord.gg/?v=10&encoding=json&compress=zlib-stream"])
        .is("connecting")
        .end(),
        play(
            "connect_fails",
            "1.4 connecting, failure: the first retry is immediate, each further one waits, below 1, 2, 4 s and so on",
        )
        .connecting()
        .lost(0)
        .gives(&["disconnected"])
        .waits_for("reconnect", 0, 0)
        .due("reconnect")
        .lost(0)
        .waits_for("reconnect", 0, 1_000)
        .due("reconnect")
        .lost(0)
        .waits_for("reconnect", 0, 2_000)
        .due("reconnect")
        .lost(0)
        .waits_for("reconnect", 0, 4_000)
        .end(),
        play(
            "resume_url_fails",
            "1.4 connecting, failure of the resume URL: resume the same session at the generic URL, \
             which costs no identify",
        )
        .restored(left_at(7))
        .connecting()
        .lost(0)
        .gives(&["disconnected_resumable"])
        .due("reconnect")
        .gives(&["connect text=wss://gateway.discord.gg/?v=10&encoding=json"])
        .opened()
        .text(HELLO)
        .gives(&["send data~\"op\":6"])
        .is("resuming")
        .end(),
        play(
            "connect_times_out",
            "1.4 connecting, failure by silence: after 30 s the attempt is given up",
        )
        .connecting()
        .waits_for("connect", 30_000, 30_000)
        .due("connect")
        .gives(&["disconnected", "close code=4000"])
        .is("closing")
        .end(),
    ]
}

fn greeting() -> Vec<Vector> {
    vec![
        play(
            "hello_asks_for_a_slot",
            "1.4 hello, op 10 without a session: beat from here on, ask for an identify slot, \
             identify when it is there",
        )
        .awaiting_hello()
        .text(HELLO)
        .gives(&["want_identify"])
        .is("awaiting_identify")
        .waits_for("heartbeat", 0, 41_250)
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":null}"])
        .text(ACK)
        .granted()
        .gives(&["send data~\"op\":2"])
        .is("identifying")
        .end(),
        play(
            "hello_resumes_at_once",
            "1.4 hello, op 10 with a session: resume at once, without a slot",
        )
        .restored(left_at(7))
        .awaiting_hello()
        .text(HELLO)
        .gives(&[r#"send data={"op":6,"d":{"token":"not.a.token","session_id":"abc","seq":7}}"#])
        .is("resuming")
        .end(),
        play(
            "hello_times_out",
            "1.4 hello, timeout: no op 10 after 60 s, close and reconnect",
        )
        .awaiting_hello()
        .waits_for("hello", 60_000, 60_000)
        .due("hello")
        .gives(&["disconnected", "close code=4000"])
        .lost(4000)
        .due("reconnect")
        .gives(&["connect"])
        .end(),
        play(
            "hello_without_an_interval",
            "1.5: without a heartbeat interval there is no way to keep the connection; reconnect",
        )
        .awaiting_hello()
        .text(r#"{"op":10,"d":{}}"#)
        .gives(&["disconnected", "close code=4000"])
        .end(),
    ]
}

fn establishing() -> Vec<Vector> {
    vec![
        play(
            "ready_establishes",
            "1.4 identifying, READY: keep session id, resume URL and sequence; the session is active",
        )
        .identifying()
        .text(READY)
        .gives(&["ready value=2 text=abc", "dispatch value=1 text=READY"])
        .is("ready")
        .leaves(left_at(1))
        .counts(&[("guilds", 2), ("guilds_unavailable", 2), ("identifies", 1)])
        .end(),
        play(
            "resume_replays",
            "1.4 resuming, any dispatch: handed on as replayed, the sequence advances, heartbeats go on",
        )
        .resuming()
        .text(&event(8, "MESSAGE_CREATE"))
        .gives(&["dispatch id=1 value=8 text=MESSAGE_CREATE"])
        .due("heartbeat")
        .gives(&["send data={\"op\":1,\"d\":8}"])
        .text(&event(9, "TYPING_START"))
        .gives(&["dispatch id=1 value=9 text=TYPING_START"])
        .is("resuming")
        .end(),
        play(
            "resume_succeeds",
            "1.4 resuming, RESUMED: active again; everything before it was replay, everything after is live",
        )
        .resuming()
        .text(&event(8, "MESSAGE_CREATE"))
        .text(&event(9, "MESSAGE_CREATE"))
        .text(&resumed(10))
        .gives(&["resumed id=10 value=2 text=abc", "dispatch value=10 text=RESUMED"])
        .is("ready")
        .text(&event(11, "MESSAGE_CREATE"))
        .gives(&["dispatch id=0 value=11"])
        .counts(&[("replayed", 2), ("resumed", 1), ("missed", 0), ("identifies", 0)])
        .end(),
        resume_loop(),
    ]
}

fn established() -> Vec<Vector> {
    vec![
        play("op_1_is_answered", "1.4 any, op 1: send a heartbeat immediately, with the last sequence")
            .ready()
            .text(r#"{"op":1,"d":null}"#)
            .gives(&["send data={\"op\":1,\"d\":1}"])
            .end(),
        play("op_11_is_noted", "1.4 any, op 11: the beat counts as acknowledged, with its latency")
            .ready()
            .due("heartbeat")
            .later_ms(85)
            .text(ACK)
            .gives(&["heartbeat_acked value=85000"])
            .due("heartbeat")
            .gives(&["send data~\"op\":1"])
            .counts(&[("heartbeats", 2), ("heartbeats_acked", 1)])
            .end(),
        play(
            "commands_wait_for_ready",
            "1.4 commands: sent only once the session is established, in the order in which they were given",
        )
        .command(1, 4, r#"{"guild_id":"41","channel_id":"5"}"#)
        .gives(&[])
        .identifying()
        .command(2, 31, r#"{"guild_ids":["41"]}"#)
        .gives(&[])
        .text(READY)
        .gives(&[
            "ready",
            "dispatch",
            "send data~\"op\":4",
            "command_sent id=1",
            "send data~\"op\":31",
            "command_sent id=2",
        ])
        .end(),
    ]
}

fn resume_loop() -> Vector {
    let shard: Shard = play(
        "resume_loop",
        "1.4 resuming, closed again before RESUMED: three times in a row without progress, then give the session up",
    );
    shard
        .resuming()
        .lost(4000)
        .gives(&["disconnected_resumable code=4000"])
        .reconnected()
        .is("resuming")
        .lost(4000)
        .gives(&["disconnected_resumable code=4000"])
        .reconnected()
        .lost(4000)
        .gives(&["session_lost value=7", "disconnected code=4000"])
        .reconnected()
        .is("awaiting_identify")
        .end()
}
