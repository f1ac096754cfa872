//! The commands that a bot sends: every rule that Discord has for them, typed and as JSON.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shardkeep_core::Snowflake;
use shardkeep_core::wire::{
    Activity, ChannelInfoField, Command, CommandError, Opcode, Presence, PresenceError,
    RequestGuildMembers, Status,
};

const GUILD: Snowflake = Snowflake(41_771_983_444_115_456);

fn parsed(command: &Command) -> Value {
    serde_json::from_slice(command.payload()).unwrap()
}

fn read(op: u64, d: &Value) -> Result<Command, CommandError> {
    Command::from_json(op, d.to_string().as_bytes())
}

fn refused(op: u64, d: &Value) -> String {
    read(op, d).expect_err(&d.to_string()).to_string()
}

fn prefix(query: &str, limit: Option<u32>) -> RequestGuildMembers {
    let query = Some(query.to_owned());
    RequestGuildMembers {
        guild_id: GUILD,
        query,
        limit,
        ..RequestGuildMembers::default()
    }
}

fn by_ids(ids: u64) -> RequestGuildMembers {
    let user_ids = (1..=ids).map(Snowflake).collect();
    RequestGuildMembers {
        guild_id: GUILD,
        user_ids,
        ..RequestGuildMembers::default()
    }
}

#[test]
fn a_presence_always_has_its_four_keys() {
    let command = Command::update_presence(&Presence::default()).unwrap();
    let expected = br#"{"op":3,"d":{"since":null,"activities":[],"status":"online","afk":false}}"#;
    assert_eq!(command.payload(), expected);
    assert_eq!(command.opcode(), Opcode::PresenceUpdate);
    assert_eq!(
        (command.guild(), command.whole_guild(), command.nonce()),
        (None, None, None)
    );
    assert_eq!(read(3, &json!({})).unwrap(), command);
    let full = json!({
        "since": 91_879_201,
        "activities": [{"name": "chess", "type": 5}],
        "status": "dnd",
        "afk": true,
    });
    assert_eq!(
        parsed(&read(3, &full).unwrap()),
        json!({"op": 3, "d": full})
    );
}

#[test]
fn statuses_have_discords_names() {
    let statuses = [
        (Status::Online, "online"),
        (Status::Dnd, "dnd"),
        (Status::Idle, "idle"),
        (Status::Invisible, "invisible"),
        (Status::Offline, "offline"),
    ];
    for (status, name) in statuses {
        assert_eq!(serde_json::to_value(status).unwrap(), name);
        assert_eq!(
            serde_json::from_value::<Status>(json!(name)).unwrap(),
            status
        );
    }
    assert!(refused(3, &json!({"status": "away"})).contains("unknown variant `away`"));
}

#[test]
fn activities_have_only_what_bots_may_set() {
    let custom = Presence {
        activities: vec![Activity::custom("back soon")],
        ..Presence::default()
    };
    let activity = json!({"name": "Custom Status", "type": 4, "state": "back soon"});
    assert_eq!(
        parsed(&Command::update_presence(&custom).unwrap())["d"]["activities"],
        json!([activity])
    );
    assert!(
        refused(3, &json!({"activities": [{"name": "a", "details": "b"}]})).contains("`details`")
    );
    assert!(refused(3, &json!({"activities": [{"type": 0}]})).contains("`name`"));
    assert!(refused(3, &json!({"activity": []})).contains("`activity`"));
    assert!(refused(3, &json!({"since": -1})).contains("op 3"));
}

#[test]
fn activities_that_discord_would_not_show_are_refused() {
    let check = |activity: Activity| {
        Command::update_presence(&Presence {
            activities: vec![activity],
            ..Presence::default()
        })
    };
    for kind in [
        Activity::PLAYING,
        Activity::LISTENING,
        Activity::WATCHING,
        Activity::COMPETING,
    ] {
        assert!(check(Activity::new(kind, "chess")).is_ok());
    }
    let refusals = [
        (
            Activity::new(Activity::CUSTOM, "x"),
            PresenceError::CustomStateMissing,
        ),
        (
            Activity::new(Activity::STREAMING, "x"),
            PresenceError::StreamUrlMissing,
        ),
        (
            Activity::new(6, "x"),
            PresenceError::ActivityType { kind: 6 },
        ),
    ];
    for (activity, error) in refusals {
        assert_eq!(check(activity), Err(CommandError::Presence(error)));
    }
    let stream = |url: &str| {
        let url = Some(url.to_owned());
        check(Activity {
            url,
            ..Activity::new(Activity::STREAMING, "live")
        })
    };
    for url in [
        "https://twitch.tv/a",
        "https://www.twitch.tv/a",
        "http://m.YouTube.com/watch?v=1",
        "https://youtube.com",
    ] {
        assert!(stream(url).is_ok(), "{url}");
    }
    for url in [
        "twitch.tv/a",
        "ftp://twitch.tv/a",
        "https://nottwitch.tv/a",
        "https://twitch.tv.example/a",
        "https://example.com/twitch.tv",
        "https://example.com?.twitch.tv",
        "https://example.com#.youtube.com",
        "https://me@example.twitch.tv/",
        "https://étwitch.tv",
        "https://",
        "",
    ] {
        assert_eq!(
            stream(url),
            Err(CommandError::Presence(PresenceError::StreamUrlElsewhere)),
            "{url}"
        );
    }
}

#[test]
fn voice_states_need_a_channel_or_null() {
    let join = Command::update_voice_state(GUILD, Some(Snowflake(5)), true, false);
    let d = json!({"guild_id": GUILD, "channel_id": "5", "self_mute": true, "self_deaf": false});
    assert_eq!(parsed(&join), json!({"op": 4, "d": d}));
    assert_eq!(
        (join.opcode(), join.guild()),
        (Opcode::VoiceStateUpdate, Some(GUILD))
    );
    assert_eq!(read(4, &d).unwrap(), join);
    let leave = Command::update_voice_state(GUILD, None, false, false);
    assert_eq!(
        read(4, &json!({"guild_id": GUILD, "channel_id": null})).unwrap(),
        leave
    );
    assert!(refused(4, &json!({"guild_id": GUILD})).contains("missing field `channel_id`"));
    assert!(refused(4, &json!({"channel_id": null})).contains("missing field `guild_id`"));
    assert!(refused(4, &json!({"guild_id": "x", "channel_id": null})).contains("snowflake"));
    assert!(
        refused(
            4,
            &json!({"guild_id": GUILD, "channel_id": null, "mute": true})
        )
        .contains("`mute`")
    );
}

#[test]
fn everyone_is_an_empty_query_without_limit() {
    let everyone = Command::request_guild_members(prefix("", Some(0))).unwrap();
    let expected = json!({"op": 8, "d": {"guild_id": GUILD, "query": "", "limit": 0}});
    assert_eq!(parsed(&everyone), expected);
    assert_eq!(
        (everyone.whole_guild(), everyone.guild()),
        (Some(GUILD), Some(GUILD))
    );
    for other in [
        prefix("", Some(1)),
        prefix("a", Some(100)),
        by_ids(1),
        by_ids(100),
    ] {
        let command = Command::request_guild_members(other).unwrap();
        assert_eq!(
            (command.whole_guild(), command.guild()),
            (None, Some(GUILD))
        );
    }
}

#[test]
fn requests_for_members_keep_discords_rules() {
    let refused =
        |request: RequestGuildMembers| Command::request_guild_members(request).unwrap_err();
    assert_eq!(refused(prefix("a", None)), CommandError::NoLimit);
    assert_eq!(refused(prefix("", None)), CommandError::NoLimit);
    assert_eq!(
        refused(prefix("a", Some(0))),
        CommandError::PrefixWithoutLimit
    );
    assert_eq!(
        refused(prefix("a", Some(101))),
        CommandError::HighLimit { limit: 101 }
    );
    assert_eq!(refused(by_ids(101)), CommandError::ManyUserIds { ids: 101 });
    assert_eq!(refused(by_ids(0)), CommandError::NoQueryOrUserIds);
    let both = RequestGuildMembers {
        user_ids: vec![Snowflake(1)],
        ..prefix("", Some(0))
    };
    assert_eq!(refused(both), CommandError::QueryAndUserIds);
}

#[test]
fn a_nonce_has_32_bytes_at_most() {
    let with = |nonce: String| {
        Command::request_guild_members(RequestGuildMembers {
            nonce: Some(nonce),
            ..by_ids(1)
        })
    };
    let command = with("n".repeat(32)).unwrap();
    assert_eq!(command.nonce(), Some(&*"n".repeat(32)));
    assert_eq!(parsed(&command)["d"]["nonce"], "n".repeat(32));
    assert_eq!(
        with("n".repeat(33)),
        Err(CommandError::LongNonce { bytes: 33 })
    );
    assert_eq!(
        with("é".repeat(17)),
        Err(CommandError::LongNonce { bytes: 34 }),
        "bytes, not characters"
    );
}

#[test]
fn requests_for_members_are_read_from_json() {
    let one = read(8, &json!({"guild_id": GUILD, "user_ids": "7"})).unwrap();
    let list = read(
        8,
        &json!({"guild_id": 41_771_983_444_115_456_u64, "user_ids": ["7"]}),
    )
    .unwrap();
    assert_eq!(one, list);
    assert_eq!(
        parsed(&one)["d"],
        json!({"guild_id": GUILD, "user_ids": ["7"]})
    );
    let d = json!({"guild_id": GUILD, "query": "a", "limit": 5, "presences": true, "nonce": "x"});
    let command = read(8, &d).unwrap();
    assert_eq!(
        (parsed(&command)["d"].clone(), command.nonce()),
        (d, Some("x"))
    );
    assert!(refused(8, &json!({"guild_id": GUILD, "user_ids": "x"})).contains("snowflake"));
    assert!(
        refused(8, &json!({"guild_id": [GUILD], "query": "", "limit": 0})).contains("snowflake")
    );
    assert!(refused(8, &json!({"guild_id": GUILD, "query": "", "limit": -1})).contains("op 8"));
    assert!(refused(8, &json!({"guild_id": GUILD, "user_id": ["7"]})).contains("`user_id`"));
    assert!(refused(8, &json!({"guild_id": GUILD, "query": "a"})).contains("limit"));
}

#[test]
fn soundboard_sounds_and_channel_info_are_asked_for() {
    let sounds = Command::request_soundboard_sounds(&[GUILD, Snowflake(2)]).unwrap();
    assert_eq!(
        parsed(&sounds),
        json!({"op": 31, "d": {"guild_ids": [GUILD, "2"]}})
    );
    assert_eq!(sounds.guild(), None, "it is about two");
    assert_eq!(
        Command::request_soundboard_sounds(&[GUILD])
            .unwrap()
            .guild(),
        Some(GUILD)
    );
    assert_eq!(
        Command::request_soundboard_sounds(&[]),
        Err(CommandError::NoGuilds)
    );
    assert_eq!(
        read(31, &json!({"guild_ids": []})),
        Err(CommandError::NoGuilds)
    );
    assert_eq!(
        read(31, &json!({"guild_ids": [GUILD, "2"]})).unwrap(),
        sounds
    );

    let fields = [ChannelInfoField::Status, ChannelInfoField::VoiceStartTime];
    let info = Command::request_channel_info(GUILD, &fields).unwrap();
    let d = json!({"guild_id": GUILD, "fields": ["status", "voice_start_time"]});
    assert_eq!(parsed(&info), json!({"op": 43, "d": d}));
    assert_eq!(read(43, &d).unwrap(), info);
    assert_eq!(info.guild(), Some(GUILD));
    assert_eq!(
        Command::request_channel_info(GUILD, &[]),
        Err(CommandError::NoFields)
    );
    assert!(refused(43, &json!({"guild_id": GUILD, "fields": ["topic"]})).contains("`topic`"));
}

#[test]
fn other_opcodes_are_no_commands() {
    for op in (0..=100)
        .chain([u64::MAX])
        .filter(|op| ![3, 4, 8, 31, 43].contains(op))
    {
        assert_eq!(
            Command::from_json(op, b"{}"),
            Err(CommandError::NotACommand { op })
        );
    }
    assert!(refused(1, &json!(1)).contains("the session's own"));
    assert!(refused(5, &json!(1)).contains("would close the connection"));
    for text in ["", "{", "[]", "null", "{} {}", "\u{0}"] {
        assert!(Command::from_json(3, text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn recorded_commands_are_read_and_written_as_they_are() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads/"
    );
    let names = [
        "update_presence",
        "update_voice_state",
        "request_guild_members",
        "request_soundboard_sounds",
        "request_channel_info",
    ];
    for name in names {
        let Ok(text) = std::fs::read_to_string(format!("{folder}send.{name}.json")) else {
            println!("skipped: {folder} is not there");
            return;
        };
        let payload: Value = serde_json::from_str(&text).unwrap();
        let command = read(payload["op"].as_u64().unwrap(), &payload["d"]).unwrap();
        assert_eq!(parsed(&command), payload, "{name}");
    }
}
