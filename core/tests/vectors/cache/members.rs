//! Members, the users that guilds share, presences, and who interacts.

use super::super::model::Vector;
use super::{GUILD, home};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = add();
    vectors.extend(update());
    vectors.extend(remove());
    vectors.extend(chunk());
    vectors.extend(super::users::vectors());
    vectors.extend(typing());
    vectors.extend(interactions());
    vectors.extend(resolved());
    vectors
}

const BOB: &str = r#"{"id":"8","username":"bob"}"#;

fn counted(members: u32) -> String {
    GUILD.replace(
        r#""member_count":2"#,
        &format!(r#""member_count":{members}"#),
    )
}

fn add() -> Vec<Vector> {
    const JOINED: &str =
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"},"roles":[],"joined_at":"t"}"#;
    let new = home(
        "member_who_joins_is_counted",
        "1.18 GUILD_MEMBER_ADD: member and user are created, and member_count goes up",
    )
    .told("GUILD_MEMBER_ADD", JOINED)
    .has(
        "member:1:8",
        r#"{"user":{"id":"8","username":"bob"},"roles":[],"joined_at":"t"}"#,
    )
    .has("user:8", BOB)
    .has("guild:1", &counted(3))
    .end();
    let known = home(
        "member_who_joins_twice_is_counted_once",
        "1.18 GUILD_MEMBER_ADD: it may come for a member that is known",
    )
    .told("GUILD_MEMBER_ADD", JOINED)
    .told("GUILD_MEMBER_ADD", JOINED)
    .has("guild:1", &counted(3))
    .end();
    let uncounted = home(
        "guild_without_a_count_gets_none",
        "1.19: only GUILD_CREATE tells how many there are",
    )
    .told("GUILD_CREATE", r#"{"id":"2","name":"two"}"#)
    .told(
        "GUILD_MEMBER_ADD",
        r#"{"guild_id":"2","user":{"id":"8","username":"bob"}}"#,
    )
    .has("guild:2", r#"{"id":"2","name":"two"}"#)
    .has("member:2:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .end();
    vec![new, known, uncounted]
}

fn update() -> Vec<Vector> {
    let merges = home(
        "member_update_merges",
        "1.18 GUILD_MEMBER_UPDATE: what it lacks is unchanged; its user comes whole",
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"roles":["5"],"avatar":null}"#,
    )
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"Ada"},"nick":"a","roles":["5"],"avatar":null}"#,
    )
    .end();
    let null = home(
        "member_update_with_null_sets_null",
        "1.18 GUILD_MEMBER_UPDATE: null is something that it says",
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"},"nick":null}"#,
    )
    .has(
        "member:1:7",
        r#"{"user":{"id":"7","username":"ada"},"nick":null,"roles":["1"]}"#,
    )
    .end();
    let unknown = home(
        "member_update_creates_a_member_that_is_not_known",
        "1.18 GUILD_MEMBER_UPDATE: large guilds list few of their members; it is not counted",
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"8","username":"bob"},"roles":[]}"#,
    )
    .has(
        "member:1:8",
        r#"{"user":{"id":"8","username":"bob"},"roles":[]}"#,
    )
    .has("guild:1", GUILD)
    .end();
    vec![merges, null, unknown]
}

fn remove() -> Vec<Vector> {
    let gone = home(
        "member_who_leaves_takes_all_of_theirs_along",
        "1.18 GUILD_MEMBER_REMOVE: presence and voice state go, member_count goes down, the user is freed",
    )
    .told("PRESENCE_UPDATE", r#"{"guild_id":"1","user":{"id":"7"},"status":"online"}"#)
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#)
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#)
    .lacks("member:1:7")
    .lacks("presence:1:7")
    .lacks("voice_state:1:7")
    .knows_nothing_of("user:7")
    .has("guild:1", &counted(1))
    .end();
    let unknown = home(
        "unknown_member_who_leaves_was_counted",
        "1.18 GUILD_MEMBER_REMOVE: member_count goes down for those whom nobody told of too, not below zero",
    )
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"21","username":"x"}}"#)
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"22","username":"y"}}"#)
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"23","username":"z"}}"#)
    .has("guild:1", &counted(0))
    .lacks("member:1:21")
    .knows_nothing_of("user:21")
    .end();
    vec![gone, unknown]
}

fn chunk() -> Vec<Vector> {
    let chunk = home(
        "chunk_brings_members_and_presences",
        "1.18 GUILD_MEMBERS_CHUNK: members as they are now, with their users, and presences if asked for",
    )
    .told("GUILD_MEMBERS_CHUNK", r#"{"guild_id":"1","members":[{"user":{"id":"7","username":"ada"},
"roles":[]},{"user":{"id":"8","username":"bob"}}],
"presences":[{"user":{"id":"8"},"status":"idle"},{"user":{"id":"7"},"status":"offline"}],
"chunk_index":0,"chunk_count":1,"not_found":["5"]}"#)
    .has("member:1:7", r#"{"user":{"id":"7","username":"ada"},"roles":[]}"#)
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .has("presence:1:8", r#"{"status":"idle"}"#)
    .lacks("presence:1:7")
    .has("guild:1", GUILD)
    .end();
    let odd = home(
        "chunk_with_a_malformed_member_brings_the_others",
        "1.19: a piece that cannot be read is passed over and counted",
    )
    .told(
        "GUILD_MEMBERS_CHUNK",
        r#"{"guild_id":"1","members":[{"nick":"nobody"},{"user":{"id":"8","username":"bob"}}]}"#,
    )
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .counts(&[("malformed", 1)])
    .end();
    vec![chunk, odd]
}

fn typing() -> Vec<Vector> {
    let guild = home(
        "who_types_is_a_member",
        "1.18 TYPING_START: the member comes along",
    )
    .told(
        "TYPING_START",
        r#"{"guild_id":"1","channel_id":"10","user_id":"8","timestamp":5,
"member":{"user":{"id":"8","username":"bob"},"nick":"b"}}"#,
    )
    .has(
        "member:1:8",
        r#"{"user":{"id":"8","username":"bob"},"nick":"b"}"#,
    )
    .end();
    let private = home(
        "who_types_outside_guilds_is_nobody",
        "1.18 TYPING_START: nothing but an id",
    )
    .told(
        "TYPING_START",
        r#"{"channel_id":"90","user_id":"8","timestamp":5}"#,
    )
    .knows_nothing_of("user:8")
    .counts(&[("malformed", 0), ("hot", 9)])
    .end();
    vec![guild, private]
}

fn interactions() -> Vec<Vector> {
    let installed = home(
        "who_interacts_where_the_bot_is_installed_is_a_member",
        "1.18 INTERACTION_CREATE: the member is created; what it may do in the channel is not the member's",
    )
    .told("INTERACTION_CREATE", r#"{"id":"60","guild_id":"1","authorizing_integration_owners":{"0":"1"},
"member":{"user":{"id":"8","username":"bob"},"nick":"b","permissions":"8"}}"#)
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"},"nick":"b"}"#)
    .end();
    let elsewhere = home(
        "who_interacts_where_the_bot_is_not_is_nobody",
        "1.18 INTERACTION_CREATE: a command that a user brought along works in guilds that will never say goodbye",
    )
    .told("INTERACTION_CREATE", r#"{"id":"60","guild_id":"2","authorizing_integration_owners":{"1":"8"},
"member":{"user":{"id":"8","username":"bob"},"nick":"b"}}"#)
    .knows_nothing_of("member:2:8")
    .knows_nothing_of("user:8")
    .end();
    let private = home(
        "who_interacts_outside_guilds_is_known_or_not",
        "1.18 INTERACTION_CREATE: news of a known user; an unknown one stays unknown",
    )
    .told(
        "INTERACTION_CREATE",
        r#"{"id":"60","user":{"id":"7","username":"Ada"}}"#,
    )
    .has("user:7", r#"{"id":"7","username":"Ada"}"#)
    .told(
        "INTERACTION_CREATE",
        r#"{"id":"61","user":{"id":"8","username":"bob"}}"#,
    )
    .knows_nothing_of("user:8")
    .end();
    vec![installed, elsewhere, private]
}

fn resolved() -> Vec<Vector> {
    let parts = home(
        "what_an_interaction_chose_is_merged_if_known",
        "1.18 INTERACTION_CREATE: resolved members are parts, without their user; resolved channels overwrite nothing",
    )
    .told("INTERACTION_CREATE", r#"{"id":"60","guild_id":"1","data":{"resolved":{
"users":{"7":{"id":"7","username":"Ada"},"8":{"id":"8","username":"bob"}},
"members":{"7":{"nick":"A","permissions":"0"},"8":{"nick":"b"}},
"roles":{"1":{"id":"1","name":"all"},"5":{"id":"5","name":"no"}},
"channels":{"10":{"id":"10","type":0,"permissions":"1"}}}}}"#)
    .has("member:1:7", r#"{"user":{"id":"7","username":"Ada"},"nick":"A","roles":["1"]}"#)
    .has("role:1:1", r#"{"id":"1","name":"all"}"#)
    .has("channel:1:10", super::GENERAL)
    .knows_nothing_of("member:1:8")
    .knows_nothing_of("role:1:5")
    .knows_nothing_of("user:8")
    .counts(&[("malformed", 0)])
    .end();
    vec![parts]
}
