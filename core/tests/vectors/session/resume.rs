//! Protocol 1.8 to 1.10: resuming, invalid sessions, sessions that cannot be resumed.

use serde_json::json;

use super::super::model::Vector;
use super::{HELLO, READY, RESUME_URL, Shard, event, left_at, play, resumed};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = going_on();
    vectors.extend(replay());
    vectors.extend(urls());
    vectors.extend(giving_up());
    vectors
}

fn going_on() -> Vec<Vector> {
    vec![
        play("resume_after_a_drop", "1.8 id and last sequence, sent right after Hello; no slot, no identify")
            .ready()
            .text(&event(2, "MESSAGE_CREATE"))
            .text(&event(3, "MESSAGE_CREATE"))
            .lost(0)
            .reconnected()
            .gives(&[r#"send data={"op":6,"d":{"token":"not.a.token","session_id":"abc","seq":3}}"#])
            .text(&event(4, "MESSAGE_CREATE"))
            .text(&resumed(5))
            .tells("resumed id=5 value=1")
            .counts(&[("identifies", 1), ("resumes", 1), ("replayed", 1)])
            .end(),
        play("restored_session_resumes", "1.8 a session outlives the process that had it")
            .config(json!({"shard": [3, 16]}))
            .restored(json!({
                "shard_index": 3, "shard_total": 16,
                "resumption": {"session_id": "xyz", "sequence": 9_007_199_254_740_991_u64, "resume_gateway_url": null},
            }))
            .due("reconnect")
            .gives(&["connect text~wss://gateway.discord.gg/"])
            .opened()
            .text(HELLO)
            .gives(&["send data~\"seq\":9007199254740991"])
            .end(),
        play("restored_without_a_session", "1.8 a snapshot may hold no session: identify")
            .restored(json!({"shard_index": 0, "shard_total": 1, "resumption": null}))
            .awaiting_identify()
            .end(),
        play("restored_url_is_checked", "1.8 a resume URL in a snapshot is held to the same rule as one in READY")
            .restored(json!({
                "shard_index": 0, "shard_total": 1,
                "resumption": {"session_id": "abc", "sequence": 7, "resume_gateway_url": "wss://example.com"},
            }))
            .due("reconnect")
            .gives(&["connect text~wss://gateway.discord.gg/"])
            .end(),
    ]
}

fn replay() -> Vec<Vector> {
    vec![
        play(
            "duplicates_are_dropped",
            "1.8 a replay that begins too early: what was seen before is dropped and counted",
        )
        .resuming()
        .text(&event(6, "MESSAGE_CREATE"))
        .gives(&[])
        .text(&event(7, "MESSAGE_CREATE"))
        .gives(&[])
        .text(&event(8, "MESSAGE_CREATE"))
        .gives(&["dispatch id=1 value=8"])
        .text(&resumed(9))
        .tells("resumed id=9 value=1")
        .counts(&[("duplicates", 2), ("replayed", 1), ("missed", 0)])
        .end(),
        play(
            "gaps_are_counted",
            "1.8 a sequence that skips some: they never arrived, and are counted as missed",
        )
        .resuming()
        .text(&event(10, "MESSAGE_CREATE"))
        .gives(&["dispatch id=1 value=10"])
        .text(&resumed(11))
        .text(&event(13, "MESSAGE_CREATE"))
        .counts(&[("missed", 3), ("replayed", 1)])
        .leaves(left_at(13))
        .end(),
        play(
            "sequence_never_goes_back",
            "1.2 outside a replay, an older s is handed on and counted; the stored one stays",
        )
        .ready()
        .text(&event(5, "MESSAGE_CREATE"))
        .text(&event(4, "MESSAGE_CREATE"))
        .gives(&["dispatch id=0 value=4"])
        .counts(&[("out_of_order", 1), ("missed", 3)])
        .leaves(left_at(5))
        .end(),
        play(
            "new_session_forgets_the_old",
            "1.7 everything of the old session is void on READY",
        )
        .resuming()
        .text(r#"{"op":9,"d":false}"#)
        .lost(1000)
        .reconnected()
        .granted()
        .text(READY)
        .leaves(left_at(1))
        .counts(&[("sessions_lost", 1), ("guilds", 2)])
        .end(),
    ]
}

fn urls() -> Vec<Vector> {
    vec![
        play("resume_url_with_a_query", "1.1 exactly one slash before the query; what the URL brings along is kept")
            .restored(json!({
                "shard_index": 0, "shard_total": 1,
                "resumption": {"session_id": "abc", "sequence": 7, "resume_gateway_url": "wss://gateway.discord.gg/?x=1"},
            }))
            .due("reconnect")
            .gives(&["connect text=wss://gateway.discord.gg/?x=1&v=10&encoding=json"])
            .end(),
        play(
            "resume_url_is_tried_again",
            "1.8 the generic URL does not open either: the resume URL has its turn again",
        )
        .restored(left_at(7))
        .connecting()
        .lost(0)
        .due("reconnect")
        .gives(&["connect text~wss://gateway.discord.gg/"])
        .lost(0)
        .due("reconnect")
        .gives(&[&format!("connect text~{RESUME_URL}")])
        .end(),
        play("resume_url_times_out", "1.8 a resume URL that does not open in time has failed as well")
            .restored(left_at(7))
            .connecting()
            .due("connect")
            .gives(&["disconnected_resumable", "close code=4000"])
            .due("close")
            .due("reconnect")
            .gives(&["connect text~wss://gateway.discord.gg/"])
            .end(),
    ]
}

fn giving_up() -> Vec<Vector> {
    vec![
        play(
            "op_9_false_while_resuming",
            "1.4 resuming, op 9 with d false: drop the session, identify anew",
        )
        .resuming()
        .text(r#"{"op":9,"d":false}"#)
        .gives(&["session_lost value=7", "disconnected", "close code=1000"])
        .lost(1000)
        .waits_for("reconnect", 1_000, 5_000)
        .due("reconnect")
        .gives(&["connect text~wss://gateway.discord.gg/"])
        .opened()
        .text(HELLO)
        .gives(&["want_identify"])
        .end(),
        play(
            "op_9_true_resumes",
            "1.9 op 9 with d true: the same session may be resumed, after 1 to 5 s",
        )
        .resuming()
        .text(r#"{"op":9,"d":true}"#)
        .gives(&["disconnected_resumable", "close code=4000"])
        .lost(4000)
        .waits_for("reconnect", 1_000, 5_000)
        .reconnected()
        .gives(&["send data~\"op\":6"])
        .end(),
        play(
            "op_9_without_d",
            "1.9 op 9 that does not say true means false",
        )
        .ready()
        .text(r#"{"op":9}"#)
        .gives(&["session_lost", "disconnected", "close code=1000"])
        .end(),
        progress_is_no_loop(),
        play(
            "resume_attempts_are_configurable",
            "1.4 resuming, closed again: here one failure is enough",
        )
        .config(json!({"resume_attempts_max": 1}))
        .resuming()
        .lost(1006)
        .gives(&["session_lost", "disconnected code=1006"])
        .end(),
        play(
            "resume_asked_to_reconnect",
            "1.10 op 7 during a replay: resume again, from where the replay was",
        )
        .resuming()
        .text(&event(8, "MESSAGE_CREATE"))
        .text(r#"{"op":7,"d":null}"#)
        .gives(&["disconnected_resumable", "close code=4000"])
        .lost(4000)
        .reconnected()
        .tells("send data~\"seq\":8")
        .end(),
        stable_session_resets_the_backoff(),
    ]
}

fn progress_is_no_loop() -> Vector {
    let mut shard: Shard = play(
        "progress_is_no_loop",
        "1.4 resuming, closed again after some replay: no failure, the next resume has less to do",
    )
    .resuming();
    for sequence in 8..13 {
        shard = shard
            .text(&event(sequence, "MESSAGE_CREATE"))
            .lost(4000)
            .gives(&["disconnected_resumable"])
            .reconnected()
            .tells(&format!("send data~\"seq\":{sequence}"));
    }
    shard.counts(&[("replayed", 5), ("sessions_lost", 0)]).end()
}

fn stable_session_resets_the_backoff() -> Vector {
    play(
        "stable_session_resets_the_backoff",
        "1.11 backoff: immediate, then growing; a session that lasted 30 s makes the next attempt immediate again",
    )
    .ready()
    .lost(0)
    .waits_for("reconnect", 0, 0)
    .reconnected()
    .text(&resumed(2))
    .lost(0)
    .waits_for("reconnect", 1, 1_000)
    .reconnected()
    .text(&resumed(3))
    .later_ms(30_000)
    .lost(0)
    .waits_for("reconnect", 0, 0)
    .end()
}
