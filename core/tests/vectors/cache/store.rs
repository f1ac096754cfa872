//! Writing to the store behind the dispatches.

use serde_json::{Value, json};

use super::super::model::Vector;
use super::{HOME, READY, Scene, scene, stored};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = written();
    vectors.extend(versions());
    vectors.extend(coalesced());
    vectors.extend(removed());
    vectors.extend(batches());
    vectors.extend(unkept());
    vectors.extend(super::store_faults::vectors());
    vectors
}

pub(super) fn plain(name: &str, rule: &str) -> Scene {
    stored(name, rule, json!({}))
}

/// A guild with nothing in it, which the store has.
pub(super) fn small(name: &str, rule: &str, mut settings: Value) -> Scene {
    settings["has_store"] = true.into();
    let scene = scene(name, rule).config(settings);
    scene.told("GUILD_CREATE", r#"{"id":"1"}"#).done()
}

/// A role of the guild.
pub(super) fn role(id: u32, name: &str) -> String {
    format!(r#"{{"guild_id":"1","role":{{"id":"{id}","name":"{name}"}}}}"#)
}

/// What is kept of it.
pub(super) fn kept(id: u32, name: &str) -> String {
    format!(r#"{{"id":"{id}","name":"{name}"}}"#)
}

fn written() -> Vec<Vector> {
    let all = scene(
        "every_change_is_written",
        "write-behind: each record that a dispatch changes, once, users as references; batches are answered in lines",
    )
    .config(json!({"has_store": true}))
    .told("READY", READY)
    .writes(&[
        ("user:9", r#"{"id":"9","username":"bot"}"#),
        ("guild:1", r#"{"id":"1","unavailable":true}"#),
    ])
    .waits_for("store", 2_000, 2_000)
    .written(0, &["done", "done"])
    .tells("invalidate text=user:9")
    .waits_for_nothing()
    .told("GUILD_CREATE", HOME)
    .writes(&[
        ("guild:1", super::GUILD),
        ("role:1:1", r#"{"id":"1","name":"everyone"}"#),
        ("channel:1:10", super::GENERAL),
        ("channel:1:11", r#"{"id":"11","type":2,"name":"voice"}"#),
        ("channel:1:12", r#"{"id":"12","type":15,"name":"forum"}"#),
        ("member:1:9", r#"{"user":{"id":"9"},"roles":[]}"#),
        ("user:7", super::ADA),
        ("member:1:7", r#"{"user":{"id":"7"},"nick":"a","roles":["1"]}"#),
    ])
    .done()
    .counts(&[("written", 10), ("pending", 0), ("pending_bytes", 0)])
    .end();
    let same = plain(
        "what_does_not_change_is_not_written",
        "write-behind: a dispatch that says what is known already costs the store nothing",
    )
    .told("GUILD_ROLE_UPDATE", &role(1, "everyone"))
    .writes_nothing()
    .told("GUILD_ROLE_UPDATE", &role(1, "all"))
    .writes(&[("role:1:1", &kept(1, "all"))])
    .end();
    let passing = plain(
        "what_ends_with_the_session_is_not_written",
        "write-behind: stored: presences, voice states, thread members and messages are not, unless asked for",
    )
    .told("PRESENCE_UPDATE", r#"{"guild_id":"1","user":{"id":"7"},"status":"idle"}"#)
    .writes_nothing()
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#)
    .writes_nothing()
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"10","guild_id":"1"}"#)
    .writes(&[("channel:1:10", r#"{"id":"10","type":0,"name":"general","last_message_id":"50"}"#)])
    .end();
    vec![all, same, passing]
}

fn versions() -> Vec<Vector> {
    let orders = scene(
        "versions_are_the_sessions_and_users_the_clocks",
        "write-behind: a version is the session's epoch and its sequence, with 16 bits for answers between; users, \
         whom many sessions tell, have the time of day for an epoch",
    )
    .config(json!({"has_store": true}))
    .told_by(700, 3, "READY", READY)
    .versions(&["5000.10485760000", "700.196608"])
    .done()
    .told_by(701, 1, "GUILD_ROLE_CREATE", &role(5, "a"))
    .versions(&["701.65536"])
    .end();
    let answer = plain(
        "what_discord_answers_is_a_little_newer",
        "write-behind: an answer lies between the guild's last dispatch and the next one",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .done()
    .ask(1, "role:1:6")
    .answered(1, &kept(6, "b"))
    .tells("found id=1")
    .writes(&[("role:1:6", &kept(6, "b"))])
    .versions(&["1000.327681"])
    .done()
    .told("GUILD_ROLE_UPDATE", &role(6, "c"))
    .versions(&["1000.655360"])
    .end();
    vec![orders, answer]
}

fn coalesced() -> Vec<Vector> {
    let newest = plain(
        "key_that_is_under_way_waits_and_only_its_newest_value_follows",
        "write-behind: coalescing: a key is in one batch at a time; what changes meanwhile is written once",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .writes(&[("role:1:5", &kept(5, "a"))])
    .told("GUILD_ROLE_UPDATE", &role(5, "b"))
    .writes_nothing()
    .told("GUILD_ROLE_UPDATE", &role(5, "c"))
    .writes_nothing()
    .written(2, &["done"])
    .writes(&[("role:1:5", &kept(5, "c"))])
    .done()
    .writes_nothing()
    .counts(&[("made", 13), ("written", 12), ("coalesced", 1), ("open", 0)])
    .end();
    let back = plain(
        "value_that_is_back_to_what_was_sent_is_written_all_the_same",
        "write-behind: what is under way may be lost: the newest version is what the store must have",
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .told("GUILD_ROLE_UPDATE", &role(5, "b"))
    .told("GUILD_ROLE_UPDATE", &role(5, "a"))
    .written(2, &["done"])
    .writes(&[("role:1:5", &kept(5, "a"))])
    .versions(&["1000.458752"])
    .end();
    vec![newest, back]
}

fn removed() -> Vec<Vector> {
    let tombstone = plain(
        "removal_is_a_write",
        "write-behind: tombstones: a deletion has a version, and sticks against what is older",
    )
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"1"}"#)
    .writes(&[("role:1:1", "")])
    .versions(&["1000.327680"])
    .end();
    let unknown = plain(
        "removal_of_what_is_not_known_is_a_write",
        "write-behind: tombstones: the store may have it from another session",
    )
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"6"}"#)
    .writes(&[("role:1:6", "")])
    .end();
    let again = plain(
        "record_that_comes_back_is_written_instead_of_its_removal",
        "write-behind: coalescing: only the newest, in either direction",
    )
    .store_down()
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"1"}"#)
    .told("GUILD_ROLE_CREATE", &role(1, "back"))
    .told("GUILD_ROLE_CREATE", &role(5, "short"))
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"5"}"#)
    .store_up(false)
    .writes(&[("role:1:1", &kept(1, "back")), ("role:1:5", "")])
    .end();
    let guild = plain(
        "guild_that_is_left_is_cleared",
        "write-behind: the guild's removal is a write; what was in it is cleared by kind, as far as that can be done",
    )
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .tells("clear id=1 text=channel data=1000.327680")
    .tells("clear id=1 text=thread data=1000.327680")
    .tells("clear id=1 text=role data=1000.327680")
    .tells("clear id=1 text=emoji data=1000.327680")
    .tells("clear id=1 text=sticker data=1000.327680")
    .tells("clear id=1 text=soundboard_sound data=1000.327680")
    .tells("clear id=1 text=member data=1000.327680")
    .tells("clear id=1 text=stage_instance data=1000.327680")
    .tells("clear id=1 text=scheduled_event data=1000.327680")
    .writes(&[("guild:1", "")])
    .counts(&[("made", 11), ("written", 10), ("open", 1)])
    .end();
    vec![tombstone, unknown, again, guild]
}

pub(super) const THREE: &str = r#"{"guild_id":"1","emojis":[{"id":"20"},{"id":"21"},{"id":"22"}]}"#;

fn batches() -> Vec<Vector> {
    let small = scene(
        "batch_holds_as_many_as_it_may",
        "write-behind: batch_max, batches_max: what does not fit waits for its turn, the longest waiting first",
    )
    .config(json!({"has_store": true, "batch_max": 2, "batches_max": 1}))
    .told("GUILD_EMOJIS_UPDATE", THREE)
    .writes(&[("emoji:1:20", r#"{"id":"20"}"#), ("emoji:1:21", r#"{"id":"21"}"#)])
    .written(0, &["done", "done"])
    .writes(&[("emoji:1:22", r#"{"id":"22"}"#)])
    .end();
    let several = scene(
        "several_batches_are_under_way",
        "write-behind: batches_max: without a bound that matters, everything goes at once",
    )
    .config(json!({"has_store": true, "batch_max": 2}))
    .told("GUILD_EMOJIS_UPDATE", THREE)
    .gives(&["write value=2", "write id=1 value=1"])
    .written(1, &["done"])
    .gives(&[])
    .written(0, &["done", "done"])
    .counts(&[("written", 3), ("pending", 0)])
    .waits_for_nothing()
    .end();
    vec![small, several]
}

fn unkept() -> Vec<Vector> {
    let off = stored(
        "kind_that_keeps_nothing_is_not_written",
        "write-behind: a kind that is not kept is not kept anywhere",
        json!({"limits": {"role": {"count": 0}}}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .writes_nothing()
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"5"}"#)
    .writes_nothing()
    .end();
    let some = stored(
        "only_the_kinds_that_are_stored_are_written",
        "write-behind: stored: users alone",
        json!({"stored": ["user"]}),
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"nick":"A"}"#,
    )
    .writes(&[("user:7", r#"{"id":"7","username":"Ada"}"#)])
    .end();
    let freed = plain(
        "user_that_is_freed_is_written_once_more_if_it_changed",
        "write-behind: nobody here refers to the user any more; the store has it for others",
    )
    .told(
        "GUILD_MEMBER_REMOVE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"}}"#,
    )
    .writes(&[
        (
            "guild:1",
            r#"{"id":"1","name":"home","topic":"old","member_count":1,"large":false,
"unavailable":false}"#,
        ),
        ("user:7", r#"{"id":"7","username":"Ada"}"#),
        ("member:1:7", ""),
    ])
    .end();
    vec![off, some, freed]
}
