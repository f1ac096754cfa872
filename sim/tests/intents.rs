//! What each session hears depends on its intents.

mod script;

use serde_json::{Value, json};
use shardkeep_sim::WorldConfig;

use script::{ALL_INTENTS, Dispatch, Script};

const GUILDS: u64 = 1;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const DIRECT_MESSAGES: u64 = 1 << 12;
const MESSAGE_CONTENT: u64 = 1 << 15;

fn world(intents: u64) -> Script {
    let config = WorldConfig {
        guilds: 3,
        members_per_guild: 20,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.start(1, [0, 1], intents);
    script.dispatches.clear();
    script
}

fn only(script: &Script) -> Dispatch {
    let [(1, dispatch)] = script.dispatches.as_slice() else {
        panic!("{:?}", script.dispatches)
    };
    dispatch.clone()
}

#[test]
fn messages_need_their_intent_and_content_its_own() {
    let mut script = world(GUILDS);
    script.control(json!({"do": "say", "content": "unheard"}));
    assert_eq!(script.dispatches, []);
    for (intents, content) in [
        (GUILD_MESSAGES, ""),
        (GUILD_MESSAGES | MESSAGE_CONTENT, "a \"b\"\n"),
    ] {
        let mut script = world(intents);
        script.control(json!({"do": "say", "content": "a \"b\"\n"}));
        let message = only(&script);
        assert_eq!(
            (message.t.as_str(), &message.d["content"]),
            ("MESSAGE_CREATE", &json!(content))
        );
    }
}

#[test]
fn who_mentions_the_bot_is_read() {
    let mut script = world(GUILD_MESSAGES);
    let me = script.get("/api/v10/users/@me").1["id"]
        .as_str()
        .unwrap()
        .to_owned();
    script.control(json!({"do": "say", "content": format!("hello <@{me}>")}));
    let message = only(&script);
    assert_eq!(message.d["content"], format!("hello <@{me}>"));
    assert_eq!(message.d["mentions"][0]["id"], me);
}

#[test]
fn injected_messages_lose_their_content_too() {
    let mut script = world(GUILD_MESSAGES);
    let guild = script.guild_ids().remove(0);
    let d = json!({"id": "8", "guild_id": guild, "content": "x", "embeds": [{}], "poll": {}, "type": 0});
    script.control(json!({"do": "inject_event", "guild": guild, "t": "MESSAGE_CREATE", "d": d}));
    let expected = json!({"id": "8", "guild_id": guild, "content": "", "embeds": [], "type": 0});
    assert_eq!(only(&script).d, expected);
}

#[test]
fn direct_messages_go_to_shard_0_and_need_their_own_intent() {
    let direct =
        json!({"do": "inject_event", "t": "MESSAGE_CREATE", "d": {"id": "1", "content": "psst"}});
    let mut script = world(ALL_INTENTS & !DIRECT_MESSAGES);
    script.control(direct.clone());
    assert_eq!(script.dispatches, []);
    let mut script = world(DIRECT_MESSAGES);
    script.control(direct);
    // Direct messages keep their content without MESSAGE_CONTENT.
    assert_eq!(only(&script).d["content"], "psst");
}

#[test]
fn without_guilds_no_guild_is_streamed() {
    let mut script = Script::new(WorldConfig {
        guilds: 3,
        ..WorldConfig::default()
    });
    script.start(1, [0, 1], GUILD_MESSAGES);
    assert_eq!(script.dispatches.len(), 1);
    assert_eq!(
        script.dispatches[0].1.d["guilds"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn every_kind_of_traffic_is_gated() {
    let heard = |intents: u64| -> Vec<String> {
        let config = WorldConfig {
            guilds: 3,
            members_per_guild: 50,
            ..WorldConfig::default()
        };
        let mut script = Script::new(WorldConfig {
            chatter_per_s: 2_000,
            ..config
        });
        script.start(1, [0, 1], intents);
        let kinds = script
            .dispatches
            .iter()
            .map(|(_, dispatch)| dispatch.t.clone());
        kinds
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    // Interactions, and the bot's own member updates, come whatever the intents.
    assert_eq!(
        heard(0),
        ["GUILD_MEMBER_UPDATE", "INTERACTION_CREATE", "READY"]
    );
    let members = heard(GUILD_MEMBERS);
    assert!(members.contains(&"GUILD_MEMBER_ADD".to_owned()));
    assert_eq!(heard(ALL_INTENTS).len(), 19);
}

#[test]
fn events_have_the_fields_that_libraries_need() {
    let config = WorldConfig {
        guilds: 3,
        members_per_guild: 50,
        chatter_per_s: 2_000,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.start(1, [0, 1], ALL_INTENTS);
    let required: Value = json!({
        "MESSAGE_CREATE": ["id", "channel_id", "author", "content", "timestamp", "edited_timestamp", "tts",
            "mention_everyone", "mentions", "mention_roles", "attachments", "embeds", "pinned", "type"],
        "TYPING_START": ["channel_id", "user_id", "timestamp"],
        "PRESENCE_UPDATE": ["user", "guild_id", "status", "activities", "client_status"],
        "MESSAGE_DELETE": ["id", "channel_id", "guild_id"],
        "MESSAGE_REACTION_ADD": ["user_id", "channel_id", "message_id", "emoji", "burst", "type"],
        "VOICE_STATE_UPDATE": ["channel_id", "user_id", "session_id", "deaf", "mute", "self_deaf", "self_mute",
            "self_video", "suppress", "request_to_speak_timestamp"],
        "GUILD_MEMBER_UPDATE": ["guild_id", "roles", "user", "joined_at", "avatar"],
        "INTERACTION_CREATE": ["id", "application_id", "type", "token", "version", "app_permissions",
            "entitlements", "authorizing_integration_owners", "attachment_size_limit"],
        "GUILD_CREATE": ["id", "name", "icon", "splash", "owner_id", "afk_timeout", "roles", "emojis", "features",
            "joined_at", "large", "unavailable", "member_count", "voice_states", "members", "channels", "threads",
            "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds", "stickers"],
    });
    for (_, dispatch) in &script.dispatches {
        for key in required[&dispatch.t].as_array().into_iter().flatten() {
            let key = key.as_str().unwrap();
            assert!(dispatch.d.get(key).is_some(), "{} has no {key}", dispatch.t);
        }
    }
    let messages = script
        .dispatches
        .iter()
        .filter(|(_, dispatch)| dispatch.t == "MESSAGE_CREATE");
    let sizes: Vec<usize> = messages
        .map(|(_, dispatch)| dispatch.d.to_string().len())
        .collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((700..1_400).contains(&mean), "{mean}");
}
