//! The machines under test, behind nothing but records: what a binding sees of them.

use serde_json::Value;
use shardkeep_core::fleet::Fleet;
use shardkeep_core::gateway::Session;
use shardkeep_core::record::{self, Record, Row, Status};
use shardkeep_core::wire::Miniz;
use shardkeep_core::{Instant, Machine};

use super::model::{Next, Rec};
use super::settings;

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

impl Under for Session {
    const NAME: &'static str = "session";

    fn start(settings: &Value, snapshot: Option<&Value>) -> Result<Self, String> {
        let (config, inflate) = (settings::session(settings), Box::new(Miniz::new()));
        let started = match snapshot {
            None => Self::new(config, inflate, Instant::ZERO),
            Some(snapshot) => {
                let snapshot = serde_json::from_value(snapshot.clone()).expect("a snapshot");
                Self::restore(config, inflate, snapshot, Instant::ZERO)
            }
        };
        started.map_err(|error| error.to_string())
    }

    fn input(&mut self, at_us: u64, input: &Rec) -> Status {
        let record = numbered(record::SESSION_INPUTS, input);
        match record::handle_session_input(self, Instant::from_micros(at_us), record) {
            Ok(()) => Status::Ok,
            Err(status) => status,
        }
    }

    fn timeout(&mut self, at_us: u64) {
        self.handle_timeout(Instant::from_micros(at_us));
    }

    fn output(&mut self) -> Option<Rec> {
        let output = self.poll_output()?;
        Some(named(
            record::SESSION_OUTPUTS,
            &record::session_output(&output),
        ))
    }

    fn next(&self) -> Option<Next> {
        let timeout = self.poll_timeout().map(record::session_timeout);
        next(record::SESSION_TIMEOUTS, timeout)
    }

    fn state(&self) -> Option<String> {
        Some(String::from(Self::state(self).as_str()))
    }

    fn stat(&self, name: &str) -> u64 {
        let stats = self.stats();
        match name {
            "connections" => stats.connections,
            "identifies" => stats.identifies,
            "resumes" => stats.resumes,
            "ready" => stats.ready,
            "resumed" => stats.resumed,
            "sessions_lost" => stats.sessions_lost,
            "dispatches" => stats.dispatches,
            "delivered" => stats.delivered,
            "filtered" => stats.filtered,
            "replayed" => stats.replayed,
            "duplicates" => stats.duplicates,
            "missed" => stats.missed,
            "out_of_order" => stats.out_of_order,
            "ignored" => stats.ignored,
            "bad_messages" => stats.bad_messages,
            "zombies" => stats.zombies,
            "heartbeats" => stats.heartbeats,
            "heartbeats_acked" => stats.heartbeats_acked,
            "commands_sent" => stats.commands_sent,
            "commands_resent" => stats.commands_resent,
            "commands_refused" => stats.commands_refused,
            "commands_queued" => stats.commands_queued,
            "guilds" => stats.guilds.into(),
            "guilds_unavailable" => stats.guilds_unavailable.into(),
            "sequence" => stats.sequence.unwrap_or_default(),
            _ => panic!("{name} is no counter of a session"),
        }
    }

    fn snapshot(&self) -> Value {
        serde_json::to_value(Machine::snapshot(self)).expect("a snapshot is always JSON")
    }

    fn edges_taken(&self) -> u64 {
        Self::edges_taken(self)
    }
}

impl Under for Fleet {
    const NAME: &'static str = "fleet";

    fn start(settings: &Value, snapshot: Option<&Value>) -> Result<Self, String> {
        let (config, elapsed) = settings::fleet(settings);
        Ok(match snapshot {
            None => Self::new(config),
            Some(snapshot) => {
                let snapshot = serde_json::from_value(snapshot.clone()).expect("a snapshot");
                Self::restore(config, &snapshot, Instant::ZERO, elapsed)
            }
        })
    }

    fn input(&mut self, at_us: u64, input: &Rec) -> Status {
        let record = numbered(record::FLEET_INPUTS, input);
        match record::handle_fleet_input(self, Instant::from_micros(at_us), record) {
            Ok(()) => Status::Ok,
            Err(status) => status,
        }
    }

    fn timeout(&mut self, at_us: u64) {
        self.handle_timeout(Instant::from_micros(at_us));
    }

    fn output(&mut self) -> Option<Rec> {
        let output = self.poll_output()?;
        Some(named(record::FLEET_OUTPUTS, &record::fleet_output(&output)))
    }

    fn next(&self) -> Option<Next> {
        let timeout = self.poll_timeout().map(record::fleet_timeout);
        next(record::FLEET_TIMEOUTS, timeout)
    }

    fn state(&self) -> Option<String> {
        None
    }

    fn stat(&self, name: &str) -> u64 {
        let status = self.status();
        let counters = status.counters;
        match name {
            "shards" => status.shards.into(),
            "ready" => status.ready.into(),
            "waiting" => status.waiting.into(),
            "parked" => status.parked.into(),
            "closed" => status.closed.into(),
            "sick" => status.sick.into(),
            "max_concurrency" => status.max_concurrency.into(),
            "total" => status.total.unwrap_or_default().into(),
            "remaining" => status.remaining.unwrap_or_default().into(),
            "reserve" => status.reserve.into(),
            "granted_today" => status.granted_today.into(),
            "wasted_today" => status.wasted_today.into(),
            "started" => counters.started,
            "wanted" => counters.wanted,
            "cancelled" => counters.cancelled,
            "granted" => counters.granted,
            "unused" => counters.unused,
            "rejected" => counters.rejected,
            "wasted" => counters.wasted,
            "limits_fetched" => counters.limits_fetched,
            "limits_failed" => counters.limits_failed,
            _ => panic!("{name} is no number of a fleet"),
        }
    }

    fn snapshot(&self) -> Value {
        serde_json::to_value(Machine::snapshot(self)).expect("a snapshot is always JSON")
    }

    fn edges_taken(&self) -> u64 {
        0
    }
}
