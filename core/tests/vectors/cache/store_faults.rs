//! A store that fails, is silent, goes away, or knows better; and what waits for it meanwhile.

use serde_json::json;

use super::super::model::Vector;
use super::store::{THREE, kept, plain, role, small};
use super::{HOME, READY, Scene, scene, stored};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = failed();
    vectors.extend(away());
    vectors.extend(bounded());
    vectors.extend(bounded_always());
    vectors.extend(superseded());
    vectors
}

fn failed() -> Vec<Vector> {
    let retry = plain(
        "write_that_fails_is_made_again",
        "write-behind: after half a second; what else waits is held back with it",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .written(2, &["failed"])
    .gives(&[])
    .waits_for("retry", 500, 500)
    .told("GUILD_ROLE_CREATE", &role(6, "b"))
    .writes_nothing()
    .due("retry")
    .writes(&[("role:1:5", &kept(5, "a")), ("role:1:6", &kept(6, "b"))])
    .counts(&[("failed", 1)])
    .end();
    let newer = plain(
        "newest_value_is_what_is_made_again",
        "write-behind: a value that failed and has changed since is never written",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_UPDATE", &role(5, "b"))
    .written(2, &["failed"])
    .due("retry")
    .writes(&[("role:1:5", &kept(5, "b"))])
    .end();
    let missing = plain(
        "write_without_an_outcome_has_failed",
        "write-behind: what an answer does not speak of is made again",
    )
    .told("GUILD_EMOJIS_UPDATE", THREE)
    .written(2, &["done"])
    .due("retry")
    .writes(&[
        ("emoji:1:21", r#"{"id":"21"}"#),
        ("emoji:1:22", r#"{"id":"22"}"#),
    ])
    .counts(&[("failed", 2)])
    .end();
    let silent = plain(
        "batch_that_is_not_answered_is_made_again",
        "write-behind: store_timeout_ms: two seconds, and half a second of rest; a late answer is not meant any more",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .due("store")
    .gives(&[])
    .waits_for("retry", 500, 500)
    .written(2, &["done"])
    .gives(&[])
    .due("retry")
    .gives(&["write id=3 value=1"])
    .counts(&[("failed", 1), ("written", 10)])
    .end();
    vec![retry, newer, missing, silent]
}

fn away() -> Vec<Vector> {
    let waits = plain(
        "changes_wait_while_the_store_is_away",
        "write-behind: a dispatch never waits for the store; afterwards the newest of each is written",
    )
    .store_down()
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_UPDATE", &role(5, "b"))
    .told("GUILD_ROLE_CREATE", &role(6, "c"))
    .gives(&[])
    .waits_for_nothing()
    .has("role:1:5", &kept(5, "b"))
    .store_up(false)
    .writes(&[("role:1:5", &kept(5, "b")), ("role:1:6", &kept(6, "c"))])
    .end();
    let lost = plain(
        "batch_under_way_is_made_again_when_the_store_is_back",
        "write-behind: nobody knows what became of it; its answer is not meant any more",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .store_down()
    .waits_for_nothing()
    .written(2, &["done"])
    .store_up(false)
    .gives(&["write id=3 value=1 data~role:1:5"])
    .counts(&[("made", 11), ("written", 10), ("coalesced", 0), ("open", 1)])
    .end();
    let idle = plain(
        "nothing_is_tried_again_while_the_store_is_away",
        "write-behind: retry_after: what failed before waits for the store, not for a time that has passed",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .written(2, &["failed"])
    .waits_for("retry", 500, 500)
    .store_down()
    .waits_for_nothing()
    .store_up(false)
    .gives(&["write id=3 value=1 data~role:1:5"])
    .end();
    let none = scene(
        "without_a_store_nothing_is_written",
        "write-behind: has_store: and a store that is said to be there is not used",
    )
    .told("READY", READY)
    .gives(&[])
    .store_up(false)
    .told("GUILD_CREATE", HOME)
    .gives(&[])
    .counts(&[("pending", 0)])
    .end();
    vec![waits, lost, idle, none]
}

fn bounded() -> Vec<Vector> {
    // Two entries fit: one takes 128 bytes beside its value, which lies in the hot set.
    let dropped = small(
        "what_waits_is_bounded_in_bytes",
        "write-behind: pending_bytes_max: what has waited longest is dropped, and counted; it stays hot",
        json!({"pending_bytes_max": 300}),
    )
    .store_down()
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_CREATE", &role(6, "b"))
    .told("GUILD_ROLE_CREATE", &role(7, "c"))
    .store_up(false)
    .writes(&[("role:1:6", &kept(6, "b")), ("role:1:7", &kept(7, "c"))])
    .has("role:1:5", &kept(5, "a"))
    .counts(&[("pending", 2), ("pending_bytes", 256), ("dropped", 1), ("open", 2)])
    .end();
    let evicted = stored(
        "value_that_made_room_is_written",
        "write-behind: a value that the hot set gives up before its turn waits by itself",
        json!({"limits": {"role": {"count": 1}}}),
    )
    .store_down()
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_CREATE", &role(6, "b"))
    .store_up(false)
    .writes(&[("role:1:5", &kept(5, "a")), ("role:1:6", &kept(6, "b"))])
    .end();
    let long = "x".repeat(100);
    let refused = stored(
        "value_that_the_hot_set_refuses_is_written",
        "write-behind: what is too long for memory is not too long for the store",
        json!({"value_bytes_max": 100}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, &long))
    .writes(&[("role:1:5", &kept(5, &long))])
    .end();
    vec![dropped, evicted, refused]
}

fn superseded() -> Vec<Vector> {
    let lost: fn(&str, &str) -> Scene = |name, rule| {
        plain(name, rule)
            .told("GUILD_ROLE_CREATE", &role(5, "a"))
            .written(2, &["superseded 2000.65536"])
            .gives(&[])
    };
    let older = lost(
        "write_that_was_superseded_is_not_believed",
        "write-behind: somebody has written something newer: what is here goes, and the store is read",
    )
    .ask(1, "role:1:5")
    .tells("read value=1 data~role:1:5")
    .held(1, "2000.65536", &kept(5, "theirs"))
    .gives(&[r#"found id=1 data={"id":"5","name":"theirs"}"#])
    .counts(&[("superseded", 1), ("stale", 0)])
    .end();
    let floor = lost(
        "store_must_have_what_superseded",
        "write-behind: what the store says must be as new as what it said that it had",
    )
    .ask(1, "role:1:5")
    .held(1, "1000.327680", &kept(5, "a"))
    .gives(&["ask id=2 text=role:1:5"])
    .counts(&[("stale", 1)])
    .end();
    let changed = plain(
        "write_that_was_superseded_and_has_changed_since_is_made",
        "write-behind: what is here has changed since: its newest version decides",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_UPDATE", &role(5, "b"))
    .written(2, &["superseded 2000.65536"])
    .writes(&[("role:1:5", &kept(5, "b"))])
    .has("role:1:5", &kept(5, "b"))
    .counts(&[("superseded", 1), ("coalesced", 0), ("open", 1)])
    .end();
    vec![older, floor, changed]
}

fn bounded_always() -> Vec<Vector> {
    let chosen =
        r#"{"id":"60","guild_id":"1","data":{"resolved":{"roles":{"5":{"id":"5","name":"c"}}}}}"#;
    let answer = small(
        "bound_holds_after_answers_too",
        "write-behind: pending_bytes_max: what an answer leaves to write counts like what a dispatch does",
        json!({"pending_bytes_max": 150, "limits": {"role": {"count": 1}}}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .done()
    .told("GUILD_ROLE_CREATE", &role(6, "b"))
    .told("INTERACTION_CREATE", chosen)
    .tells("read value=1 data~role:1:5")
    .held(1, "1000.131072", &kept(5, "a"))
    .writes_nothing()
    .counts(&[("pending", 1), ("dropped", 1)])
    .end();
    let stale = small(
        "bound_holds_whatever_was_dropped_before",
        "write-behind: pending_bytes_max: a key that waits no longer does not hold up the search for those that do",
        json!({"pending_bytes_max": 300}),
    )
    .store_down()
    .told("GUILD_MEMBER_ADD", r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#)
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#)
    .told("GUILD_BAN_ADD", r#"{"guild_id":"1","user":{"id":"8","username":"Bob"}}"#)
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_CREATE", &role(6, "b"))
    .counts(&[("pending", 2), ("pending_bytes", 256), ("dropped", 1)])
    .end();
    vec![answer, stale]
}
