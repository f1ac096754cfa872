//! Finding a record in the store, and records that are not kept when they are found.

use serde_json::json;

use super::super::model::Vector;
use super::fetch::MODS;
use super::{Scene, home};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = strangers();
    vectors.extend(store());
    vectors.extend(store_fails());
    vectors
}

fn strangers() -> Vec<Vector> {
    let guild = home(
        "record_of_a_guild_that_the_bot_is_not_in_is_not_kept",
        "fetch: nobody would tell when it changes: it is handed on, and asked for again",
    )
    .ask(1, "role:2:5")
    .answered(1, MODS)
    .gives(&[r#"found id=1 data={"id":"5","name":"mods"}"#])
    .ask(2, "role:2:5")
    .gives(&["ask id=2 text=role:2:5"])
    .counts(&[("hot", 9)])
    .end();
    let user = home(
        "user_that_nobody_refers_to_is_not_kept",
        "fetch: nobody would tell when it changes",
    )
    .ask(1, "user:8")
    .answered(1, r#"{"id":"8","username":"bob"}"#)
    .gives(&[r#"found id=1 data={"id":"8","username":"bob"}"#])
    .knows_nothing_of("user:8")
    .end();
    let message = home(
        "message_that_was_asked_for_is_not_kept",
        "fetch: it does not say which guild it goes with; the object is handed on as Discord sent it",
    )
    .ask(1, "message:10:50")
    .answered(1, r#"{"id": "50", "channel_id": "10", "author": {"id": "7"}}"#)
    .gives_one(r#"found id=1 data={"id": "50", "channel_id": "10", "author": {"id": "7"}}"#)
    .knows_nothing_of("message:10:50")
    .end();
    vec![guild, user, message]
}

fn with_store(name: &str, rule: &str) -> Scene {
    super::stored(name, rule, json!({}))
}

fn store() -> Vec<Vector> {
    let first = with_store(
        "store_is_asked_first",
        "fetch: hot, then the store, then Discord: another process may have written it",
    )
    .ask(1, "role:2:5")
    .gives(&["read value=1 data~1 data~role:2:5"])
    .waits_for("store", 2_000, 2_000)
    .held(1, "900.1", MODS)
    .gives(&[r#"found id=1 data={"id":"5","name":"mods"}"#])
    .counts(&[("read", 1), ("fetched", 0)])
    .end();
    let missing = with_store(
        "what_the_store_does_not_hold_is_asked_of_discord",
        "fetch: the question goes on under another number",
    )
    .ask(1, "role:2:5")
    .held(1, "", "")
    .gives(&["ask id=2 text=role:2:5"])
    .answered(2, MODS)
    .gives(&["found id=1"])
    .counts(&[("read", 0), ("stale", 0), ("fetched", 1)])
    .end();
    let removed = with_store(
        "removal_in_the_store_is_no_answer",
        "fetch: a removed record may have come back: Discord knows",
    )
    .ask(1, "role:2:5")
    .held(1, "900.1", "")
    .gives(&["ask id=2 text=role:2:5"])
    .end();
    let own = with_store(
        "store_has_nothing_of_a_guild_that_is_all_here",
        "fetch: nothing of the guild's roles was given up: whatever is not hot is not in the store either",
    )
    .ask(1, "role:1:5")
    .gives(&["ask id=1 text=role:1:5"])
    .end();
    let unstored = with_store(
        "kind_that_is_not_stored_is_not_read",
        "fetch: stored: messages are not, unless asked for",
    )
    .ask(1, "message:20:50")
    .gives(&["ask id=1 text=message:20:50"])
    .end();
    vec![first, missing, removed, own, unstored]
}

fn store_fails() -> Vec<Vector> {
    let failed = with_store(
        "store_that_fails_is_passed_over",
        "fetch: Discord is asked instead",
    )
    .ask(1, "role:2:5")
    .numbered("read_failed", 1)
    .gives(&["ask id=2 text=role:2:5"])
    .waits_for_nothing()
    .end();
    let silent = with_store(
        "store_that_is_silent_is_passed_over",
        "fetch: store_timeout_ms: after two seconds Discord is asked; what the store says then comes too late",
    )
    .ask(1, "role:2:5")
    .due("store")
    .gives(&["ask id=2 text=role:2:5"])
    .held(1, "900.1", MODS)
    .gives(&[])
    .answered(2, MODS)
    .gives(&["found id=1"])
    .end();
    let down = with_store(
        "store_that_goes_away_is_passed_over",
        "fetch: what was asked of it is asked of Discord, and so is everything until it is back",
    )
    .ask(1, "role:2:5")
    .store_down()
    .gives(&["ask id=2 text=role:2:5"])
    .ask(2, "role:2:6")
    .gives(&["ask id=3 text=role:2:6"])
    .store_up(false)
    .ask(3, "role:2:7")
    .gives(&["read value=1 data~4 data~role:2:7"])
    .end();
    let nobody = with_store(
        "question_to_a_failing_store_ends_if_nobody_waits",
        "fetch: Discord is not asked for the sake of nobody",
    )
    .ask(1, "role:2:5")
    .numbered("cancel", 1)
    .numbered("read_failed", 1)
    .gives(&[])
    .counts(&[("flights", 0)])
    .end();
    vec![failed, silent, down, nobody]
}
