//! The description of an option, and the one table that lists them all.

use super::cache::OPTIONS as CACHE;
use super::fleet::OPTIONS as FLEET;
use super::rest::OPTIONS as REST;
use super::sessions::OPTIONS as SESSIONS;
use super::table::BOT;

/// One option as files, environment, builders and the documentation know it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConfigOption {
    /// Its full name; a dot separates the section, as in `gateway.hello_timeout_ms`.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default, written as in TOML; empty where it has none.
    pub default: &'static str,
    /// The environment variable of Discord bots in general that is read as well, where there is one.
    pub variable: Option<&'static str>,
    /// What it does: one or two sentences.
    pub doc: &'static str,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that no error and no log shows.
    Secret,
    /// An `https://` or `http://` address.
    BaseUrl,
    /// A whole number from `min` to `max`.
    Integer {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of gateway intents by name, or their bits as a number.
    Intents,
    /// A list of dispatch names, such as `MESSAGE_CREATE`.
    Events,
    /// `auto`, a count, ranges such as `0-7/16`, or a list of `[index, total]`.
    Shards,
    /// A shard's index, or a name that ends in one: `3`, `discord-bot-3`.
    ShardIndex,
    /// An IP address with a port, such as `127.0.0.1:9090`.
    Address,
    /// A list of tables with `name`, `type`, `state`, `url`.
    Activities,
    /// A table of HTTP headers, whose values no error and no log shows.
    Headers,
    /// A list of the cache's kinds of records, such as `member`.
    RecordKinds,
    /// A table of bounds by kind of record.
    RecordLimits,
    /// A table of lists of members by kind of record.
    RecordFields,
}

impl Kind {
    /// What the option takes, as a phrase for errors and documentation.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text | Self::Secret => "a text".to_owned(),
            Self::BaseUrl => "an address such as `https://discord.com/api/v10`".to_owned(),
            Self::Integer { min: 0, max: u64::MAX } => "a whole number".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Choice(words) => words_joined(words),
            Self::Intents => {
                "a list of intents such as `[\"guilds\", \"guild_messages\"]`, or their number"
                    .to_owned()
            }
            Self::Events => "a list of events such as `[\"MESSAGE_CREATE\"]`".to_owned(),
            Self::Shards => {
                "`\"auto\"`, a count, a range such as `\"0-7/16\"`, or pairs such as `[[2, 4], [3, 4]]`"
                    .to_owned()
            }
            Self::ShardIndex => "a shard's index, or a name that ends in one".to_owned(),
            Self::Address => "an IP address with a port, such as `127.0.0.1:9090`".to_owned(),
            Self::RecordKinds => "a list of kinds of records such as `[\"presence\"]`".to_owned(),
            Self::RecordLimits => {
                "a table such as `{ member = { count = 50000 }, presence = \"off\" }`".to_owned()
            }
            Self::RecordFields => {
                "a table such as `{ member = [\"roles\", \"nick\"] }`".to_owned()
            }
            Self::Headers => "a table such as `{ Authorization = \"...\" }`".to_owned(),
            Self::Activities => {
                "a list of tables such as `[{ name = \"chess\", type = 0 }]`".to_owned()
            }
        }
    }
}

/// `a`, `b` or `c`.
pub(super) fn words_joined(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

impl ConfigOption {
    /// The option with this full name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|option| option.name == name)
    }

    /// The environment variable with Shardkeep's own prefix: `SHARDKEEP_GATEWAY_HELLO_TIMEOUT_MS`.
    #[must_use]
    pub fn prefixed_variable(&self) -> String {
        format!("SHARDKEEP_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

/// Every option there is, by section.
pub const OPTIONS: &[ConfigOption] = &joined::<
    { BOT.len() + SESSIONS.len() + FLEET.len() + REST.len() + CACHE.len() },
>([BOT, SESSIONS, FLEET, REST, CACHE]);

const fn joined<const N: usize>(parts: [&[ConfigOption]; 5]) -> [ConfigOption; N] {
    let (mut all, mut n, mut part) = ([parts[0][0]; N], 0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            all[n] = parts[part][at];
            (at, n) = (at + 1, n + 1);
        }
        part += 1;
    }
    all
}
