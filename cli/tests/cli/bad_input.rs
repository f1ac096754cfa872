//! Mistakes of the user: exit code 2, one sentence, what to do; never the token.

use std::fs;

use crate::support::{run, shardkeep};

const TOKEN: &str = "MTAwMDAwMDAwMDAwMDAwMDAwMA.Gabcde.not-a-real-token";

fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (code, out, err) = run(shardkeep(arguments).envs(variables.iter().copied()));
    assert_eq!(code, 2, "{arguments:?}: {err}");
    assert_eq!(out, "", "{arguments:?}");
    assert!(!err.contains("not-a-real-token"), "{err}");
    err
}

#[test]
fn the_command_line_is_checked() {
    for (arguments, said) in [
        (&["shard-of", "x", "--total", "4"][..], "<GUILD>"),
        (&["shard-of", "1", "--total", "0"], "--total"),
        (&["shard-of", "1"], "--total"),
        (&["dmeo"], "demo"),
        (&["demo", "--shards", "0"], "--shards"),
        (
            &["demo", "--shards", "1", "--guilds", "9000"],
            "raise --shards",
        ),
        (&["demo", "--compress", "zlip"], "did you mean `zlib`?"),
        (&["sim", "--listen", "0.0.0.0:0"], "--allow-remote"),
        (&["sim", "--weather", "dorp"], "there is no fault `dorp`"),
        (&["sim", "--weather", "drop=0"], "weight"),
        (
            &["bench", "ingest", "--api", "ftp://x", "--until", "x"],
            "https://",
        ),
        (
            &["bench", "ingest", "--api", "http://127.0.0.1:1"],
            "--until",
        ),
    ] {
        let err = refused(arguments, &[]);
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn options_of_the_bot_are_checked_wherever_they_are_written() {
    for (arguments, variables, said) in [
        (&["run"][..], &[][..], "set DISCORD_TOKEN"),
        (&["run"], &[("DISCORD_TOKEN", "two words")], "copy it again"),
        (
            &["run", "--shards", "16/16"],
            &[("DISCORD_TOKEN", TOKEN)],
            "its shards are 0 to 15",
        ),
        (
            &["run", "--intents", "guild_mesages"],
            &[("DISCORD_TOKEN", TOKEN)],
            "`guild_messages`?",
        ),
        (
            &["run", "--events", "MESAGE_CREATE"],
            &[("DISCORD_TOKEN", TOKEN)],
            "`MESSAGE_CREATE`?",
        ),
        (
            &["run", "--ops", "0.0.0.0:9090"],
            &[("DISCORD_TOKEN", TOKEN)],
            "access token",
        ),
        (
            &["run"],
            &[("DISCORD_TOKEN", TOKEN), ("SHARD_ID", "3")],
            "TOTAL_SHARDS",
        ),
        (
            &["run"],
            &[("DISCORD_TOKEN", TOKEN), ("SHARDKEEP_LOG_LEVLE", "info")],
            "SHARDKEEP_LOG_LEVEL",
        ),
        (
            &["run"],
            &[
                ("DISCORD_TOKEN", TOKEN),
                ("DISCORD_API_BASE", "http://discord.com"),
            ],
            "https://",
        ),
    ] {
        let err = refused(arguments, variables);
        assert!(err.contains(said), "{arguments:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn a_misspelt_option_in_a_file_is_named_with_its_line() {
    let path = std::env::temp_dir().join(format!("shardkeep-cli-{}.toml", std::process::id()));
    fs::write(
        &path,
        "token = \"x\"\n\n[gateway]\nhelo_timeout_ms = 5000\n",
    )
    .unwrap();
    let err = refused(&["run", "--config", path.to_str().unwrap()], &[]);
    fs::remove_file(&path).unwrap();
    assert!(
        err.contains(".toml:4: ") && err.contains("`gateway.hello_timeout_ms`?"),
        "{err}"
    );
    let err = refused(&["run", "--config", "/nonexistent/bot.toml"], &[]);
    assert!(
        err.contains("/nonexistent/bot.toml: cannot be read"),
        "{err}"
    );
}

#[test]
fn shard_of_follows_discords_rule() {
    for (guild, total, shard) in [
        ("197038439483310086", "16", "2\n"),
        ("197038439483310086", "1", "0\n"),
        ("41771983423143937", "4", "2\n"),
    ] {
        let (code, out, err) = run(&mut shardkeep(&["shard-of", guild, "--total", total]));
        assert_eq!((code, out.as_str()), (0, shard), "{err}");
    }
}
