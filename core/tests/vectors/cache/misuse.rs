//! Calls that break the interface, answers that nobody asked for, and the snapshot.

use serde_json::json;

use super::super::model::{Rec, Vector};
use super::words::told;
use super::{GUILD, Scene, home, scene, stored};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = numbers();
    vectors.extend(keys());
    vectors.extend(texts());
    vectors.extend(answers());
    vectors.extend(snapshots());
    vectors
}

fn numbers() -> Vec<Vector> {
    let twice = home(
        "number_in_use_is_refused",
        "interface: numbers are unique among those who wait",
    )
    .ask(1, "role:1:5")
    .ask(1, "role:1:6")
    .returns("duplicate_request")
    .gives(&[])
    .answered(1, r#"{"id":"5"}"#)
    .gives(&["found id=1"])
    .ask(1, "role:1:6")
    .returns("ok")
    .gives(&["ask id=2 text=role:1:6"])
    .end();
    let large = home(
        "number_takes_all_64_bits",
        "records: a request's number is opaque",
    )
    .ask(u64::MAX, "guild:1")
    .gives(&["found id=18446744073709551615"])
    .end();
    let kind = home(
        "unknown_kind_is_refused",
        "records: a number that no input has",
    )
    .feed(Rec::new("no_such_kind"))
    .returns("unknown_kind")
    .gives(&[])
    .has("guild:1", GUILD)
    .end();
    vec![twice, large, kind]
}

fn keys() -> Vec<Vector> {
    let start = home(
        "text_that_is_no_key_is_refused",
        "records: a kind and its ids, neither zero, and a scope where the kind has one",
    );
    let bad = [
        "",
        "role",
        "role:5",
        "role:1:",
        "role:0:5",
        "role:1:0",
        "role:1:5:6",
        "role:1:+5",
        "role:1:x",
        "Role:1:5",
        "user:1:5",
        "user:0",
        "user:18446744073709551616",
        "elephant:1",
    ];
    let refuse = |scene: Scene, key: &&str| scene.ask(1, key).returns("bad_key").gives(&[]);
    let scene = bad.iter().fold(start, refuse);
    let fetched = scene.counts(&[("flights", 0)]).end();
    let others = home(
        "every_input_with_a_key_reads_it",
        "records: what cannot be read changes nothing",
    )
    .about("invalidated", "user", 5)
    .returns("bad_key")
    .about("forget", "7", 0)
    .returns("bad_key")
    .has("guild:1", GUILD)
    .end();
    vec![fetched, others]
}

fn texts() -> Vec<Vector> {
    let d = r#"{"guild_id":"1","role":{"id":"5"}}"#;
    let dispatch = |text: &str| Rec {
        text: String::from(text),
        ..told(1_000, 9, "", 0, d)
    };
    let event = home(
        "dispatch_without_a_time_is_refused",
        "records: an event's name, a space, and the time of day in milliseconds",
    );
    let bad = [
        "",
        "GUILD_ROLE_CREATE",
        "GUILD_ROLE_CREATE ",
        "GUILD_ROLE_CREATE x",
        "GUILD_ROLE_CREATE 5 5",
    ];
    let refuse =
        |scene: Scene, text: &&str| scene.feed(dispatch(text)).returns("bad_event").gives(&[]);
    let event = bad.iter().fold(event, refuse);
    let event = event
        .knows_nothing_of("role:1:5")
        .counts(&[("dispatches", 2)])
        .end();
    let version = stored(
        "text_that_is_no_version_is_refused",
        "records: an epoch, a dot and a sequence; the question waits on",
        json!({}),
    )
    .ask(1, "role:2:5")
    .held(1, "5", "{}")
    .returns("bad_version")
    .held(1, "5.x", "{}")
    .returns("bad_version")
    .gives(&[])
    .held(1, "5.5", "{}")
    .returns("ok")
    .gives(&["found id=1 data={}"])
    .end();
    let outcome = stored(
        "line_that_is_no_outcome_is_refused",
        "records: `done`, `failed`, or `superseded` and a version; the batch waits on",
        json!({}),
    )
    .told("GUILD_ROLE_CREATE", d)
    .written(2, &["ok"])
    .returns("bad_outcome")
    .written(2, &["superseded"])
    .returns("bad_outcome")
    .written(2, &["superseded 5"])
    .returns("bad_version")
    .counts(&[("pending", 1)])
    .end();
    vec![event, version, outcome]
}

fn answers() -> Vec<Vector> {
    let nobody = home(
        "answer_that_nobody_asked_for_is_passed_over",
        "interface: it may come late, twice, or from before: that breaks no rule",
    )
    .held(77, "", "{}")
    .numbered("read_failed", 77)
    .answered(77, "{}")
    .numbered("not_found", 77)
    .numbered("ask_failed", 77)
    .written(77, &["done"])
    .returns("ok")
    .gives(&[])
    .ask(1, "role:1:5")
    .answered(1, r#"{"id":"5"}"#)
    .answered(1, r#"{"id":"5","name":"twice"}"#)
    .gives(&[])
    .has("role:1:5", r#"{"id":"5"}"#)
    .end();
    let wrong = stored(
        "answer_of_the_one_who_was_not_asked_is_passed_over",
        "interface: what the store was asked, Discord does not answer, nor the other way round",
        json!({}),
    )
    .ask(1, "role:2:5")
    .answered(1, "{}")
    .numbered("not_found", 1)
    .numbered("ask_failed", 1)
    .gives(&[])
    .numbered("read_failed", 1)
    .gives(&["ask id=2 text=role:2:5"])
    .held(2, "", "{}")
    .numbered("read_failed", 2)
    .gives(&[])
    .answered(2, r#"{"id":"5"}"#)
    .gives(&["found id=1"])
    .end();
    let clock = home(
        "timeout_that_nobody_waits_for_is_harmless",
        "interface: early, late and repeated calls change nothing",
    )
    .tick()
    .gives(&[])
    .later_ms(86_400_000)
    .tick()
    .gives(&[])
    .has("guild:1", GUILD)
    .end();
    vec![nobody, wrong, clock]
}

fn snapshots() -> Vec<Vector> {
    let counters = |dispatches: u32| {
        json!({
            "dispatches": dispatches, "malformed": 0, "deferred": 0, "forgotten": 0, "made": 0, "written": 0,
            "superseded": 0, "coalesced": 0, "withdrawn": 0, "failed": 0, "dropped": 0, "stale": 0, "read": 0,
            "fetched": 0, "joined": 0, "negative": 0, "open": 0, "pending": 0, "pending_bytes": 0, "flights": 0,
        })
    };
    let empty = scene(
        "snapshot_of_an_empty_cache_counts_nothing",
        "snapshot: what the cache holds is in the store or will be told again: a snapshot is what it has counted",
    )
    .tick()
    .gives(&[])
    .leaves(counters(0))
    .end();
    let used = home(
        "snapshot_is_what_was_counted",
        "snapshot: counters, and what waits and is under way",
    )
    .leaves(counters(2))
    .end();
    vec![empty, used]
}
