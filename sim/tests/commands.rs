//! Ops 3, 4, 8, 31 and 43, and what they are answered with.

#![expect(
    clippy::unwrap_used,
    reason = "what a test expects, its own functions expect too"
)]

mod script;

use serde_json::{Value, json};
use shardkeep_sim::WorldConfig;

use script::{ALL_INTENTS, Dispatch, Heard, Script};

const GUILD_PRESENCES: u64 = 1 << 8;
const GUILD_MEMBERS: u64 = 1 << 1;

fn world(intents: u64, members: u32) -> (Script, String) {
    let config = WorldConfig {
        guilds: 1,
        members_per_guild: members,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.start(1, [0, 1], intents);
    script.dispatches.clear();
    let guild = script.guild_ids().remove(0);
    (script, guild)
}

fn ask(script: &mut Script, op: u64, d: Value) -> Vec<Dispatch> {
    script.dispatches.clear();
    script.say(1, &json!({"op": op, "d": d}));
    script.wait_ms(1_000);
    script.dispatches_on(1)
}

fn members(script: &Script) -> usize {
    let chunks = script
        .dispatches
        .iter()
        .map(|(_, chunk)| chunk.d["members"].as_array().unwrap().len());
    chunks.sum()
}

#[test]
fn all_members_come_in_chunks_once_in_30_seconds() {
    let (mut script, guild) = world(ALL_INTENTS, 6_000);
    let count = script.control(json!({"do": "guilds"}))["guilds"][0]["member_count"]
        .as_u64()
        .unwrap();
    let all = json!({"guild_id": guild, "query": "", "limit": 0, "presences": true, "nonce": "n1"});
    let chunks = ask(&mut script, 8, all.clone());
    assert_eq!(chunks.len() as u64, count.div_ceil(1_000));
    assert_eq!(members(&script) as u64, count);
    for (at, chunk) in chunks.iter().enumerate() {
        assert_eq!(
            (chunk.t.as_str(), &chunk.d["nonce"]),
            ("GUILD_MEMBERS_CHUNK", &json!("n1"))
        );
        assert_eq!(
            (&chunk.d["chunk_index"], &chunk.d["chunk_count"]),
            (&json!(at), &json!(chunks.len()))
        );
        assert!(chunk.d["presences"].as_array().unwrap().len() > 100);
    }
    let limited = ask(&mut script, 8, all.clone()).remove(0);
    assert_eq!(limited.t, "RATE_LIMITED");
    assert_eq!(
        limited.d,
        json!({"opcode": 8, "retry_after": 29.0, "meta": {"guild_id": guild, "nonce": "n1"}})
    );
    assert_eq!(script.violations(), ["members_too_fast"]);
    script.wait_ms(29_000);
    assert_eq!(ask(&mut script, 8, all).len(), chunks.len());
}

#[test]
fn members_are_found_by_prefix_and_by_id() {
    let (mut script, guild) = world(ALL_INTENTS, 500);
    let bot = ask(
        &mut script,
        8,
        json!({"guild_id": guild, "query": "SIM-B", "limit": 5}),
    );
    assert_eq!(bot[0].d["members"][0]["user"]["username"], "sim-bot");
    assert_eq!(bot[0].d["members"].as_array().unwrap().len(), 1);
    let (_, listed) = script.get(&format!("/api/v10/guilds/{guild}/members?limit=3"));
    let known = listed[1]["user"]["id"].as_str().unwrap().to_owned();
    let wanted =
        json!({"guild_id": guild, "user_ids": [known, "123", "41771983423143937"], "limit": 0});
    let found = ask(&mut script, 8, wanted).remove(0);
    assert_eq!(found.d["members"][0]["user"]["id"], known);
    assert_eq!(found.d["not_found"], json!([123, "41771983423143937"]));
    let long = "n".repeat(33);
    let unnamed = ask(
        &mut script,
        8,
        json!({"guild_id": guild, "user_ids": known, "nonce": long}),
    );
    assert_eq!(unnamed[0].d.get("nonce"), None);
    assert_eq!(
        ask(
            &mut script,
            8,
            json!({"guild_id": "1", "query": "", "limit": 0})
        ),
        []
    );
}

#[test]
fn members_need_intents() {
    let (mut script, guild) = world(ALL_INTENTS & !GUILD_MEMBERS & !GUILD_PRESENCES, 50);
    assert_eq!(
        ask(
            &mut script,
            8,
            json!({"guild_id": guild, "query": "", "limit": 0})
        ),
        []
    );
    let some = ask(
        &mut script,
        8,
        json!({"guild_id": guild, "query": "a", "limit": 9, "presences": true}),
    );
    assert_eq!(some[0].d.get("presences"), None);
    assert_eq!(script.violations(), ["members_intent", "members_intent"]);
}

#[test]
fn payloads_that_lack_something_close_with_4001() {
    for (op, d) in [
        (
            3,
            json!({"activities": [], "status": "online", "afk": false}),
        ),
        (3, json!({"since": null, "status": "online", "afk": false})),
        (3, json!({"since": null, "activities": [], "afk": false})),
        (
            3,
            json!({"since": null, "activities": [], "status": "away", "afk": false}),
        ),
        (
            4,
            json!({"guild_id": "1", "self_mute": false, "self_deaf": false}),
        ),
        (8, json!({"guild_id": "1", "limit": 0})),
        (
            8,
            json!({"guild_id": "1", "query": "", "user_ids": "1", "limit": 0}),
        ),
        (8, json!({"guild_id": ["1"], "query": "", "limit": 0})),
        (31, json!({})),
        (43, json!({"guild_id": "1"})),
    ] {
        let (mut script, _) = world(ALL_INTENTS, 20);
        script.say(1, &json!({"op": op, "d": d}));
        assert_eq!(script.last(), Heard::Close(1, 4001), "op {op} {d}");
        assert_eq!(script.violations(), ["bad_payload"]);
    }
}

#[test]
fn presences_pass_and_the_sixth_in_20_seconds_is_noted() {
    let (mut script, _) = world(ALL_INTENTS, 20);
    let presence = json!({"since": null, "activities": [{"name": "x", "type": 0}], "status": "dnd", "afk": false});
    for _ in 0..5 {
        script.say(1, &json!({"op": 3, "d": presence}));
    }
    assert_eq!(script.violations(), Vec::<String>::new());
    script.say(1, &json!({"op": 3, "d": presence}));
    assert_eq!(script.violations(), ["presence_too_fast"]);
    assert_eq!(script.world.counters().connections_open, 1);
}

#[test]
fn joining_voice_is_answered_with_state_and_server() {
    let (mut script, guild) = world(ALL_INTENTS, 20);
    let (_, channels) = script.get(&format!("/api/v10/guilds/{guild}/channels"));
    let by_type = |kind: u64| {
        let channel = channels
            .as_array()
            .unwrap()
            .iter()
            .find(|channel| channel["type"] == kind);
        channel.unwrap()["id"].clone()
    };
    let join = |channel: Value| {
        let id = &guild;
        json!({"guild_id": id, "channel_id": channel, "self_mute": false, "self_deaf": false})
    };
    let voice = by_type(2);
    let answers = ask(&mut script, 4, join(voice.clone()));
    assert_eq!(answers[0].t, "VOICE_STATE_UPDATE");
    assert_eq!(answers[0].d["channel_id"], voice);
    assert_eq!(answers[0].d["member"]["user"]["username"], "sim-bot");
    assert_eq!(answers[1].t, "VOICE_SERVER_UPDATE");
    assert_eq!(ask(&mut script, 4, join(by_type(0))), []);
    let left = ask(&mut script, 4, join(Value::Null));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].d["channel_id"], Value::Null);
}

#[test]
fn sounds_and_channel_info_are_answered() {
    let (mut script, guild) = world(ALL_INTENTS, 20);
    let sounds = ask(&mut script, 31, json!({"guild_ids": [guild, "5"]}));
    assert_eq!(sounds.len(), 1);
    assert_eq!(
        (sounds[0].t.as_str(), &sounds[0].d["guild_id"]),
        ("SOUNDBOARD_SOUNDS", &json!(guild))
    );
    let info = ask(
        &mut script,
        43,
        json!({"guild_id": guild, "fields": ["status"]}),
    )
    .remove(0);
    assert_eq!(info.t, "CHANNEL_INFO");
    let first = &info.d["channels"][0];
    assert!(first.get("status").is_some() && first.get("voice_start_time").is_none());
}

#[test]
fn chunks_are_replayed_byte_for_byte() {
    let (mut script, guild) = world(ALL_INTENTS, 3_000);
    let session = script.world.ledger().next().unwrap().session.clone();
    let chunks = ask(
        &mut script,
        8,
        json!({"guild_id": guild, "query": "", "limit": 0}),
    );
    script.close(1, None);
    script.open(2);
    script.resume(2, &session, chunks[0].s - 1);
    assert_eq!(script.dispatches_on(2)[..chunks.len()], chunks);
}
