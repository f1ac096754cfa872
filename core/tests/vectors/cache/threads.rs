//! Threads and who is in them.

use super::super::model::Vector;
use super::{Scene, home};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = create();
    vectors.extend(archived());
    vectors.extend(update());
    vectors.extend(delete());
    vectors.extend(sync());
    vectors.extend(members());
    vectors.extend(leaving());
    vectors
}

/// A thread in #general that the bot has joined.
fn with_thread(scene: Scene) -> Scene {
    scene.told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","type":11,"member_count":1,
"member":{"user_id":"9","flags":0}}"#,
    )
}

const THREAD: &str = r#"{"id":"30","parent_id":"10","type":11,"member_count":1}"#;
const FORUM: &str = r#"{"id":"12","type":15,"name":"forum"}"#;

fn create() -> Vec<Vector> {
    let joined = with_thread(home(
        "thread_create_brings_the_bots_membership",
        "1.18 THREAD_CREATE: the thread, and apart from it the bot's own membership",
    ))
    .has("thread:1:30", THREAD)
    .has("thread_member:30:9", r#"{"user_id":"9","flags":0}"#)
    .end();
    let own = home(
        "membership_that_names_nobody_is_the_bots",
        "1.18 THREAD_CREATE: the bot's own membership may leave out whose it is",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","member":{"flags":2}}"#,
    )
    .has("thread_member:30:9", r#"{"flags":2}"#)
    .end();
    let post = home(
        "new_post_is_its_forums_last_message",
        "1.18 THREAD_CREATE: in a forum the newest thread is what last_message_id means",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"12","newly_created":true}"#,
    )
    .has("thread:1:30", r#"{"id":"30","parent_id":"12"}"#)
    .has(
        "channel:1:12",
        r#"{"id":"12","type":15,"name":"forum","last_message_id":"30"}"#,
    )
    .end();
    let old = home(
        "old_post_is_not_its_forums_last_message",
        "1.18 THREAD_CREATE: sent for old threads too, when the bot is added: only a new one counts",
    )
    .told("THREAD_CREATE", r#"{"id":"30","guild_id":"1","parent_id":"12"}"#)
    .has("channel:1:12", FORUM)
    .end();
    let text = home(
        "new_thread_of_a_text_channel_is_not_its_last_message",
        "1.18 THREAD_CREATE: only in forums and media channels are threads the messages",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","newly_created":true}"#,
    )
    .has("channel:1:10", super::GENERAL)
    .end();
    vec![joined, own, post, old, text]
}

fn archived() -> Vec<Vector> {
    const ARCHIVED: &str =
        r#"{"id":"30","guild_id":"1","parent_id":"10","thread_metadata":{"archived":true}}"#;
    let gone = with_thread(home(
        "archived_thread_leaves_and_may_still_exist",
        "1.18 THREAD_UPDATE: an archived thread is no longer kept up to date: Discord is asked for it",
    ))
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"30","guild_id":"1"}"#)
    .told("THREAD_UPDATE", ARCHIVED)
    .knows_nothing_of("thread:1:30")
    .knows_nothing_of("thread_member:30:9")
    .knows_nothing_of("message:30:50")
    .counts(&[("hot", 9)])
    .end();
    let back = with_thread(home(
        "unarchived_thread_is_kept_again",
        "1.19: THREAD_UPDATE with all of it, then THREAD_MEMBER_UPDATE",
    ))
    .told("THREAD_UPDATE", ARCHIVED)
    .told(
        "THREAD_UPDATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","thread_metadata":{"archived":false}}"#,
    )
    .told(
        "THREAD_MEMBER_UPDATE",
        r#"{"id":"30","guild_id":"1","user_id":"9","flags":1}"#,
    )
    .has(
        "thread:1:30",
        r#"{"id":"30","parent_id":"10","thread_metadata":{"archived":false}}"#,
    )
    .has(
        "thread_member:30:9",
        r#"{"id":"30","user_id":"9","flags":1}"#,
    )
    .end();
    let never = home(
        "thread_that_comes_archived_is_not_kept",
        "1.18 THREAD_CREATE: only active threads are kept",
    )
    .told("THREAD_CREATE", ARCHIVED)
    .knows_nothing_of("thread:1:30")
    .end();
    vec![gone, back, never]
}

fn update() -> Vec<Vector> {
    let replaces = with_thread(home(
        "thread_update_replaces",
        "1.18 THREAD_UPDATE: the whole object; who is in it is told elsewhere and stays",
    ))
    .told(
        "THREAD_UPDATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","name":"n"}"#,
    )
    .has("thread:1:30", r#"{"id":"30","parent_id":"10","name":"n"}"#)
    .has("thread_member:30:9", r#"{"user_id":"9","flags":0}"#)
    .end();
    let moved = with_thread(home(
        "thread_goes_with_the_channel_that_it_is_in_now",
        "1.18 CHANNEL_DELETE: threads whose parent is the channel, as of the last update",
    ))
    .told(
        "THREAD_UPDATE",
        r#"{"id":"30","guild_id":"1","parent_id":"12"}"#,
    )
    .told("CHANNEL_DELETE", r#"{"id":"10","guild_id":"1"}"#)
    .has("thread:1:30", r#"{"id":"30","parent_id":"12"}"#)
    .told("CHANNEL_DELETE", r#"{"id":"12","guild_id":"1"}"#)
    .lacks("thread:1:30")
    .end();
    vec![replaces, moved]
}

fn delete() -> Vec<Vector> {
    let gone = with_thread(home(
        "thread_delete_takes_along_what_is_in_it",
        "1.18 THREAD_DELETE: its members and its messages; the channel and its messages stay",
    ))
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"30","guild_id":"1"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
    )
    .told(
        "THREAD_DELETE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","type":11}"#,
    )
    .lacks("thread:1:30")
    .lacks("thread_member:30:9")
    .lacks("message:30:50")
    .has(
        "message:10:51",
        r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
    )
    .end();
    let same_id = home(
        "thread_and_the_message_that_it_began_with_are_two_records",
        "1.19: a thread started from a message has the message's id: id spaces are separate",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"30","channel_id":"10","guild_id":"1"}"#,
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10"}"#,
    )
    .told(
        "THREAD_DELETE",
        r#"{"id":"30","guild_id":"1","parent_id":"10"}"#,
    )
    .lacks("thread:1:30")
    .has(
        "message:10:30",
        r#"{"id":"30","channel_id":"10","guild_id":"1"}"#,
    )
    .end();
    vec![gone, same_id]
}

/// Threads 30 in #general, 31 and 32 in the forum.
fn three(name: &str, rule: &str) -> Scene {
    with_thread(home(name, rule))
        .told(
            "THREAD_CREATE",
            r#"{"id":"31","guild_id":"1","parent_id":"12"}"#,
        )
        .told(
            "THREAD_CREATE",
            r#"{"id":"32","guild_id":"1","parent_id":"12"}"#,
        )
}

fn sync() -> Vec<Vector> {
    let some = three(
        "thread_list_sync_of_channels_replaces_theirs",
        "1.18 THREAD_LIST_SYNC: of the listed channels these are all active threads; others are not meant",
    )
    .told("THREAD_LIST_SYNC", r#"{"guild_id":"1","channel_ids":["12"],"threads":[{"id":"32",
"parent_id":"12","name":"n"},{"id":"33","parent_id":"12"}],"members":[{"id":"33","user_id":"9"}]}"#)
    .has("thread:1:30", THREAD)
    .knows_nothing_of("thread:1:31")
    .has("thread:1:32", r#"{"id":"32","parent_id":"12","name":"n"}"#)
    .has("thread:1:33", r#"{"id":"33","parent_id":"12"}"#)
    .has("thread_member:33:9", r#"{"id":"33","user_id":"9"}"#)
    .end();
    let all = three(
        "thread_list_sync_of_the_guild_replaces_all",
        "1.18 THREAD_LIST_SYNC: without channels it is about the whole guild",
    )
    .told(
        "THREAD_LIST_SYNC",
        r#"{"guild_id":"1","threads":[{"id":"31","parent_id":"12"}],"members":[]}"#,
    )
    .knows_nothing_of("thread:1:30")
    .knows_nothing_of("thread_member:30:9")
    .has("thread:1:31", r#"{"id":"31","parent_id":"12"}"#)
    .knows_nothing_of("thread:1:32")
    .end();
    let none = three(
        "thread_list_sync_of_no_channels_drops_nothing",
        "1.18 THREAD_LIST_SYNC: an empty list of channels names none",
    )
    .told(
        "THREAD_LIST_SYNC",
        r#"{"guild_id":"1","channel_ids":[],"threads":[],"members":[]}"#,
    )
    .has("thread:1:30", THREAD)
    .has("thread:1:31", r#"{"id":"31","parent_id":"12"}"#)
    .end();
    let odd = three(
        "thread_list_sync_with_a_malformed_piece_drops_nothing",
        "1.18 THREAD_LIST_SYNC: a list that could not be read says nothing of what is not in it",
    )
    .told(
        "THREAD_LIST_SYNC",
        r#"{"guild_id":"1","threads":[{"parent_id":"12"},{"id":"33","parent_id":"12"}]}"#,
    )
    .has("thread:1:30", THREAD)
    .has("thread:1:33", r#"{"id":"33","parent_id":"12"}"#)
    .counts(&[("malformed", 1)])
    .end();
    vec![some, all, none, odd]
}

fn members() -> Vec<Vector> {
    let own = with_thread(home(
        "thread_member_update_replaces_the_bots_membership",
        "1.18 THREAD_MEMBER_UPDATE: the bot's own",
    ))
    .told(
        "THREAD_MEMBER_UPDATE",
        r#"{"id":"30","guild_id":"1","user_id":"9","flags":4}"#,
    )
    .has(
        "thread_member:30:9",
        r#"{"id":"30","user_id":"9","flags":4}"#,
    )
    .end();
    let unknown = home(
        "membership_of_an_unknown_thread_is_not_kept",
        "1.19: nobody would know when it ends",
    )
    .told(
        "THREAD_MEMBER_UPDATE",
        r#"{"id":"30","guild_id":"1","user_id":"9","flags":4}"#,
    )
    .knows_nothing_of("thread_member:30:9")
    .counts(&[("hot", 9)])
    .end();
    let added = with_thread(home(
        "who_joins_a_thread_comes_with_member_and_presence",
        "1.18 THREAD_MEMBERS_UPDATE: who was added, each with the guild's member and a presence that may be null",
    ))
    .told("THREAD_MEMBERS_UPDATE", r#"{"id":"30","guild_id":"1","member_count":3,"added_members":[
{"id":"30","user_id":"7","flags":1,"member":{"user":{"id":"7","username":"ada"},"nick":"A"},
"presence":{"user":{"id":"7"},"status":"dnd"}},
{"id":"30","user_id":"8","flags":2,"member":{"user":{"id":"8","username":"bob"}},"presence":null}]}"#)
    .has("thread:1:30", r#"{"id":"30","parent_id":"10","type":11,"member_count":3}"#)
    .has("thread_member:30:7", r#"{"id":"30","user_id":"7","flags":1}"#)
    .has("thread_member:30:8", r#"{"id":"30","user_id":"8","flags":2}"#)
    .has("member:1:7", r#"{"user":{"id":"7","username":"ada"},"nick":"A","roles":["1"]}"#)
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .has("presence:1:7", r#"{"status":"dnd"}"#)
    .cannot_find("presence:1:8")
    .end();
    let removed = with_thread(home(
        "who_leaves_a_thread_stays_in_the_guild",
        "1.18 THREAD_MEMBERS_UPDATE: who was removed",
    ))
    .told(
        "THREAD_MEMBERS_UPDATE",
        r#"{"id":"30","guild_id":"1","added_members":[{"user_id":"7"}]}"#,
    )
    .told(
        "THREAD_MEMBERS_UPDATE",
        r#"{"id":"30","guild_id":"1","member_count":1,"removed_member_ids":["7"]}"#,
    )
    .lacks("thread_member:30:7")
    .has("member:1:7", super::ADA_HERE)
    .has("thread_member:30:9", r#"{"user_id":"9","flags":0}"#)
    .end();
    vec![own, unknown, added, removed]
}

fn leaving() -> Vec<Vector> {
    const LEFT: &str = r#"{"id":"30","guild_id":"1","member_count":0,"removed_member_ids":["9"]}"#;
    let private = home(
        "private_thread_that_the_bot_leaves_is_dropped",
        "1.18 THREAD_MEMBERS_UPDATE: nothing more is told of a private thread without the bot",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10","type":12,"member":{"user_id":"9"}}"#,
    )
    .told("THREAD_MEMBERS_UPDATE", LEFT)
    .knows_nothing_of("thread:1:30")
    .lacks("thread_member:30:9")
    .end();
    let public = with_thread(home(
        "public_thread_that_the_bot_leaves_stays",
        "1.18 THREAD_MEMBERS_UPDATE: a public thread is told of whoever is in it",
    ))
    .told("THREAD_MEMBERS_UPDATE", LEFT)
    .has(
        "thread:1:30",
        r#"{"id":"30","parent_id":"10","type":11,"member_count":0}"#,
    )
    .lacks("thread_member:30:9")
    .end();
    let guild = with_thread(home(
        "who_leaves_the_guild_leaves_its_threads",
        "1.18 GUILD_MEMBER_REMOVE: thread memberships go too",
    ))
    .told(
        "THREAD_MEMBERS_UPDATE",
        r#"{"id":"30","guild_id":"1","added_members":[{"user_id":"7"}]}"#,
    )
    .told(
        "GUILD_MEMBER_REMOVE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#,
    )
    .lacks("thread_member:30:7")
    .has("thread_member:30:9", r#"{"user_id":"9","flags":0}"#)
    .end();
    vec![private, public, guild]
}
