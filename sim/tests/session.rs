//! A session's life: HELLO, Identify, READY, guilds, events, drops, resumes, and what ends it.

mod script;

use serde_json::json;
use shardkeep_sim::{Fault, Input, SessionEnd, WorldConfig, digest};

use script::{ALL_INTENTS, Heard, Script};

fn small() -> WorldConfig {
    WorldConfig {
        guilds: 6,
        members_per_guild: 20,
        ..WorldConfig::default()
    }
}

#[test]
fn a_session_starts_streams_its_guilds_and_beats() {
    let mut script = Script::new(small());
    script.open(1);
    let Heard::Message(1, hello) = script.last() else {
        panic!("no HELLO")
    };
    assert_eq!(
        hello,
        json!({"t": null, "s": null, "op": 10, "d": {"heartbeat_interval": 41_250}})
    );
    script.identify(1, [0, 1], ALL_INTENTS);
    script.wait_ms(1_000);
    let dispatches = script.dispatches_on(1);
    let ready = &dispatches[0];
    assert_eq!((ready.t.as_str(), ready.s), ("READY", 1));
    let listed: Vec<_> = ready.d["guilds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|guild| guild["id"].clone())
        .collect();
    assert_eq!(listed.len(), 6);
    let streamed: Vec<_> = dispatches[1..]
        .iter()
        .map(|create| create.d["id"].clone())
        .collect();
    assert_eq!(streamed, listed);
    assert!(
        dispatches[1..]
            .iter()
            .all(|create| create.t == "GUILD_CREATE" && create.d["unavailable"] == false)
    );
    assert!(
        dispatches
            .iter()
            .zip(1..)
            .all(|(dispatch, s)| dispatch.s == s)
    );
    script.heartbeat(1, Some(7));
    assert_eq!(
        script.last(),
        Heard::Message(1, json!({"t": null, "s": null, "op": 11, "d": null}))
    );
    assert_eq!(script.violations(), Vec::<String>::new());
}

#[test]
fn a_dropped_session_resumes_and_misses_nothing() {
    let mut script = Script::new(WorldConfig {
        chatter_per_s: 50,
        ..small()
    });
    let session = script.start(1, [0, 1], ALL_INTENTS);
    let before = script.dispatches_on(1);
    script.fault(1, Fault::Drop);
    assert_eq!(script.last(), Heard::Drop(1));
    script.wait_ms(5_000);
    script.open(2);
    let seq = before.last().unwrap().s;
    script.resume(2, &session, seq);
    let after = script.dispatches_on(2);
    assert_eq!(after.last().unwrap().t, "RESUMED");
    let replayed = after.len() as u64 - 1;
    assert!(replayed > 100, "{replayed}");
    assert!(
        after
            .iter()
            .zip(seq + 1..)
            .all(|(dispatch, s)| dispatch.s == s)
    );
    assert!(!after.iter().any(|dispatch| dispatch.t == "READY"));
    let ledger = script.session(&session);
    assert_eq!(
        (ledger.resumes, ledger.replayed, ledger.end),
        (1, replayed, None)
    );
    let both = before.iter().chain(&after[..after.len() - 1]);
    for (heard, entry) in both.zip(&ledger.entries) {
        assert_eq!(
            (heard.s, heard.t.as_str(), heard.digest),
            (entry.seq, &*entry.t, entry.digest)
        );
    }
    assert_eq!(ledger.dispatches, before.len() as u64 + replayed);
}

#[test]
fn guilds_that_are_replayed_are_the_same_byte_for_byte() {
    let mut script = Script::new(small());
    let session = script.start(1, [0, 1], ALL_INTENTS);
    let first = script.dispatches_on(1);
    script.close(1, None);
    script.open(2);
    script.resume(2, &session, 1);
    let again = script.dispatches_on(2);
    assert_eq!(first[1..], again[..first.len() - 1]);
}

#[test]
fn the_replay_buffer_is_bounded_and_an_overrun_ends_the_session() {
    let mut script = Script::new(WorldConfig {
        replay_capacity: 50,
        ..small()
    });
    let session = script.start(1, [0, 1], ALL_INTENTS);
    let seq = script.dispatches_on(1).last().unwrap().s;
    script.close(1, None);
    script.control(json!({"do": "burst", "events": 50}));
    script.open(2);
    script.resume(2, &session, seq);
    assert_eq!(script.dispatches_on(2).len(), 51);
    script.close(2, None);
    script.control(json!({"do": "burst", "events": 51}));
    script.open(3);
    script.resume(3, &session, seq + 51);
    assert_eq!(
        script.last(),
        Heard::Message(3, json!({"t": null, "s": null, "op": 9, "d": false}))
    );
    assert_eq!(
        script.session(&session).end,
        Some(SessionEnd::BufferOverrun)
    );
    // The same connection may identify now.
    script.wait_ms(5_000);
    script.identify(3, [0, 1], ALL_INTENTS);
    assert_eq!(script.dispatches_on(3)[0].t, "READY");
}

#[test]
fn closing_with_1000_ends_the_session_at_once_and_other_ways_do_not() {
    for (code, kept) in [
        (Some(1000), false),
        (Some(1001), false),
        (Some(4000), true),
        (None, true),
    ] {
        let mut script = Script::new(small());
        let session = script.start(1, [0, 1], ALL_INTENTS);
        script.close(1, code);
        script.open(2);
        script.resume(2, &session, 7);
        let resumed = script
            .dispatches_on(2)
            .iter()
            .any(|dispatch| dispatch.t == "RESUMED");
        assert_eq!(resumed, kept, "{code:?}");
    }
}

#[test]
fn a_session_without_connection_dies_after_its_time() {
    let mut script = Script::new(small());
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.close(1, None);
    script.wait_ms(179_000);
    assert_eq!(script.session(&session).end, None);
    script.wait_ms(2_000);
    assert_eq!(script.session(&session).end, Some(SessionEnd::Expired));
    script.open(2);
    script.resume(2, &session, 7);
    assert_eq!(
        script.last(),
        Heard::Message(2, json!({"t": null, "s": null, "op": 9, "d": false}))
    );
}

#[test]
fn a_resume_takes_the_session_from_a_half_open_connection() {
    let mut script = Script::new(small());
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.fault(1, Fault::HalfOpen);
    script.control(json!({"do": "say", "content": "into the void"}));
    assert_eq!(script.dispatches_on(1).len(), 7);
    script.open(2);
    script.resume(2, &session, 7);
    let replayed = &script.dispatches_on(2)[0];
    assert_eq!(replayed.d["content"], "into the void");
    assert!(!script.take().contains(&Heard::Drop(1)));
    // From one that works, it takes it with a break.
    script.open(3);
    script.resume(3, &session, 7);
    assert!(script.take().contains(&Heard::Drop(2)));
}

#[test]
fn a_sequence_that_was_never_sent_is_refused() {
    let mut script = Script::new(small());
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.close(1, None);
    script.open(2);
    script.resume(2, &session, 8);
    assert_eq!(script.last(), Heard::Close(2, 4007));
    assert_eq!(script.violations(), ["invalid_sequence"]);
}

#[test]
fn generations_and_twins_live_side_by_side() {
    let mut script = Script::new(WorldConfig {
        max_concurrency: 16,
        guilds: 40,
        ..small()
    });
    for (connection, shard) in [
        (1, [0, 2]),
        (2, [1, 2]),
        (3, [0, 3]),
        (4, [1, 3]),
        (5, [2, 3]),
    ] {
        script.start(connection, shard, ALL_INTENTS);
        script.wait_ms(3_000);
    }
    script.start(6, [1, 3], ALL_INTENTS);
    let creates = |script: &Script, connection| {
        script
            .dispatches_on(connection)
            .iter()
            .filter(|event| event.t == "GUILD_CREATE")
            .count()
    };
    assert_eq!(creates(&script, 1) + creates(&script, 2), 40);
    assert_eq!(
        creates(&script, 3) + creates(&script, 4) + creates(&script, 5),
        40
    );
    assert_eq!(creates(&script, 4), creates(&script, 6));
    script.dispatches.clear();
    let guilds = script.guild_ids();
    for guild in &guilds {
        script.control(json!({"do": "say", "guild": guild, "content": "once per generation"}));
    }
    let total = |script: &Script, connections: &[u64]| -> usize {
        connections
            .iter()
            .map(|&connection| script.dispatches_on(connection).len())
            .sum()
    };
    assert_eq!(total(&script, &[1, 2]), 40);
    assert_eq!(total(&script, &[3, 4, 5]), 40);
    assert_eq!(script.dispatches_on(4), script.dispatches_on(6));
    script.dispatches.clear();
    script.control(json!({"do": "inject_event", "t": "ENTITLEMENT_CREATE", "d": {"id": "99"}}));
    let heard: Vec<u64> = script
        .dispatches
        .iter()
        .map(|&(connection, _)| connection)
        .collect();
    assert_eq!(heard, [1, 3]);
}

#[test]
fn guilds_wait_while_the_socket_takes_no_more() {
    let mut script = Script::new(WorldConfig {
        guilds: 100,
        members_per_guild: 20,
        ..small()
    });
    script.open(1);
    script.identify(1, [0, 1], ALL_INTENTS);
    script.input(Input::Backlog {
        connection: 1,
        bytes: 2 << 20,
    });
    script.wait_ms(5_000);
    assert_eq!(script.dispatches_on(1).len(), 1);
    script.input(Input::Backlog {
        connection: 1,
        bytes: 0,
    });
    script.wait_ms(1_000);
    assert_eq!(script.dispatches_on(1).len(), 101);
}

#[test]
fn large_guilds_come_at_the_pace_of_bytes() {
    let config = WorldConfig {
        guilds: 20,
        members_per_guild: 400,
        stream_bytes_per_s: 1 << 20,
        ..small()
    };
    let mut script = Script::new(config);
    script.open(1);
    script.identify(1, [0, 1], ALL_INTENTS);
    script.wait_ms(1_000);
    let sent = script.world.counters().bytes;
    assert!((1 << 19..3 << 20).contains(&sent), "{sent}");
    script.wait_ms(20_000);
    assert_eq!(script.dispatches_on(1).len(), 21);
}

#[test]
fn digests_are_of_the_bytes_on_the_wire() {
    let mut script = Script::new(small());
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.control(json!({"do": "inject_event", "shard": [0, 1], "t": "SOMETHING_NEW", "d": {"id": "5", "x": [1, 2]}}));
    let entry = script.session(&session).entries.pop().unwrap();
    assert_eq!((&*entry.t, entry.id), ("SOMETHING_NEW", 5));
    assert_eq!(entry.digest, digest(br#"{"id":"5","x":[1,2]}"#));
    assert_eq!(script.dispatches_on(1).pop().unwrap().digest, entry.digest);
}
