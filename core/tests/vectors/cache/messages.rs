//! Messages, their reactions and the votes in their polls.

use serde_json::json;

use super::super::model::Vector;
use super::{GENERAL, Scene, home, scene};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = create();
    vectors.extend(places());
    vectors.extend(update());
    vectors.extend(delete());
    vectors.extend(limit());
    vectors.extend(super::reactions::vectors());
    vectors
}

fn create() -> Vec<Vector> {
    let whole = home(
        "message_brings_its_author_and_is_the_channels_last",
        "1.18 MESSAGE_CREATE: message, author, the author as a member, and the channel's last_message_id",
    )
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"10","guild_id":"1","content":"hi",
"author":{"id":"8","username":"bob"},"member":{"roles":["1"]}}"#)
    .has("message:10:50", r#"{"id":"50","channel_id":"10","guild_id":"1","content":"hi",
"author":{"id":"8","username":"bob"}}"#)
    .has("user:8", r#"{"id":"8","username":"bob"}"#)
    .has("member:1:8", r#"{"roles":["1"],"user":{"id":"8","username":"bob"}}"#)
    .has("channel:1:10", r#"{"id":"10","type":0,"name":"general","last_message_id":"50"}"#)
    .end();
    let merged = home(
        "message_tells_a_part_of_a_known_member",
        "1.18 MESSAGE_CREATE: the member beside the author lacks some of what is known, which stays",
    )
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"7",
"username":"ada"},"member":{"roles":[]}}"#)
    .has("member:1:7", r#"{"user":{"id":"7","username":"ada"},"nick":"a","roles":[]}"#)
    .end();
    let webhook = home(
        "author_of_a_webhooks_message_is_no_user",
        "1.18 MESSAGE_CREATE: with webhook_id the author stays in the message",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1","webhook_id":"70",
"author":{"id":"70","username":"hook"}}"#,
    )
    .has(
        "message:10:50",
        r#"{"id":"50","channel_id":"10","guild_id":"1","webhook_id":"70",
"author":{"id":"70","username":"hook"}}"#,
    )
    .knows_nothing_of("user:70")
    .end();
    let thread = home(
        "message_in_a_thread_is_the_threads_last",
        "1.18 MESSAGE_CREATE: the channel may be a thread",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"30","guild_id":"1"}"#,
    )
    .has(
        "thread:1:30",
        r#"{"id":"30","parent_id":"10","last_message_id":"50"}"#,
    )
    .has("channel:1:10", GENERAL)
    .end();
    vec![whole, merged, webhook, thread]
}

fn places() -> Vec<Vector> {
    let private = home(
        "message_outside_guilds_is_kept",
        "1.18 MESSAGE_CREATE: without guild_id there is no channel that it would go with",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"90","content":"psst","author":{"id":"8","username":"bob"}}"#,
    )
    .has(
        "message:90:50",
        r#"{"id":"50","channel_id":"90","content":"psst","author":{"id":"8","username":"bob"}}"#,
    )
    .end();
    let nowhere = home(
        "message_in_an_unknown_channel_is_not_kept",
        "1.19: nobody would know when the channel is deleted; its author as a member is kept",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"99","guild_id":"1","author":{"id":"8",
"username":"bob"},"member":{"roles":[]}}"#,
    )
    .knows_nothing_of("message:99:50")
    .has(
        "member:1:8",
        r#"{"roles":[],"user":{"id":"8","username":"bob"}}"#,
    )
    .end();
    vec![private, nowhere]
}

pub(super) const BASE: &str =
    r#"{"id":"50","channel_id":"10","guild_id":"1","content":"hi","tts":true}"#;

/// A message in #general.
pub(super) fn with_message(name: &str, rule: &str) -> Scene {
    home(name, rule).told("MESSAGE_CREATE", BASE)
}

/// [`BASE`] with more members behind.
pub(super) fn base_and(more: &str) -> String {
    format!("{},{more}}}", BASE.trim_end_matches('}'))
}

fn update() -> Vec<Vector> {
    let merges = with_message(
        "message_update_merges",
        "1.18 MESSAGE_UPDATE: possibly a part; its tts is always false, whatever the message was",
    )
    .told(
        "MESSAGE_UPDATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1","content":"hello",
"tts":false,"edited_timestamp":"t"}"#,
    )
    .has(
        "message:10:50",
        r#"{"id":"50","channel_id":"10","guild_id":"1","content":"hello","tts":true,
"edited_timestamp":"t"}"#,
    )
    .end();
    let unknown = home(
        "message_update_creates_nothing",
        "1.18 MESSAGE_UPDATE: it comes for messages of any age; neither message nor author nor member is created",
    )
    .told("MESSAGE_UPDATE", r#"{"id":"50","channel_id":"10","guild_id":"1","content":"x",
"author":{"id":"8","username":"bob"},"member":{"roles":[]}}"#)
    .knows_nothing_of("message:10:50")
    .knows_nothing_of("user:8")
    .knows_nothing_of("member:1:8")
    .has("channel:1:10", GENERAL)
    .end();
    let author = with_message(
        "message_update_tells_of_a_known_author",
        "1.18 MESSAGE_UPDATE: news of a user that somebody refers to",
    )
    .told(
        "MESSAGE_UPDATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"7",
"username":"Ada"},"member":{"nick":"A"}}"#,
    )
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"A","roles":["1"]}"#,
    )
    .has(
        "message:10:50",
        &base_and(r#""author":{"id":"7","username":"Ada"}"#),
    )
    .end();
    vec![merges, unknown, author]
}

fn delete() -> Vec<Vector> {
    let one = with_message(
        "message_delete_deletes",
        "1.18 MESSAGE_DELETE: the message; the channel's last_message_id stays",
    )
    .told(
        "MESSAGE_DELETE",
        r#"{"id":"50","channel_id":"10","guild_id":"1"}"#,
    )
    .lacks("message:10:50")
    .has(
        "channel:1:10",
        r#"{"id":"10","type":0,"name":"general","last_message_id":"50"}"#,
    )
    .end();
    let bulk = with_message(
        "message_delete_bulk_deletes_all_that_it_lists",
        "1.18 MESSAGE_DELETE_BULK: known or not; others stay",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"52","channel_id":"10","guild_id":"1"}"#,
    )
    .told(
        "MESSAGE_DELETE_BULK",
        r#"{"ids":["50","52","53"],"channel_id":"10","guild_id":"1"}"#,
    )
    .lacks("message:10:50")
    .has(
        "message:10:51",
        r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
    )
    .lacks("message:10:52")
    .lacks("message:10:53")
    .end();
    vec![one, bulk]
}

fn limit() -> Vec<Vector> {
    let three = |scene: Scene| {
        scene
            .told(
                "MESSAGE_CREATE",
                r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
            )
            .told(
                "MESSAGE_CREATE",
                r#"{"id":"52","channel_id":"10","guild_id":"1"}"#,
            )
            .told(
                "MESSAGE_CREATE",
                r#"{"id":"53","channel_id":"11","guild_id":"1"}"#,
            )
    };
    let start = scene(
        "only_the_newest_messages_of_a_channel_are_kept",
        "hot set: so many of each channel; the earliest make room, and may be asked for",
    )
    .config(json!({"limits": {"message": {"count_per_scope": 2}}}));
    let kept = three(super::at_home(start).told("MESSAGE_CREATE", BASE))
        .knows_nothing_of("message:10:50")
        .has(
            "message:10:51",
            r#"{"id":"51","channel_id":"10","guild_id":"1"}"#,
        )
        .has(
            "message:10:52",
            r#"{"id":"52","channel_id":"10","guild_id":"1"}"#,
        )
        .has(
            "message:11:53",
            r#"{"id":"53","channel_id":"11","guild_id":"1"}"#,
        )
        .counts(&[("evicted_scope_limit", 1)])
        .end();
    let start = scene(
        "change_to_a_message_that_made_room_creates_nothing",
        "hot set: what is not known of the message is not made up",
    )
    .config(json!({"limits": {"message": {"count_per_scope": 1}}}));
    let changed = three(super::at_home(start).told("MESSAGE_CREATE", BASE))
        .told(
            "MESSAGE_UPDATE",
            r#"{"id":"50","channel_id":"10","guild_id":"1","content":"late"}"#,
        )
        .knows_nothing_of("message:10:50")
        .end();
    vec![kept, changed]
}
