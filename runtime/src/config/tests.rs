//! What a configuration accepts, what wins, and how it answers mistakes.

use std::path::Path;

use serde_json::{Map, Value, json};
use shardkeep_core::ShardId;
use shardkeep_core::wire::{Compression, EventKind, Intents, Status};

use super::source::Entry;
use super::*;

const TOKEN: &str = "MTAwMDAwMDAwMDAwMDAwMDAwMA.Gabcde.not-a-real-token";

fn with_token() -> ConfigBuilder {
    Config::builder().token(TOKEN)
}

fn toml_error(text: &str) -> ConfigError {
    with_token()
        .toml(text, Path::new("bot.toml"))
        .build()
        .unwrap_err()
}

fn variable(name: &str, value: &str) -> [(String, String); 1] {
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
    assert_eq!(config.fleet(0), fleet);
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
fn misspelt_keys_name_the_line_and_the_nearest_option() {
    for (text, said) in [
        (
            "\nshrads = 4",
            "bot.toml:2: there is no option `shrads`; did you mean `shards`?",
        ),
        (
            "[gateway]\nhelo_timeout_ms = 4",
            "bot.toml:2: there is no option `gateway.helo_timeout_ms`; did you mean `gateway.hello_timeout_ms`?",
        ),
        (
            "[gatway]\nseed = 4",
            "bot.toml:1: there is no option `gatway`; did you mean `gateway`?",
        ),
        (
            "hello_timeout_ms = 4",
            "bot.toml:1: there is no option `hello_timeout_ms`; did you mean `gateway.hello_timeout_ms`?",
        ),
        (
            "[presence]\nactivities = [{ name = \"x\", stat = \"y\" }]",
            "bot.toml:2: `presence.activities` has no key `stat`; did you mean `state`?",
        ),
        (
            "colour = 1",
            "bot.toml:1: there is no option `colour`; docs/configuration.md lists them all",
        ),
    ] {
        assert_eq!(toml_error(text).to_string(), said);
    }
}

#[test]
fn misspelt_names_are_answered_with_the_nearest() {
    for (text, said) in [
        (
            "intents = [\"guild_mesages\"]",
            "bot.toml:1: `intents` has no intent `guild_mesages`; did you mean `guild_messages`?",
        ),
        (
            "disabled_events = [\"TYPING_STRAT\"]",
            "bot.toml:1: `disabled_events` has no event `TYPING_STRAT`; did you mean `TYPING_START`?",
        ),
        (
            "on_shutdown = \"transfer\"",
            "bot.toml:1: `on_shutdown` has no choice `transfer`; allowed: `resume` or `close`",
        ),
        (
            "compress = \"zlip\"",
            "bot.toml:1: `compress` has no choice `zlip`; did you mean `zlib`?",
        ),
    ] {
        assert_eq!(toml_error(text).to_string(), said);
    }
}

#[test]
fn wrong_types_and_ranges_say_what_is_allowed() {
    for (text, said) in [
        (
            "large_threshold = 300",
            "bot.toml:1: `large_threshold` is 300; it takes 50 to 250",
        ),
        (
            "handler_concurrency = \"many\"",
            "bot.toml:1: `handler_concurrency` is `many`; it takes a whole number from 1 to 65536",
        ),
        (
            "token = 5",
            "bot.toml:1: `token` is an integer; it takes a text",
        ),
        (
            "ops.allow_remote = 1",
            "bot.toml:1: `ops.allow_remote` is an integer; it takes `true` or `false`",
        ),
        (
            "ops = 1",
            "bot.toml:1: `ops` is an integer; it takes a table with listen, allow_remote, connections_max, request_timeout_ms",
        ),
        (
            "shards = \"16/16\"",
            "bot.toml:1: `shards`: there is no shard 16 of 16: its shards are 0 to 15",
        ),
        ("shards = -1", "bot.toml:1: `shards`: "),
        (
            "intents = 4194304",
            "bot.toml:1: `intents`: the bits 0x400000 are no documented intents",
        ),
        (
            "intents = [1]",
            "bot.toml:1: `intents` is a list with an integer in it; it takes a list of intents",
        ),
        (
            "large_threshold = 60.5",
            "bot.toml:1: `large_threshold` is a fraction; it takes a whole number",
        ),
        ("x = ", "bot.toml:1: not valid TOML: "),
    ] {
        let error = toml_error(text).to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn environment_variables_are_named_in_errors() {
    let build = |name, value| with_token().variables(variable(name, value)).build();
    let error = build("SHARDKEEP_INTENTS", "guilds,guild_mesages").unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable SHARDKEEP_INTENTS: `intents` has no intent `guild_mesages`; did you mean `guild_messages`?"
    );
    let error = build("SHARDKEEP_INTENT", "guilds").unwrap_err();
    assert_eq!(error.suggestion(), Some("SHARDKEEP_INTENTS"));
    assert!(build("SHARDKEEP_GATEWAY_SEED", "x").is_err());
    assert!(build("SHARDKEEP_PORT_8080_TCP_ADDR", "10.0.0.1").is_ok());
    assert!(build("SHARDKEEP_SERVICE_HOST", "10.0.0.1").is_ok());
    assert!(
        build("SHARDKEEP_OPS_ALLOW_REMOTE", "1")
            .unwrap()
            .ops
            .allow_remote
    );
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
fn plain_http_is_for_a_base_of_ones_own() {
    let base = |url: &str| {
        with_token()
            .api_base(url)
            .build()
            .map(|config| config.api_base)
    };
    assert_eq!(
        base("https://discord.com").unwrap(),
        "https://discord.com/api/v10"
    );
    assert_eq!(
        base("https://discord.com/api/").unwrap(),
        "https://discord.com/api/v10"
    );
    assert_eq!(
        base("http://[::1]:80/api/v9/").unwrap(),
        "http://[::1]:80/api/v9"
    );
    for wrong in [
        "http://discord.com/api/v10",
        "http://canary.discord.com",
        "discord.com",
        "ftp://discord.com",
        "https://user:hunter2@example.com",
        "https://example.com?x",
        "https://exa mple.com",
        "https://:80",
        "https://example.com:99999",
        "https://",
    ] {
        let error = base(wrong).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_ops_endpoint_is_not_opened_to_others_by_accident() {
    let listen = |address: &str| with_token().set("ops.listen", address);
    assert!(listen("127.0.0.1:9090").build().is_ok());
    assert!(listen("[::1]:9090").build().is_ok());
    let error = listen("0.0.0.0:9090").build().unwrap_err().to_string();
    assert!(
        error.contains("access token") && error.contains("ops.allow_remote"),
        "{error}"
    );
    assert!(
        listen("0.0.0.0:9090")
            .set("ops.allow_remote", true)
            .build()
            .is_ok()
    );
    assert!(listen("localhost:9090").build().is_err());
}

#[test]
fn the_token_is_never_shown() {
    let secret = "not-a-real-token";
    let builder = with_token();
    assert!(!format!("{builder:?}").contains(secret));
    assert!(!format!("{:?}", builder.build().unwrap()).contains(secret));
    for text in [
        format!("tokn = \"{TOKEN}\""),
        format!("intents = [\"{TOKEN}\"]"),
        format!("on_shutdown = \"{TOKEN}\""),
        format!("large_threshold = \"{TOKEN}\""),
        format!("shards = \"{TOKEN}\""),
        format!("token = [\"{TOKEN}\"]"),
        format!("token = \"{TOKEN} {TOKEN}\""),
        format!("token = {TOKEN}"),
        format!("token = \"{TOKEN}"),
        format!("api_base = \"https://{TOKEN}@x\""),
    ] {
        let error = Config::builder()
            .toml(&text, Path::new("bot.toml"))
            .build()
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    assert!(
        Config::builder()
            .build()
            .unwrap_err()
            .to_string()
            .contains("DISCORD_TOKEN")
    );
}

#[test]
fn values_of_the_bindings_are_nested_objects() {
    let Value::Object(values) = json!({
        "token": TOKEN, "shards": [[0, 2]], "gateway": { "hello_timeout_ms": 5000.0 }, "intents": ["guilds"],
    }) else {
        unreachable!()
    };
    let config = Config::builder().values(values).build().unwrap();
    assert_eq!(config.gateway.hello_timeout_ms, 5_000);
    let misspelt = Map::from_iter([("gateway".to_owned(), json!({ "sed": 1 }))]);
    let error = with_token().values(misspelt).build().unwrap_err();
    assert_eq!(error.suggestion(), Some("gateway.seed"));
}

#[test]
fn a_missing_file_is_named() {
    let error = with_token()
        .file("/nonexistent/bot.toml")
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("/nonexistent/bot.toml: cannot be read"),
        "{error}"
    );
}
