//! How a configuration answers mistakes: the place, the name, what is allowed; never the token.

use std::path::Path;

use super::tests::{TOKEN, toml_error, variable, with_token};
use super::*;

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
            "bot.toml:1: there is no option `colour`; docs/reference/configuration.md lists them all",
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
            "on_shutdown = \"hand_over\"",
            "bot.toml:1: `on_shutdown` has no choice `hand_over`; allowed: `resume`, `transfer` or `close`",
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
            "bot.toml:1: `ops` is an integer; it takes a table with listen, allow_remote, connections_max",
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
        "environment variable SHARDKEEP_INTENTS: `intents` has no intent `guild_mesages`; \
         did you mean `guild_messages`?"
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
