//! READY, GUILD_CREATE, GUILD_UPDATE, GUILD_DELETE.

use super::super::model::Vector;
use super::{ADA, ADA_HERE, BOT_HERE, GENERAL, GUILD, HOME, READY, home, scene};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = ready();
    vectors.extend(create());
    vectors.extend(create_again());
    vectors.extend(malformed());
    vectors.extend(update());
    vectors.extend(delete());
    vectors
}

fn ready() -> Vec<Vector> {
    let user = scene(
        "ready_tells_the_bots_user_and_its_guilds",
        "1.18 READY: the bot's own user, and a placeholder for each of the shard's guilds",
    )
    .told("READY", READY)
    .gives(&[])
    .has("user:9", r#"{"id":"9","username":"bot"}"#)
    .has("guild:1", r#"{"id":"1","unavailable":true}"#)
    .end();
    let known = home(
        "ready_marks_a_known_guild_and_keeps_it",
        "1.18 READY: a listed guild is unavailable until its GUILD_CREATE; what was known of it stays",
    )
    .told("READY", READY)
    .has("guild:1", &GUILD.replace(r#""unavailable":false"#, r#""unavailable":true"#))
    .has("channel:1:10", GENERAL)
    .has("member:1:7", ADA_HERE)
    .end();
    let left = home(
        "ready_drops_a_guild_that_it_does_not_list",
        "1.18 READY: a guild of this shard that is not listed was left while the bot was away",
    )
    .told(
        "READY",
        r#"{"user":{"id":"9","username":"bot"},"guilds":[],"shard":[0,1]}"#,
    )
    .lacks("guild:1")
    .knows_nothing_of("channel:1:10")
    .knows_nothing_of("member:1:7")
    .knows_nothing_of("user:7")
    .has("user:9", r#"{"id":"9","username":"bot"}"#)
    .counts(&[("hot", 1), ("guilds", 0)])
    .end();
    let other = home(
        "ready_of_one_shard_leaves_guilds_of_another",
        "1.18 READY: guild 4194304 is shard 1 of 2; the READY of shard 0 says nothing of it",
    )
    .told("GUILD_CREATE", r#"{"id":"4194304","name":"far"}"#)
    .told(
        "READY",
        r#"{"user":{"id":"9","username":"bot"},"guilds":[],"shard":[0,2]}"#,
    )
    .lacks("guild:1")
    .has("guild:4194304", r#"{"id":"4194304","name":"far"}"#)
    .end();
    let odd = home(
        "ready_with_a_malformed_guild_drops_none",
        "1.18 READY: a list that could not be read says nothing of what is not in it",
    )
    .told(
        "READY",
        r#"{"user":{"id":"9","username":"bot"},"guilds":[{"id":"x"}],"shard":[0,1]}"#,
    )
    .has("guild:1", GUILD)
    .counts(&[("malformed", 1), ("guilds", 1)])
    .end();
    vec![user, known, left, other, odd]
}

/// One record of every kind that a guild's object holds.
const FULL: &str = r#"{"id":"1","name":"full","unavailable":false,
"roles":[{"id":"1","name":"everyone"}],"emojis":[{"id":"20","name":"cat"}],"stickers":[{"id":"21",
"name":"dog"}],
"channels":[{"id":"10","type":0},{"id":"13","type":13}],
"threads":[{"id":"30","parent_id":"10","member":{"user_id":"9","flags":1}}],
"members":[{"user":{"id":"9","username":"bot"}},{"user":{"id":"7","username":"ada"}},{"user":{"id":"7",
"username":"ada"},"nick":"a"}],
"presences":[{"user":{"id":"7"},"status":"idle"}],"voice_states":[{"user_id":"7","channel_id":"13",
"mute":true}],
"stage_instances":[{"id":"40","channel_id":"13","topic":"t"}],
"guild_scheduled_events":[{"id":"41","channel_id":"13","name":"e"}],
"soundboard_sounds":[{"sound_id":"22","name":"moo"}]}"#;

fn create() -> Vec<Vector> {
    let full = scene(
        "guild_create_brings_all_that_it_holds",
        "1.18 GUILD_CREATE: each list holds records of their own; the guild's record is what remains",
    )
    .told("READY", READY)
    .told("GUILD_CREATE", FULL)
    .has("guild:1", r#"{"id":"1","name":"full","unavailable":false}"#)
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .has("emoji:1:20", r#"{"id":"20","name":"cat"}"#)
    .has("sticker:1:21", r#"{"id":"21","name":"dog"}"#)
    .has("channel:1:10", r#"{"id":"10","type":0}"#)
    .has("thread:1:30", r#"{"id":"30","parent_id":"10"}"#)
    .has("thread_member:30:9", r#"{"user_id":"9","flags":1}"#)
    .has("presence:1:7", r#"{"status":"idle"}"#)
    .has("voice_state:1:7", r#"{"user_id":"7","channel_id":"13","mute":true}"#)
    .has("stage_instance:1:40", r#"{"id":"40","channel_id":"13","topic":"t"}"#)
    .has("scheduled_event:1:41", r#"{"id":"41","channel_id":"13","name":"e"}"#)
    .has("soundboard_sound:1:22", r#"{"sound_id":"22","name":"moo"}"#)
    .counts(&[("malformed", 0), ("hot", 17)])
    .end();
    let twice = scene(
        "member_listed_twice_is_one",
        "1.17: members in voice may be listed twice; the list is a map",
    )
    .told("READY", READY)
    .told("GUILD_CREATE", FULL)
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"ada"},"nick":"a"}"#,
    )
    .has("user:7", ADA)
    .end();
    let stub = scene(
        "guild_create_of_an_unavailable_guild_marks_it",
        "1.20 6: the bot can join a guild that is unavailable",
    )
    .told("READY", READY)
    .told("GUILD_CREATE", r#"{"id":"2","unavailable":true}"#)
    .has("guild:2", r#"{"id":"2","unavailable":true}"#)
    .told("GUILD_CREATE", r#"{"id":"2","name":"two"}"#)
    .has("guild:2", r#"{"id":"2","name":"two"}"#)
    .end();
    let known = home(
        "guild_create_that_is_unavailable_keeps_what_is_known",
        "1.20 6: a stub says that there is an outage, and no more",
    )
    .told("GUILD_CREATE", r#"{"id":"1","unavailable":true}"#)
    .has(
        "guild:1",
        &GUILD.replace(r#""unavailable":false"#, r#""unavailable":true"#),
    )
    .has("channel:1:10", GENERAL)
    .end();
    vec![full, twice, stub, known]
}

fn create_again() -> Vec<Vector> {
    let again = home(
        "guild_create_after_an_outage_replaces",
        "1.20 4: full state again: replace, do not merge; nobody told what was deleted meanwhile",
    )
    .told("GUILD_DELETE", r#"{"id":"1","unavailable":true}"#)
    .told(
        "GUILD_CREATE",
        r#"{"id":"1","name":"again","channels":[{"id":"11","type":2}],
"members":[{"user":{"id":"9","username":"bot"}}]}"#,
    )
    .has("guild:1", r#"{"id":"1","name":"again"}"#)
    .has("channel:1:11", r#"{"id":"11","type":2}"#)
    .lacks("channel:1:10")
    .lacks("role:1:1")
    .has("member:1:9", r#"{"user":{"id":"9","username":"bot"}}"#)
    .counts(&[("hot", 4)])
    .end();
    let absent = home(
        "member_that_guild_create_leaves_out_may_exist",
        "1.17: large guilds list few of their members: who is not listed is forgotten, not gone",
    )
    .told(
        "GUILD_CREATE",
        r#"{"id":"1","name":"again","members":[{"user":{"id":"9","username":"bot"}}]}"#,
    )
    .knows_nothing_of("member:1:7")
    .knows_nothing_of("user:7")
    .end();
    let message = home(
        "guild_create_takes_messages_along_with_their_channel",
        "1.20 4: a channel that is not listed any more is gone, and its messages with it; others stay",
    )
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"10","guild_id":"1","content":"x"}"#)
    .told("MESSAGE_CREATE", r#"{"id":"51","channel_id":"11","guild_id":"1","content":"y"}"#)
    .told("GUILD_CREATE", r#"{"id":"1","name":"again","channels":[{"id":"11","type":2}]}"#)
    .lacks("message:10:50")
    .has("message:11:51", r#"{"id":"51","channel_id":"11","guild_id":"1","content":"y"}"#)
    .end();
    vec![again, absent, message]
}

fn malformed() -> Vec<Vector> {
    let piece = home(
        "list_with_a_malformed_piece_deletes_nothing",
        "1.19: a piece without an id is passed over and counted; its list brings what it has",
    )
    .told(
        "GUILD_CREATE",
        r#"{"id":"1","name":"odd","channels":[{"name":"none"},{"id":"15","type":0}],
"roles":[{"id":"0"}]}"#,
    )
    .has("guild:1", r#"{"id":"1","name":"odd"}"#)
    .has("channel:1:15", r#"{"id":"15","type":0}"#)
    .has("channel:1:10", GENERAL)
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .counts(&[("malformed", 2)])
    .end();
    let whole = home(
        "dispatch_without_an_id_changes_nothing",
        "1.19: an id that must be there and is none makes all of it malformed",
    )
    .told("GUILD_CREATE", r#"{"name":"nameless"}"#)
    .told("GUILD_UPDATE", r#"{"id":null,"name":"null"}"#)
    .told("GUILD_DELETE", r#"{"id":0}"#)
    .told("GUILD_DELETE", r#"["1"]"#)
    .has("guild:1", GUILD)
    .counts(&[("malformed", 4), ("dispatches", 6)])
    .end();
    let cut = home(
        "dispatch_that_is_cut_off_changes_what_it_says",
        "1.19: bytes that are no JSON are counted, and never make anything fail",
    )
    .told("CHANNEL_UPDATE", r#"{"id":"10","guild_id":"1","name":"cut"#)
    .told("CHANNEL_UPDATE", "")
    .has("channel:1:10", GENERAL)
    .counts(&[("malformed", 2)])
    .end();
    vec![piece, whole, cut]
}

fn update() -> Vec<Vector> {
    let scalars = home(
        "guild_update_replaces_what_guilds_have_everywhere",
        "1.18 GUILD_UPDATE: scalars are replaced; what GUILD_CREATE alone tells stays",
    )
    .told(
        "GUILD_UPDATE",
        r#"{"id":"1","name":"new","roles":[{"id":"1","name":"all"},{"id":"5",
"name":"mods"}],"emojis":[],"stickers":[]}"#,
    )
    .has(
        "guild:1",
        r#"{"id":"1","name":"new","member_count":2,"large":false,"unavailable":false}"#,
    )
    .has("role:1:1", r#"{"id":"1","name":"all"}"#)
    .has("role:1:5", r#"{"id":"5","name":"mods"}"#)
    .has("channel:1:10", GENERAL)
    .has("member:1:7", ADA_HERE)
    .end();
    let lists = home(
        "guild_update_replaces_roles_emojis_and_stickers",
        "1.18 GUILD_UPDATE: the three lists that the object has everywhere are all there is",
    )
    .told(
        "GUILD_EMOJIS_UPDATE",
        r#"{"guild_id":"1","emojis":[{"id":"20"}]}"#,
    )
    .told(
        "GUILD_STICKERS_UPDATE",
        r#"{"guild_id":"1","stickers":[{"id":"21"}]}"#,
    )
    .told(
        "GUILD_UPDATE",
        r#"{"id":"1","name":"new","roles":[{"id":"5"}],"emojis":[],"stickers":[]}"#,
    )
    .lacks("role:1:1")
    .lacks("emoji:1:20")
    .lacks("sticker:1:21")
    .end();
    let partial = home(
        "guild_update_without_a_list_keeps_it",
        "1.18 GUILD_UPDATE: a list that is not there says nothing",
    )
    .told("GUILD_UPDATE", r#"{"id":"1","name":"new"}"#)
    .has("role:1:1", r#"{"id":"1","name":"everyone"}"#)
    .end();
    let unknown = scene(
        "guild_update_creates_a_guild_that_is_not_known",
        "1.19: events for unknown guilds happen",
    )
    .told("GUILD_UPDATE", r#"{"id":"1","name":"new","roles":[]}"#)
    .has("guild:1", r#"{"id":"1","name":"new"}"#)
    .end();
    vec![scalars, lists, partial, unknown]
}

fn delete() -> Vec<Vector> {
    let outage = home(
        "guild_delete_in_an_outage_keeps_the_guild",
        "1.20 4: an outage is no farewell: the guild is marked and stays",
    )
    .told("GUILD_DELETE", r#"{"id":"1","unavailable":true}"#)
    .has(
        "guild:1",
        &GUILD.replace(r#""unavailable":false"#, r#""unavailable":true"#),
    )
    .has("member:1:9", BOT_HERE)
    .counts(&[("guilds", 1)])
    .end();
    let left = scene(
        "guild_delete_takes_everything_along",
        "1.20 5: the bot is no longer in the guild: all that it held goes, users that nobody else refers to as well",
    )
    .told("READY", READY)
    .told("GUILD_CREATE", FULL)
    .told("MESSAGE_CREATE", r#"{"id":"50","channel_id":"10","guild_id":"1","author":{"id":"8",
"username":"bob"}}"#)
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .lacks("guild:1")
    .knows_nothing_of("thread_member:30:9")
    .knows_nothing_of("message:10:50")
    .knows_nothing_of("user:8")
    .cannot_find("presence:1:7")
    .has("user:9", r#"{"id":"9","username":"bot"}"#)
    .counts(&[("hot", 1), ("guilds", 0)])
    .end();
    let unknown = home(
        "guild_delete_of_an_unknown_guild_is_harmless",
        "1.19: events for unknown guilds happen; asking Discord for this one is of no use",
    )
    .told("GUILD_DELETE", r#"{"id":"3","unavailable":false}"#)
    .lacks("guild:3")
    .has("guild:1", GUILD)
    .end();
    let back = home(
        "guild_that_comes_back_is_known_again",
        "1.20 6: joined anew: what was believed not to exist does",
    )
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .lacks("guild:1")
    .told("GUILD_CREATE", HOME)
    .has("guild:1", GUILD)
    .has("member:1:7", ADA_HERE)
    .end();
    vec![outage, left, unknown, back]
}
