//! Hints from other processes, and records that the user does not believe.

use serde_json::json;

use super::super::model::Vector;
use super::store::{kept, role};
use super::{ADA, home, stored};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = told();
    vectors.extend(hints());
    vectors.extend(forgotten());
    vectors
}

/// FNV-1a: the digest of a record's JSON.
fn digest(json: &str) -> u64 {
    json.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const ROBOT: &str = r#"{"id":"7","username":"Ada"}"#;
const UPDATE: &str =
    r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"nick":"a","roles":["1"]}"#;

fn told() -> Vec<Vector> {
    let user = stored(
        "others_are_told_of_users_that_were_written",
        "invalidation: users are what processes share; others hear of a change when the store has it",
        json!({}),
    )
    .told("GUILD_MEMBER_UPDATE", UPDATE)
    .writes(&[("user:7", ROBOT)])
    .keeps_back("invalidate")
    .written(2, &["done"])
    .gives(&[&format!("invalidate id={} text=user:7", digest(ROBOT))])
    .end();
    let role = stored(
        "others_are_not_told_of_what_is_a_guilds",
        "invalidation: a guild is told to one process: nobody else holds its records",
        json!({}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "a"))
    .done()
    .gives(&[])
    .end();
    vec![user, role]
}

fn hints() -> Vec<Vector> {
    let changed = stored(
        "record_that_another_process_changed_is_read_again",
        "invalidation: the digest is another one: what is hot goes, and the store is read",
        json!({}),
    )
    .about("invalidated", "user:7", digest(ROBOT))
    .gives(&[])
    .ask(1, "user:7")
    .gives(&["read value=1 data~user:7"])
    .held(1, "6000.65536", ROBOT)
    .gives(&[r#"found id=1 data={"id":"7","username":"Ada"}"#])
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"a","roles":["1"]}"#,
    )
    .end();
    let same = home(
        "hint_about_what_is_known_changes_nothing",
        "invalidation: the digest is that of what is hot: every process heard of the same change",
    )
    .about("invalidated", "user:7", digest(ADA))
    .has("user:7", ADA)
    .end();
    let own = stored(
        "hint_does_not_touch_a_change_of_ones_own",
        "invalidation: what waits to be written is decided by versions, not by hints",
        json!({}),
    )
    .told("GUILD_MEMBER_UPDATE", UPDATE)
    .about("invalidated", "user:7", digest(ADA))
    .has("user:7", ROBOT)
    .end();
    let removed = home(
        "record_that_another_process_removed_is_not_believed",
        "invalidation: a digest of 0: it was removed; that is a hint, and Discord knows",
    )
    .about("invalidated", "user:7", 0)
    .knows_nothing_of("user:7")
    .has(
        "member:1:7",
        r#"{"user":{"id":"7"},"nick":"a","roles":["1"]}"#,
    )
    .end();
    let negative = home(
        "hint_ends_the_belief_that_there_is_no_such_thing",
        "invalidation: another process has changed it, so it may exist",
    )
    .ask(1, "user:8")
    .numbered("not_found", 1)
    .lacks("user:8")
    .about("invalidated", "user:8", 5)
    .knows_nothing_of("user:8")
    .end();
    vec![changed, same, own, removed, negative]
}

fn forgotten() -> Vec<Vector> {
    let hot = home(
        "record_that_is_forgotten_is_asked_for",
        "invalidation: the user says that it is not to be believed",
    )
    .about("forget", "channel:1:10", 0)
    .gives(&[])
    .ask(1, "channel:1:10")
    .gives(&["ask id=1 text=channel:1:10"])
    .answered(1, r#"{"id":"10","type":0,"name":"true"}"#)
    .gives(&[r#"found id=1 data={"id":"10","type":0,"name":"true"}"#])
    .end();
    let store = stored(
        "record_that_is_forgotten_is_forgotten_in_the_store",
        "invalidation: what the store has is not to be believed either: a removal is written",
        json!({}),
    )
    .about("forget", "role:1:1", 0)
    .writes(&[("role:1:1", "")])
    .done()
    .ask(1, "role:1:1")
    .tells("read value=1 data~role:1:1")
    .held(1, "1000.196609", "")
    .gives(&["ask id=2 text=role:1:1"])
    .end();
    let asked = home(
        "question_about_what_is_forgotten_is_put_again",
        "invalidation: the answer that is under way may be what is not to be believed",
    )
    .ask(1, "role:1:5")
    .about("forget", "role:1:5", 0)
    .gives(&["ask id=2 text=role:1:5"])
    .answered(1, &kept(5, "old"))
    .gives(&[])
    .answered(2, &kept(5, "new"))
    .gives(&[r#"found id=1 data={"id":"5","name":"new"}"#])
    .end();
    let belief = home(
        "belief_is_forgotten_too",
        "invalidation: that there is no such thing is something to be believed as well",
    )
    .ask(1, "role:1:5")
    .numbered("not_found", 1)
    .about("forget", "role:1:5", 0)
    .gives(&[])
    .knows_nothing_of("role:1:5")
    .end();
    let guild = stored(
        "guild_is_forgotten_with_all_that_is_in_it",
        "invalidation: neither memory nor the store is believed, and nothing but the guild's own removal is written",
        json!({}),
    )
    .numbered("forget_guild", 1)
    .writes(&[("guild:1", "")])
    .done()
    .ask(1, "member:1:7")
    .tells("read value=1 data~member:1:7")
    .held(1, "1000.196608", r#"{"user":{"id":"7"},"nick":"a","roles":["1"]}"#)
    .gives(&["ask id=2 text=member:1:7"])
    .numbered("forget_guild", 5)
    .gives(&[])
    .end();
    vec![hot, store, asked, belief, guild]
}
