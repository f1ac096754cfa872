//! What a client may not do, and what happens when it does.

mod script;

use serde_json::{Value, json};
use shardkeep_sim::{SessionEnd, WorldConfig};

use script::{ALL_INTENTS, Heard, Script, identify};

fn world() -> Script {
    Script::new(WorldConfig {
        guilds: 6,
        members_per_guild: 20,
        ..WorldConfig::default()
    })
}

fn op_9(connection: u64) -> Heard {
    Heard::Message(
        connection,
        json!({"t": null, "s": null, "op": 9, "d": false}),
    )
}

/// Says something after HELLO; the world must close with this code and name this rule.
fn refused(config: WorldConfig, message: &Value, code: u16, rule: &str) {
    let mut script = Script::new(config);
    script.open(1);
    script.say(1, message);
    assert_eq!(script.last(), Heard::Close(1, code), "{message}");
    assert_eq!(script.violations(), [rule]);
    // Nothing more is heard on this connection.
    script.identify(1, [0, 1], 1);
    assert_eq!(script.take(), []);
    assert_eq!(script.world.counters().connections_open, 0);
}

#[test]
fn first_messages_that_are_no_identify_close_with_their_codes() {
    let long = json!({"op": 1, "d": null, "x": "y".repeat(4_096)});
    let resume = json!({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 0}});
    for (message, code, rule) in [
        (json!({"op": 3, "d": {}}), 4003, "not_authenticated"),
        (json!({"op": 8, "d": {}}), 4003, "not_authenticated"),
        (json!({"op": 5, "d": {}}), 4001, "unknown_opcode"),
        (json!({"op": 0, "d": {}}), 4001, "unknown_opcode"),
        (json!({"op": 99, "d": null}), 4001, "unknown_opcode"),
        (json!({"op": 1, "d": "five"}), 4001, "bad_payload"),
        (json!({"op": 2, "d": {"token": "x"}}), 4001, "bad_payload"),
        (json!({"op": 2, "d": [1, 2]}), 4001, "bad_payload"),
        (json!({"d": null}), 4002, "undecodable"),
        (json!([1, 2]), 4002, "undecodable"),
        (resume, 4004, "wrong_token"),
        (long, 4002, "payload_too_large"),
    ] {
        refused(WorldConfig::default(), &message, code, rule);
    }
}

#[test]
fn bad_identifies_close_with_their_codes() {
    let with = |key: &str, value: Value| {
        let mut message = identify([0, 1], 1);
        message["d"][key] = value;
        message
    };
    let plain = WorldConfig::default;
    let strict = WorldConfig {
        allowed_privileged: 1 << 1,
        ..plain()
    };
    let many = WorldConfig {
        guilds: 2_501,
        members_per_guild: 2,
        ..plain()
    };
    let large = WorldConfig {
        shard_multiple: 16,
        ..plain()
    };
    for (config, message, code, rule) in [
        (
            plain(),
            with("token", json!("another")),
            4004,
            "wrong_token",
        ),
        (plain(), with("shard", json!([1, 1])), 4010, "invalid_shard"),
        (plain(), with("shard", json!([0, 0])), 4010, "invalid_shard"),
        (
            plain(),
            with("intents", json!(1 << 17)),
            4013,
            "invalid_intents",
        ),
        (
            strict,
            with("intents", json!(1 << 15)),
            4014,
            "disallowed_intents",
        ),
        (
            many,
            with("shard", json!([0, 1])),
            4011,
            "sharding_required",
        ),
        (large, with("shard", json!([0, 24])), 4010, "invalid_shard"),
    ] {
        refused(config, &message, code, rule);
    }
}

#[test]
fn a_token_may_carry_its_prefix_and_shards_may_be_left_out() {
    let mut script = world();
    script.open(1);
    let mut message = identify([0, 1], 1);
    message["d"].as_object_mut().unwrap().remove("shard");
    message["d"]["token"] = json!(format!("Bot {}", shardkeep_sim::DEFAULT_TOKEN));
    script.say(1, &message);
    assert_eq!(script.dispatches_on(1)[0].t, "READY");
}

#[test]
fn exactly_4096_bytes_pass() {
    let mut script = world();
    script.open(1);
    let mut message = json!({"op": 1, "d": null, "x": ""});
    let rest = 4_096 - message.to_string().len();
    message["x"] = json!("y".repeat(rest));
    script.say(1, &message);
    assert!(matches!(script.last(), Heard::Message(1, ack) if ack["op"] == 11));
}

#[test]
fn bytes_that_are_no_json_close_with_4002() {
    let mut script = world();
    script.open(1);
    script.say_raw(1, b"\x83\x01\xff");
    assert_eq!(script.last(), Heard::Close(1, 4002));
}

#[test]
fn the_query_string_is_checked() {
    for (path, code) in [
        ("/", 4012),
        ("/?encoding=json", 4012),
        ("/?v=6&encoding=json", 4012),
        ("/?v=10&encoding=etf", 4002),
        ("/?v=10&encoding=json&compress=lz4", 4002),
    ] {
        let mut script = world();
        script.open_at(1, path);
        assert_eq!(script.take(), [Heard::Close(1, code)], "{path}");
    }
    for path in ["/?v=10", "/?encoding=json&v=10", "?v=9&encoding=json"] {
        let mut script = world();
        script.open_at(1, path);
        assert!(
            matches!(script.last(), Heard::Message(1, hello) if hello["op"] == 10),
            "{path}"
        );
    }
}

#[test]
fn a_second_identify_closes_with_4005() {
    let mut script = world();
    let session = script.start(1, [0, 1], 1);
    script.identify(1, [0, 1], 1);
    assert_eq!(script.last(), Heard::Close(1, 4005));
    assert_eq!(script.violations(), ["already_authenticated"]);
    assert_eq!(script.session(&session).end, None);
}

#[test]
fn the_121st_message_in_60_seconds_closes_with_4008() {
    let mut script = world();
    let session = script.start(1, [0, 1], 1);
    for _ in 0..118 {
        script.heartbeat(1, None);
    }
    script.wait_ms(57_900);
    script.heartbeat(1, None);
    assert!(matches!(script.last(), Heard::Message(1, _)));
    script.heartbeat(1, None);
    assert_eq!(script.last(), Heard::Close(1, 4008));
    assert_eq!(script.violations(), ["sent_too_fast"]);
    assert_eq!(script.session(&session).end, None);
}

#[test]
fn the_window_of_120_slides() {
    let mut script = world();
    script.start(1, [0, 1], 1);
    for _ in 0..600 {
        script.wait_ms(505);
        script.heartbeat(1, None);
    }
    assert_eq!(script.violations(), Vec::<String>::new());
}

#[test]
fn one_identify_per_key_and_window() {
    let mut script = Script::new(WorldConfig {
        max_concurrency: 2,
        guilds: 0,
        ..WorldConfig::default()
    });
    for connection in 1..=4 {
        script.open(connection);
    }
    script.take();
    script.identify(1, [0, 4], 1);
    script.identify(2, [1, 4], 1);
    assert_eq!(script.dispatches.len(), 2);
    script.identify(3, [2, 4], 1);
    assert_eq!(script.last(), op_9(3));
    assert_eq!(script.violations(), ["identify_concurrency"]);
    script.wait_ms(5_000);
    script.identify(3, [2, 4], 1);
    script.identify(4, [3, 4], 1);
    assert_eq!(script.dispatches.len(), 4);
    let counters = script.world.counters();
    assert_eq!((counters.identifies, counters.identifies_refused), (5, 1));
    assert_eq!(counters.identify_remaining, 995);
}

#[test]
fn overrunning_the_days_identifies_resets_the_token() {
    let mut script = Script::new(WorldConfig {
        identify_remaining: 1,
        guilds: 0,
        ..WorldConfig::default()
    });
    let session = script.start(1, [0, 2], 1);
    script.wait_ms(5_000);
    script.open(2);
    script.identify(2, [1, 2], 1);
    let heard = script.take();
    assert!(heard.contains(&Heard::Close(1, 4004)) && heard.contains(&Heard::Close(2, 4004)));
    assert_eq!(script.violations(), ["identify_budget"]);
    assert_eq!(script.session(&session).end, Some(SessionEnd::TokenReset));
    script.open(3);
    script.identify(3, [0, 2], 1);
    assert_eq!(script.last(), Heard::Close(3, 4004));
    assert_eq!(script.get("/api/v10/gateway/bot").0, 401);
    script.control(json!({"do": "reset"}));
    assert_eq!(script.get("/api/v10/gateway/bot").0, 200);
}

#[test]
fn the_days_allowance_comes_back() {
    let config = WorldConfig {
        identify_remaining: 1,
        identify_total: 20,
        identify_reset_after_ms: 60_000,
        guilds: 0,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.start(1, [0, 2], 1);
    let limit =
        |script: &mut Script| script.get("/api/v10/gateway/bot").1["session_start_limit"].clone();
    assert_eq!(limit(&mut script)["remaining"], 0);
    script.wait_ms(58_000);
    assert_eq!(limit(&mut script)["remaining"], 20);
    assert_eq!(limit(&mut script)["reset_after"], 86_400_000);
}

#[test]
fn a_silent_client_is_closed_and_may_resume() {
    let mut script = world();
    let session = script.start(1, [0, 1], 1);
    script.wait_ms(41_250 + 20_000);
    assert_eq!(script.last(), Heard::Close(1, 4000));
    assert_eq!(script.violations(), ["missed_heartbeat"]);
    script.open(2);
    script.resume(2, &session, 7);
    assert_eq!(script.dispatches_on(2)[0].t, "RESUMED");
}

#[test]
fn a_client_that_beats_stays() {
    let mut script = world();
    script.start(1, [0, 1], 1);
    for _ in 0..100 {
        script.wait_ms(41_250);
        script.heartbeat(1, Some(7));
    }
    assert_eq!(script.world.counters().connections_open, 1);
    assert_eq!(script.violations(), Vec::<String>::new());
}

#[test]
fn a_resume_with_another_query_is_noted() {
    let mut script = world();
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.close(1, None);
    script.open_at(2, "/?v=10&encoding=json&compress=zlib-stream");
    script.resume(2, &session, 7);
    assert_eq!(script.violations(), ["resume_query_changed"]);
    assert_eq!(script.session(&session).resumes, 1);
}
