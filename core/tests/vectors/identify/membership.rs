//! Leased, given back, split: shards that come and go.

use super::super::model::{Rec, Vector};
use super::{BOT, Bot, play, play_told};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = leased();
    vectors.extend(given_back());
    vectors.extend(changed());
    vectors
}

fn leased() -> Vec<Vector> {
    vec![
        play_told(
            "nothing_runs_untold",
            "a process that leases its shards knows them all and runs none, and does not end by itself",
            "auto",
        )
        .begins()
        .limits(Bot { shards: 3, ..BOT })
        .gives(&["topology_resolved value=3"])
        .waits_for_nothing()
        .shard("1/3", "resumable")
        .returns("unknown_shard")
        .feed(Rec::new("shutdown"))
        .gives(&["stopped"])
        .runs("1/3", true)
        .returns("starts_nothing")
        .end(),
        play_told(
            "leased_with_a_session",
            "1.14 resumes are exempt: a shard that comes with a session starts at once",
            "8",
        )
        .begins_with(BOT)
        .runs("5/8", true)
        .gives(&["start shard=5/8"])
        .shard("5/8", "resumed")
        .gives(&["all_ready"])
        .runs("5/8", true)
        .returns("already_started")
        .counts(&[("shards", 1), ("ready", 1), ("granted", 0)])
        .end(),
    ]
}

fn given_back() -> Vec<Vector> {
    vec![
        play_told(
            "given_back",
            "a shard is gone when its session has ended, not before; then it may come back",
            "2",
        )
        .begins_with(BOT)
        .runs("1/2", true)
        .shard("1/2", "resumed")
        .shard("1/2", "release")
        .gives(&["stop shard=1/2"])
        .runs("1/2", true)
        .returns("already_started")
        .shard("1/2", "release")
        .gives(&[])
        .closed("1/2", false)
        .gives(&["released shard=1/2"])
        .shard("1/2", "release")
        .returns("unknown_shard")
        .runs("1/2", true)
        .gives(&["start shard=1/2"])
        .end(),
        play_told(
            "given_back_before_it_started",
            "there is no session to wait for",
            "9",
        )
        .begins_with(BOT)
        .runs("0/9", false)
        .runs("1/9", false)
        .runs("2/9", false)
        .gives(&[])
        .shard("2/9", "release")
        .gives(&["released shard=2/9"])
        .counts(&[("shards", 2), ("parked", 0)])
        .end(),
        play_told(
            "key_outlives_its_shard",
            "1.14 one identify per key and 5 s, whoever identifies: also if the shard has gone since",
            "2",
        )
        .begins_with(BOT)
        .runs("0/2", false)
        .wants("0/2")
        .gives(&["grant_identify shard=0/2"])
        .shard("0/2", "release")
        .closed("0/2", false)
        .runs("1/2", false)
        .gives(&["start shard=1/2"])
        .wants("1/2")
        .gives(&["identify_waiting code=1 shard=1/2 value=5250000"])
        .later_ms(5_250)
        .tick()
        .gives(&["grant_identify shard=1/2"])
        .end(),
    ]
}

fn changed() -> Vec<Vector> {
    vec![
        play(
            "split",
            "1.8 sessions of different totals may coexist: the halves start beside the whole",
            "1",
        )
        .begins_with(Bot {
            max_concurrency: 16,
            ..BOT
        })
        .wants("0/1")
        .shard("0/1", "ready")
        .gives(&["all_ready"])
        .runs("0/2", false)
        .runs("1/2", false)
        .gives(&["start shard=1/2"])
        .wants("1/2")
        .gives(&["grant_identify shard=1/2"])
        .shard("0/1", "release")
        .closed("0/1", false)
        .gives(&["released shard=0/1"])
        .counts(&[("shards", 2)])
        .end(),
        play(
            "a_new_total_that_discord_refuses",
            "1.11 4010 and 4011 are about the total: those of another total serve on, and start",
            "2",
        )
        .begins_with(BOT)
        .wants("0/2")
        .gives(&["grant_identify shard=0/2"])
        .runs("0/4", true)
        .gives(&["start shard=0/4"])
        .closed("0/4", true)
        .gives(&[])
        .shard("0/4", "release")
        .gives(&["released shard=0/4"])
        .counts(&[("shards", 2), ("closed", 0)])
        .end(),
    ]
}
