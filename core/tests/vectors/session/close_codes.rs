//! Protocol 1.11: what each close code leaves to do.

use super::super::model::Vector;
use super::{Shard, play};

/// The table, by hand: code, whether the session is resumed, given up or ended, and why.
const RESUMES: &[(u32, &str)] = &[
    (0, "no close frame: the connection broke"),
    (
        1000,
        "the server closed normally; op 9 will say if the session is gone",
    ),
    (1001, "the server is going away"),
    (1006, "what libraries report without a close frame"),
    (1011, "another WebSocket code"),
    (3000, "a code of the 3xxx range"),
    (4000, "unknown error"),
    (4005, "already authenticated"),
    (4015, "a code for user accounts only, treated as unknown"),
    (4016, "a code for consoles only, treated as unknown"),
    (4999, "an unknown code of the future"),
];
const IDENTIFIES: &[(u32, &str)] = &[
    (4003, "not authenticated: the session was invalidated"),
    (4006, "session no longer valid, as seen in 2019"),
    (4007, "the sequence in resume was invalid"),
    (4009, "the session timed out"),
];
const STOPS: &[(u32, &str, &str)] = &[
    (4004, "authentication failed", "token"),
    (4010, "invalid shard", "shard"),
    (4011, "sharding required", "/gateway/bot"),
    (4012, "invalid API version", "version"),
    (4013, "invalid intents", "intents"),
    (4014, "disallowed intents", "developer"),
];
/// Codes that blame a command.
const COMPLAINS: &[(u32, &str)] = &[
    (4001, "unknown opcode, or a bad payload"),
    (4002, "a payload that Discord could not decode"),
    (4008, "commands sent too fast"),
];

fn start(code: u32, what: &str) -> Shard {
    let code_name = match code {
        0 => String::from("none"),
        code => code.to_string(),
    };
    play(
        &format!("close_{code_name}"),
        &format!("1.11 {code_name}: {what}"),
    )
}

pub(crate) fn vectors() -> Vec<Vector> {
    let resumed = RESUMES.iter().map(|&(code, why)| resumes(code, why));
    let identified = IDENTIFIES.iter().map(|&(code, why)| identifies(code, why));
    let stopped = STOPS
        .iter()
        .map(|&(code, why, advice)| stops(code, why, advice));
    let complained = COMPLAINS.iter().map(|&(code, why)| complains(code, why));
    resumed
        .chain(identified)
        .chain(stopped)
        .chain(complained)
        .collect()
}

fn resumes(code: u32, why: &str) -> Vector {
    start(code, &format!("{why}; resume at once, at the resume URL"))
        .ready()
        .lost(code)
        .gives(&[&format!("disconnected_resumable code={code}")])
        .is("disconnected")
        .waits_for("reconnect", 0, 0)
        .due("reconnect")
        .gives(&["connect text~gateway-us-east1-b.discord.gg"])
        .end()
}

fn identifies(code: u32, why: &str) -> Vector {
    start(
        code,
        &format!("{why}; start a new session at the configured URL"),
    )
    .ready()
    .lost(code)
    .gives(&["session_lost value=1", &format!("disconnected code={code}")])
    .reconnected()
    .is("awaiting_identify")
    .counts(&[("sessions_lost", 1)])
    .end()
}

fn stops(code: u32, why: &str, advice: &str) -> Vector {
    start(code, &format!("{why}; fatal, with what the user should do"))
        .ready()
        .lost(code)
        .gives(&[
            &format!("disconnected code={code}"),
            &format!("closed_fatal code={code} text~{advice}"),
        ])
        .is("closed")
        .waits_for_nothing()
        .end()
}

fn complains(code: u32, why: &str) -> Vector {
    let wait = match code {
        4008 => (5_000, 10_000),
        _ => (0, 0),
    };
    start(
        code,
        &format!("{why}; resume, name the last command, do not send it again"),
    )
    .ready()
    .command(77, 4, r#"{"guild_id":"41","channel_id":null}"#)
    .tells("command_sent id=77")
    .lost(code)
    .gives(&[
        &format!("command_blamed code={code} id=77 value=4"),
        &format!("disconnected_resumable code={code}"),
    ])
    .waits_for("reconnect", wait.0, wait.1)
    .reconnected()
    .is("resuming")
    .text(&super::resumed(2))
    .keeps_back("send")
    .end()
}

/// What close codes do besides.
pub(crate) fn more() -> Vec<Vector> {
    vec![
        play(
            "complaint_without_a_command",
            "1.11 4001: without a command on this connection there is nobody to blame",
        )
        .ready()
        .lost(4001)
        .gives(&["disconnected_resumable code=4001"])
        .end(),
        complaints_escalate(),
        complaints_end(),
        play(
            "close_4007_while_resuming",
            "1.11 4007: the sequence in resume was invalid; start a new session",
        )
        .resuming()
        .lost(4007)
        .gives(&["session_lost value=7", "disconnected code=4007"])
        .reconnected()
        .is("awaiting_identify")
        .end(),
        play(
            "close_4004_crosses_our_close",
            "1.11 4004: a fatal code is the last word, even while we hang up ourselves",
        )
        .closing()
        .lost(4004)
        .gives(&["closed_fatal code=4004"])
        .is("closed")
        .end(),
        play(
            "close_code_out_of_range",
            "1.11: a close code has 16 bits; another number is the caller's mistake and changes nothing",
        )
        .ready()
        .lost(70_000)
        .returns("bad_code")
        .is("ready")
        .gives(&[])
        .end(),
    ]
}

fn complaints_escalate() -> Vector {
    let mut shard: Shard = play(
        "complaints_escalate",
        "1.11 4008: after several in a row the host is told, here after the third; each waits 5 to 10 s or more",
    )
    .ready();
    for times in 1..=4_u64 {
        shard = shard.lost(4008).tells("disconnected_resumable code=4008");
        shard = match times {
            1 | 2 => shard.keeps_back("escalated"),
            _ => shard.tells(&format!("escalated code=4008 value={times}")),
        };
        shard = shard
            .waits_for("reconnect", 5_000, 10_000)
            .reconnected()
            .text(&super::resumed(times + 1))
            .is("ready");
    }
    shard.counts(&[("resumed", 4), ("connections", 5)]).end()
}

fn complaints_end() -> Vector {
    play(
        "complaints_are_counted_in_a_row",
        "1.11 4002: another close code in between starts the count anew",
    )
    .config(serde_json::json!({"escalate_after": 2}))
    .ready()
    .lost(4002)
    .keeps_back("escalated")
    .reconnected()
    .lost(4000)
    .reconnected()
    .lost(4002)
    .keeps_back("escalated")
    .reconnected()
    .lost(4001)
    .tells("escalated code=4001 value=2")
    .end()
}
