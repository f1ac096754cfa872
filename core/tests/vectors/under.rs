//! The machines under test, behind nothing but records: what a binding sees of them.

use serde_json::Value;
use shardkeep_core::Instant;
use shardkeep_core::cache::Cache;
use shardkeep_core::fleet::Fleet;
use shardkeep_core::gateway::Session;
use shardkeep_core::record::{self, Flat, Record, Row, Start, Status};
use shardkeep_core::rest::Scheduler;
use shardkeep_core::wire::Miniz;

use super::model::{Next, Rec};

/// The token in every vector. It is none.
const TOKEN: &str = "not.a.token";

/// A machine that takes and gives records.
pub(crate) trait Under: Sized {
    const NAME: &'static str;

    fn start(settings: &Value, snapshot: Option<&Value>) -> Result<Self, String>;
    fn input(&mut self, at_us: u64, input: &Rec) -> Status;
    fn timeout(&mut self, at_us: u64);
    fn output(&mut self) -> Option<Rec>;
    fn next(&self) -> Option<Next>;
    fn state(&self) -> Option<String>;
    fn stat(&self, name: &str) -> u64;
    fn snapshot(&self) -> Value;
    fn edges_taken(&self) -> u64;
}

pub(super) fn named(table: &'static [Row], record: &Record<'_>) -> Rec {
    let row = record::row_numbered(table, record.kind).expect("a kind in the table");
    let used = |column| row.columns.iter().any(|(name, _)| *name == column);
    assert!(used("code") || record.code == 0, "{}: code", row.name);
    assert!(used("id") || record.id == 0, "{}: id", row.name);
    assert!(used("value") || record.value == 0, "{}: value", row.name);
    assert!(used("text") || record.text.is_empty(), "{}: text", row.name);
    assert!(used("data") || record.data.is_empty(), "{}: data", row.name);
    Rec {
        kind: String::from(row.name),
        code: record.code,
        id: record.id,
        value: record.value,
        text: String::from(record.text),
        data: record.data.to_vec(),
    }
}

pub(super) fn numbered<'a>(table: &'static [Row], rec: &'a Rec) -> Record<'a> {
    let row = record::row_named(table, &rec.kind);
    Record {
        // A kind that no table has: the machine is to refuse it.
        kind: row.map_or(99, |row| row.kind),
        code: rec.code,
        id: rec.id,
        value: rec.value,
        text: &rec.text,
        data: &rec.data,
    }
}

pub(super) fn next(table: &'static [Row], record: Option<Record<'static>>) -> Option<Next> {
    let rec = named(table, &record?);
    Some(Next {
        at_us: rec.value,
        reason: rec.kind,
    })
}

/// Which edges of the state table were taken: only a session has one.
pub(crate) trait Edges {
    fn edges(&self) -> u64 {
        0
    }
}

impl Edges for Session {
    fn edges(&self) -> u64 {
        self.edges_taken()
    }
}

impl Edges for Fleet {}
impl Edges for Scheduler {}
impl Edges for Cache {}

fn text(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}

impl<M: Flat + Edges> Under for M {
    const NAME: &'static str = <M as Flat>::NAME;

    fn start(settings: &Value, snapshot: Option<&Value>) -> Result<Self, String> {
        let (settings, snapshot) = (text(Some(settings)), text(snapshot));
        let start = Start {
            settings: &settings,
            token: TOKEN,
            snapshot: &snapshot,
            now: Instant::ZERO,
            inflate: |_| Some(Box::new(Miniz::new())),
        };
        <M as Flat>::start(start).map_err(|error| error.to_string())
    }

    fn input(&mut self, at_us: u64, input: &Rec) -> Status {
        let record = numbered(M::INPUTS, input);
        match self.feed(Instant::from_micros(at_us), record) {
            Ok(()) => Status::Ok,
            Err(status) => status,
        }
    }

    fn timeout(&mut self, at_us: u64) {
        self.handle_timeout(Instant::from_micros(at_us));
    }

    fn output(&mut self) -> Option<Rec> {
        let mut scratch = M::Scratch::default();
        let record = self.next_output(&mut scratch)?;
        Some(named(M::OUTPUTS, &record))
    }

    fn next(&self) -> Option<Next> {
        next(M::TIMEOUTS, self.next_timeout())
    }

    fn state(&self) -> Option<String> {
        Some(String::from(self.state_name())).filter(|name| !name.is_empty())
    }

    fn stat(&self, name: &str) -> u64 {
        let counted = self.counted(name);
        counted.unwrap_or_else(|| panic!("{name} is no counter of a {}", <M as Flat>::NAME))
    }

    fn snapshot(&self) -> Value {
        serde_json::from_str(&self.snapshot_text()).expect("a snapshot is always JSON")
    }

    fn edges_taken(&self) -> u64 {
        self.edges()
    }
}
