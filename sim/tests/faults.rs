//! Every fault does what it says, and leaves the session as it says.

mod script;

use serde_json::{Value, json};
use shardkeep_sim::{Fault, SessionEnd, WorldConfig};

use script::{ALL_INTENTS, Heard, Script};

fn world() -> (Script, String) {
    let config = WorldConfig {
        guilds: 4,
        members_per_guild: 20,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.take();
    script.dispatches.clear();
    (script, session)
}

fn say(script: &mut Script, content: &str) {
    let guild = script.guild_ids().remove(0);
    script.control(json!({"do": "say", "guild": guild, "content": content}));
}

fn frame(op: u64, d: Value) -> Heard {
    Heard::Message(1, json!({"t": null, "s": null, "op": op, "d": d}))
}

/// Whether a resume on a new connection brings the session back.
fn resumes(script: &mut Script, session: &str) -> bool {
    script.open(2);
    script.resume(2, session, 5);
    script
        .dispatches_on(2)
        .iter()
        .any(|dispatch| dispatch.t == "RESUMED")
}

#[test]
fn drops_break_without_a_close_frame() {
    let (mut script, session) = world();
    assert_eq!(script.fault(1, Fault::Drop), json!({"hit": 1}));
    assert_eq!(script.take(), [Heard::Drop(1)]);
    assert!(resumes(&mut script, &session));
}

#[test]
fn a_half_open_connection_hears_and_says_nothing_until_the_server_gives_up() {
    let (mut script, session) = world();
    script.fault(1, Fault::HalfOpen);
    say(&mut script, "lost");
    script.heartbeat(1, Some(5));
    assert_eq!(script.take(), []);
    assert_eq!(script.world.counters().messages_unheard, 1);
    assert_eq!(script.world.counters().dispatches_deferred, 1);
    script.wait_ms(62_000);
    // The server gave up; the client must find out by itself.
    assert_eq!(script.take(), []);
    assert!(!script.session(&session).connected);
    assert_eq!(script.violations(), Vec::<String>::new());
    assert!(resumes(&mut script, &session));
    assert_eq!(script.dispatches_on(2)[0].d["content"], "lost");
}

#[test]
fn a_half_open_connection_swallows_close_frames_too() {
    let (mut script, session) = world();
    script.fault(1, Fault::HalfOpen);
    script.close(1, Some(1000));
    assert!(resumes(&mut script, &session));
}

#[test]
fn a_zombie_hears_no_acks_but_events() {
    let (mut script, _) = world();
    script.fault(1, Fault::Zombie);
    script.heartbeat(1, Some(5));
    assert_eq!(script.take(), []);
    say(&mut script, "still here");
    assert_eq!(script.dispatches[0].1.d["content"], "still here");
    assert_eq!(script.world.counters().acks_withheld, 1);
}

#[test]
fn a_lost_ack_is_lost_once() {
    let (mut script, _) = world();
    script.control(json!({"do": "fault", "target": "any", "fault": {"kind": "lost_ack"}}));
    script.heartbeat(1, None);
    assert_eq!(script.take(), []);
    script.heartbeat(1, None);
    assert_eq!(script.take(), [frame(11, Value::Null)]);
}

#[test]
fn slowness_delays_and_keeps_the_order() {
    let (mut script, _) = world();
    script.fault(
        1,
        Fault::Slow {
            delay_ms: 500,
            for_ms: Some(1_000),
        },
    );
    say(&mut script, "one");
    script.wait_ms(400);
    say(&mut script, "two");
    assert_eq!(script.dispatches, []);
    script.wait_ms(100);
    assert_eq!(script.dispatches.len(), 1);
    script.wait_ms(600);
    // The slowness is over, but nothing overtakes what is still on its way.
    say(&mut script, "three");
    let order: Vec<u64> = script
        .dispatches
        .iter()
        .map(|(_, dispatch)| dispatch.s)
        .collect();
    assert_eq!(order, [6, 7, 8]);
}

#[test]
fn reconnect_is_asked_for_and_then_enforced() {
    let (mut script, session) = world();
    script.fault(1, Fault::Reconnect { count: 3 });
    assert_eq!(
        script.take(),
        [
            frame(7, Value::Null),
            frame(7, Value::Null),
            frame(7, Value::Null)
        ]
    );
    script.wait_ms(10_000);
    assert_eq!(script.take(), [Heard::Close(1, 4000)]);
    assert!(resumes(&mut script, &session));
}

#[test]
fn invalid_session_keeps_or_takes_the_session() {
    let (mut script, session) = world();
    script.fault(1, Fault::InvalidSession { resumable: true });
    assert_eq!(script.take(), [frame(9, json!(true))]);
    say(&mut script, "meanwhile");
    assert_eq!(script.take(), []);
    // On the same connection, too.
    script.resume(1, &session, 5);
    assert_eq!(script.dispatches[0].1.d["content"], "meanwhile");

    let (mut script, session) = world();
    script.fault(1, Fault::InvalidSession { resumable: false });
    assert_eq!(script.take(), [frame(9, json!(false))]);
    assert_eq!(script.session(&session).end, Some(SessionEnd::Fault));
    assert!(!resumes(&mut script, &session));
}

#[test]
fn close_codes_keep_or_take_the_session_as_documented() {
    for (code, kept) in [
        (1000, true),
        (1001, true),
        (4000, true),
        (4001, true),
        (4002, true),
        (4003, false),
        (4004, false),
        (4007, false),
        (4008, true),
        (4009, false),
        (4014, false),
        (4567, true),
    ] {
        let (mut script, session) = world();
        script.fault(1, Fault::Close { code });
        assert_eq!(script.take(), [Heard::Close(1, code)]);
        assert_eq!(resumes(&mut script, &session), kept, "{code}");
    }
}

#[test]
fn truncated_and_corrupt_messages_are_no_json() {
    let (mut script, session) = world();
    script.fault(1, Fault::CorruptFrame);
    say(&mut script, "é".repeat(100).as_str());
    let heard = script.take();
    assert!(
        matches!(&heard[..], [Heard::Broken(1, text)] if text.starts_with("########")),
        "{heard:?}"
    );
    script.fault(1, Fault::TruncatedFrame);
    say(&mut script, "é".repeat(1_000).as_str());
    let heard = script.take();
    assert!(
        matches!(&heard[..], [Heard::Broken(1, _), Heard::Drop(1)]),
        "{heard:?}"
    );
    assert!(resumes(&mut script, &session));
    assert_eq!(script.dispatches_on(2).len(), 3);
}

#[test]
fn session_loss_is_found_out_by_resuming() {
    let (mut script, session) = world();
    script.control(
        json!({"do": "fault", "target": {"session": session}, "fault": {"kind": "session_loss"}}),
    );
    assert_eq!(script.take(), [Heard::Drop(1)]);
    assert!(!resumes(&mut script, &session));
    assert_eq!(
        script.last(),
        Heard::Message(2, json!({"t": null, "s": null, "op": 9, "d": false}))
    );
}

#[test]
fn heartbeats_can_be_asked_for() {
    let (mut script, _) = world();
    script.control(
        json!({"do": "fault", "target": {"shard": [0, 1]}, "fault": {"kind": "request_heartbeat"}}),
    );
    assert_eq!(script.take(), [frame(1, Value::Null)]);
}

#[test]
fn a_world_may_refuse_or_keep_silent() {
    let (mut script, _) = world();
    let lasting = |kind: &str| json!({"do": "fault", "target": "all", "fault": {"kind": kind, "for_ms": 1_000}});
    script.control(lasting("refuse_connections"));
    script.open(2);
    assert_eq!(script.take(), [Heard::Drop(2)]);
    script.wait_ms(1_000);
    script.control(lasting("no_hello"));
    script.open(3);
    assert_eq!(script.take(), []);
    script.wait_ms(5_000);
    script.open(4);
    script.take();
    script.control(lasting("no_ready"));
    script.identify(4, [0, 1], 1);
    script.wait_ms(5_000);
    assert_eq!(script.take(), []);
    assert_eq!(script.world.counters().connections_open, 3);
}

#[test]
fn an_outage_takes_guilds_and_gives_them_back() {
    let (mut script, _) = world();
    let guild = script.guild_ids().remove(1);
    script.control(json!({"do": "outage", "guilds": [guild], "for_ms": 20_000}));
    let gone = script.dispatches.pop().unwrap().1;
    assert_eq!(
        (gone.t.as_str(), gone.d),
        ("GUILD_DELETE", json!({"id": guild, "unavailable": true}))
    );
    // A session that starts meanwhile is told so, too.
    script.wait_ms(5_000);
    script.start(2, [0, 1], ALL_INTENTS);
    let kinds: Vec<_> = script
        .dispatches_on(2)
        .into_iter()
        .map(|dispatch| dispatch.t)
        .collect();
    assert_eq!(
        kinds,
        [
            "READY",
            "GUILD_CREATE",
            "GUILD_DELETE",
            "GUILD_CREATE",
            "GUILD_CREATE"
        ]
    );
    script.dispatches.clear();
    script.wait_ms(60_000);
    for connection in [1, 2] {
        let back = script.dispatches_on(connection).remove(0);
        assert_eq!(back.t, "GUILD_CREATE");
        assert_eq!(
            (&back.d["id"], &back.d["unavailable"]),
            (&json!(guild), &json!(false))
        );
    }
}

#[test]
fn the_bot_leaves_and_joins() {
    let (mut script, _) = world();
    let guild = script.guild_ids().remove(2);
    script.control(json!({"do": "leave", "guild": guild}));
    assert_eq!(script.dispatches.pop().unwrap().1.d, json!({"id": guild}));
    assert_eq!(script.get(&format!("/api/v10/guilds/{guild}")).0, 404);
    script.control(json!({"do": "join", "guild": guild}));
    let joined = script.dispatches.pop().unwrap().1;
    assert_eq!(
        (joined.t.as_str(), joined.d.get("unavailable")),
        ("GUILD_CREATE", None)
    );
    assert!(
        script
            .control(json!({"do": "join", "guild": guild}))
            .get("error")
            .is_some()
    );
}

#[test]
fn weather_brings_faults_until_it_is_over() {
    let (mut script, _) = world();
    let faults = json!([{"fault": {"kind": "request_heartbeat"}, "weight": 3}, {"fault": {"kind": "lost_ack"}}]);
    script.control(json!({"do": "weather", "every_ms": 100, "faults": faults, "for_ms": 10_000}));
    for _ in 0..4 {
        script.wait_ms(10_000);
        script.heartbeat(1, None);
    }
    let faults = script.world.counters().faults;
    assert!((70..140).contains(&faults), "{faults}");
    let asked = script
        .take()
        .iter()
        .filter(|heard| **heard == frame(1, Value::Null))
        .count();
    assert!((50..110).contains(&asked), "{asked}");
}
