//! Channels: whole, obfuscated, deleted, and the few members that have events of their own.

use super::super::model::Vector;
use super::{GENERAL, home};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = whole();
    vectors.extend(obfuscated());
    vectors.extend(delete());
    vectors.extend(delete_others());
    vectors.extend(voice());
    vectors.extend(info());
    vectors.extend(pins());
    vectors
}

const VOICE: &str = r#"{"id":"11","type":2,"name":"voice"}"#;

fn whole() -> Vec<Vector> {
    let create = home(
        "channel_create_creates",
        "1.18 CHANNEL_CREATE: the guild stands in the key and is left out",
    )
    .told(
        "CHANNEL_CREATE",
        r#"{"id":"15","guild_id":"1","type":0,"name":"new"}"#,
    )
    .has("channel:1:15", r#"{"id":"15","type":0,"name":"new"}"#)
    .end();
    let private = home(
        "channel_create_outside_guilds_creates_nothing",
        "1.18 CHANNEL_CREATE: guild channels only",
    )
    .told("CHANNEL_CREATE", r#"{"id":"15","type":1}"#)
    .counts(&[("hot", 9), ("malformed", 0)])
    .end();
    let update = home(
        "channel_update_replaces",
        "1.18 CHANNEL_UPDATE: the whole object: what it lacks is gone",
    )
    .told("CHANNEL_UPDATE", r#"{"id":"10","guild_id":"1","type":5}"#)
    .has("channel:1:10", r#"{"id":"10","type":5}"#)
    .end();
    let unknown = home(
        "channel_update_creates_a_channel_that_is_not_known",
        "1.18 CHANNEL_UPDATE: insert if unknown",
    )
    .told("CHANNEL_UPDATE", r#"{"id":"15","guild_id":"1","type":0}"#)
    .has("channel:1:15", r#"{"id":"15","type":0}"#)
    .end();
    let same = home(
        "channel_update_that_changes_nothing_is_taken",
        "1.19: an event may come several times",
    )
    .told(
        "CHANNEL_UPDATE",
        r#"{"id":"10","guild_id":"1","type":0,"name":"general"}"#,
    )
    .told(
        "CHANNEL_UPDATE",
        r#"{"id":"10","guild_id":"1","type":0,"name":"general"}"#,
    )
    .has("channel:1:10", GENERAL)
    .counts(&[("hot", 9)])
    .end();
    vec![create, private, update, unknown, same]
}

fn obfuscated() -> Vec<Vector> {
    const HIDDEN: &str =
        r#"{"id":"11","guild_id":"1","type":2,"name":"___hidden___","flags":131072}"#;
    let hidden = home(
        "obfuscated_channel_loses_all_that_was_known",
        "1.21: the object is replaced wholesale: nothing that the bot once saw is true any more",
    )
    .told(
        "VOICE_CHANNEL_STATUS_UPDATE",
        r#"{"id":"11","guild_id":"1","status":"chat"}"#,
    )
    .told("CHANNEL_UPDATE", HIDDEN)
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"___hidden___","flags":131072}"#,
    )
    .end();
    let revealed = home(
        "revealed_channel_is_whole_again",
        "1.21: CHANNEL_UPDATE with full data when access is gained",
    )
    .told("CHANNEL_UPDATE", HIDDEN)
    .told(
        "CHANNEL_UPDATE",
        r#"{"id":"11","guild_id":"1","type":2,"name":"voice","flags":0}"#,
    )
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"voice","flags":0}"#,
    )
    .end();
    let from_start = home(
        "channel_obfuscated_from_the_start_is_kept",
        "1.21: channels that the bot cannot view are sent all the same",
    )
    .told(
        "CHANNEL_CREATE",
        r#"{"id":"16","guild_id":"1","type":0,"name":"___hidden___","flags":131072}"#,
    )
    .has(
        "channel:1:16",
        r#"{"id":"16","type":0,"name":"___hidden___","flags":131072}"#,
    )
    .end();
    vec![hidden, revealed, from_start]
}

fn delete() -> Vec<Vector> {
    let gone = home(
        "channel_delete_takes_along_what_is_in_it",
        "1.18 CHANNEL_DELETE: its threads, the messages of both, its voice states, stages and scheduled events",
    )
    .told("THREAD_CREATE", r#"{"id":"30","guild_id":"1","parent_id":"11","member":{"user_id":"9"}}"#)
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"11","guild_id":"1"}"#)
    .told("MESSAGE_CREATE", r#"{"id":"51","channel_id":"30","guild_id":"1"}"#)
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#)
    .told("STAGE_INSTANCE_CREATE", r#"{"id":"40","guild_id":"1","channel_id":"11"}"#)
    .told("GUILD_SCHEDULED_EVENT_CREATE", r#"{"id":"41","guild_id":"1","channel_id":"11"}"#)
    .told("CHANNEL_DELETE", r#"{"id":"11","guild_id":"1","type":2}"#)
    .lacks("channel:1:11")
    .lacks("thread:1:30")
    .lacks("thread_member:30:9")
    .lacks("message:11:50")
    .lacks("message:30:51")
    .lacks("voice_state:1:7")
    .lacks("stage_instance:1:40")
    .lacks("scheduled_event:1:41")
    .counts(&[("hot", 8)])
    .end();
    let others = home(
        "channel_delete_leaves_what_is_elsewhere",
        "1.18 CHANNEL_DELETE: other channels keep what they have",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"30","guild_id":"1"}"#,
    )
    .told(
        "VOICE_STATE_UPDATE",
        r#"{"guild_id":"1","user_id":"7","channel_id":"12"}"#,
    )
    .told("CHANNEL_DELETE", r#"{"id":"11","guild_id":"1"}"#)
    .has(
        "thread:1:30",
        r#"{"id":"30","parent_id":"10","last_message_id":"50"}"#,
    )
    .has(
        "message:30:50",
        r#"{"id":"50","channel_id":"30","guild_id":"1"}"#,
    )
    .has("voice_state:1:7", r#"{"user_id":"7","channel_id":"12"}"#)
    .end();
    vec![gone, others]
}

fn delete_others() -> Vec<Vector> {
    let category = home(
        "category_that_is_deleted_leaves_its_children",
        "1.18 CHANNEL_DELETE: children stay, and each gets a CHANNEL_UPDATE",
    )
    .told("CHANNEL_CREATE", r#"{"id":"17","guild_id":"1","type":4}"#)
    .told(
        "CHANNEL_CREATE",
        r#"{"id":"18","guild_id":"1","type":0,"parent_id":"17"}"#,
    )
    .told("CHANNEL_DELETE", r#"{"id":"17","guild_id":"1"}"#)
    .lacks("channel:1:17")
    .has("channel:1:18", r#"{"id":"18","type":0,"parent_id":"17"}"#)
    .told(
        "CHANNEL_UPDATE",
        r#"{"id":"18","guild_id":"1","type":0,"parent_id":null}"#,
    )
    .has("channel:1:18", r#"{"id":"18","type":0,"parent_id":null}"#)
    .end();
    let unknown = home(
        "channel_delete_of_an_unknown_channel_is_believed",
        "1.19: events for unknown channels happen; asking Discord for this one is of no use",
    )
    .told("CHANNEL_DELETE", r#"{"id":"19","guild_id":"1"}"#)
    .lacks("channel:1:19")
    .told("CHANNEL_DELETE", r#"{"id":"20"}"#)
    .counts(&[("malformed", 0), ("hot", 9)])
    .end();
    vec![category, unknown]
}

fn voice() -> Vec<Vector> {
    let status = home(
        "voice_channel_status_is_set_and_unset",
        "1.18 VOICE_CHANNEL_STATUS_UPDATE: one member of the channel; missing means null",
    )
    .told(
        "VOICE_CHANNEL_STATUS_UPDATE",
        r#"{"id":"11","guild_id":"1","status":"chat"}"#,
    )
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"voice","status":"chat"}"#,
    )
    .told(
        "VOICE_CHANNEL_STATUS_UPDATE",
        r#"{"id":"11","guild_id":"1"}"#,
    )
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"voice","status":null}"#,
    )
    .end();
    let start = home(
        "voice_channel_start_time_is_set",
        "1.18 VOICE_CHANNEL_START_TIME_UPDATE: one member of the channel",
    )
    .told(
        "VOICE_CHANNEL_START_TIME_UPDATE",
        r#"{"id":"11","guild_id":"1","voice_start_time":1700000000}"#,
    )
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"voice","voice_start_time":1700000000}"#,
    )
    .end();
    let kept = home(
        "channel_update_keeps_what_it_never_has",
        "1.18 CHANNEL_UPDATE: status and start time have events of their own, and stay",
    )
    .told(
        "VOICE_CHANNEL_STATUS_UPDATE",
        r#"{"id":"11","guild_id":"1","status":"chat"}"#,
    )
    .told(
        "VOICE_CHANNEL_START_TIME_UPDATE",
        r#"{"id":"11","guild_id":"1","voice_start_time":5}"#,
    )
    .told(
        "CHANNEL_UPDATE",
        r#"{"id":"11","guild_id":"1","type":2,"name":"loud"}"#,
    )
    .has(
        "channel:1:11",
        r#"{"id":"11","type":2,"name":"loud","status":"chat","voice_start_time":5}"#,
    )
    .end();
    vec![status, start, kept]
}

fn info() -> Vec<Vector> {
    let info = home(
        "channel_info_sets_what_was_asked_for",
        "1.18 CHANNEL_INFO: an answer with status and start time of several channels; what it lacks was not asked for",
    )
    .told("CHANNEL_INFO", r#"{"guild_id":"1","channels":[{"id":"11","status":"chat",
"voice_start_time":null},{"id":"10"},{"id":"99","status":"x"}]}"#)
    .has("channel:1:11", r#"{"id":"11","type":2,"name":"voice","status":"chat","voice_start_time":null}"#)
    .has("channel:1:10", GENERAL)
    .knows_nothing_of("channel:1:99")
    .end();
    let unknown = home(
        "status_of_an_unknown_channel_creates_nothing",
        "1.19: a part of a channel is no channel",
    )
    .told(
        "VOICE_CHANNEL_STATUS_UPDATE",
        r#"{"id":"99","guild_id":"1","status":"x"}"#,
    )
    .told(
        "VOICE_CHANNEL_START_TIME_UPDATE",
        r#"{"id":"99","guild_id":"1","voice_start_time":5}"#,
    )
    .knows_nothing_of("channel:1:99")
    .has("channel:1:11", VOICE)
    .end();
    vec![info, unknown]
}

fn pins() -> Vec<Vector> {
    let channel = home(
        "pins_of_a_channel_are_noted",
        "1.18 CHANNEL_PINS_UPDATE: the time of the last pin; null and missing mean none",
    )
    .told(
        "CHANNEL_PINS_UPDATE",
        r#"{"guild_id":"1","channel_id":"10","last_pin_timestamp":"2026-01-02T03:04:05+00:00"}"#,
    )
    .has(
        "channel:1:10",
        r#"{"id":"10","type":0,"name":"general","last_pin_timestamp":"2026-01-02T03:04:05+00:00"}"#,
    )
    .told(
        "CHANNEL_PINS_UPDATE",
        r#"{"guild_id":"1","channel_id":"10"}"#,
    )
    .has(
        "channel:1:10",
        r#"{"id":"10","type":0,"name":"general","last_pin_timestamp":null}"#,
    )
    .end();
    let thread = home(
        "pins_of_a_thread_are_noted",
        "1.18 CHANNEL_PINS_UPDATE: the id may be a thread's",
    )
    .told(
        "THREAD_CREATE",
        r#"{"id":"30","guild_id":"1","parent_id":"10"}"#,
    )
    .told(
        "CHANNEL_PINS_UPDATE",
        r#"{"guild_id":"1","channel_id":"30","last_pin_timestamp":"t"}"#,
    )
    .has(
        "thread:1:30",
        r#"{"id":"30","parent_id":"10","last_pin_timestamp":"t"}"#,
    )
    .end();
    let nowhere = home(
        "pins_of_what_is_not_known_create_nothing",
        "1.19: neither outside guilds nor in an unknown channel",
    )
    .told(
        "CHANNEL_PINS_UPDATE",
        r#"{"channel_id":"10","last_pin_timestamp":"t"}"#,
    )
    .told(
        "CHANNEL_PINS_UPDATE",
        r#"{"guild_id":"1","channel_id":"99","last_pin_timestamp":"t"}"#,
    )
    .has("channel:1:10", GENERAL)
    .knows_nothing_of("channel:1:99")
    .counts(&[("hot", 9)])
    .end();
    vec![channel, thread, nowhere]
}
