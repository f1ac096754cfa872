//! Voice states: kept while connected.

use super::super::model::Vector;
use super::{ADA_HERE, home};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = connected();
    vectors.extend(disconnected());
    vectors
}

fn connected() -> Vec<Vector> {
    let joins = home(
        "voice_state_comes_with_its_member",
        "1.18 VOICE_STATE_UPDATE: one for each guild and user; the member comes along",
    )
    .told(
        "VOICE_STATE_UPDATE",
        r#"{"guild_id":"1","user_id":"8","channel_id":"11","session_id":"s",
"member":{"user":{"id":"8","username":"bob"}}}"#,
    )
    .has(
        "voice_state:1:8",
        r#"{"user_id":"8","channel_id":"11","session_id":"s"}"#,
    )
    .has("member:1:8", r#"{"user":{"id":"8","username":"bob"}}"#)
    .end();
    let moves = home(
        "voice_state_moves_with_its_user",
        "1.18 VOICE_STATE_UPDATE: it replaces the one before, and goes with the channel it is in now",
    )
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"11","mute":true}"#)
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"12"}"#)
    .has("voice_state:1:7", r#"{"user_id":"7","channel_id":"12"}"#)
    .told("CHANNEL_DELETE", r#"{"id":"11","guild_id":"1"}"#)
    .has("voice_state:1:7", r#"{"user_id":"7","channel_id":"12"}"#)
    .told("CHANNEL_DELETE", r#"{"id":"12","guild_id":"1"}"#)
    .lacks("voice_state:1:7")
    .end();
    vec![joins, moves]
}

fn disconnected() -> Vec<Vector> {
    let leaves = home(
        "who_disconnects_has_no_voice_state",
        "1.18 VOICE_STATE_UPDATE: without a channel there is none; the member stays",
    )
    .told(
        "VOICE_STATE_UPDATE",
        r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#,
    )
    .told(
        "VOICE_STATE_UPDATE",
        r#"{"guild_id":"1","user_id":"7","channel_id":null}"#,
    )
    .lacks("voice_state:1:7")
    .has("member:1:7", ADA_HERE)
    .end();
    let kicked = home(
        "who_was_kicked_is_not_brought_back_by_disconnecting",
        "1.18 VOICE_STATE_UPDATE: who is kicked is disconnected afterwards: that creates none, and Discord is asked",
    )
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#)
    .told("GUILD_MEMBER_REMOVE", r#"{"guild_id":"1","user":{"id":"7","username":"ada"}}"#)
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7","channel_id":null,
"member":{"user":{"id":"7","username":"ada"}}}"#)
    .knows_nothing_of("member:1:7")
    .lacks("voice_state:1:7")
    .knows_nothing_of("user:7")
    .end();
    let private = home(
        "call_outside_guilds_is_not_kept",
        "1.18 VOICE_STATE_UPDATE: guilds only",
    )
    .told("VOICE_STATE_UPDATE", r#"{"user_id":"7","channel_id":"90"}"#)
    .counts(&[("hot", 9), ("malformed", 0)])
    .end();
    let odd = home(
        "voice_state_without_a_channel_key_is_malformed",
        "1.18 VOICE_STATE_UPDATE: null says that there is no channel; nothing says nothing",
    )
    .told(
        "VOICE_STATE_UPDATE",
        r#"{"guild_id":"1","user_id":"7","channel_id":"11"}"#,
    )
    .told("VOICE_STATE_UPDATE", r#"{"guild_id":"1","user_id":"7"}"#)
    .has("voice_state:1:7", r#"{"user_id":"7","channel_id":"11"}"#)
    .counts(&[("malformed", 1)])
    .end();
    vec![leaves, kicked, private, odd]
}
