//! What a configuration accepts, and what wins.

use std::path::Path;

use serde_json::{Map, Value, json};
use shardkeep_core::wire::{Activity, Compression, EventKind, Intents, Presence, Status};
use shardkeep_core::{Rng, ShardId};

use super::source::Entry;
use super::*;

pub(super) const TOKEN: &str = "MTAwMDAwMDAwMDAwMDAwMDAwMA.Gabcde.not-a-real-token";

pub(super) fn with_token() -> ConfigBuilder {
    Config::builder().token(TOKEN)
}

pub(super) fn toml_error(text: &str) -> ConfigError {
    with_token()
        .toml(text, Path::new("bot.toml"))
        .build()
        .unwrap_err()
}

pub(super) fn variable(name: &str, value: &str) -> [(String, String); 1] {
    [(name.to_owned(), value.to_owned())]
}

#[test]
fn every_default_is_valid_and_makes_a_configuration() {
    for option in OPTIONS.iter().filter(|option| !option.default.is_empty()) {
        let value: Value = serde_json::from_str(option.default).unwrap();
        let entry = Entry {
            option,
            value,
            origin: Origin::Default,
        };
        entry.checked().unwrap();
    }
    let config = with_token().build().unwrap();
    assert_eq!(config.shards.to_string(), "auto");
    assert_eq!(config.compress, Compression::ZlibStream);
    assert!(!config.custom_base());
    assert!(config.presence.is_none());
}

#[test]
fn the_defaults_of_sessions_and_fleet_are_those_of_core() {
    let config = with_token().build().unwrap();
    let token = shardkeep_core::Token::new(TOKEN).unwrap();
    let mut session = shardkeep_core::gateway::Config::new(
        ShardId::SINGLE,
        token,
        config.intents,
        "wss://gateway.discord.gg",
    );
    session.compression = Compression::ZlibStream;
    session.large_threshold = Some(50);
    let made = config.session(ShardId::SINGLE, "wss://gateway.discord.gg", 0);
    assert_eq!(format!("{made:?}"), format!("{session:?}"));
    let fleet = shardkeep_core::fleet::Config::new(config.shards.clone());
    assert_eq!(config.fleet_machine(0), fleet);
}

#[test]
fn names_are_unique_and_every_option_is_documented() {
    let mut names: Vec<_> = OPTIONS.iter().map(|option| option.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OPTIONS.len());
    assert!(OPTIONS.iter().all(|option| option.doc.ends_with('.')));
}

#[test]
fn the_program_wins_over_the_environment_over_the_file() {
    let file = "shards = 2\nlarge_threshold = 60\nhandler_concurrency = 7\n";
    let config = Config::builder()
        .set("shards", 8)
        .variables(
            [
                ("SHARDKEEP_SHARDS", "4"),
                ("SHARDKEEP_LARGE_THRESHOLD", "70"),
                ("DISCORD_TOKEN", TOKEN),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .toml(file, Path::new("bot.toml"))
        .build()
        .unwrap();
    assert_eq!(config.shards.to_string(), "8");
    assert_eq!(config.large_threshold, 70);
    assert_eq!(config.handler_concurrency, 7);
}

#[test]
fn everything_can_be_written_in_a_file() {
    let config = with_token()
        .toml(
            r#"
            api_base = "http://127.0.0.1:8080"
            shards = [[2, 4], [3, 4]]
            intents = ["guilds", "GUILD_MESSAGES"]
            compress = "zstd"
            events = ["message_create", "GUILD_CREATE"]
            disabled_events = ["GUILD_CREATE"]
            on_shutdown = "close"
            presence = { status = "dnd", activities = [{ name = "chess", type = 0 }] }
            ops.listen = "127.0.0.1:0"

            [gateway]
            zombie_rule = "any_message"
            seed = 7
            "#,
            Path::new("bot.toml"),
        )
        .build()
        .unwrap();
    assert_eq!(config.api_base, "http://127.0.0.1:8080/api/v10");
    assert!(config.custom_base());
    assert_eq!(config.shards.to_string(), "2-3/4");
    assert_eq!(config.intents, Intents::GUILDS | Intents::GUILD_MESSAGES);
    assert_eq!(config.compress, Compression::ZstdStream);
    assert!(config.filter().lets_through(EventKind::MessageCreate));
    assert!(!config.filter().lets_through(EventKind::GuildCreate));
    assert!(!config.filter().lets_through(EventKind::TypingStart));
    assert_eq!(config.on_shutdown, OnShutdown::Close);
    assert_eq!(config.presence.as_ref().unwrap().status, Status::Dnd);
    assert_eq!(config.gateway.seed, Some(7));
    assert_eq!(config.ops.listen.unwrap().to_string(), "127.0.0.1:0");
}

#[test]
fn shard_id_and_total_shards_are_read_as_in_kubernetes() {
    let both = |id: &str, total: &str| {
        let variables = [("SHARD_ID", id), ("TOTAL_SHARDS", total)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        with_token()
            .variables(variables.into_iter().filter(|(_, value)| !value.is_empty()))
            .build()
    };
    assert_eq!(both("3", "8").unwrap().shards.to_string(), "3/8");
    assert_eq!(
        both("discord-bot-3", "8").unwrap().shards.to_string(),
        "3/8"
    );
    assert_eq!(both("", "8").unwrap().shards.to_string(), "8");
    assert!(
        both("3", "")
            .unwrap_err()
            .to_string()
            .contains("TOTAL_SHARDS")
    );
    assert!(
        both("8", "8")
            .unwrap_err()
            .to_string()
            .starts_with("environment variable ")
    );
    let per_pod = with_token()
        .set("shards_per_pod", 4)
        .set("shard_id", 1)
        .set("total_shards", 16);
    assert_eq!(per_pod.build().unwrap().shards.to_string(), "4-7/16");
}

#[test]
fn shards_win_over_shard_id_where_they_stand_nearer_and_conflict_where_they_stand_beside_it() {
    let variables = [("SHARD_ID", "1"), ("TOTAL_SHARDS", "8")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let program = with_token()
        .variables(variables.clone())
        .set("shards", 2)
        .build()
        .unwrap();
    assert_eq!(program.shards.to_string(), "2");
    let file = with_token()
        .variables(variables)
        .toml("shards = 2", Path::new("bot.toml"))
        .build();
    assert_eq!(file.unwrap().shards.to_string(), "1/8");
    let both = toml_error("shards = 2\nshard_id = 0\ntotal_shards = 4");
    assert!(matches!(both.problem(), Problem::Conflict { .. }), "{both}");
}

#[test]
fn what_a_rust_program_sets_is_typed() {
    let presence = Presence {
        status: Status::Idle,
        activities: vec![Activity::custom("back soon")],
        ..Presence::default()
    };
    let config = with_token()
        .compress(Compression::ZstdStream)
        .events([EventKind::MessageCreate, EventKind::TypingStart])
        .disabled_events([EventKind::TypingStart])
        .presence(&presence)
        .build()
        .unwrap();
    assert_eq!(config.compress, Compression::ZstdStream);
    assert_eq!(config.presence, Some(presence));
    assert!(config.filter().lets_through(EventKind::MessageCreate));
    assert!(!config.filter().lets_through(EventKind::TypingStart));
    assert!(with_token().events([EventKind::Unknown]).build().is_err());
}

#[test]
fn values_of_the_bindings_are_nested_objects() {
    let Value::Object(values) = json!({
        "token": TOKEN, "shards": [[0, 2]], "gateway": { "hello_timeout_ms": 5000.0 }, "intents": ["guilds"],
        "events": null, "presence": null,
    }) else {
        unreachable!()
    };
    let config = Config::builder().values(values).build().unwrap();
    assert_eq!(config.gateway.hello_timeout_ms, 5_000);
    let misspelt = Map::from_iter([("gateway".to_owned(), json!({ "sed": 1 }))]);
    let error = with_token().values(misspelt).build().unwrap_err();
    assert_eq!(error.suggestion(), Some("gateway.seed"));
}

/// A value of any shape, small enough to read in a failure.
fn any_value(rng: &mut Rng, depth: u32) -> Value {
    let texts = [
        "",
        "auto",
        "guilds",
        "0-7/16",
        "[[",
        "é…",
        "127.0.0.1:1",
        "https://",
        "http://[::1",
        "-1",
        "ALL,",
    ];
    match rng.next_u32() % if depth == 0 { 6 } else { 8 } {
        0 => Value::Null,
        1 => json!(rng.below(2) == 0),
        2 => json!(rng.next_u64()),
        3 => json!(-i64::from(rng.next_u32())),
        4 => json!(f64::from(rng.next_u32()) * 1.5e300),
        5 => json!(texts[rng.next_u32() as usize % texts.len()]),
        6 => (0..rng.next_u32() % 3)
            .map(|_| any_value(rng, depth - 1))
            .collect(),
        _ => json!({ texts[rng.next_u32() as usize % texts.len()]: any_value(rng, depth - 1) }),
    }
}

#[test]
fn no_value_of_any_option_panics_and_every_error_names_the_option() {
    let mut rng = Rng::new(7);
    for round in 0..4_000 {
        let option = &OPTIONS[round % OPTIONS.len()];
        let value = any_value(&mut rng, 2);
        let section = option.name.split('.').next().unwrap();
        match with_token().set(option.name, value.clone()).build() {
            Ok(config) => drop(config.session(ShardId::SINGLE, "wss://gateway.discord.gg", 0)),
            Err(error) => {
                assert!(
                    error.option().starts_with(section),
                    "{}: {value}: {error}",
                    option.name
                );
            }
        }
        let text = format!("{} = {value}", option.name);
        let _ = with_token().toml(&text, Path::new("x")).build();
        let _ = with_token()
            .set_text(option.name, &value.to_string())
            .build();
    }
}
