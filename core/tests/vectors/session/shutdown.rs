//! Protocol 1.12: closing from our side, in every state and both ways.

use super::super::model::Vector;
use super::{Shard, left_at, play};

/// A state, how a session gets there, whether it has a session then, and whether there is a socket to close.
type Place = (&'static str, fn(Shard) -> Shard, bool, bool);

const PLACES: &[Place] = &[
    (
        "disconnected",
        |shard| shard.ready().lost(0).is("disconnected"),
        true,
        false,
    ),
    (
        "connecting",
        |shard| shard.restored(left_at(7)).connecting(),
        true,
        true,
    ),
    (
        "hello",
        |shard| shard.restored(left_at(7)).awaiting_hello(),
        true,
        true,
    ),
    ("awaiting_identify", Shard::awaiting_identify, false, true),
    ("identifying", Shard::identifying, false, true),
    ("resuming", Shard::resuming, true, true),
    ("ready", Shard::ready, true, true),
];

fn stopped(place: &Place, resumable: bool) -> Vector {
    let &(state, reach, has_session, has_socket) = place;
    let kept = resumable && has_session;
    let how = if resumable { "resumable" } else { "final" };
    let (rule, code) = match (kept, resumable) {
        (true, _) => (
            "4000, so that Discord keeps the session for a few minutes",
            4000,
        ),
        (false, true) => ("1000: there is no session to keep", 1000),
        (false, false) => (
            "1000, which ends the session and shows the bot offline",
            1000,
        ),
    };
    let shard = play(
        &format!("stop_{state}_{how}"),
        &format!("1.12 {state}: stop with {rule}"),
    );
    let shard = reach(shard).stopped(resumable);
    let shard = if has_socket {
        let ended = if kept {
            "disconnected_resumable"
        } else {
            "disconnected"
        };
        let closed = format!("close code={code}");
        let mut outputs = vec![ended, &closed];
        if state == "awaiting_identify" {
            outputs.push("cancel_identify");
        }
        shard.gives(&outputs).is("closing").lost(code)
    } else {
        shard
    };
    let shard = shard
        .gives(&[&format!("closed value={}", u32::from(kept))])
        .is("closed")
        .waits_for_nothing();
    let sequence = if matches!(state, "ready" | "disconnected") {
        1
    } else {
        7
    };
    let none = serde_json::json!({"shard_index": 0, "shard_total": 1, "resumption": null});
    shard
        .leaves(if kept { left_at(sequence) } else { none })
        .end()
}

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<_> = PLACES
        .iter()
        .flat_map(|place| [stopped(place, true), stopped(place, false)])
        .collect();
    vectors.extend(others());
    vectors.extend(what_waits());
    vectors
}

fn others() -> Vec<Vector> {
    vec![
        play(
            "stop_while_closing",
            "1.12 closing: a stop while we hang up to reconnect; no new connection follows",
        )
        .closing()
        .stopped(true)
        .gives(&[])
        .is("closing")
        .lost(4000)
        .gives(&["closed value=1"])
        .is("closed")
        .leaves(left_at(1))
        .end(),
        play(
            "stop_does_not_wait_long",
            "1.12 the socket is not gone after 5 s: closed all the same",
        )
        .ready()
        .stopped(false)
        .due("close")
        .gives(&["closed value=0"])
        .is("closed")
        .end(),
        play(
            "stop_before_the_start",
            "1.12 disconnected: a stop before the first connection",
        )
        .stopped(true)
        .gives(&["closed value=0"])
        .is("closed")
        .end(),
        play(
            "closed_is_inert",
            "1.12 closed: nothing moves it; commands are refused",
        )
        .stopped(false)
        .opened()
        .returns("not_connecting")
        .lost(0)
        .returns("not_connected")
        .recycled()
        .gives(&[])
        .granted()
        .gives(&["identify_unused"])
        .command(5, 4, r#"{"guild_id":"41","channel_id":null}"#)
        .gives(&["command_refused code=4 id=5"])
        .stopped(true)
        .gives(&[])
        .later_ms(1_000_000)
        .tick()
        .gives(&[])
        .is("closed")
        .end(),
    ]
}

fn what_waits() -> Vec<Vector> {
    vec![
        play(
            "stop_refuses_what_waits",
            "1.12 commands that still wait are refused when the session ends",
        )
        .command(1, 31, r#"{"guild_ids":["1"]}"#)
        .command(2, 31, r#"{"guild_ids":["2"]}"#)
        .awaiting_hello()
        .stopped(true)
        .lost(4000)
        .gives(&[
            "command_refused code=4 id=1",
            "command_refused code=4 id=2",
            "closed",
        ])
        .counts(&[("commands_refused", 2)])
        .end(),
        play(
            "stop_in_time_for_the_dispatches",
            "1.12 what arrived before the stop was handed on; what comes after is not",
        )
        .ready()
        .text(&super::event(2, "MESSAGE_CREATE"))
        .gives(&["dispatch value=2"])
        .stopped(true)
        .text(&super::event(3, "MESSAGE_CREATE"))
        .gives(&[])
        .lost(0)
        .leaves(left_at(2))
        .end(),
    ]
}
