//! Collects options from every source, lets the nearest source win, and makes the configuration of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value};
use shardkeep_core::fleet::Shards;
use shardkeep_core::wire::{Compression, EventKind, Intents, Presence};

use super::error::{ConfigError, Origin, Problem};
use super::option::{ConfigOption, OPTIONS};
use super::settings::Config;
use super::source::{self, Entry};

/// Collects the options of a [`Config`].
///
/// What the program sets wins over the environment, the environment over the file, the file over the defaults, whatever
/// the order of the calls. Errors are kept until [`ConfigBuilder::build`].
///
/// ```
/// use shardkeep::config::Config;
///
/// let toml = "token = \"not.a.token\"\nshards = 4\n[gateway]\nhello_timeout_ms = 5000\n";
/// let config = Config::builder()
///     .toml(toml, "bot.toml".as_ref())
///     .variables([("SHARDKEEP_SHARDS".to_owned(), "8".to_owned())])
///     .set("gateway.hello_timeout_ms", 7_000)
///     .build()?;
/// assert_eq!(config.shards.to_string(), "8");
/// assert_eq!(config.gateway.hello_timeout_ms, 7_000);
/// # Ok::<(), shardkeep::config::ConfigError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "call `build`"]
pub struct ConfigBuilder {
    entries: Vec<Entry>,
    error: Option<ConfigError>,
    /// Names of environment variables that are switched on.
    switches: BTreeSet<String>,
}

impl ConfigBuilder {
    /// Nothing but the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a TOML file.
    pub fn file(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match std::fs::read_to_string(path) {
            Ok(text) => self.toml(&text, path),
            Err(error) => {
                let origin = Origin::File {
                    path: path.to_owned(),
                    line: 0,
                };
                let reason = format!("cannot be read: {error}");
                self.keep(Err(ConfigError::new("", &origin, Problem::File { reason })))
            }
        }
    }

    /// Reads TOML text; `path` names it in errors.
    pub fn toml(self, text: &str, path: &Path) -> Self {
        self.keep(source::from_toml(text, path))
    }

    /// Reads the environment of this process: `DISCORD_TOKEN`, `DISCORD_API_BASE`, `SHARD_ID`, `TOTAL_SHARDS`, and
    /// every option as `SHARDKEEP_…`.
    pub fn environment(self) -> Self {
        let text = |os: std::ffi::OsString| os.into_string().ok();
        self.variables(
            std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))),
        )
    }

    /// Reads environment variables from elsewhere than the process.
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables: Vec<_> = variables.into_iter().collect();
        let is_on = |text: &str| matches!(text.trim(), "1" | "true");
        let on = variables.iter().filter(|(_, value)| is_on(value));
        self.switches.extend(on.map(|(name, _)| name.clone()));
        self.keep(source::from_environment(variables))
    }

    /// Takes values as the bindings pass them: a JSON object, nested by section or with dotted names.
    pub fn values(self, values: Map<String, Value>) -> Self {
        let mut entries = Vec::new();
        let read = source::from_json(values, "", &mut entries);
        self.keep(read.map(|()| entries))
    }

    /// Sets one option by its full name.
    pub fn set(self, name: &str, value: impl Into<Value>) -> Self {
        self.values(Map::from_iter([(name.to_owned(), value.into())]))
    }

    /// Sets one option from text as a command line or the environment writes it: `8`, `true`, `guilds,guild_messages`.
    pub fn set_text(self, name: &str, text: &str) -> Self {
        let value = match ConfigOption::find(name) {
            Some(option) => source::parse_text(option, text),
            None => Value::from(text),
        };
        self.set(name, value)
    }

    /// Sets `token`.
    pub fn token(self, token: &str) -> Self {
        self.set("token", token)
    }

    /// Sets `api_base`.
    pub fn api_base(self, url: &str) -> Self {
        self.set("api_base", url)
    }

    /// Sets `shards`.
    pub fn shards(self, shards: &Shards) -> Self {
        self.set("shards", shards.to_string())
    }

    /// Sets `intents`.
    pub fn intents(self, intents: Intents) -> Self {
        self.set("intents", intents.bits())
    }

    /// Sets `compress`.
    pub fn compress(self, compression: Compression) -> Self {
        self.set("compress", compression.name())
    }

    /// Sets `events`: nothing else is handed on.
    pub fn events(self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.set("events", names(kinds))
    }

    /// Sets `disabled_events`.
    pub fn disabled_events(self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.set("disabled_events", names(kinds))
    }

    /// Sets `presence`, all of it.
    pub fn presence(self, presence: &Presence) -> Self {
        let value = serde_json::to_value(presence).expect("a plain struct always serializes");
        self.set("presence", value)
    }

    fn keep(mut self, entries: Result<Vec<Entry>, ConfigError>) -> Self {
        match entries {
            Ok(entries) => self.entries.extend(entries),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Checks everything and makes the configuration.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`]: a misspelt name, a wrong type, a value out of range, a contradiction, no token. An
    /// option that another source overrides is checked all the same.
    pub fn build(mut self) -> Result<Config, ConfigError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut chosen = Chosen::defaults();
        // Stable: of two values of one rank, the one that was given later wins.
        self.entries.sort_by_key(|entry| entry.origin.rank());
        for entry in self.entries {
            let value = entry.checked()?;
            chosen.put(entry.option, value, entry.origin);
        }
        chosen.settle_shards()?;
        chosen.settle_lean(&self.switches);
        chosen.require_token()?;
        chosen.check_ops()?;
        chosen.into_config()
    }
}

fn names(kinds: impl IntoIterator<Item = EventKind>) -> Vec<&'static str> {
    kinds.into_iter().map(EventKind::name).collect()
}

impl fmt::Debug for ConfigBuilder {
    /// Which options are set; not their values, for one of them is the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| entry.option.name))
            .finish()
    }
}

/// For every option that has a value, the checked one that counts and where it was written.
struct Chosen(BTreeMap<&'static str, (Value, Origin)>);

impl Chosen {
    fn defaults() -> Self {
        let default = |option: &'static ConfigOption| {
            let value = serde_json::from_str(option.default).ok()?;
            let entry = Entry {
                option,
                value,
                origin: Origin::Default,
            };
            let value = entry
                .checked()
                .expect("a test checks the default of every option");
            Some((option.name, (value, Origin::Default)))
        };
        Self(OPTIONS.iter().filter_map(default).collect())
    }

    fn put(&mut self, option: &'static ConfigOption, value: Value, origin: Origin) {
        self.0.insert(option.name, (value, origin));
    }

    fn rank(&self, name: &str) -> u8 {
        self.0.get(name).map_or(0, |(_, origin)| origin.rank())
    }

    /// Makes `shards` of `shard_id`, `total_shards` and `shards_per_pod`, unless `shards` itself was written nearer.
    fn settle_shards(&mut self) -> Result<(), ConfigError> {
        let by_shards = self.rank("shards");
        let by_pair = self.rank("shard_id").max(self.rank("total_shards"));
        let take = |chosen: &mut Self, name| chosen.0.remove(name);
        let id = take(self, "shard_id");
        let total = take(self, "total_shards");
        let per_pod = take(self, "shards_per_pod");
        if by_pair < by_shards || by_pair == 0 {
            return Ok(());
        }
        let Some((name, origin)) = [("shard_id", &id), ("total_shards", &total)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?.1.clone())))
            .max_by_key(|(_, origin)| origin.rank())
        else {
            return Ok(());
        };
        if by_pair == by_shards {
            let reason = "`shards` is set in the same place: keep one of the two".to_owned();
            return Err(ConfigError::new(
                name,
                &origin,
                Problem::Conflict { reason },
            ));
        }
        let text = |value: Option<(Value, Origin)>| match value {
            Some((Value::String(text), _)) => Some(text),
            Some((other, _)) => Some(other.to_string()),
            None => None,
        };
        let per_pod = per_pod
            .and_then(|(value, _)| value.as_u64())
            .and_then(|k| u32::try_from(k).ok());
        let shards = Shards::from_env(text(id).as_deref(), text(total).as_deref(), per_pod)
            .map_err(|error| {
                ConfigError::new(
                    name,
                    &origin,
                    Problem::Malformed {
                        reason: error.to_string(),
                    },
                )
            })?;
        if let Some(shards) = shards {
            self.0
                .insert("shards", (Value::from(shards.to_string()), origin));
        }
        Ok(())
    }

    /// Turns lean mode on if its variable is, unless the program itself says otherwise.
    fn settle_lean(&mut self, switches: &BTreeSet<String>) {
        let Some((Value::String(variable), _)) = self.0.get("lean.variable") else {
            return;
        };
        let origin = Origin::Environment {
            variable: variable.clone(),
        };
        if switches.contains(variable) && self.rank("lean.enabled") <= origin.rank() {
            self.0.insert("lean.enabled", (Value::from(true), origin));
        }
    }

    fn require_token(&self) -> Result<(), ConfigError> {
        if self.0.contains_key("token") {
            return Ok(());
        }
        let reason =
            "set DISCORD_TOKEN, or `token` in the configuration; the developer portal shows it \
                      under Bot"
                .to_owned();
        Err(ConfigError::new(
            "token",
            &Origin::Default,
            Problem::Missing { reason },
        ))
    }

    /// The ops endpoint has no access tokens yet: nobody but this machine may reach it by accident.
    fn check_ops(&self) -> Result<(), ConfigError> {
        let allowed = matches!(self.0.get("ops.allow_remote"), Some((Value::Bool(true), _)));
        let Some((Value::String(address), origin)) = self.0.get("ops.listen") else {
            return Ok(());
        };
        let is_local = address
            .parse::<SocketAddr>()
            .is_ok_and(|at| at.ip().is_loopback());
        if allowed || is_local {
            return Ok(());
        }
        let reason = format!(
            "other machines reach {address}, and the endpoint asks for no access token yet: use 127.0.0.1, or set \
             `ops.allow_remote = true` where a firewall or network policy guards it"
        );
        Err(ConfigError::new(
            "ops.listen",
            origin,
            Problem::Conflict { reason },
        ))
    }

    /// Nests the dotted names and reads the structure.
    fn into_config(self) -> Result<Config, ConfigError> {
        let mut root = Map::new();
        for (name, (value, _)) in self.0 {
            match name.split_once('.') {
                None => {
                    root.insert(name.to_owned(), value);
                }
                Some((section, key)) => {
                    let section = root
                        .entry(section)
                        .or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(table) = section {
                        table.insert(key.to_owned(), value);
                    }
                }
            }
        }
        // The table checked every value: this can only fail where table and structure disagree, which a test excludes.
        serde_json::from_value(Value::Object(root)).map_err(|error| {
            ConfigError::new(
                "",
                &Origin::Default,
                Problem::Malformed {
                    reason: error.to_string(),
                },
            )
        })
    }
}
