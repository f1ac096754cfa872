//! What the store says is believed only if it is new enough.

use serde_json::{Value, json};

use super::super::model::Vector;
use super::store::{kept, role, small};
use super::{HOME, READY, Scene, scene, stored};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = marks();
    vectors.extend(guilds());
    vectors.extend(bounds());
    vectors.extend(lost());
    vectors.extend(epochs_shared());
    vectors.extend(users());
    vectors.extend(extremes());
    vectors
}

/// Nothing may wait: what the store does not take at once is dropped. One role is hot at a time.
fn lagging(name: &str, rule: &str, mut settings: Value) -> Scene {
    settings["limits"] = json!({"role": {"count": 1}});
    settings["pending_bytes_max"] = 200.into();
    // Role 5 changes while the store is away, and its change is dropped for the one of role 6.
    small(name, rule, settings)
        .told("GUILD_ROLE_CREATE", &role(5, "old"))
        .done()
        .store_down()
        .told("GUILD_ROLE_UPDATE", &role(5, "new"))
        .told("GUILD_ROLE_CREATE", &role(6, "x"))
        .store_up(false)
        .done()
}

/// Versions of role 5: as it was written, and as it became.
const OLD: &str = "1000.196608";
const NEW: &str = "1000.393216";

fn marks() -> Vec<Vector> {
    let stale = lagging(
        "store_that_lags_behind_is_not_believed",
        "floors: a write was dropped: the store has an older value than the one that was served",
        json!({}),
    )
    .ask(1, "role:1:5")
    .gives(&["read value=1 data~role:1:5"])
    .held(1, OLD, &kept(5, "old"))
    .gives(&["ask id=2 text=role:1:5"])
    .counts(&[("dropped", 1), ("stale", 1)])
    .end();
    let caught_up = lagging(
        "store_that_has_caught_up_is_believed",
        "floors: somebody else has written it: as new as what was dropped is new enough",
        json!({}),
    )
    .ask(1, "role:1:5")
    .held(1, NEW, &kept(5, "new"))
    .gives(&[r#"found id=1 data={"id":"5","name":"new"}"#])
    .counts(&[("stale", 0)])
    .end();
    let unsaid = lagging(
        "value_without_a_version_is_as_old_as_can_be",
        "floors: who writes without versions cannot be believed where the store lags behind",
        json!({}),
    )
    .ask(1, "role:1:5")
    .held(1, "", &kept(5, "plain"))
    .gives(&["ask id=2 text=role:1:5"])
    .end();
    let answered = lagging(
        "confirmed_write_ends_the_lag",
        "floors: what Discord answered is newer than the dropped value, written, and believed when it is read back",
        json!({}),
    )
    .ask(1, "role:1:5")
    .held(1, OLD, &kept(5, "old"))
    .answered(2, &kept(5, "now"))
    .writes(&[("role:1:5", &kept(5, "now"))])
    .versions(&["1000.458753"])
    .done()
    .told("GUILD_ROLE_UPDATE", &role(6, "y"))
    .done()
    .ask(2, "role:1:5")
    .gives(&["read value=1 data~role:1:5"])
    .held(3, "1000.458753", &kept(5, "now"))
    .gives(&[r#"found id=2 data={"id":"5","name":"now"}"#])
    .end();
    vec![stale, caught_up, unsaid, answered]
}

fn guilds() -> Vec<Vector> {
    let create = stored(
        "store_has_nothing_to_say_from_before_guild_create",
        "floors: GUILD_CREATE tells everything anew: whatever the store has of the guild is from before",
        json!({"limits": {"role": {"count": 1}}}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .done()
    .told("GUILD_CREATE", r#"{"id":"1","roles":[{"id":"1","name":"all"},{"id":"5","name":"b"}]}"#)
    .done()
    .ask(1, "role:1:1")
    .gives(&["read value=1 data~role:1:1"])
    .held(1, "1000.196608", &kept(1, "everyone"))
    .gives(&["ask id=2 text=role:1:1"])
    .counts(&[("stale", 1)])
    .end();
    let left = stored(
        "store_has_nothing_to_say_of_a_guild_that_was_left",
        "floors: what it still has of the guild is older than the farewell",
        json!({}),
    )
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .done()
    .ask(1, "role:1:1")
    .gives(&["read value=1 data~role:1:1"])
    .held(1, "1000.196608", &kept(1, "everyone"))
    .gives(&["ask id=2 text=role:1:1"])
    .end();
    let other = stored(
        "store_is_believed_where_nothing_is_known",
        "floors: of a guild that was never told of, any version will do, even none",
        json!({}),
    )
    .ask(1, "role:2:5")
    .held(1, "", &kept(5, "plain"))
    .gives(&[r#"found id=1 data={"id":"5","name":"plain"}"#])
    .end();
    vec![create, left, other]
}

fn bounds() -> Vec<Vector> {
    let scope = lagging(
        "too_many_marks_become_one_of_their_scope",
        "floors: marks_max: memory is bounded: more than lags behind is not believed, never less",
        json!({"marks_max": 0}),
    )
    .ask(1, "role:1:5")
    .held(1, OLD, &kept(5, "old"))
    .gives(&["ask id=2 text=role:1:5"])
    .ask(2, "role:1:1")
    .held(3, "1000.196608", &kept(1, "everyone"))
    .gives(&["ask id=4 text=role:1:1"])
    .counts(&[("stale", 2)])
    .end();
    let all = scene(
        "too_many_scopes_become_an_epoch",
        "floors: scopes_max: nothing that the store has is believed; what is written from here on has a new epoch",
    )
    .config(json!({"has_store": true, "scopes_max": 0}))
    .told("READY", READY)
    .done()
    .told("GUILD_CREATE", HOME)
    .tells("write id=1 value=8")
    .done()
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .versions(&["5001.10485891072"])
    .done()
    .ask(1, "role:2:5")
    .gives(&["read value=1 data~role:2:5"])
    .held(1, "5000.999999999", &kept(5, "x"))
    .gives(&["ask id=2 text=role:2:5"])
    .end();
    vec![scope, all]
}

fn lost() -> Vec<Vector> {
    let epoch = stored(
        "store_that_lost_something_begins_a_new_epoch",
        "floors: after a failover anything may be missing: only what is written from here on is believed",
        json!({"limits": {"role": {"count": 1}}}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .done()
    .store_down()
    .store_up(true)
    .ask(1, "role:1:1")
    .gives(&["read value=1 data~role:1:1"])
    .held(1, "1000.196608", &kept(1, "everyone"))
    .gives(&["ask id=2 text=role:1:1"])
    .answered(2, &kept(1, "everyone"))
    .writes(&[("role:1:1", &kept(1, "everyone"))])
    .versions(&["5001.10485891073"])
    .counts(&[("stale", 1)])
    .end();
    let kept_waiting = stored(
        "what_waits_outlives_the_stores_loss",
        "floors: what was not confirmed is written, whatever else was lost",
        json!({}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .store_down()
    .store_up(true)
    .writes(&[("role:1:5", &kept(5, "a"))])
    .end();
    let agreed = stored(
        "processes_agree_on_the_epoch_after_a_loss",
        "floors: what waits is written in the epoch that all who share the store agree on; nothing older counts",
        json!({}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .store_down()
    .store_up_in(9_000)
    .writes(&[("role:1:5", &kept(5, "a"))])
    .ask(1, "member:2:7")
    .tells("read value=1 data~member:2:7")
    .held(1, "8999.1", r#"{"user":{"id":"7"},"nick":"old"}"#)
    .gives(&["ask id=2 text=member:2:7"])
    .ask(2, "member:2:8")
    .tells("read value=1 data~member:2:8")
    .held(3, "9000.1", r#"{"user":{"id":"8"},"nick":"new"}"#)
    .gives(&[r#"found id=2 data={"user":{"id":"8"},"nick":"new"}"#])
    .end();
    vec![epoch, kept_waiting, agreed]
}

/// An epoch of the store's lies ahead of the clock, and is that of all who share the store.
fn epochs_shared() -> Vec<Vector> {
    let clock = stored(
        "versions_in_an_epoch_of_the_store_go_by_the_time_of_day",
        "floors: what one process counts says nothing to another: 32 turns to a millisecond, then 16 bits for answers",
        json!({}),
    )
    .store_down()
    .store_up_in(9_000)
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .versions(&["9000.10485891072"])
    .told("GUILD_BAN_REMOVE", r#"{"guild_id":"1","user":{"id":"7","username":"Ann"}}"#)
    .versions(&["9000.10485956608"])
    .end();
    let superseded: fn(&str, &str, &str) -> Scene = |name, rule, by| {
        stored(name, rule, json!({}))
            .told(
                "GUILD_BAN_REMOVE",
                r#"{"guild_id":"1","user":{"id":"7","username":"Ann"}}"#,
            )
            .written(2, &[by])
    };
    let later = superseded(
        "user_told_later_is_written_in_the_epoch_of_what_superseded",
        "floors: the other one has heard of a new epoch of the store, not of something newer",
        "superseded 9000.5",
    )
    .writes(&[("user:7", r#"{"id":"7","username":"Ann"}"#)])
    .versions(&["9000.10485891072"])
    .counts(&[("superseded", 1), ("open", 1)])
    .end();
    let earlier = superseded(
        "user_told_earlier_is_not_believed",
        "floors: the other one was told later, by the time of day",
        "superseded 9000.99999999999",
    )
    .writes_nothing()
    .counts(&[("superseded", 1), ("open", 0)])
    .end();
    vec![clock, later, earlier]
}

fn users() -> Vec<Vector> {
    let news = stored(
        "news_of_a_user_that_nobody_refers_to_make_the_store_old",
        "floors: the part that was told cannot be written; what the store has of the user is not believed",
        json!({}),
    )
    .told("GUILD_BAN_ADD", r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#)
    .writes_nothing()
    .ask(1, "user:8")
    .gives(&["read value=1 data~user:8"])
    .held(1, "4999.65536", r#"{"id":"8","username":"rob"}"#)
    .gives(&["ask id=2 text=user:8"])
    .counts(&[("stale", 1)])
    .end();
    let newer = stored(
        "user_that_another_session_told_later_is_believed",
        "floors: users have the time of day for a version: the later one is the newer one",
        json!({}),
    )
    .told(
        "GUILD_BAN_ADD",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#,
    )
    .ask(1, "user:8")
    .held(1, "5001.65536", r#"{"id":"8","username":"Bob"}"#)
    .gives(&[r#"found id=1 data={"id":"8","username":"Bob"}"#])
    .end();
    vec![news, newer]
}

fn extremes() -> Vec<Vector> {
    let last = scene(
        "last_epoch_there_is_does_no_harm",
        "floors: numbers that nobody should send: the epoch stays, and nothing fails",
    )
    .config(json!({"has_store": true}))
    .told_by(u64::MAX, 1, "GUILD_ROLE_CREATE", &role(5, "a"))
    .versions(&["18446744073709551615.65536"])
    .done()
    .store_up(true)
    .told_by(u64::MAX, 2, "GUILD_ROLE_UPDATE", &role(5, "b"))
    .has("role:1:5", &kept(5, "b"))
    .end();
    vec![last]
}
