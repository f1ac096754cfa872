//! Every state with a socket, and everything that can end its connection: the matrix behind protocol 1.4.

use serde_json::json;

use super::super::model::Vector;
use super::{HELLO, Shard, event, play};

/// A state, how a session gets there, and whether it has a session to resume then.
type Place = (&'static str, fn(Shard) -> Shard, bool);

const PLACES: &[Place] = &[
    ("hello", Shard::awaiting_hello, false),
    ("awaiting_identify", Shard::awaiting_identify, false),
    ("identifying", Shard::identifying, false),
    ("resuming", Shard::resuming, true),
    ("ready", Shard::ready, true),
];

/// What comes out when the session ends its connection itself. A slot that was asked for is given back.
fn hung_up(place: &Place, shard: Shard, code: u32, resumable: bool) -> Shard {
    let ended = match resumable {
        true => "disconnected_resumable code=0",
        false => "disconnected code=0",
    };
    let closed = format!("close code={code}");
    let mut outputs = vec![ended, &closed];
    if place.0 == "awaiting_identify" {
        outputs.push("cancel_identify");
    }
    shard
        .gives(&outputs)
        .is("closing")
        .waits_for("close", 5_000, 5_000)
}

fn start(place: &Place, what: &str, rule: &str) -> Shard {
    let shard = play(
        &format!("{}_{what}", place.0),
        &format!("1.4 {}, {rule}", place.0),
    );
    // With this seed the first beat is early, so that two fit into the timeouts.
    place.1(shard.config(json!({"seed": 11}))).is(place.0)
}

fn reconnect_asked(place: &Place) -> Vector {
    let shard = start(
        place,
        "op_7",
        "op 7: close with a code other than 1000 and 1001, reconnect, keep the session",
    )
    .text(r#"{"op":7,"d":null}"#);
    hung_up(place, shard, 4000, place.2)
        .lost(4000)
        .is("disconnected")
        .gives(&[])
        .end()
}

fn invalid_resumable(place: &Place) -> Vector {
    let shard = start(
        place,
        "op_9_true",
        "op 9 with d true: keep the session, wait 1 to 5 s, reconnect",
    )
    .text(r#"{"op":9,"d":true}"#);
    hung_up(place, shard, 4000, place.2)
        .lost(0)
        .is("disconnected")
        .waits_for("reconnect", 1_000, 5_000)
        .end()
}

fn invalid(place: &Place) -> Vector {
    let shard = start(
        place,
        "op_9_false",
        "op 9 with d false: drop the session, wait 1 to 5 s, identify anew",
    )
    .text(r#"{"op":9,"d":false}"#);
    let shard = match place.2 {
        true => shard.gives(&["session_lost", "disconnected code=0", "close code=1000"]),
        false => hung_up(place, shard, 1000, false),
    };
    shard
        .lost(1000)
        .waits_for("reconnect", 1_000, 5_000)
        .due("reconnect")
        .gives(&["connect text~gateway.discord.gg"])
        .end()
}

fn broken(place: &Place) -> Vector {
    let shard = start(
        place,
        "unreadable",
        "a message that is no envelope: resume on a new connection",
    )
    .text("[1]");
    hung_up(place, shard, 4000, place.2)
        .counts(&[("bad_messages", 1)])
        .end()
}

fn dropped(place: &Place) -> Vector {
    let ended = match place.2 {
        true => "disconnected_resumable code=0",
        false => "disconnected code=0",
    };
    let mut outputs = vec![ended];
    if place.0 == "awaiting_identify" {
        outputs.push("cancel_identify");
    }
    start(place, "connection_lost", "EOF: reconnect, keep the session")
        .lost(0)
        .gives(&outputs)
        .is("disconnected")
        .waits_for("reconnect", 0, 0)
        .end()
}

fn refused(place: &Place) -> Vector {
    let mut outputs = vec!["disconnected code=4004", "closed_fatal code=4004"];
    if place.0 == "awaiting_identify" {
        outputs.push("cancel_identify");
    }
    start(place, "fatal_code", "a fatal close code: stop")
        .lost(4004)
        .gives(&outputs)
        .is("closed")
        .waits_for_nothing()
        .end()
}

fn recycled(place: &Place) -> Vector {
    let shard = start(
        place,
        "recycled",
        "the caller asks for a new connection: as if by op 7",
    )
    .recycled();
    hung_up(place, shard, 4000, place.2).end()
}

/// The heartbeat is due twice without an answer to the first.
fn zombied(place: &Place) -> Vector {
    let shard = start(
        place,
        "zombied",
        "heartbeat due and the last one not acknowledged: the connection is dead, resume on another",
    )
    .due("heartbeat")
    .gives(&["send data~\"op\":1"])
    .due("heartbeat");
    hung_up(place, shard, 4000, place.2)
        .counts(&[("zombies", 1)])
        .end()
}

fn each(make: impl Fn(&Place) -> Vector) -> impl Iterator<Item = Vector> {
    PLACES.iter().map(make)
}

pub(crate) fn vectors() -> Vec<Vector> {
    each(reconnect_asked)
        .chain(each(invalid_resumable))
        .chain(each(invalid))
        .chain(each(broken))
        .chain(each(dropped))
        .chain(each(refused))
        .chain(each(recycled))
        .chain(PLACES[1..].iter().map(zombied))
        .chain(unopened())
        .chain(closing())
        .chain(out_of_time())
        .collect()
}

/// Moves from the states without an open socket.
fn unopened() -> Vec<Vector> {
    vec![
        play(
            "connecting_fatal_code",
            "1.4 connecting, a fatal close code: stop",
        )
        .connecting()
        .lost(4004)
        .gives(&["disconnected code=4004", "closed_fatal code=4004"])
        .is("closed")
        .end(),
        play(
            "connecting_recycled",
            "1.4 connecting, the caller asks for a new connection: start over",
        )
        .connecting()
        .recycled()
        .gives(&["disconnected", "close code=4000"])
        .is("closing")
        .lost(0)
        .due("reconnect")
        .gives(&["connect"])
        .end(),
        play(
            "disconnected_recycled",
            "1.4 disconnected, the caller does not want to wait: connect now",
        )
        .ready()
        .lost(0)
        .reconnected()
        .lost(0)
        .waits_for("reconnect", 1, 1_000)
        .recycled()
        .waits_for("reconnect", 0, 0)
        .end(),
    ]
}

/// After hanging up.
fn closing() -> Vec<Vector> {
    vec![
        play(
            "closing_closed_in_time",
            "1.4 closing, the socket is gone: the next attempt is due at once",
        )
        .closing()
        .lost(4000)
        .gives(&[])
        .is("disconnected")
        .waits_for("reconnect", 0, 0)
        .end(),
        play(
            "closing_timed_out",
            "1.4 closing, the socket is not gone after 5 s: go on without it",
        )
        .closing()
        .due("close")
        .gives(&[])
        .is("disconnected")
        .due("reconnect")
        .gives(&["connect"])
        .end(),
        play(
            "closing_hears_nothing",
            "1.4 closing: what arrives after we hung up is not handed on, the resume replays it",
        )
        .closing()
        .text(&event(2, "MESSAGE_CREATE"))
        .gives(&[])
        .text(r#"{"op":9,"d":false}"#)
        .gives(&[])
        .lost(0)
        .reconnected()
        .tells("send data~\"seq\":1")
        .end(),
    ]
}

/// What does not come in time, or comes twice.
fn out_of_time() -> Vec<Vector> {
    vec![
        play(
            "identifying_ready_timeout",
            "1.4 identifying, no READY after 60 s: reconnect",
        )
        .identifying()
        .due("heartbeat")
        .text(super::ACK)
        .due("ready")
        .gives(&["disconnected", "close code=4000"])
        .end(),
        play(
            "resuming_timeout",
            "1.4 resuming, no answer after 60 s: reconnect, the session is kept",
        )
        .resuming()
        .due("heartbeat")
        .text(super::ACK)
        .due("ready")
        .gives(&["disconnected_resumable", "close code=4000"])
        .end(),
        play(
            "resuming_answered_by_ready",
            "1.8 resuming, READY instead of RESUMED: a new session all the same",
        )
        .resuming()
        .text(super::READY)
        .gives(&[
            "session_lost value=7",
            "ready value=2 text=abc",
            "dispatch id=0 value=1 text=READY",
        ])
        .is("ready")
        .end(),
        play(
            "two_hellos",
            "1.3 op 10 twice: the second is out of place and passed by",
        )
        .awaiting_identify()
        .text(HELLO)
        .gives(&["ignored value=10"])
        .is("awaiting_identify")
        .end(),
    ]
}
