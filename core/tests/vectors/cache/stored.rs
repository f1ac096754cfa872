//! Records that were given up: read back, changed there, or forgotten.

use serde_json::json;

use super::super::model::Vector;
use super::store::{kept, role};
use super::{Scene, stored};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = back();
    vectors.extend(changed());
    vectors.extend(cannot());
    vectors.extend(counted());
    vectors.extend(under());
    vectors
}

/// The guild's first role was given up for another one, and both are in the store: the first since dispatch 3, which
/// is version 1000.196608, the other one since version 1000.327680.
fn given_up(name: &str, rule: &str) -> Scene {
    stored(name, rule, json!({"limits": {"role": {"count": 1}}}))
        .told("GUILD_ROLE_CREATE", &role(5, "b"))
        .done()
}

const FIRST: &str = r#"{"id":"1","name":"everyone"}"#;
const CREATED: &str = "1000.196608";

fn back() -> Vec<Vector> {
    let read = given_up(
        "record_that_was_given_up_is_read_back",
        "read back: a record of the guild is in the store if it is not hot: it is hot again, and the other one is not",
    )
    .ask(1, "role:1:1")
    .gives(&["read value=1 data~role:1:1"])
    .held(1, CREATED, FIRST)
    .gives(&[r#"found id=1 data={"id":"1","name":"everyone"}"#])
    .has("role:1:1", FIRST)
    .counts(&[("read", 1), ("stale", 0)])
    .end();
    let pending = given_up(
        "record_that_waits_to_be_written_is_not_read",
        "read back: what was given up before its turn is still here: it comes back from what waits",
    )
    .store_down()
    .told("GUILD_ROLE_UPDATE", &role(5, "new"))
    .told("GUILD_ROLE_CREATE", &role(6, "c"))
    .has("role:1:5", &kept(5, "new"))
    .end();
    let user = given_up(
        "answer_has_the_user_that_is_known_here",
        "read back: a member in the store has a reference; its user is a record of its own",
    )
    .about("invalidated", "member:1:7", 5)
    .ask(1, "member:1:7")
    .gives(&["read value=1 data~member:1:7"])
    .held(1, CREATED, r#"{"user":{"id":"7"},"nick":"a"}"#)
    .gives(&[r#"found id=1 data={"user":{"id":"7","username":"ada"},"nick":"a"}"#])
    .end();
    vec![read, pending, user]
}

/// A dispatch that changes the role if it is known.
fn chosen(name: &str) -> String {
    format!(
        r#"{{"id":"60","guild_id":"1","data":{{"resolved":{{"roles":{{"1":{{"id":"1","name":"{name}"}}}}}}}}}}"#
    )
}

fn changed() -> Vec<Vector> {
    let one = given_up(
        "change_waits_for_what_it_changes",
        "read back: the record is read, changed, and written with the version of the change",
    )
    .told("INTERACTION_CREATE", &chosen("all"))
    .gives(&["read value=1 data~role:1:1"])
    .held(1, CREATED, r#"{"id":"1","name":"everyone","color":5}"#)
    .writes(&[("role:1:1", r#"{"id":"1","name":"all","color":5}"#)])
    .versions(&["1000.458752"])
    .has("role:1:1", r#"{"id":"1","name":"all","color":5}"#)
    .counts(&[("deferred", 1), ("forgotten", 0)])
    .end();
    let two = given_up(
        "several_changes_are_made_in_order",
        "read back: the record is read once, and who asks for it meanwhile gets what comes of it",
    )
    .told("INTERACTION_CREATE", &chosen("first"))
    .told("INTERACTION_CREATE", &chosen("last"))
    .gives(&[])
    .ask(1, "role:1:1")
    .gives(&[])
    .held(1, CREATED, FIRST)
    .tells(r#"found id=1 data={"id":"1","name":"last"}"#)
    .writes(&[("role:1:1", &kept(1, "last"))])
    .end();
    let replaced = given_up(
        "whole_record_is_not_waited_for",
        "read back: what replaces a record need not know it; what the store says then comes too late",
    )
    .told("INTERACTION_CREATE", &chosen("part"))
    .told("GUILD_ROLE_UPDATE", &role(1, "whole"))
    .writes(&[("role:1:1", &kept(1, "whole"))])
    .held(1, CREATED, FIRST)
    .gives(&[])
    .has("role:1:1", &kept(1, "whole"))
    .end();
    let several = given_up(
        "records_of_one_scope_are_read_together",
        "read back: what one dispatch needs of a kind and scope is one question to the store",
    )
    .told(
        "INTERACTION_CREATE",
        r#"{"id":"60","guild_id":"1","data":{"resolved":{"roles":{"1":{"id":"1","name":"x"},
"6":{"id":"6","name":"y"}}}}}"#,
    )
    .gives(&["read value=2 data~role:1:1 data~role:1:6"])
    .end();
    vec![one, two, replaced, several]
}

fn cannot() -> Vec<Vector> {
    let away = given_up(
        "change_to_what_cannot_be_read_forgets_it",
        "read back: what the store has is no longer true, and nobody knows what is: it is removed there",
    )
    .store_down()
    .told("INTERACTION_CREATE", &chosen("all"))
    .gives(&[])
    .store_up(false)
    .writes(&[("role:1:1", "")])
    .counts(&[("deferred", 1), ("forgotten", 1)])
    .end();
    let failed = given_up(
        "change_to_what_the_store_does_not_give_forgets_it",
        "read back: the store failed, and Discord is asked for nobody",
    )
    .told("INTERACTION_CREATE", &chosen("all"))
    .numbered("read_failed", 1)
    .writes(&[("role:1:1", "")])
    .counts(&[("forgotten", 1), ("flights", 0)])
    .end();
    let missing = given_up(
        "change_to_what_the_store_does_not_hold_forgets_it",
        "read back: a later write of an older session would lose against the removal",
    )
    .told("INTERACTION_CREATE", &chosen("all"))
    .held(1, "", "")
    .writes(&[("role:1:1", "")])
    .end();
    let full = stored(
        "changes_that_wait_are_bounded_in_bytes",
        "read back: patch_bytes_max: without room for the change the record is forgotten",
        json!({"limits": {"role": {"count": 1}}, "patch_bytes_max": 50}),
    )
    .told("GUILD_ROLE_CREATE", &role(5, "b"))
    .done()
    .told("INTERACTION_CREATE", &chosen("all"))
    .writes(&[("role:1:1", "")])
    .counts(&[("forgotten", 1)])
    .end();
    vec![away, failed, missing, full]
}

/// Messages are stored, and one is kept of each channel: 50 was given up for 51.
fn message(name: &str, rule: &str) -> Scene {
    let settings = json!({"stored": ["message"], "limits": {"message": {"count_per_scope": 1}}});
    stored(name, rule, settings)
        .told(
            "MESSAGE_CREATE",
            r#"{"id":"50","channel_id":"10","guild_id":"1"}"#,
        )
        .done()
        .told(
            "MESSAGE_CREATE",
            r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
        )
        .done()
}

const REACTION: &str =
    r#"{"user_id":"8","channel_id":"10","message_id":"50","guild_id":"1","emoji":{"id":"20"}}"#;

fn counted() -> Vec<Vector> {
    let once = message(
        "count_is_made_on_what_the_store_has",
        "read back: what is in the store is from before the dispatch: a count is made once",
    )
    .told("MESSAGE_REACTION_ADD", REACTION)
    .gives(&["read value=1 data~message:10:50"])
    .held(1, "1000.196608", r#"{"id":"50","channel_id":"10"}"#)
    .writes(&[(
        "message:10:50",
        r#"{"id":"50","channel_id":"10","reactions":[{"emoji":{"id":"20"},"count":1,
"count_details":{"burst":0,"normal":1},"burst_colors":[],"me":false,"me_burst":false}]}"#,
    )])
    .end();
    vec![once]
}

fn under() -> Vec<Vector> {
    let channel = message(
        "channel_that_is_deleted_clears_the_messages_that_were_given_up",
        "read back: those that are here are removed one by one, the others by their channel",
    )
    .told("CHANNEL_DELETE", r#"{"id":"10","guild_id":"1"}"#)
    .tells("clear id=10 text=message data=1000.458753")
    .writes(&[("message:10:51", "")])
    .ask(1, "message:10:50")
    .gives(&["read value=1 data~message:10:50"])
    .held(1, "1000.196608", r#"{"id":"50"}"#)
    .gives(&["ask id=2 text=message:10:50"])
    .counts(&[("stale", 1)])
    .end();
    vec![channel]
}
