//! Protocol 1.13 and 1.15: the commands of a user, and what may be wrong with them.

use serde_json::json;

use super::super::model::Vector;
use super::{READY, Shard, play, resumed};

pub(super) const VOICE: &str = r#"{"guild_id":"41","channel_id":"5","self_mute":true}"#;
pub(super) const EVERYONE: &str = r#"{"guild_id":"41","query":"","limit":0}"#;

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = each_opcode();
    vectors.extend(refused());
    vectors.extend(waiting());
    vectors.extend(rate_limited());
    vectors
}

fn sent(name: &str, rule: &str, op: u32, d: &str, payload: &str) -> Vector {
    play(name, rule)
        .ready()
        .command(1, op, d)
        .gives(&[&format!("send data={payload}"), "command_sent id=1"])
        .end()
}

fn each_opcode() -> Vec<Vector> {
    vec![
        sent(
            "op_3",
            "1.13 op 3: all four keys are written, since as null too",
            3,
            r#"{"status":"dnd"}"#,
            r#"{"op":3,"d":{"since":null,"activities":[],"status":"dnd","afk":false}}"#,
        ),
        sent(
            "op_4",
            "1.13 op 4: join a voice channel",
            4,
            VOICE,
            r#"{"op":4,"d":{"guild_id":"41","channel_id":"5","self_mute":true,"self_deaf":false}}"#,
        ),
        sent(
            "op_4_leave",
            "1.13 op 4: a null channel leaves voice",
            4,
            r#"{"guild_id":"41","channel_id":null}"#,
            r#"{"op":4,"d":{"guild_id":"41","channel_id":null,"self_mute":false,"self_deaf":false}}"#,
        ),
        sent(
            "op_8",
            "1.13 op 8: by query",
            8,
            r#"{"guild_id":"41","query":"ab","limit":10,"nonce":"n1"}"#,
            r#"{"op":8,"d":{"guild_id":"41","query":"ab","limit":10,"nonce":"n1"}}"#,
        ),
        sent(
            "op_8_ids",
            "1.13 op 8: by ids; one id is taken as a list of one",
            8,
            r#"{"guild_id":"41","user_ids":"7"}"#,
            r#"{"op":8,"d":{"guild_id":"41","user_ids":["7"]}}"#,
        ),
        sent(
            "op_31",
            "1.13 op 31: soundboard sounds",
            31,
            r#"{"guild_ids":["41","42"]}"#,
            r#"{"op":31,"d":{"guild_ids":["41","42"]}}"#,
        ),
        sent(
            "op_43",
            "1.13 op 43: channel fields",
            43,
            r#"{"guild_id":"41","fields":["status","voice_start_time"]}"#,
            r#"{"op":43,"d":{"guild_id":"41","fields":["status","voice_start_time"]}}"#,
        ),
    ]
}

/// Commands that would be refused or do nothing: name, rule, opcode, `d`.
const WRONG: &[(&str, &str, u32, &str)] = &[
    (
        "op_8_query_and_ids",
        "1.13 op 8: query or user_ids, not both",
        8,
        r#"{"guild_id":"41","query":"","limit":0,"user_ids":["1"]}"#,
    ),
    (
        "op_8_without_limit",
        "1.13 op 8: query needs a limit",
        8,
        r#"{"guild_id":"41","query":""}"#,
    ),
    (
        "op_8_long_nonce",
        "1.13 op 8: a nonce has 32 bytes at most",
        8,
        r#"{"guild_id":"41","query":"","limit":0,"nonce":"123456789012345678901234567890123"}"#,
    ),
    (
        "op_4_without_channel",
        "1.13 op 4: the channel is null or an id, never absent",
        4,
        r#"{"guild_id":"41"}"#,
    ),
    (
        "op_3_misspelt",
        "1.13 op 3: a misspelt key would do nothing",
        3,
        r#"{"statsu":"dnd"}"#,
    ),
    (
        "op_2_is_ours",
        "1.6 identify is not a user's to send",
        2,
        "{}",
    ),
    (
        "op_5_is_no_bots",
        "1.3 ops of user clients would close with 4001",
        5,
        "{}",
    ),
];

/// The `d` of an op 3 whose whole payload has this many bytes.
fn presence_of(bytes: usize) -> String {
    let of = |state: &str| {
        let activity = format!(r#"{{"name":"x","type":4,"state":"{state}"}}"#);
        format!(r#"{{"since":null,"activities":[{activity}],"status":"online","afk":false}}"#)
    };
    let around = r#"{"op":3,"d":}"#.len() + of("").len();
    of(&"y".repeat(bytes - around))
}

fn refused() -> Vec<Vector> {
    let mut vectors: Vec<_> = WRONG
        .iter()
        .map(|&(name, rule, op, d)| {
            play(name, rule)
                .ready()
                .command(1, op, d)
                .returns("bad_command")
                .gives(&[])
                .end()
        })
        .collect();
    vectors.push(
        play(
            "payload_too_large",
            "1.13 4,096 bytes at most: Discord would close with 4002; refused instead",
        )
        .ready()
        .command(1, 3, &presence_of(4_097))
        .gives(&["command_refused code=2 id=1"])
        .end(),
    );
    vectors.push(
        play("payload_of_the_largest_size", "1.13 4,096 bytes are sent")
            .ready()
            .command(1, 3, &presence_of(4_096))
            .tells("command_sent id=1")
            .end(),
    );
    vectors.push(
        play("queue_full", "1.13 the queue has an end, and says so")
            .config(json!({"command_queue_max": 2}))
            .command(1, 4, VOICE)
            .command(2, 4, VOICE)
            .gives(&[])
            .command(3, 4, VOICE)
            .gives(&["command_refused code=1 id=3"])
            .counts(&[("commands_queued", 2), ("commands_refused", 1)])
            .end(),
    );
    vectors
}

fn waiting() -> Vec<Vector> {
    vec![
        play(
            "presence_is_coalesced",
            "1.13 op 3: one that still waits is replaced by a newer one",
        )
        .command(1, 3, r#"{"status":"dnd"}"#)
        .command(2, 4, VOICE)
        .command(3, 3, r#"{"status":"idle"}"#)
        .gives(&["command_refused code=3 id=1"])
        .identifying()
        .text(READY)
        .gives(&[
            "ready",
            "dispatch",
            "send data~idle",
            "command_sent id=3",
            "send data~\"op\":4",
            "command_sent id=2",
        ])
        .end(),
        play(
            "commands_wait_while_resuming",
            "1.4 commands: held back until RESUMED, then sent",
        )
        .resuming()
        .command(1, 4, VOICE)
        .gives(&[])
        .text(&resumed(8))
        .gives(&[
            "resumed",
            "dispatch",
            "send data~\"op\":4",
            "command_sent id=1",
        ])
        .end(),
        play(
            "commands_survive_a_reconnect",
            "1.4 commands: what waits outlives the connection",
        )
        .ready()
        .lost(0)
        .command(1, 4, VOICE)
        .reconnected()
        .text(&resumed(2))
        .tells("command_sent id=1")
        .end(),
        play(
            "commands_survive_a_new_session",
            "1.4 commands: what waits outlives the session",
        )
        .ready()
        .text(r#"{"op":9,"d":false}"#)
        .command(1, 4, VOICE)
        .gives(&[])
        .lost(1000)
        .reconnected()
        .granted()
        .text(READY)
        .tells("command_sent id=1")
        .end(),
    ]
}

fn rate_limited() -> Vec<Vector> {
    let limited = |guild: &str, nonce: &str| {
        let meta = format!(r#"{{"guild_id":"{guild}"{nonce}}}"#);
        let d = format!(r#"{{"opcode":8,"retry_after":12.25,"meta":{meta}}}"#);
        format!(r#"{{"op":0,"s":2,"t":"RATE_LIMITED","d":{d}}}"#)
    };
    let asked = r#"{"guild_id":"41","query":"ab","limit":10,"nonce":"n1"}"#;
    let start = |name, rule| -> Shard { play(name, rule).ready().command(1, 8, asked) };
    vec![
        start(
            "rate_limited_is_resent",
            "1.15 the request was dropped: it is sent again after retry_after",
        )
        .text(&limited("41", r#","nonce":"n1""#))
        .gives(&[
            "rate_limited_resent code=8 id=41 value=12250000",
            "dispatch text=RATE_LIMITED",
        ])
        .waits_for("command", 12_250, 12_250)
        .due("command")
        .gives(&["send data~\"op\":8", "command_sent id=1"])
        .counts(&[("commands_sent", 2), ("commands_resent", 1)])
        .end(),
        start(
            "rate_limited_by_another_nonce",
            "1.15 opcode, guild and nonce tell requests apart: this one is not ours",
        )
        .text(&limited("41", r#","nonce":"n2""#))
        .gives(&["rate_limited code=8 id=41 value=12250000", "dispatch"])
        .end(),
        start(
            "rate_limited_for_another_guild",
            "1.15 the same for another guild",
        )
        .text(&limited("42", r#","nonce":"n1""#))
        .gives(&["rate_limited code=8 id=42", "dispatch"])
        .end(),
        play(
            "rate_limited_for_everyone",
            "1.15 a whole list that is sent again also keeps to one per guild and 30 s",
        )
        .ready()
        .command(1, 8, EVERYONE)
        .text(&limited("41", ""))
        .tells("rate_limited_resent")
        .waits_for("command", 30_000, 30_500)
        .due("command")
        .gives(&["send data~\"op\":8", "command_sent id=1"])
        .end(),
        play(
            "rate_limited_again_and_again",
            "1.15 three times it is sent again, then it is left to the caller",
        )
        .ready()
        .command(1, 8, asked)
        .text(&limited("41", r#","nonce":"n1""#))
        .due("command")
        .text(&limited("41", r#","nonce":"n1""#))
        .due("command")
        .text(&limited("41", r#","nonce":"n1""#))
        .due("command")
        .text(&limited("41", r#","nonce":"n1""#))
        .tells("rate_limited code=8")
        .keeps_back("rate_limited_resent")
        .counts(&[("commands_sent", 4), ("commands_resent", 3)])
        .end(),
    ]
}
