//! docs/reference/configuration.md follows from the table of options: this test compares it, or writes it when asked.
//!
//! `SHARDKEEP_BLESS=1 cargo test -p shardkeep --lib reference_pages`

use std::fmt::Write;
use std::path::Path;

use super::option::{ConfigOption, OPTIONS};

const HEAD: &str = "\
# Options

<!-- Written by a test from the table in runtime/src/config/table.rs; edit that. -->

Every option may be written in the program, in the environment, or in a TOML file. What the program says wins over the
environment, the environment over the file, the file over the default. In a file the part before the dot is a table:

```toml
shards = \"0-7/16\"
intents = [\"guilds\", \"guild_messages\"]

[gateway]
hello_timeout_ms = 30000
```

In the environment every option has the name `SHARDKEEP_` and its own in capitals, with `_` for the dot:
`SHARDKEEP_GATEWAY_HELLO_TIMEOUT_MS`. Lists are written with commas: `SHARDKEEP_INTENTS=guilds,guild_messages`. Four
options have a second variable that many bots know; where both are set, the one with the prefix counts.

`shard_id` and `total_shards` describe `shards` in another way. Whichever stands nearer to the program counts; in the
same place they are an error.

A misspelt option or name, a wrong type or a value out of range is an error that names the line or the variable, what
is allowed, and the nearest name. The token is in no error and in no log.
";

/// Compares a page with what is checked in, or writes it if `SHARDKEEP_BLESS` is set.
pub(crate) fn check(name: &str, contents: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/reference")
        .join(name);
    if std::env::var_os("SHARDKEEP_BLESS").is_some() {
        std::fs::write(&path, contents).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = "stale: SHARDKEEP_BLESS=1 cargo test -p shardkeep --lib reference_pages writes it";
    assert!(found == contents, "docs/reference/{name} is {stale}");
}

fn row(page: &mut String, option: &ConfigOption) {
    let default = match option.default {
        "" => "none".to_owned(),
        default => format!("`{default}`"),
    };
    let variable = option
        .variable
        .map(|name| format!(" Also read from `{name}`."))
        .unwrap_or_default();
    let takes = option.kind.expected().replace('|', "\\|");
    writeln!(
        page,
        "| `{}` | {takes} | {default} | {}{variable} |",
        option.name, option.doc
    )
    .unwrap();
}

#[test]
fn reference_pages_list_every_option() {
    let mut page = HEAD.to_owned();
    let section = |option: &ConfigOption| option.name.split_once('.').map(|(section, _)| section);
    for group in OPTIONS.chunk_by(|a, b| section(a) == section(b)) {
        match section(&group[0]) {
            None => page.push_str("\n## The bot\n\n"),
            Some(name) => write!(page, "\n## `{name}`\n\n").unwrap(),
        }
        page.push_str("| option | takes | default | what it does |\n|---|---|---|---|\n");
        group.iter().for_each(|option| row(&mut page, option));
    }
    check("configuration.md", &page);
}
