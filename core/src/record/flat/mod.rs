//! A machine behind nothing but text, numbers and records: what C, Python, Node and the vectors hold of it. Settings
//! and snapshots are JSON, under the names and with the defaults of `vectors/README.md`.

mod cache;
mod cutover;
mod fleet;
mod scheduler;
mod session;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt::{self, Write as _};
use core::time::Duration;

use serde::de::DeserializeOwned;

use super::{Record, Row, Status};
use crate::machine::Machine;
use crate::time::Instant;
use crate::wire::{Compression, Inflate};

pub use cache::CacheScratch;
pub use cutover::{CallError, Cutover};
pub use scheduler::scheduler_exchange;

/// What a machine starts with.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// The settings that differ from the defaults: a JSON object; empty if none does.
    pub settings: &'a str,
    /// The bot's token; only a session has one.
    pub token: &'a str,
    /// What to go on from: [`Flat::snapshot_text`] of its predecessor; empty to begin afresh.
    pub snapshot: &'a str,
    /// The time of the start.
    pub now: Instant,
    /// Makes what a session inflates with; `None` for a compression that it cannot inflate.
    pub inflate: fn(Compression) -> Option<Box<dyn Inflate>>,
}

impl fmt::Debug for Start<'_> {
    /// Without the token, and without the snapshot, which can resume a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("settings", &self.settings)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Why a machine did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// The settings are not JSON, or one of them is unknown or of the wrong type: the text names it.
    Settings(String),
    /// The token cannot be one.
    Token(String),
    /// The snapshot is none of this machine's.
    Snapshot(String),
    /// The settings contradict each other or Discord: the text says what to do.
    Refused(String),
}

impl StartError {
    /// The number that a call returns.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Settings(_) | Self::Refused(_) => Status::BadSettings,
            Self::Token(_) => Status::BadToken,
            Self::Snapshot(_) => Status::BadSnapshot,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text)
            | Self::Token(text)
            | Self::Snapshot(text)
            | Self::Refused(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for StartError {}

/// A number that a machine keeps of itself: its name and where it is read.
pub type Counter<M> = (&'static str, fn(&M) -> u64);

/// A machine in flat form. A binding needs no more than this of it.
///
/// ```
/// use shardkeep_core::fleet::Fleet;
/// use shardkeep_core::record::{Flat, Record, Start};
/// use shardkeep_core::wire::Miniz;
/// use shardkeep_core::{Instant, Machine};
///
/// let start = Start {
///     settings: r#"{"shards": "2", "margin_ms": 100}"#,
///     token: "",
///     snapshot: "",
///     now: Instant::ZERO,
///     inflate: |_| Some(Box::new(Miniz::new())),
/// };
/// let mut fleet = Fleet::start(start).unwrap();
/// fleet.handle_timeout(Instant::ZERO);
/// let mut scratch = ();
/// let first = fleet.next_output(&mut scratch).unwrap();
/// assert_eq!(first.kind, 1, "it wants `GET /gateway/bot`");
/// assert_eq!(fleet.counted("shards"), Some(2));
/// ```
pub trait Flat: Machine + Sized + 'static {
    /// Its name in every language.
    const NAME: &'static str;
    /// What it takes.
    const INPUTS: &'static [Row];
    /// What it gives.
    const OUTPUTS: &'static [Row];
    /// Why it waits.
    const TIMEOUTS: &'static [Row];
    /// What it counts.
    const COUNTERS: &'static [Counter<Self>];

    /// Where an output is kept that the machine does not keep itself. Used again for the next one.
    type Scratch: Default;

    /// A machine with these settings.
    ///
    /// # Errors
    ///
    /// [`StartError`], whose text is for the user.
    fn start(start: Start<'_>) -> Result<Self, StartError>;

    /// [`Machine::handle_input`].
    ///
    /// # Errors
    ///
    /// A [`Status`] of 100 or above; the machine is unchanged then.
    fn feed(&mut self, now: Instant, record: Record<'_>) -> Result<(), Status>;

    /// [`Machine::poll_output`]. `scratch` belongs to the record as long as it is looked at.
    fn next_output<'a>(&'a mut self, scratch: &'a mut Self::Scratch) -> Option<Record<'a>>;

    /// [`Machine::poll_timeout`]: the reason is the kind, the time the value.
    fn next_timeout(&self) -> Option<Record<'static>>;

    /// The state by name; empty for machines that have none.
    fn state_name(&self) -> &'static str {
        ""
    }

    /// [`Machine::snapshot`] as JSON, its keys in alphabetical order.
    fn snapshot_text(&self) -> String;

    /// A counter by name; `None` if there is none of this name.
    fn counted(&self, name: &str) -> Option<u64> {
        let found = Self::COUNTERS.iter().find(|(known, _)| *known == name);
        found.map(|(_, read)| read(self))
    }

    /// Every counter, as a JSON object.
    fn stats_text(&self) -> String {
        listed(self, Self::COUNTERS.iter().map(|(name, _)| *name))
    }
}

/// These counters as a JSON object.
fn listed<M: Flat>(machine: &M, names: impl Iterator<Item = &'static str>) -> String {
    let mut text = String::from("{");
    for name in names {
        let comma = if text.len() > 1 { "," } else { "" };
        let count = machine.counted(name).unwrap_or_default();
        write!(text, "{comma}\"{name}\":{count}").expect("a String takes every text");
    }
    text.push('}');
    text
}

/// Reads settings. Empty text stands for the defaults.
fn settings<T: DeserializeOwned + Default>(text: &str) -> Result<T, StartError> {
    if text.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(text).map_err(|error| StartError::Settings(error.to_string()))
}

/// Reads a snapshot, if there is one.
fn snapshot<T: DeserializeOwned>(text: &str) -> Result<Option<T>, StartError> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_str(text).map(Some);
    read.map_err(|error| StartError::Snapshot(error.to_string()))
}

/// JSON with its keys in alphabetical order.
fn json_text(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("what machines hold is always JSON");
    value.to_string()
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_ms(place: &mut Duration, ms: Option<u64>) {
    set(place, ms.map(Duration::from_millis));
}

const fn size(count: usize) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::fleet::Fleet;
    use crate::gateway::Session;
    use crate::rest::Scheduler;
    use crate::wire::Miniz;

    fn start<M: Flat>(settings: &str, token: &str, snapshot: &str) -> Result<M, StartError> {
        M::start(Start {
            settings,
            token,
            snapshot,
            now: Instant::ZERO,
            inflate: |_| Some(Box::new(Miniz::new())),
        })
    }

    fn refused<M: Flat>(settings: &str, token: &str, snapshot: &str) -> StartError {
        match start::<M>(settings, token, snapshot) {
            Ok(_) => panic!("{} started", M::NAME),
            Err(error) => error,
        }
    }

    #[test]
    fn a_misspelt_setting_is_named() {
        let errors = [
            refused::<Session>(r#"{"shrad": [0, 1]}"#, "not.a.token", ""),
            refused::<Fleet>(r#"{"shrad": 1}"#, "", ""),
            refused::<Scheduler>(r#"{"shrad": 1}"#, "", ""),
            refused::<Cache>(r#"{"shrad": 1}"#, "", ""),
        ];
        for error in errors {
            assert_eq!(error.status(), Status::BadSettings);
            assert!(error.to_string().contains("`shrad`"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        let error = refused::<Session>("", "two words", "");
        assert_eq!(error.status(), Status::BadToken);
        assert!(!error.to_string().contains("two words"), "{error}");
        let error = refused::<Session>(r#"{"compress": "gzip"}"#, "not.a.token", "");
        assert!(error.to_string().contains("gzip"), "{error}");
        let error = refused::<Cache>(r#"{"stored": ["gulid"]}"#, "", "");
        assert!(error.to_string().contains("gulid"), "{error}");
        for error in [
            refused::<Session>("", "not.a.token", "[]"),
            refused::<Scheduler>("", "", "[]"),
            refused::<Fleet>("", "", "7"),
            refused::<Cache>("", "", "{}"),
        ] {
            assert_eq!(error.status(), Status::BadSnapshot, "{error}");
        }
    }

    #[test]
    fn counters_are_found_by_name_and_listed() {
        let scheduler: Scheduler = start("", "", "").unwrap();
        assert_eq!(scheduler.counted("queued"), Some(0));
        assert_eq!(scheduler.counted("queuedd"), None);
        let all: serde_json::Value = serde_json::from_str(&scheduler.stats_text()).unwrap();
        let all = all.as_object().unwrap();
        assert_eq!(all.len(), Scheduler::COUNTERS.len());
        assert_eq!(all["in_flight"], 0);
    }
}
