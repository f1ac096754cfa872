//! Finding a record.

use serde_json::json;

use super::super::model::Vector;
use super::{at_home, home, scene};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = discord();
    vectors.extend(absent());
    vectors.extend(failures());
    vectors.extend(deadlines());
    vectors.extend(cancelled());
    vectors.extend(arrivals());
    vectors.extend(changes());
    vectors.extend(super::fetch_store::vectors());
    vectors
}

pub(super) const MODS: &str = r#"{"id":"5","name":"mods"}"#;

fn discord() -> Vec<Vector> {
    let asked = home(
        "what_is_not_hot_is_asked_of_discord_and_kept",
        "fetch: without a store Discord is asked; what it says of the bot's own guild is hot from there on",
    )
    .ask(1, "role:1:5")
    .gives(&["ask id=1 text=role:1:5"])
    .answered(1, MODS)
    .gives(&[r#"found id=1 data={"id":"5","name":"mods"}"#])
    .has("role:1:5", MODS)
    .counts(&[("fetched", 1), ("flights", 0)])
    .end();
    let joined = home(
        "many_who_ask_are_one_question",
        "fetch: single flight: everybody gets the answer, in the order in which they asked",
    )
    .ask(1, "role:1:5")
    .ask(2, "role:1:5")
    .gives(&[])
    .ask(3, "role:1:6")
    .gives(&["ask id=2 text=role:1:6"])
    .ask(4, "role:1:5")
    .gives(&[])
    .answered(1, MODS)
    .gives(&["found id=1", "found id=2", "found id=4"])
    .counts(&[("joined", 2), ("fetched", 1), ("flights", 1)])
    .end();
    let member = home(
        "member_that_was_asked_for_brings_its_user",
        "fetch: member and user are two records",
    )
    .ask(1, "member:1:8")
    .answered(1, r#"{"user":{"id":"8","username":"bob"},"roles":[]}"#)
    .gives(&[r#"found id=1 data={"user":{"id":"8","username":"bob"},"roles":[]}"#])
    .has("user:8", r#"{"id":"8","username":"bob"}"#)
    .end();
    let older = home(
        "user_in_an_answer_is_no_newer_than_the_one_that_is_known",
        "fetch: dispatches have told of the user since: the answer's is passed over",
    )
    .told(
        "GUILD_CREATE",
        r#"{"id":"2","members":[{"user":{"id":"8","username":"Bob"}}]}"#,
    )
    .ask(1, "member:1:8")
    .answered(1, r#"{"user":{"id":"8","username":"bob"},"roles":[]}"#)
    .gives(&[r#"found id=1 data={"user":{"id":"8","username":"Bob"},"roles":[]}"#])
    .end();
    vec![asked, joined, member, older]
}

fn absent() -> Vec<Vector> {
    let believed = home(
        "what_discord_does_not_have_is_not_asked_for_again",
        "fetch: negative entries: believed for a minute, then asked anew",
    )
    .ask(1, "role:1:5")
    .ask(2, "role:1:5")
    .numbered("not_found", 1)
    .gives(&["absent id=1", "absent id=2"])
    .at_ms(59_999)
    .ask(3, "role:1:5")
    .gives(&["absent id=3"])
    .at_ms(60_000)
    .ask(4, "role:1:5")
    .gives(&["ask id=2 text=role:1:5"])
    .counts(&[("negative", 1)])
    .end();
    let told = home(
        "what_a_dispatch_tells_exists",
        "fetch: negative entries: a dispatch knows better",
    )
    .ask(1, "role:1:5")
    .numbered("not_found", 1)
    .told(
        "GUILD_ROLE_CREATE",
        r#"{"guild_id":"1","role":{"id":"5","name":"mods"}}"#,
    )
    .has("role:1:5", MODS)
    .end();
    let bounded = scene(
        "beliefs_are_bounded",
        "fetch: negatives_max: the oldest belief makes room",
    )
    .config(json!({"negatives_max": 1}));
    let bounded = at_home(bounded)
        .ask(1, "role:1:5")
        .numbered("not_found", 1)
        .ask(2, "role:1:6")
        .numbered("not_found", 2)
        .lacks("role:1:6")
        .knows_nothing_of("role:1:5")
        .end();
    let none = scene(
        "without_beliefs_everything_is_asked",
        "fetch: negatives_max 0: nothing is believed not to exist",
    )
    .config(json!({"negatives_max": 0}));
    let none = at_home(none)
        .ask(1, "role:1:5")
        .numbered("not_found", 1)
        .gives(&["absent id=1"])
        .knows_nothing_of("role:1:5")
        .end();
    vec![believed, told, bounded, none]
}

fn failures() -> Vec<Vector> {
    let failed = home(
        "question_that_fails_is_asked_again",
        "fetch: a failure says nothing of the record",
    )
    .ask(1, "role:1:5")
    .ask(2, "role:1:5")
    .numbered("ask_failed", 1)
    .gives(&["failed code=3 id=1", "failed code=3 id=2"])
    .ask(3, "role:1:5")
    .gives(&["ask id=2 text=role:1:5"])
    .end();
    let unasked = scene(
        "kind_that_discord_is_not_asked_for_fails",
        "fetch: fetched: presences cannot be asked for, and others need not be",
    )
    .config(json!({"fetched": ["guild"]}));
    let unasked = at_home(unasked)
        .ask(1, "presence:1:7")
        .gives(&["failed code=4 id=1"])
        .ask(2, "role:1:5")
        .gives(&["failed code=4 id=2"])
        .ask(3, "guild:2")
        .gives(&["ask id=1 text=guild:2"])
        .end();
    let full = scene(
        "questions_under_way_are_bounded",
        "fetch: flights_max: a further question is refused; who asks the same joins",
    )
    .config(json!({"flights_max": 1}));
    let full = at_home(full)
        .ask(1, "role:1:5")
        .ask(2, "role:1:6")
        .gives(&["failed code=2 id=2"])
        .ask(3, "role:1:5")
        .gives(&[])
        .ask(4, "role:1:1")
        .gives(&["found id=4"])
        .answered(1, MODS)
        .gives(&["found id=1", "found id=3"])
        .ask(5, "role:1:6")
        .gives(&["ask id=2 text=role:1:6"])
        .end();
    let garbage = home(
        "answer_that_is_no_object_answers_nothing",
        "fetch: bytes that are no object are no record: the question has failed, and they are counted",
    )
    .ask(1, "role:1:5")
    .answered(1, "<html>")
    .gives(&["failed code=3 id=1"])
    .ask(2, "role:2:5")
    .answered(2, "")
    .gives(&["failed code=3 id=2"])
    .counts(&[("malformed", 2), ("fetched", 0)])
    .end();
    vec![failed, unasked, full, garbage]
}

fn deadlines() -> Vec<Vector> {
    let over = home(
        "deadline_ends_the_wait_and_not_the_question",
        "fetch: deadlines: the reader hears of it; the answer is kept when it comes",
    )
    .ask_until(1, "role:1:5", 100)
    .waits_for("deadline", 100, 100)
    .due("deadline")
    .gives(&["failed code=1 id=1"])
    .waits_for_nothing()
    .answered(1, MODS)
    .gives(&[])
    .has("role:1:5", MODS)
    .end();
    let one = home(
        "deadline_of_one_reader_is_not_the_others",
        "fetch: deadlines: each reader has one, or none",
    )
    .ask_until(1, "role:1:5", 200)
    .ask_until(2, "role:1:5", 100)
    .ask(3, "role:1:5")
    .waits_for("deadline", 100, 100)
    .due("deadline")
    .gives(&["failed code=1 id=2"])
    .waits_for("deadline", 100, 100)
    .answered(1, MODS)
    .gives(&["found id=1", "found id=3"])
    .waits_for_nothing()
    .end();
    let past = home(
        "deadline_that_has_passed_ends_with_the_next_call",
        "fetch: deadlines: whatever the next call is; what is hot is answered all the same",
    )
    .at_ms(200)
    .ask_until(1, "role:1:1", 100)
    .gives(&["found id=1"])
    .ask_until(2, "role:1:5", 100)
    .gives(&["ask id=1 text=role:1:5"])
    .ask(3, "role:1:6")
    .gives(&["failed code=1 id=2", "ask id=2 text=role:1:6"])
    .end();
    vec![over, one, past]
}

fn cancelled() -> Vec<Vector> {
    let one = home(
        "who_cancels_gets_no_answer",
        "fetch: cancel: others do, and the record is kept",
    )
    .ask_until(1, "role:1:5", 100)
    .ask(2, "role:1:5")
    .numbered("cancel", 1)
    .gives(&[])
    .waits_for_nothing()
    .answered(1, MODS)
    .gives(&["found id=2"])
    .end();
    let all = home(
        "question_that_nobody_waits_for_goes_on",
        "fetch: cancel: Discord was asked, and its answer is kept; the number is free again",
    )
    .ask(1, "role:1:5")
    .numbered("cancel", 1)
    .numbered("cancel", 1)
    .numbered("cancel", 77)
    .ask(1, "role:1:6")
    .gives(&["ask id=2 text=role:1:6"])
    .answered(1, MODS)
    .gives(&[])
    .has("role:1:5", MODS)
    .end();
    vec![one, all]
}

fn arrivals() -> Vec<Vector> {
    let create = home(
        "dispatch_answers_who_waits",
        "fetch: what the gateway tells is newer than what Discord will answer, which is passed over",
    )
    .ask(1, "role:1:5")
    .told("GUILD_ROLE_CREATE", r#"{"guild_id":"1","role":{"id":"5","name":"new"}}"#)
    .gives(&[r#"found id=1 data={"id":"5","name":"new"}"#])
    .answered(1, MODS)
    .gives(&[])
    .has("role:1:5", r#"{"id":"5","name":"new"}"#)
    .end();
    let delete = home(
        "deletion_answers_who_waits",
        "fetch: there is no such thing any more, whatever Discord will answer",
    )
    .ask(1, "role:1:5")
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"5"}"#)
    .gives(&["absent id=1"])
    .answered(1, MODS)
    .gives(&[])
    .lacks("role:1:5")
    .end();
    let guild = home(
        "who_waits_for_a_guild_that_is_left_hears_of_it",
        "fetch: everything of the guild is gone for the bot",
    )
    .ask(1, "role:1:5")
    .ask(2, "member:1:8")
    .ask(3, "role:2:5")
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .gives(&["absent id=1", "absent id=2"])
    .end();
    let forgotten = home(
        "who_waits_for_what_is_forgotten_asks_anew",
        "fetch: what was asked for may be answered by what is from before: the question is put again",
    )
    .ask(1, "thread:1:30")
    .told("THREAD_UPDATE", r#"{"id":"30","guild_id":"1","parent_id":"10","thread_metadata":{"archived":true}}"#)
    .gives(&["ask id=2 text=thread:1:30"])
    .answered(1, r#"{"id":"30","parent_id":"10","name":"old"}"#)
    .gives(&[])
    .numbered("not_found", 2)
    .gives(&["absent id=1"])
    .end();
    vec![create, delete, guild, forgotten]
}

fn changes() -> Vec<Vector> {
    let patched = home(
        "change_to_what_is_asked_for_is_made_on_the_answer",
        "fetch: Discord may answer with what was before the dispatch: a change that is the same twice is made again",
    )
    .about("forget", "channel:1:11", 0)
    .ask(1, "channel:1:11")
    .gives(&["ask id=1 text=channel:1:11"])
    .told("VOICE_CHANNEL_STATUS_UPDATE", r#"{"id":"11","guild_id":"1","status":"chat"}"#)
    .gives(&[])
    .answered(1, r#"{"id":"11","type":2,"name":"voice"}"#)
    .gives(&[r#"found id=1 data={"id":"11","type":2,"name":"voice","status":"chat"}"#])
    .counts(&[("deferred", 1)])
    .end();
    let counted = home(
        "count_of_what_is_asked_for_is_asked_for_again",
        "fetch: a change that counts twice is not made on an answer that may have it already",
    )
    .about("forget", "guild:1", 0)
    .ask(1, "guild:1")
    .told(
        "GUILD_MEMBER_REMOVE",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#,
    )
    .gives(&["ask id=2 text=guild:1"])
    .answered(1, r#"{"id":"1","member_count":2}"#)
    .gives(&[])
    .answered(2, r#"{"id":"1","member_count":1}"#)
    .gives(&[r#"found id=1 data={"id":"1","member_count":1}"#])
    .end();
    vec![patched, counted]
}
