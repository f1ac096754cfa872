//! Reactions to messages, and the votes in their polls.

use super::super::model::Vector;
use super::home;
use super::messages::{BASE, base_and, with_message};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = reactions();
    vectors.extend(own_reactions());
    vectors.extend(taken_back());
    vectors.extend(votes());
    vectors
}

const CAT: &str = r#"{"id":"20","name":"cat"}"#;
const STAR: &str = r#"{"id":null,"name":"⭐"}"#;

/// Somebody reacts: bob, unless `more` says otherwise.
fn reaction(user: u64, emoji: &str, more: &str) -> String {
    format!(
        r#"{{"user_id":"{user}","channel_id":"10","message_id":"50","guild_id":"1","emoji":{emoji}{more}}}"#
    )
}

fn entry(emoji: &str, count: [u32; 2], me: [bool; 2], colors: &str) -> String {
    let [burst, normal] = count;
    let total = burst + normal;
    let [me, me_burst] = me;
    format!(
        r#"{{"emoji":{emoji},"count":{total},"count_details":{{"burst":{burst},"normal":{normal}}},
"burst_colors":{colors},"me":{me},"me_burst":{me_burst}}}"#
    )
}

fn reacted(entries: &[String]) -> String {
    base_and(&format!(r#""reactions":[{}]"#, entries.join(",")))
}

fn reactions() -> Vec<Vector> {
    let counts = with_message(
        "reactions_are_counted_for_each_emoji",
        "1.18 MESSAGE_REACTION_ADD: an emoji is told by its id, or by its name where it has none",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(8, STAR, ""))
    .has(
        "message:10:50",
        &reacted(&[entry(STAR, [0, 1], [false, false], "[]")]),
    )
    .told("MESSAGE_REACTION_ADD", &reaction(7, r#"{"name":"⭐"}"#, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(7, CAT, ""))
    .told(
        "MESSAGE_REACTION_ADD",
        &reaction(8, r#"{"id":"20","name":"renamed"}"#, ""),
    )
    .has(
        "message:10:50",
        &reacted(&[
            entry(STAR, [0, 2], [false, false], "[]"),
            entry(CAT, [0, 2], [false, false], "[]"),
        ]),
    )
    .end();
    let burst = with_message(
        "super_reactions_are_counted_apart",
        "1.18 MESSAGE_REACTION_ADD: burst has a count and colours of its own",
    )
    .told(
        "MESSAGE_REACTION_ADD",
        &reaction(
            8,
            CAT,
            r##","burst":true,"burst_colors":["#ff0000"],"type":1"##,
        ),
    )
    .told(
        "MESSAGE_REACTION_ADD",
        &reaction(7, CAT, r#","burst":false,"type":0"#),
    )
    .has(
        "message:10:50",
        &reacted(&[entry(CAT, [1, 1], [false, false], r##"["#ff0000"]"##)]),
    )
    .end();
    let member = with_message(
        "who_reacts_is_a_member",
        "1.18 MESSAGE_REACTION_ADD: the member comes along",
    )
    .told(
        "MESSAGE_REACTION_ADD",
        &reaction(8, STAR, r#","member":{"user":{"id":"8","username":"bob"}}"#),
    )
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .end();
    let unknown = home(
        "reaction_to_an_unknown_message_creates_nothing",
        "1.19: counters are tolerant",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(8, STAR, ""))
    .told("MESSAGE_REACTION_REMOVE", &reaction(8, STAR, ""))
    .knows_nothing_of("message:10:50")
    .counts(&[("malformed", 0), ("hot", 9)])
    .end();
    vec![counts, burst, member, unknown]
}

fn own_reactions() -> Vec<Vector> {
    let twice = with_message(
        "the_bots_own_reaction_counts_once",
        "1.19: an event may come several times, and the bot reacts with an emoji once",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(9, STAR, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(9, STAR, ""))
    .has(
        "message:10:50",
        &reacted(&[entry(STAR, [0, 1], [true, false], "[]")]),
    )
    .end();
    let both = with_message(
        "the_bots_super_reaction_is_another_one",
        "1.18 MESSAGE_REACTION_ADD: me_burst beside me",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(9, STAR, ""))
    .told(
        "MESSAGE_REACTION_ADD",
        &reaction(9, STAR, r#","burst":true"#),
    )
    .has(
        "message:10:50",
        &reacted(&[entry(STAR, [1, 1], [true, true], "[]")]),
    )
    .told("MESSAGE_REACTION_REMOVE", &reaction(9, STAR, ""))
    .told("MESSAGE_REACTION_REMOVE", &reaction(9, STAR, ""))
    .has(
        "message:10:50",
        &reacted(&[entry(STAR, [1, 0], [false, true], "[]")]),
    )
    .end();
    vec![twice, both]
}

fn taken_back() -> Vec<Vector> {
    let removed = with_message(
        "reaction_taken_back_is_counted_down",
        "1.18 MESSAGE_REACTION_REMOVE: with the last one the emoji goes, and with the last emoji the list",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(7, STAR, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(8, STAR, ""))
    .told("MESSAGE_REACTION_REMOVE", &reaction(7, STAR, ""))
    .has("message:10:50", &reacted(&[entry(STAR, [0, 1], [false, false], "[]")]))
    .told("MESSAGE_REACTION_REMOVE", &reaction(8, STAR, ""))
    .has("message:10:50", BASE)
    .told("MESSAGE_REACTION_REMOVE", &reaction(8, STAR, ""))
    .has("message:10:50", BASE)
    .end();
    let all = with_message(
        "all_reactions_go",
        "1.18 MESSAGE_REACTION_REMOVE_ALL: of every emoji",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(7, STAR, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(8, CAT, ""))
    .told(
        "MESSAGE_REACTION_REMOVE_ALL",
        r#"{"channel_id":"10","message_id":"50","guild_id":"1"}"#,
    )
    .has("message:10:50", BASE)
    .end();
    let emoji = with_message(
        "all_reactions_of_one_emoji_go",
        "1.18 MESSAGE_REACTION_REMOVE_EMOJI: of this emoji, whatever it is called now",
    )
    .told("MESSAGE_REACTION_ADD", &reaction(7, CAT, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(8, CAT, ""))
    .told("MESSAGE_REACTION_ADD", &reaction(8, STAR, ""))
    .told(
        "MESSAGE_REACTION_REMOVE_EMOJI",
        r#"{"channel_id":"10","message_id":"50","guild_id":"1","emoji":{"id":"20","name":null}}"#,
    )
    .has(
        "message:10:50",
        &reacted(&[entry(STAR, [0, 1], [false, false], "[]")]),
    )
    .end();
    vec![removed, all, emoji]
}

fn poll(results: &str) -> String {
    base_and(&format!(r#""poll":{{"question":{{"text":"?"}}{results}}}"#))
}

fn ballot(user: u64, answer: u64) -> String {
    format!(
        r#"{{"user_id":"{user}","channel_id":"10","message_id":"50","guild_id":"1","answer_id":{answer}}}"#
    )
}

fn votes() -> Vec<Vector> {
    let start = r#","results":{"is_finalized":false,"answer_counts":[{"id":1,"count":4,"me_voted":false}]}"#;
    let after = r#","results":{"is_finalized":false,"answer_counts":[{"id":1,"count":5,
"me_voted":false},{"id":2,"count":1,"me_voted":true}]}"#;
    let given = home(
        "votes_are_counted",
        "1.18 MESSAGE_POLL_VOTE_ADD: one event for each answer; the bot's own vote counts once",
    )
    .told("MESSAGE_CREATE", &poll(start))
    .told("MESSAGE_POLL_VOTE_ADD", &ballot(7, 1))
    .told("MESSAGE_POLL_VOTE_ADD", &ballot(9, 2))
    .told("MESSAGE_POLL_VOTE_ADD", &ballot(9, 2))
    .has("message:10:50", &poll(after))
    .end();
    let back = r#","results":{"is_finalized":false,"answer_counts":[{"id":1,"count":4,
"me_voted":false},{"id":2,"count":0,"me_voted":false}]}"#;
    let taken = home(
        "votes_taken_back_are_counted_down",
        "1.18 MESSAGE_POLL_VOTE_REMOVE: not below zero, and nothing for an answer without votes",
    )
    .told("MESSAGE_CREATE", &poll(after))
    .told("MESSAGE_POLL_VOTE_REMOVE", &ballot(7, 1))
    .told("MESSAGE_POLL_VOTE_REMOVE", &ballot(9, 2))
    .told("MESSAGE_POLL_VOTE_REMOVE", &ballot(8, 2))
    .told("MESSAGE_POLL_VOTE_REMOVE", &ballot(8, 3))
    .has("message:10:50", &poll(back))
    .end();
    let silent = home(
        "poll_without_results_has_no_counts",
        "1.18 MESSAGE_POLL_VOTE_ADD: what is not known is not made up",
    )
    .told("MESSAGE_CREATE", &poll(""))
    .told("MESSAGE_POLL_VOTE_ADD", &ballot(7, 1))
    .has("message:10:50", &poll(""))
    .end();
    vec![given, taken, silent]
}
