//! Roles, emojis, stickers, sounds, stages, scheduled events: what a guild has lists of.

use super::super::model::Vector;
use super::{ADA_HERE, home};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = roles();
    vectors.extend(expressions());
    vectors.extend(sounds());
    vectors.extend(stages());
    vectors.extend(events());
    vectors.extend(interest());
    vectors
}

fn roles() -> Vec<Vector> {
    let create = home(
        "role_create_creates",
        "1.18 GUILD_ROLE_CREATE: the role stands in an object of its own",
    )
    .told(
        "GUILD_ROLE_CREATE",
        r#"{"guild_id":"1","role":{"id":"5","name":"mods"}}"#,
    )
    .has("role:1:5", r#"{"id":"5","name":"mods"}"#)
    .end();
    let update = home(
        "role_update_replaces",
        "1.18 GUILD_ROLE_UPDATE: the whole role; one that is not known is created",
    )
    .told(
        "GUILD_ROLE_UPDATE",
        r#"{"guild_id":"1","role":{"id":"1","color":5}}"#,
    )
    .has("role:1:1", r#"{"id":"1","color":5}"#)
    .told("GUILD_ROLE_UPDATE", r#"{"guild_id":"1","role":{"id":"5"}}"#)
    .has("role:1:5", r#"{"id":"5"}"#)
    .end();
    let delete = home(
        "role_delete_leaves_its_id_with_members",
        "1.18 GUILD_ROLE_DELETE: ids may linger in members: readers skip roles that are not there",
    )
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"1"}"#)
    .lacks("role:1:1")
    .has("member:1:7", ADA_HERE)
    .end();
    vec![create, update, delete]
}

fn expressions() -> Vec<Vector> {
    let emojis = home(
        "emojis_update_replaces_the_list",
        "1.18 GUILD_EMOJIS_UPDATE: the full list",
    )
    .told(
        "GUILD_EMOJIS_UPDATE",
        r#"{"guild_id":"1","emojis":[{"id":"20","name":"cat"},{"id":"21","name":"dog"}]}"#,
    )
    .told(
        "GUILD_EMOJIS_UPDATE",
        r#"{"guild_id":"1","emojis":[{"id":"21","name":"hound"},{"id":"22","name":"cow"}]}"#,
    )
    .lacks("emoji:1:20")
    .has("emoji:1:21", r#"{"id":"21","name":"hound"}"#)
    .has("emoji:1:22", r#"{"id":"22","name":"cow"}"#)
    .end();
    let stickers = home(
        "stickers_update_replaces_the_list",
        "1.18 GUILD_STICKERS_UPDATE: the full list; the guild stands in the key",
    )
    .told(
        "GUILD_STICKERS_UPDATE",
        r#"{"guild_id":"1","stickers":[{"id":"20","guild_id":"1","name":"cat"}]}"#,
    )
    .has("sticker:1:20", r#"{"id":"20","name":"cat"}"#)
    .told("GUILD_STICKERS_UPDATE", r#"{"guild_id":"1","stickers":[]}"#)
    .lacks("sticker:1:20")
    .end();
    let odd = home(
        "emojis_update_that_cannot_be_read_deletes_nothing",
        "1.19: a list with a malformed piece brings what it has; without a list there is nothing to bring",
    )
    .told("GUILD_EMOJIS_UPDATE", r#"{"guild_id":"1","emojis":[{"id":"20","name":"cat"}]}"#)
    .told("GUILD_EMOJIS_UPDATE", r#"{"guild_id":"1","emojis":[{"name":"dog"}]}"#)
    .told("GUILD_EMOJIS_UPDATE", r#"{"guild_id":"1"}"#)
    .has("emoji:1:20", r#"{"id":"20","name":"cat"}"#)
    .counts(&[("malformed", 2)])
    .end();
    vec![emojis, stickers, odd]
}

fn sounds() -> Vec<Vector> {
    const MOO: &str = r#"{"sound_id":"22","name":"moo"}"#;
    let one = home(
        "sound_is_created_replaced_and_deleted",
        "1.18 GUILD_SOUNDBOARD_SOUND_CREATE, _UPDATE, _DELETE: a sound is told by sound_id",
    )
    .told(
        "GUILD_SOUNDBOARD_SOUND_CREATE",
        r#"{"guild_id":"1","sound_id":"22","name":"moo","volume":0.5}"#,
    )
    .has(
        "soundboard_sound:1:22",
        r#"{"sound_id":"22","name":"moo","volume":0.5}"#,
    )
    .told(
        "GUILD_SOUNDBOARD_SOUND_UPDATE",
        r#"{"guild_id":"1","sound_id":"22","name":"moo"}"#,
    )
    .has("soundboard_sound:1:22", MOO)
    .told(
        "GUILD_SOUNDBOARD_SOUND_DELETE",
        r#"{"guild_id":"1","sound_id":"22"}"#,
    )
    .lacks("soundboard_sound:1:22")
    .end();
    let several = home(
        "sounds_update_has_several_and_not_all",
        "1.18 GUILD_SOUNDBOARD_SOUNDS_UPDATE: nobody says that the list is complete",
    )
    .told(
        "GUILD_SOUNDBOARD_SOUND_CREATE",
        r#"{"guild_id":"1","sound_id":"22","name":"moo"}"#,
    )
    .told(
        "GUILD_SOUNDBOARD_SOUNDS_UPDATE",
        r#"{"guild_id":"1","soundboard_sounds":[{"sound_id":"23","guild_id":"1","name":"baa"}]}"#,
    )
    .has("soundboard_sound:1:22", MOO)
    .has("soundboard_sound:1:23", r#"{"sound_id":"23","name":"baa"}"#)
    .end();
    let all = home(
        "soundboard_sounds_are_all",
        "1.18 SOUNDBOARD_SOUNDS: the answer to op 31 is the guild's list",
    )
    .told(
        "GUILD_SOUNDBOARD_SOUND_CREATE",
        r#"{"guild_id":"1","sound_id":"22","name":"moo"}"#,
    )
    .told(
        "SOUNDBOARD_SOUNDS",
        r#"{"guild_id":"1","soundboard_sounds":[{"sound_id":"23","name":"baa"}]}"#,
    )
    .lacks("soundboard_sound:1:22")
    .has("soundboard_sound:1:23", r#"{"sound_id":"23","name":"baa"}"#)
    .end();
    vec![one, several, all]
}

fn stages() -> Vec<Vector> {
    let life = home(
        "stage_is_created_replaced_and_deleted",
        "1.18 STAGE_INSTANCE_CREATE, _UPDATE, _DELETE",
    )
    .told(
        "STAGE_INSTANCE_CREATE",
        r#"{"id":"40","guild_id":"1","channel_id":"11","topic":"t"}"#,
    )
    .has(
        "stage_instance:1:40",
        r#"{"id":"40","channel_id":"11","topic":"t"}"#,
    )
    .told(
        "STAGE_INSTANCE_UPDATE",
        r#"{"id":"40","guild_id":"1","channel_id":"11"}"#,
    )
    .has("stage_instance:1:40", r#"{"id":"40","channel_id":"11"}"#)
    .told(
        "STAGE_INSTANCE_DELETE",
        r#"{"id":"40","guild_id":"1","channel_id":"11","topic":"t"}"#,
    )
    .lacks("stage_instance:1:40")
    .end();
    let after = home(
        "stage_that_went_with_its_channel_may_be_deleted_again",
        "1.20: a later STAGE_INSTANCE_DELETE is tolerated",
    )
    .told(
        "STAGE_INSTANCE_CREATE",
        r#"{"id":"40","guild_id":"1","channel_id":"11"}"#,
    )
    .told("CHANNEL_DELETE", r#"{"id":"11","guild_id":"1"}"#)
    .lacks("stage_instance:1:40")
    .told(
        "STAGE_INSTANCE_DELETE",
        r#"{"id":"40","guild_id":"1","channel_id":"11"}"#,
    )
    .lacks("stage_instance:1:40")
    .counts(&[("malformed", 0)])
    .end();
    vec![life, after]
}

const PARTY: &str = r#"{"id":"41","guild_id":"1","channel_id":null,"name":"party","user_count":2}"#;

fn events() -> Vec<Vector> {
    let create = home(
        "scheduled_event_create_creates",
        "1.18 GUILD_SCHEDULED_EVENT_CREATE",
    )
    .told("GUILD_SCHEDULED_EVENT_CREATE", PARTY)
    .has(
        "scheduled_event:1:41",
        r#"{"id":"41","channel_id":null,"name":"party","user_count":2}"#,
    )
    .end();
    let update = home(
        "scheduled_event_update_keeps_the_count",
        "1.18 GUILD_SCHEDULED_EVENT_UPDATE: replaces, but for user_count, which has events of its own",
    )
    .told("GUILD_SCHEDULED_EVENT_CREATE", PARTY)
    .told("GUILD_SCHEDULED_EVENT_UPDATE", r#"{"id":"41","guild_id":"1","channel_id":null,"status":3}"#)
    .has("scheduled_event:1:41", r#"{"id":"41","channel_id":null,"status":3,"user_count":2}"#)
    .end();
    let delete = home(
        "scheduled_event_delete_deletes",
        "1.18 GUILD_SCHEDULED_EVENT_DELETE",
    )
    .told("GUILD_SCHEDULED_EVENT_CREATE", PARTY)
    .told("GUILD_SCHEDULED_EVENT_DELETE", PARTY)
    .lacks("scheduled_event:1:41")
    .end();
    vec![create, update, delete]
}

fn interest() -> Vec<Vector> {
    const BOB: &str = r#"{"guild_scheduled_event_id":"41","guild_id":"1","user_id":"8"}"#;
    let counted = home(
        "interest_in_an_event_is_counted",
        "1.18 GUILD_SCHEDULED_EVENT_USER_ADD: user_count goes up",
    )
    .told("GUILD_SCHEDULED_EVENT_CREATE", PARTY)
    .told("GUILD_SCHEDULED_EVENT_USER_ADD", BOB)
    .has(
        "scheduled_event:1:41",
        r#"{"id":"41","channel_id":null,"name":"party","user_count":3}"#,
    )
    .end();
    let lost = home(
        "lost_interest_is_counted_not_below_zero",
        "1.18 GUILD_SCHEDULED_EVENT_USER_REMOVE: user_count goes down",
    )
    .told("GUILD_SCHEDULED_EVENT_CREATE", PARTY)
    .told("GUILD_SCHEDULED_EVENT_USER_REMOVE", BOB)
    .told("GUILD_SCHEDULED_EVENT_USER_REMOVE", BOB)
    .told("GUILD_SCHEDULED_EVENT_USER_REMOVE", BOB)
    .has(
        "scheduled_event:1:41",
        r#"{"id":"41","channel_id":null,"name":"party","user_count":0}"#,
    )
    .end();
    let unknown = home(
        "interest_in_an_unknown_event_creates_none",
        "1.19: counters are tolerant: no event, or no count, and nothing is made up",
    )
    .told("GUILD_SCHEDULED_EVENT_USER_ADD", BOB)
    .knows_nothing_of("scheduled_event:1:41")
    .told(
        "GUILD_SCHEDULED_EVENT_CREATE",
        r#"{"id":"41","guild_id":"1","channel_id":null}"#,
    )
    .told("GUILD_SCHEDULED_EVENT_USER_ADD", BOB)
    .has("scheduled_event:1:41", r#"{"id":"41","channel_id":null}"#)
    .end();
    vec![counted, lost, unknown]
}
