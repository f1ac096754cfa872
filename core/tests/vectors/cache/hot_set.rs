//! What is kept in memory.

use serde_json::{Value, json};

use super::super::model::Vector;
use super::{ADA, Scene, at_home, scene};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = off();
    vectors.extend(limits());
    vectors.extend(refused());
    vectors.extend(ttl());
    vectors.extend(goes_along());
    vectors.extend(budget());
    vectors
}

fn limited(name: &str, rule: &str, settings: Value) -> Scene {
    at_home(scene(name, rule).config(settings))
}

fn role(id: u32) -> String {
    format!(r#"{{"guild_id":"1","role":{{"id":"{id}","name":"n"}}}}"#)
}

fn off() -> Vec<Vector> {
    let presence = limited(
        "kind_that_keeps_nothing_keeps_nothing",
        "hot set: count 0: presences are not kept, what comes along with them is",
        json!({"limits": {"presence": {"count": 0}}}),
    )
    .told(
        "PRESENCE_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"status":"idle"}"#,
    )
    .cannot_find("presence:1:7")
    .has("user:7", r#"{"id":"7","username":"Ada"}"#)
    .end();
    let users = limited(
        "without_users_members_are_answered_with_ids",
        "hot set: bytes 0: users are not kept: of a member's user nothing but the id is known",
        json!({"limits": {"user": {"bytes": 0}}}),
    )
    .has(
        "member:1:7",
        r#"{"user":{"id":"7"},"nick":"a","roles":["1"]}"#,
    )
    .counts(&[("hot", 7)])
    .end();
    let channels = limited(
        "without_channels_messages_have_no_place",
        "hot set: nobody would know when the channel is deleted",
        json!({"limits": {"channel": {"count": 0}}}),
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1"}"#,
    )
    .knows_nothing_of("channel:1:10")
    .knows_nothing_of("message:10:50")
    .end();
    vec![presence, users, channels]
}

fn limits() -> Vec<Vector> {
    let count = limited(
        "kind_keeps_as_many_as_it_may",
        "hot set: count: of two roles one makes room for the third; it may still be asked for",
        json!({"limits": {"role": {"count": 2}}}),
    )
    .told("GUILD_ROLE_CREATE", &role(5))
    .told("GUILD_ROLE_CREATE", &role(6))
    .knows_nothing_of("role:1:1")
    .has("role:1:5", r#"{"id":"5","name":"n"}"#)
    .has("role:1:6", r#"{"id":"6","name":"n"}"#)
    .counts(&[("evicted_kind_limit", 1)])
    .end();
    let scope = limited(
        "scope_keeps_as_many_of_a_kind_as_it_may",
        "hot set: count_per_scope: the earliest of the same guild makes room, whatever others have",
        json!({"limits": {"role": {"count_per_scope": 1}}}),
    )
    .told("GUILD_CREATE", r#"{"id":"2","roles":[{"id":"2"}]}"#)
    .told("GUILD_ROLE_CREATE", &role(5))
    .knows_nothing_of("role:1:1")
    .has("role:1:5", r#"{"id":"5","name":"n"}"#)
    .has("role:2:2", r#"{"id":"2"}"#)
    .counts(&[("evicted_scope_limit", 1)])
    .end();
    vec![count, scope]
}

fn refused() -> Vec<Vector> {
    let long = "x".repeat(200);
    let long_role = format!(r#"{{"guild_id":"1","role":{{"id":"1","name":"{long}"}}}}"#);
    let outdated = limited(
        "value_that_is_too_long_is_refused_with_the_one_before",
        "hot set: value_bytes_max: what was there is no longer true, so nothing is",
        json!({"value_bytes_max": 100}),
    )
    .told("GUILD_ROLE_UPDATE", &long_role)
    .knows_nothing_of("role:1:1")
    .counts(&[("refused_too_long", 1), ("evicted_outdated", 1)])
    .end();
    let none = scene(
        "budget_of_nothing_keeps_nothing",
        "hot set: budget: everything is refused, every question goes to Discord, and nothing fails",
    )
    .config(json!({"budget_bytes": 0}));
    let none = at_home(none)
        .knows_nothing_of("guild:1")
        .knows_nothing_of("member:1:7")
        .knows_nothing_of("user:9")
        .told(
            "GUILD_MEMBER_REMOVE",
            r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#,
        )
        .counts(&[("hot", 0), ("guilds", 1), ("malformed", 0)])
        .end();
    vec![outdated, none]
}

fn ttl() -> Vec<Vector> {
    let ends = limited(
        "record_ends_with_its_life",
        "hot set: ttl_ms: from a second after it was written it is not known, perhaps 66 ms earlier",
        json!({"limits": {"role": {"ttl_ms": 1_000}}}),
    )
    .at_ms(900)
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .at_ms(1_000)
    .knows_nothing_of("role:1:1")
    .has("channel:1:10", super::GENERAL)
    .end();
    let again = limited(
        "record_that_is_written_again_lives_again",
        "hot set: ttl_ms: a life begins with every write",
        json!({"limits": {"role": {"ttl_ms": 1_000}}}),
    )
    .at_ms(900)
    .told("GUILD_ROLE_UPDATE", &role(1))
    .at_ms(1_500)
    .has("role:1:1", r#"{"id":"1","name":"n"}"#)
    .end();
    vec![ends, again]
}

fn goes_along() -> Vec<Vector> {
    let channel = limited(
        "channel_that_makes_room_takes_its_messages_along",
        "hot set: what is in a channel goes with it: nobody would know when the channel is deleted",
        json!({"limits": {"channel": {"count": 3}}}),
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"51","channel_id":"11","guild_id":"1"}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"52","channel_id":"12","guild_id":"1"}"#,
    )
    .told("CHANNEL_CREATE", r#"{"id":"15","guild_id":"1"}"#)
    .told("CHANNEL_CREATE", r#"{"id":"16","guild_id":"1"}"#)
    .told("CHANNEL_CREATE", r#"{"id":"17","guild_id":"1"}"#)
    .knows_nothing_of("channel:1:10")
    .knows_nothing_of("message:10:50")
    .counts(&[("evicted_kind_limit", 3)])
    .end();
    let member = limited(
        "member_that_makes_room_frees_its_user",
        "hot set: a user that nobody refers to any more goes; the bot's own stays",
        json!({"limits": {"member": {"count": 1}}}),
    )
    .told(
        "GUILD_MEMBER_ADD",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#,
    )
    .knows_nothing_of("member:1:7")
    .knows_nothing_of("user:7")
    .has("user:8", r#"{"id":"8","username":"bob"}"#)
    .has("user:9", r#"{"id":"9","username":"bot"}"#)
    .end();
    let shared = limited(
        "user_of_a_member_that_makes_room_stays_with_a_message",
        "hot set: whoever else refers to the user keeps it",
        json!({"limits": {"member": {"count": 1}}}),
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#,
    )
    .told(
        "MESSAGE_CREATE",
        r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"7","username":"ada"}}"#,
    )
    .told(
        "GUILD_MEMBER_ADD",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"}}"#,
    )
    .knows_nothing_of("member:1:7")
    .has("user:7", ADA)
    .end();
    vec![channel, member, shared]
}

/// Emojis of about a kilobyte each: what does not shrink when it is packed.
fn emojis(guild: u32, ids: core::ops::Range<u32>) -> String {
    let emoji = |id| {
        let text: String = (0..900_u32)
            .map(|at| {
                char::from(b'!' + u8::try_from((at * at + id * 31 + at * id) % 90).unwrap_or(0))
            })
            .map(|c| if matches!(c, '"' | '\\') { '.' } else { c })
            .collect();
        format!(r#"{{"id":"{id}","name":"{text}"}}"#)
    };
    let list: Vec<_> = ids.map(emoji).collect();
    format!(r#"{{"guild_id":"{guild}","emojis":[{}]}}"#, list.join(","))
}

fn budget() -> Vec<Vector> {
    let cold = limited(
        "budget_is_held_by_giving_up_what_nobody_asks_for",
        "hot set: budget_bytes: of 30 values of a kilobyte some go, and may be asked for; what is asked for stays",
        json!({"budget_bytes": 49_152, "scope_percent": 100}),
    )
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .told("GUILD_EMOJIS_UPDATE", &emojis(1, 100..130))
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .knows_nothing_of("emoji:1:100")
    .counts(&[("evicted_share", 0), ("refused_no_room", 0), ("evicted_cold", 19), ("hot", 20)])
    .end();
    let share = limited(
        "guild_that_holds_more_than_its_share_gives_up_first",
        "hot set: scope_percent: a guild's flood takes nothing from a guild that holds no more than its share",
        json!({"budget_bytes": 49_152, "scope_percent": 10}),
    )
    .told("GUILD_CREATE", r#"{"id":"2","emojis":[{"id":"50","name":"tiny"}]}"#)
    .told("GUILD_EMOJIS_UPDATE", &emojis(1, 100..130))
    .has("emoji:2:50", r#"{"id":"50","name":"tiny"}"#)
    .has("guild:2", r#"{"id":"2"}"#)
    .has("user:7", ADA)
    .knows_nothing_of("emoji:1:100")
    .counts(&[("evicted_share", 19), ("evicted_cold", 0)])
    .end();
    vec![cold, share]
}
