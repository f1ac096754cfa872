//! Starting, resuming without a slot, stopping; and what a caller may not do.

use super::super::model::{Rec, Vector};
use super::{BOT, Bot, play};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = starts();
    vectors.extend(ends());
    vectors.extend(refusals());
    vectors.extend(misuse());
    vectors
}

fn starts() -> Vec<Vector> {
    vec![
        play(
            "resumable_shards_start_at_once",
            "1.14 resumes are exempt: known sessions start before the limits are \
             known",
            "3",
        )
        .shard("2/3", "resumable")
        .gives(&["fetch_limits", "start shard=2/3"])
        .shard("1/3", "resumable")
        .gives(&["start shard=1/3"])
        .shard("2/3", "resumed")
        .gives(&[])
        .limits(BOT)
        .gives(&["start shard=0/3"])
        .end(),
        play(
            "foreign_session",
            "1.8 a session belongs to its total: one that the resolved topology does \
             not have is dropped",
            "auto",
        )
        .shard("1/4", "resumable")
        .gives(&["fetch_limits"])
        .shard("0/2", "resumable")
        .gives(&[])
        .limits(Bot { shards: 2, ..BOT })
        .gives(&[
            "topology_resolved value=2",
            "session_foreign shard=1/4",
            "start shard=0/2",
            "start shard=1/2",
        ])
        .end(),
        play("all_ready", "all shards have a session: said once", "2")
            .begins_with(Bot {
                max_concurrency: 2,
                ..BOT
            })
            .wants("0/2")
            .wants("1/2")
            .shard("1/2", "ready")
            .gives(&[])
            .shard("0/2", "ready")
            .gives(&["all_ready"])
            .shard("0/2", "down")
            .shard("0/2", "resumed")
            .gives(&[])
            .counts(&[("ready", 2)])
            .end(),
        play(
            "resume_failed",
            "1.9 a session that could not be resumed asks for a slot like any other",
            "1",
        )
        .shard("0/1", "resumable")
        .tells("start shard=0/1")
        .wants("0/1")
        .gives(&["identify_waiting code=2 shard=0/1 value=0"])
        .limits(BOT)
        .gives(&["grant_identify shard=0/1"])
        .end(),
    ]
}

fn ends() -> Vec<Vector> {
    vec![
        play(
            "shutdown",
            "every running shard is stopped, none is started or granted any more",
            "3",
        )
        .begins_with(BOT)
        .wants("0/3")
        .wants("1/3")
        .feed(Rec::new("shutdown"))
        .gives(&["stop shard=0/3", "stop shard=1/3", "stop shard=2/3"])
        .later_ms(10_000)
        .tick()
        .gives(&[])
        .closed("0/3", false)
        .closed("1/3", false)
        .gives(&[])
        .closed("2/3", false)
        .gives(&["stopped"])
        .waits_for_nothing()
        .counts(&[("closed", 3), ("granted", 1)])
        .end(),
        play(
            "shutdown_before_the_limits",
            "nothing runs yet: the end is there at once",
            "4",
        )
        .begins()
        .feed(Rec::new("shutdown"))
        .gives(&["stopped"])
        .limits(BOT)
        .gives(&[])
        .end(),
        play(
            "shutdown_before_auto_is_resolved",
            "the same without a topology",
            "auto",
        )
        .begins()
        .feed(Rec::new("shutdown"))
        .gives(&["stopped"])
        .limits(BOT)
        .gives(&[])
        .end(),
    ]
}

fn refusals() -> Vec<Vector> {
    vec![
        play(
            "refused_before_any_session",
            "1.11 4004, 4010 to 4014: what Discord refuses at the first shard it refuses at all",
            "4",
        )
        .begins_with(BOT)
        .wants("0/4")
        .wants("1/4")
        .closed("0/4", true)
        .gives(&[
            "start_abandoned shard=0/4",
            "stop shard=1/4",
            "stop shard=2/4",
        ])
        .closed("1/4", false)
        .closed("2/4", false)
        .gives(&["stopped"])
        .end(),
        play(
            "refused_after_a_session",
            "1.11 a shard that had a session and is refused ends alone",
            "2",
        )
        .begins_with(Bot {
            max_concurrency: 2,
            ..BOT
        })
        .wants("0/2")
        .shard("0/2", "ready")
        .closed("0/2", true)
        .gives(&[])
        .wants("1/2")
        .gives(&["grant_identify shard=1/2"])
        .end(),
        play(
            "closed_while_waiting",
            "a shard that ends leaves the line",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .wants("1/2")
        .closed("1/2", false)
        .waits_for_nothing()
        .counts(&[("waiting", 0), ("closed", 1)])
        .end(),
    ]
}

fn misuse() -> Vec<Vector> {
    vec![
        play(
            "unknown_shard",
            "a shard that is not part of the topology is the caller's mistake",
            "2",
        )
        .begins_with(BOT)
        .wants("0/4")
        .returns("unknown_shard")
        .gives(&[])
        .wants("5/4")
        .returns("unknown_shard")
        .end(),
        play(
            "parked_shard",
            "a shard that was not started cannot ask",
            "9",
        )
        .begins_with(BOT)
        .wants("8/9")
        .returns("not_running")
        .end(),
        play("closed_shard", "a shard that has ended cannot ask", "2")
            .begins_with(BOT)
            .closed("0/2", false)
            .wants("0/2")
            .returns("not_running")
            .end(),
        play(
            "resumable_too_late",
            "a shard that was started cannot become resumable",
            "1",
        )
        .begins_with(BOT)
        .shard("0/1", "resumable")
        .returns("already_started")
        .end(),
        play(
            "unknown_fleet_input",
            "an input that no table has is refused",
            "1",
        )
        .feed(Rec::new("no_such_input"))
        .returns("unknown_kind")
        .end(),
    ]
}
