//! Users that guilds share, and their presences.

use super::super::model::Vector;
use super::{ADA, ADA_HERE, Scene, home};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = shared();
    vectors.extend(own());
    vectors.extend(bans());
    vectors.extend(presences());
    vectors
}

/// Ada in a second guild.
fn in_two(name: &str, rule: &str) -> Scene {
    home(name, rule).told(
        "GUILD_CREATE",
        r#"{"id":"2","members":[{"user":{"id":"7","username":"ada"},"nick":"b"}]}"#,
    )
}

fn shared() -> Vec<Vector> {
    let news = in_two(
        "news_of_a_user_reach_every_guild",
        "1.19: a user is kept once, whatever guild tells of it",
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"2","user":{"id":"7","username":"Ada"},"nick":"c"}"#,
    )
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"a","roles":["1"]}"#,
    )
    .has(
        "member:2:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"c"}"#,
    )
    .end();
    let freed = in_two(
        "user_is_freed_with_the_last_reference",
        "1.19: a user stays as long as a member or a message refers to it",
    )
    .told(
        "GUILD_MEMBER_REMOVE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#,
    )
    .has("user:7", ADA)
    .has(
        "member:2:7",
        r#"{"user":{"id":"7","username":"ada"},"nick":"b"}"#,
    )
    .told("GUILD_DELETE", r#"{"id":"2"}"#)
    .knows_nothing_of("user:7")
    .counts(&[("hot", 7)])
    .end();
    let message = home(
        "message_keeps_its_author",
        "1.19: a message refers to its author as a member does",
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"7","username":"ada"}}"#,
    )
    .told(
        "GUILD_MEMBER_REMOVE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#,
    )
    .has("user:7", ADA)
    .has(
        "message:10:50",
        r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"7","username":"ada"}}"#,
    )
    .told(
        "MESSAGE_DELETE",
        r#"{"id":"50","channel_id":"10","guild_id":"1"}"#,
    )
    .knows_nothing_of("user:7")
    .end();
    vec![news, freed, message]
}

fn own() -> Vec<Vector> {
    let update = home(
        "user_update_replaces_the_bots_user",
        "1.18 USER_UPDATE: the current user, whole",
    )
    .told(
        "USER_UPDATE",
        r#"{"id":"9","username":"robot","email":null}"#,
    )
    .has("user:9", r#"{"id":"9","username":"robot","email":null}"#)
    .end();
    let partial = home(
        "others_tell_a_part_of_the_bots_user",
        "1.18 READY, USER_UPDATE: they alone tell everything of the bot's user: what others lack stays",
    )
    .told("USER_UPDATE", r#"{"id":"9","username":"robot","email":"e"}"#)
    .told("GUILD_MEMBER_UPDATE", r#"{"guild_id":"1","user":{"id":"9","username":"droid"},"roles":[]}"#)
    .has("user:9", r#"{"id":"9","username":"droid","email":"e"}"#)
    .end();
    vec![update, partial]
}

fn bans() -> Vec<Vector> {
    let add = home(
        "ban_tells_of_a_known_user",
        "1.18 GUILD_BAN_ADD: news of a user; the member's removal comes by itself",
    )
    .told(
        "GUILD_BAN_ADD",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"}}"#,
    )
    .has("user:7", r#"{"id":"7","username":"Ada"}"#)
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"a","roles":["1"]}"#,
    )
    .end();
    let remove = home(
        "ban_of_an_unknown_user_creates_none",
        "1.18 GUILD_BAN_REMOVE: nobody refers to that user",
    )
    .told(
        "GUILD_BAN_REMOVE",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#,
    )
    .knows_nothing_of("user:8")
    .told(
        "GUILD_BAN_REMOVE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"}}"#,
    )
    .has("user:7", r#"{"id":"7","username":"Ada"}"#)
    .end();
    vec![add, remove]
}

fn presences() -> Vec<Vector> {
    let replaces = home(
        "presence_replaces_the_one_before",
        "1.18 PRESENCE_UPDATE: a presence for each guild and user",
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7"},"status":"online","activities":[{"name":"x"}]}"#,
    )
    .has(
        "presence:1:7",
        r#"{"status":"online","activities":[{"name":"x"}]}"#,
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7"},"status":"idle"}"#,
    )
    .has("presence:1:7", r#"{"status":"idle"}"#)
    .end();
    let offline = home(
        "who_is_offline_has_no_presence",
        "1.18 PRESENCE_UPDATE: offline is no presence",
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7"},"status":"online"}"#,
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7"},"status":"offline"}"#,
    )
    .lacks("presence:1:7")
    .has("member:1:7", ADA_HERE)
    .end();
    let partial = home(
        "presence_tells_a_part_of_a_known_user",
        "1.18 PRESENCE_UPDATE: only the id of its user is sure: what else it has is merged",
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada","avatar":"x"},"roles":["1"]}"#,
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"status":"online"}"#,
    )
    .has("user:7", r#"{"id":"7","username":"Ada","avatar":"x"}"#)
    .end();
    let unknown = home(
        "presence_creates_no_user",
        "1.18 PRESENCE_UPDATE: a part of a user that nobody refers to",
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"},"status":"dnd"}"#,
    )
    .has("presence:1:8", r#"{"status":"dnd"}"#)
    .knows_nothing_of("user:8")
    .end();
    vec![replaces, offline, partial, unknown]
}
