//! Protocol 1.13: the limits on what a connection may send.

use super::super::model::Vector;
use super::commands::{EVERYONE, VOICE};
use super::{ACK, READY, Shard, play, resumed};

pub(crate) fn vectors() -> Vec<Vector> {
    vec![
        outbound_budget(),
        budget_is_per_connection(),
        beats_are_never_late(),
        presence_limit(),
        whole_guild_limit(),
        other_guild(),
        query_is_not_limited(),
        a_waiting_command_lets_others_pass(),
    ]
}

fn voices(mut shard: Shard, ids: std::ops::RangeInclusive<u64>) -> Shard {
    for id in ids {
        shard = shard.command(id, 4, VOICE);
    }
    shard
}

/// With an interval of 41.25 s, two beats fall into 60 s and one more is kept for requests: 117 places are left for
/// identify and commands.
fn outbound_budget() -> Vector {
    let shard: Shard = play(
        "outbound_budget",
        "1.13 120 messages per 60 s and connection: 116 commands beside identify, the rest is kept for heartbeats",
    )
    .ready();
    let shard = voices(shard, 1..=116).tells("command_sent id=116");
    shard
        .command(117, 4, VOICE)
        .gives(&[])
        .due("heartbeat")
        .text(ACK)
        .due("command")
        .tells("command_sent id=117")
        .counts(&[("commands_sent", 117), ("heartbeats", 1)])
        .end()
}

/// An interval of 600 ms: 101 beats fall into 60 s, so that the budget leaves 17 commands beside identify.
const HASTY_HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":600}}"#;

fn hasty(name: &str, rule: &str) -> Shard {
    play(name, rule)
        .awaiting_hello()
        .text(HASTY_HELLO)
        .granted()
        .text(READY)
}

fn budget_is_per_connection() -> Vector {
    let shard = hasty(
        "budget_is_per_connection",
        "1.13 a new connection begins with an empty budget",
    );
    voices(shard, 1..=17)
        .tells("command_sent id=17")
        .command(18, 4, VOICE)
        .gives(&[])
        .lost(0)
        .reconnected()
        .text(&resumed(2))
        .tells("command_sent id=18")
        .end()
}

fn beats_are_never_late() -> Vector {
    let shard = hasty(
        "beats_are_never_late",
        "1.13 heartbeats never wait behind commands: with the budget used up they go out on time",
    );
    let mut shard = voices(shard, 1..=20).gives(&[]);
    for _ in 0..4 {
        shard = shard
            .due("heartbeat")
            .gives(&["send data~\"op\":1"])
            .waits_for("heartbeat", 600, 600)
            .text(ACK);
    }
    shard.end()
}

fn presence_limit() -> Vector {
    let mut shard: Shard = play(
        "presence_limit",
        "1.13 op 3: 5 per 20 s; the sixth waits, and only the newest is sent",
    )
    .ready();
    for id in 1..=5 {
        shard = shard
            .command(id, 3, r#"{"status":"dnd"}"#)
            .tells("send")
            .later_ms(10);
    }
    shard
        .command(6, 3, r#"{"status":"idle"}"#)
        .gives(&[])
        .command(7, 3, r#"{"status":"online"}"#)
        .gives(&["command_refused code=3 id=6"])
        .waits_for("command", 19_950, 20_500)
        .due("command")
        .gives(&["send data~online", "command_sent id=7"])
        .end()
}

fn whole_guild_limit() -> Vector {
    play(
        "whole_guild_limit",
        "1.13 op 8 for everyone: once per guild and 30 s; the second waits",
    )
    .ready()
    .command(1, 8, EVERYONE)
    .tells("command_sent id=1")
    .command(2, 8, EVERYONE)
    .gives(&[])
    .waits_for("command", 30_000, 30_500)
    .due("command")
    .gives(&["send data~\"op\":8", "command_sent id=2"])
    .end()
}

fn other_guild() -> Vector {
    play(
        "whole_guild_limit_is_per_guild",
        "1.13 op 8 for everyone: another guild does not wait",
    )
    .ready()
    .command(1, 8, EVERYONE)
    .command(2, 8, r#"{"guild_id":"42","query":"","limit":0}"#)
    .tells("command_sent id=2")
    .end()
}

fn query_is_not_limited() -> Vector {
    play(
        "queries_are_not_limited",
        "1.13 op 8 by prefix or ids has no limit of its own",
    )
    .ready()
    .command(1, 8, EVERYONE)
    .command(2, 8, r#"{"guild_id":"41","query":"a","limit":1}"#)
    .tells("command_sent id=2")
    .command(3, 8, r#"{"guild_id":"41","user_ids":["1"]}"#)
    .tells("command_sent id=3")
    .end()
}

fn a_waiting_command_lets_others_pass() -> Vector {
    play(
        "waiting_commands_let_others_pass",
        "1.13 a guild's member list that has to wait does not hold up a voice state",
    )
    .ready()
    .command(1, 8, EVERYONE)
    .command(2, 8, EVERYONE)
    .gives(&[])
    .command(3, 4, VOICE)
    .tells("command_sent id=3")
    .end()
}
